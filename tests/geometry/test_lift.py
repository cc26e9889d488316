"""Lifting landmarks of a layout to the mesh: what is given is met, and the rest follows as faces do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reenact.geometry.face_model import default_face_model
from reenact.geometry.lift import lifted
from reenact.geometry.schemes import convert_points
from reenact.types import FaceState, Scheme


def state(seed: int = 0) -> FaceState:
    rng, model = np.random.default_rng(seed), default_face_model()
    return FaceState(
        np.array([0.1, 0.4, 0.05], np.float32),
        60.0,
        np.full(2, 128, np.float32),
        rng.standard_normal(len(model.identity)).astype(np.float32),
        rng.standard_normal(len(model.expression)).astype(np.float32),
    )


def test_a_mesh_that_has_the_points_already_stays() -> None:
    model, face = default_face_model(), state()
    mesh = model.project(face)
    same = lifted(model, mesh, face, convert_points(mesh, "wflw98")[:, :2], "wflw98")
    np.testing.assert_allclose(same, mesh, atol=1e-3)


@pytest.mark.parametrize("scheme", ["wflw98", "ibug68"])
def test_the_wanted_points_are_met_and_the_others_follow(scheme: Scheme) -> None:
    model, face = default_face_model(), state()
    mesh = model.project(face)
    other = replace(face, expression=state(1).expression, translation=face.translation + 5)
    truth = model.project(other)
    made = lifted(model, mesh, face, convert_points(truth, scheme)[:, :2], scheme)
    miss = np.abs(convert_points(made, scheme) - convert_points(truth, scheme))[:, :2]
    assert miss.mean() < 0.1
    before, after = (np.abs(points - truth)[:, :2].mean() for points in (mesh, made))
    assert after < 0.12 * before, (before, after)


def test_points_of_another_scheme_are_refused() -> None:
    model, face = default_face_model(), state()
    with pytest.raises(ValueError, match="wflw98 has 98"):
        lifted(model, model.project(face), face, np.zeros((68, 2), np.float32), "wflw98")
