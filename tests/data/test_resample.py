"""OSFR's boundary resampling, flat and solid, and stirred stills."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.data.resample import contour_share, resampled_points, stirred
from reenact.geometry.face_model import FaceModel, rotation_matrix
from reenact.geometry.schemes import FACE_OVAL, LEFT_EYE, LIPS_OUTER, MESH_TRIANGLES
from reenact.perception.detector import MeshDetector


@pytest.fixture(scope="module")
def other(model: FaceModel) -> np.ndarray:
    """Another person, larger, elsewhere, and turned by 20 degrees."""
    random = np.random.default_rng(4)
    shape = model.shape(random.standard_normal(32).astype(np.float32) * 1.5, np.zeros(80, np.float32))
    turned = 130 * shape @ rotation_matrix(np.array([0, 0.35, 0.1])).T
    return (turned + np.array([300, 200, 0])).astype(np.float32)


def test_the_share_is_one_on_the_oval_none_inside_and_smooth_between() -> None:
    share = contour_share()
    assert (share[FACE_OVAL] == 1).all() and (share[LEFT_EYE] == 0).all() and (share[LIPS_OUTER] == 0).all()
    assert share.min() >= 0 and share.max() <= 1
    between = (share > 0) & (share < 1)
    assert between.sum() > 100
    # Harmonic: no point between stands above or below all of its neighbours.
    for point in np.flatnonzero(between)[::7]:
        near = np.unique(MESH_TRIANGLES[(point == MESH_TRIANGLES).any(1)])
        near = near[near != point]
        assert share[near].min() - 1e-3 <= share[point] <= share[near].max() + 1e-3


@pytest.mark.parametrize("manner", ["flat", "solid"])
def test_the_inner_face_stays_and_the_contour_becomes_the_others(
    model: FaceModel, points: np.ndarray, other: np.ndarray, manner: str
) -> None:
    state = model.fit(points)
    out = resampled_points(model, points, state, other, manner)  # type: ignore[arg-type]
    inner = np.concatenate([LEFT_EYE, LIPS_OUTER])
    assert np.abs(out[inner, :2] - points[inner, :2]).max() < 0.01
    assert np.abs(out[FACE_OVAL, :2] - points[FACE_OVAL, :2]).max() > 3
    if manner == "solid":
        apart = (model.canonical(state, out) - model.canonical(model.fit(other), other))[FACE_OVAL]
        assert np.ptp(apart, axis=0).max() < 1e-3, "the same contour but for its place"


def test_the_solid_form_ignores_where_the_other_looks(
    model: FaceModel, points: np.ndarray, other: np.ndarray
) -> None:
    """The same person seen from the front and from the side lends the same contour, in the paper's form not."""
    state = model.fit(points)
    front = model.canonical(model.fit(other), other) * 100 + 200
    gap = {}
    for manner in ("flat", "solid"):
        both = [resampled_points(model, points, state, face, manner) for face in (other, front)]  # type: ignore[arg-type]
        gap[manner] = np.abs(both[0] - both[1])[FACE_OVAL, :2].mean()
    assert gap["solid"] < 1.0 and gap["flat"] > 4


def test_its_own_contour_changes_nothing(model: FaceModel, points: np.ndarray) -> None:
    state = model.fit(points)
    assert np.abs(resampled_points(model, points, state, points) - points).max() < 0.05


def test_the_detector_finds_stirred_landmarks_where_they_are_said_to_be(
    model: FaceModel, portrait: np.ndarray, points: np.ndarray
) -> None:
    state = model.fit(points)
    errors, moved = [], []
    with MeshDetector() as detector:
        for seed in range(4):
            out = stirred(model, portrait, points, state, np.random.default_rng(seed))
            found = detector.detect(out.image)[0].points
            errors.append(np.linalg.norm(found[:, :2] - out.points[:, :2], axis=1).mean() / state.scale)
            moved.append(np.linalg.norm(points[:, :2] - out.points[:, :2], axis=1).mean() / state.scale)
            again = stirred(model, portrait, points, state, np.random.default_rng(seed))
            assert np.array_equal(out.image, again.image)
    assert max(errors) < 0.06 and np.mean(moved) > 2 * np.mean(errors)
