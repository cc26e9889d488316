"""Where the head is apart from the face: there and back, from points that are partly wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reenact.geometry.face_model import rotation_matrix
from reenact.geometry.head_field import project
from reenact.geometry.head_offset import TOGETHER, fit_offset, scaled, with_offset
from reenact.types import FaceState

STATE = FaceState(
    np.array([0.05, -0.2, 0.02], np.float32),
    58.0,
    np.array([128, 128], np.float32),
    np.zeros(1, np.float32),
    np.zeros(1, np.float32),
)
OFFSET = np.array([0.03, -0.06, 0.02, 0.01, 2.0, -1.5], np.float32)


def local(count: int = 80) -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.stack([rng.uniform(-1.2, 1.2, count), rng.uniform(-1.4, -0.4, count)], 1).astype(np.float32)


def found(offset: np.ndarray, noise: float = 0.0) -> np.ndarray:
    moved = project(local(), with_offset(STATE, offset)) - project(local(), STATE)
    return moved + np.random.default_rng(1).normal(0, noise, moved.shape).astype(np.float32)


def test_a_head_that_goes_with_its_face_is_left_alone() -> None:
    assert with_offset(STATE, TOGETHER) is STATE
    assert not fit_offset(local(), STATE, found(TOGETHER), np.ones(80, bool)).any()


def test_an_offset_turns_grows_and_shifts() -> None:
    head = with_offset(STATE, OFFSET)
    turn = rotation_matrix(head.rotation) @ rotation_matrix(STATE.rotation).T
    np.testing.assert_allclose(turn, rotation_matrix(OFFSET[:3]), atol=1e-5)
    assert head.scale == pytest.approx(58 * np.exp(0.01))
    np.testing.assert_allclose(head.translation - STATE.translation, OFFSET[4:])
    np.testing.assert_allclose(scaled(OFFSET, 2)[4:], 2 * OFFSET[4:])
    np.testing.assert_array_equal(scaled(OFFSET, 2)[:4], OFFSET[:4])


@pytest.mark.parametrize(("noise", "wrong", "error"), [(0.0, 0, 0.15), (0.5, 0, 0.3), (0.5, 20, 0.5)])
def test_it_is_found_again(noise: float, wrong: int, error: float) -> None:
    """In pixels where points of the head come to lie; a quarter of them may be anywhere."""
    moved = found(OFFSET, noise)
    moved[:wrong] += np.random.default_rng(2).uniform(-9, 9, (wrong, 2)).astype(np.float32)
    offset = fit_offset(local(), STATE, moved, np.ones(80, bool))
    there = project(local(), with_offset(STATE, offset)) - project(local(), STATE)
    assert np.linalg.norm(there - found(OFFSET), axis=1).mean() < error


def test_few_points_say_little_and_none_say_nothing() -> None:
    moved, sizes = found(OFFSET), []
    for count in (0, 5, 10, 14, 80):
        seen = np.arange(80) < count
        sizes.append(float(np.abs(fit_offset(local(), STATE, moved, seen)[4:]).max()))
    assert sizes[:2] == [0, 0] and 0 < sizes[2] < sizes[3] < sizes[4]


def test_it_has_its_limits() -> None:
    far = fit_offset(local(), STATE, found(TOGETHER) + 40, np.ones(80, bool))
    assert np.abs(far[:3]).max() < 0.15 and np.abs(far[4:]).max() < 0.13 * STATE.scale


def test_it_holds_at_any_size() -> None:
    large = replace(STATE, scale=4 * STATE.scale, translation=4 * STATE.translation)
    small, big = (
        fit_offset(local(), state, factor * found(OFFSET), np.ones(80, bool))
        for state, factor in ((STATE, 1), (large, 4))
    )
    np.testing.assert_allclose(big, scaled(small, 4), rtol=0.02, atol=1e-4)
