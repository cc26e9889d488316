"""Hair and forehead are followed by their looks, whatever the landmarks say of the pose."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reenact.geometry.face_model import rotation_matrix, rotation_vector
from reenact.geometry.head_offset import with_offset
from reenact.perception.close_up import CloseUp
from reenact.perception.head_tracker import HeadTracker
from reenact.types import FaceState, Floats, Image, Points


def offset(tracker: HeadTracker, picture: Image, points: Points, state: FaceState) -> Floats:
    return tracker.offset(CloseUp.of(picture, state), points, state)


def misread(state: FaceState, degrees: float, shift: float = 0.0, growth: float = 1.0) -> FaceState:
    """The state as landmarks would give it that a grimace pulled along."""
    turn = rotation_matrix(np.array([0, np.deg2rad(degrees), 0], np.float32)) @ rotation_matrix(state.rotation)
    moved = state.translation + np.float32(shift)
    return replace(state, rotation=rotation_vector(turn), translation=moved, scale=state.scale * growth)


@pytest.mark.parametrize(("degrees", "shift", "growth"), [(4, 0, 1), (-3, 2, 1), (0, 1.5, 1.02)])
def test_a_head_that_stands_still(
    picture: Image, points: Points, state: FaceState, degrees: float, shift: float, growth: float
) -> None:
    tracker = HeadTracker()
    assert not offset(tracker, picture, points, state).any(), "by definition"
    seen = misread(state, degrees, shift, growth)
    head = with_offset(seen, offset(tracker, picture, points, seen))
    turn = rotation_matrix(head.rotation) @ rotation_matrix(state.rotation).T
    before = rotation_matrix(seen.rotation) @ rotation_matrix(state.rotation).T
    left, was = (np.rad2deg(np.linalg.norm(rotation_vector(one))) for one in (turn, before))
    assert left < max(0.3 * was, 0.8)
    assert np.abs(head.translation - state.translation).max() < max(0.5 * abs(shift), 0.6)


def test_a_head_that_moves_with_its_face(picture: Image, points: Points, state: FaceState) -> None:
    tracker = HeadTracker()
    offset(tracker, picture, points, state)
    moved = np.roll(picture, (6, -9), (0, 1))
    step = np.array([-9, 6], np.float32)
    there = points + np.append(step, np.float32(0))
    found = offset(tracker, moved, there, replace(state, translation=state.translation + step))
    assert np.abs(np.rad2deg(found[:3])).max() < 0.3 and np.abs(found[4:]).max() < 0.5


def test_at_any_size(picture: Image, points: Points, state: FaceState) -> None:
    large = np.repeat(np.repeat(picture, 3, 0), 3, 1)
    big = replace(state, scale=3 * state.scale, translation=3 * state.translation)
    offsets = []
    for one, at, known in ((picture, points, state), (large, 3 * points, big)):
        tracker = HeadTracker()
        offset(tracker, one, at, known)
        offsets.append(offset(tracker, one, at, misread(known, 4)))
    np.testing.assert_allclose(offsets[1][:3], offsets[0][:3], atol=0.012)
    np.testing.assert_allclose(offsets[1][4:], 3 * offsets[0][4:], atol=2)


def test_what_shows_nothing_says_nothing(picture: Image, points: Points, state: FaceState) -> None:
    blank = np.full_like(picture, 90)
    tracker = HeadTracker()
    offset(tracker, blank, points, state)
    assert not offset(tracker, picture, points, state).any(), (
        "the first frame had no points, so this is the anchor"
    )
    assert offset(tracker, picture, points, misread(state, 4)).any()
    tracker = HeadTracker()
    offset(tracker, picture, points, state)
    noise = np.random.default_rng(0).integers(0, 255, picture.shape, np.uint8)
    assert not offset(tracker, noise, points, misread(state, 4)).any()
    outside = replace(state, translation=state.translation + np.float32(9000))
    assert not offset(tracker, picture, points, outside).any()


def test_restart(picture: Image, points: Points, state: FaceState) -> None:
    tracker = HeadTracker()
    offset(tracker, picture, points, state)
    tracker.restart()
    assert not offset(tracker, picture, points, misread(state, 4)).any()
    assert np.rad2deg(offset(tracker, picture, points, state)[1]) > 2
