"""What the coefficients leave over: exact where they are known, nothing along the line of sight."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reenact.geometry.detail import MOST, detail_between, left_over
from reenact.geometry.face_model import FaceModel, rotation_matrix
from reenact.types import FaceState, Floats


@pytest.fixture
def state(model: FaceModel) -> FaceState:
    rng = np.random.default_rng(5)
    return FaceState(
        np.array([0.1, -0.4, 0.05], np.float32),
        90.0,
        np.array([210.0, 190.0], np.float32),
        rng.normal(size=len(model.identity)).astype(np.float32),
        rng.normal(size=len(model.expression)).astype(np.float32),
    )


def wrinkles() -> Floats:
    return np.random.default_rng(6).normal(0, 0.01, (478, 3)).astype(np.float32)


def test_it_is_what_was_added_seen_from_the_front(model: FaceModel, state: FaceState) -> None:
    added, turn = wrinkles(), rotation_matrix(state.rotation)
    rest = left_over(model, state, model.project(state, added))
    seen = added @ turn.T
    np.testing.assert_allclose((rest @ turn.T)[:, :2], seen[:, :2], atol=2e-5)
    np.testing.assert_allclose((rest @ turn.T)[:, 2], 0, atol=1e-6)
    again = model.project(state, rest)
    np.testing.assert_allclose(again[:, :2], model.project(state, added)[:, :2], atol=2e-3)


def test_between_two_moments_the_persons_own_goes_out(model: FaceModel, state: FaceState) -> None:
    own, fold = wrinkles(), np.zeros((478, 3), np.float32)
    fold[100:130, :2] = 0.02
    facing = replace(state, rotation=np.zeros(3, np.float32))
    own[:, 2] = 0
    smiling = replace(facing, expression=-facing.expression)
    first = left_over(model, facing, model.project(facing, own))
    second = left_over(model, smiling, model.project(smiling, own + fold))
    np.testing.assert_allclose(detail_between(second, first), fold, atol=2e-5)


def test_it_has_a_limit(model: FaceModel, state: FaceState) -> None:
    far = model.project(state) + np.float32(500)
    assert np.abs(detail_between(left_over(model, state, far), np.zeros((478, 3), np.float32))).max() <= MOST
