"""Hair, ears and neck: they go with the head, and shoulders stay."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reenact.geometry.head_field import Fade, edge_field, head_field, project, smoothstep, unproject
from reenact.types import FaceState

STATE = FaceState(
    np.zeros(3, np.float32),
    60.0,
    np.array([100, 90], np.float32),
    np.zeros(1, np.float32),
    np.zeros(1, np.float32),
)


def turned(x: float, y: float, z: float = 0.0) -> FaceState:
    return replace(STATE, rotation=np.array([x, y, z], np.float32))


def grid(step: int = 10) -> np.ndarray:
    y, x = np.mgrid[0:320:step, 0:200:step]
    return np.stack([x, y], -1).astype(np.float32)


def test_smoothstep():
    x = np.array([-1, 0, 0.25, 0.5, 0.75, 1, 2], np.float32)
    np.testing.assert_allclose(smoothstep(x, 0, 1), [0, 0, 0.15625, 0.5, 0.84375, 1, 1])


TURNS = [STATE, turned(0.3, 0), turned(0, 0.5), turned(0.1, -0.4, 0.2), turned(0, 0.75), turned(0.3, -1.1, 0.2)]


@pytest.mark.parametrize("state", TURNS)
def test_unproject_inverts_project(state):
    """The whole head, and however far it is turned: the bowl does not fold over."""
    y, x = np.mgrid[-2.5:2.5:0.1, -2.5:2.5:0.1]
    local = np.stack([x, y], -1).astype(np.float32)
    np.testing.assert_allclose(unproject(project(local, state), state), local, atol=2e-3)


@pytest.mark.parametrize("state", TURNS)
def test_without_motion_nothing_moves(state):
    assert np.abs(head_field(grid(), state, state, Fade())).max() < 0.02


def test_a_turned_head_turns_on_smoothly():
    """From 25 to 70 degrees in small steps, no point jumps, where the bowl begins to be flattened neither."""
    at = np.array([[110, 60], [140, 40], [60, 40], [60, 90]], np.float32)
    way = [project(unproject(at, turned(0, 0.4)), turned(0, angle)) for angle in np.arange(0.4, 1.2, 0.02)]
    steps = np.linalg.norm(np.diff(way, axis=0), axis=2)
    assert steps.max() < 3 and np.abs(np.diff(steps, axis=0)).max() < 1.5


def test_a_step_moves_the_head_and_leaves_what_lies_far_below():
    moved = replace(STATE, translation=STATE.translation + np.array([12, 0], np.float32))
    field = head_field(grid(), STATE, moved, Fade())
    head, floor = field[:6], field[-3:]
    np.testing.assert_allclose(head[..., 0], -12, atol=0.3)
    np.testing.assert_allclose(floor, 0, atol=1e-3)


def test_a_turn_ends_above_the_shoulders():
    field = head_field(grid(), STATE, turned(0, 0.4), Fade())
    assert np.abs(field[:8]).max() > 3
    np.testing.assert_allclose(field[-8:], 0, atol=1e-3)


def test_growing_keeps_the_middle():
    grown = replace(STATE, scale=72.0)
    field = head_field(np.array([[100, 90], [130, 90]], np.float32), STATE, grown, Fade())
    np.testing.assert_allclose(field, [[0, 0], [-5, 0]], atol=0.01)


def test_with_a_radius_far_pixels_stay():
    field = head_field(
        np.array([[100, 60], [600, 60], [-400, 90]], np.float32), STATE, turned(0, 0.3), Fade(), 1.25
    )
    assert np.abs(field[0]).max() > 0.5
    np.testing.assert_allclose(field[1:], 0, atol=1e-3)


def test_the_edges_motion_is_exact_there_and_fades():
    edge = np.array([[50, 50], [60, 80], [90, 60]], np.float32)
    offset = np.array([[3, 0], [0, -2], [1, 1]], np.float32)
    trust = np.ones(3, np.float32)
    np.testing.assert_allclose(edge_field(edge, edge, offset, trust, 60.0), offset, atol=0.1)
    far = edge_field(np.array([[[300, 300]]], np.float32), edge, offset, trust, 60.0)
    np.testing.assert_array_equal(far, [[[0, 0]]])


def test_hidden_edge_points_have_little_say():
    edge = np.array([[50, 50], [54, 50]], np.float32)
    offset = np.array([[0, 0], [8, 0]], np.float32)
    trust = np.array([1, 0.001], np.float32)
    assert edge_field(np.array([[51.0, 50]]), edge, offset, trust, 60.0)[0, 0] < 0.1
