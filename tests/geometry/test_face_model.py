"""The morphable landmark model: pose, fit, conditioning, and its file."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from scipy.spatial.transform import Rotation

from reenact.errors import ReenactError
from reenact.geometry.face_model import (
    POINTS,
    FaceModel,
    default_face_model,
    load_face_model,
    load_shipped,
    procrustes,
    rotation_matrix,
    rotation_vector,
)
from reenact.types import FaceState

RNG = np.random.default_rng(5)
VECTORS = [*(RNG.normal(size=(20, 3)) * 0.8), np.zeros(3), [1e-9, 0, 0], [2e-5, -1e-5, 0], [0, 3.0, 0]]


def state(model: FaceModel, seed: int = 0, size: float = 0.8) -> FaceState:
    """A face as probable as any, turned and placed in a picture of some 512 px."""
    rng = np.random.default_rng(seed)
    return FaceState(
        rotation=(rng.normal(size=3) * 0.2).astype(np.float32),
        scale=90.0,
        translation=np.array([250, 210], np.float32),
        identity=(size * rng.normal(size=len(model.identity))).astype(np.float32),
        expression=(size * rng.normal(size=len(model.expression))).astype(np.float32),
    )


@pytest.mark.parametrize("vector", VECTORS)
def test_rotations_are_scipys(vector):
    vector = np.array(vector, np.float32)
    matrix = rotation_matrix(vector)
    np.testing.assert_allclose(matrix, Rotation.from_rotvec(vector).as_matrix(), atol=1e-6)
    np.testing.assert_allclose(rotation_vector(matrix), vector, atol=2e-5)


def test_procrustes_is_skimages_where_all_points_weigh_the_same():
    transform = pytest.importorskip("skimage.transform")
    shape, points = RNG.normal(size=(2, 30, 3))
    rotation, scale, move = procrustes(shape, points, np.ones(30))
    expected = transform.estimate_transform("similarity", shape, points)
    np.testing.assert_allclose(scale, expected.scale, rtol=1e-6)
    np.testing.assert_allclose(scale * rotation, expected.params[:3, :3], atol=1e-6)
    np.testing.assert_allclose(move, expected.params[:3, 3], atol=1e-6)


def test_procrustes_with_weights_turns_as_scipy_does():
    shape, points = RNG.normal(size=(2, 30, 3))
    weights = RNG.uniform(0.1, 5, 30)
    rotation, scale, move = procrustes(shape, points, weights)
    share = weights / weights.sum()
    s, p = shape - share @ shape, points - share @ points
    expected, _ = Rotation.align_vectors(p, s, weights=weights)
    np.testing.assert_allclose(rotation, expected.as_matrix(), atol=1e-6)
    turned = s @ rotation.T
    np.testing.assert_allclose(scale, (share @ (turned * p).sum(1)) / (share @ (s**2).sum(1)), rtol=1e-6)
    np.testing.assert_allclose(move, share @ points - scale * rotation @ (share @ shape), atol=1e-6)


def test_procrustes_never_mirrors():
    shape = RNG.normal(size=(20, 3))
    rotation, _, _ = procrustes(shape, shape * [-1, 1, 1], np.ones(20))
    np.testing.assert_allclose(np.linalg.det(rotation), 1, atol=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_fit_gives_back_a_face_that_the_model_made(model, seed):
    truth = state(model, seed)
    points = model.project(truth)
    fitted = model.fit(points)
    turn = rotation_vector(rotation_matrix(fitted.rotation) @ rotation_matrix(truth.rotation).T)
    assert np.degrees(np.linalg.norm(turn)) < 1.5
    assert fitted.scale == pytest.approx(truth.scale, rel=0.03)
    off = np.linalg.norm(model.project(fitted) - points, axis=1).mean()
    assert off < 0.01 * truth.scale
    # The prior pulls to the mean face: coefficients come back shorter, but point the same way.
    for name in ("identity", "expression"):
        got, wanted = getattr(fitted, name), getattr(truth, name)
        assert got @ wanted / np.linalg.norm(got) / np.linalg.norm(wanted) > 0.7


@pytest.mark.parametrize("seed", range(3))
def test_fit_with_a_known_identity_finds_the_expression(model, seed):
    truth = state(model, seed)
    fitted = model.fit(model.project(truth), identity=truth.identity)
    np.testing.assert_array_equal(fitted.identity, truth.identity)
    strong = slice(0, 20)
    error = np.abs(fitted.expression - truth.expression)[strong].mean()
    assert error < 0.35


def test_a_head_does_not_grow_with_its_expression(model):
    calm = replace(state(model, 1), expression=np.zeros(len(model.expression), np.float32))
    scales = []
    for seed in range(6):
        lively = replace(calm, expression=state(model, seed, 1.0).expression)
        scales.append(model.fit(model.project(lively)).scale / calm.scale)
    assert np.std(scales) < 0.015
    assert np.abs(np.mean(scales) - 1) < 0.02


def test_with_identity_is_the_conditional_of_the_posterior(model):
    """Against brute force: the expression's best value given the identity, from the normal equations."""
    truth = state(model, 2)
    fitted = model.fit(model.project(truth) + RNG.normal(size=(POINTS, 3)).astype(np.float32) * 0.2)
    known = (fitted.identity + 0.5 * RNG.normal(size=len(model.identity))).astype(np.float32)
    got = model.with_identity(fitted, known)

    modes = np.concatenate([model.identity, model.expression]).reshape(-1, POINTS * 3).astype(np.float64)
    weight = 1 / np.maximum(model.noise, 1e-4).astype(np.float64).reshape(-1) ** 2
    precision = (modes * weight) @ modes.T + np.eye(len(modes))
    best = np.concatenate([fitted.identity, fitted.expression]).astype(np.float64)
    pull = precision @ best  # the joint optimum satisfies precision @ best = pull
    n = len(model.identity)
    expected = np.linalg.solve(precision[n:, n:], pull[n:] - precision[n:, :n] @ known)
    np.testing.assert_array_equal(got.identity, known)
    np.testing.assert_allclose(got.expression, expected, atol=0.02)
    np.testing.assert_array_equal(got.rotation, fitted.rotation)


def test_project_and_canonical_are_inverse(model):
    truth = state(model, 3)
    shape = model.shape(truth.identity, truth.expression)
    np.testing.assert_allclose(model.canonical(truth, model.project(truth)), shape, atol=1e-4)
    lifted = model.canonical(truth, model.project(truth, offset=np.full((POINTS, 3), 0.1, np.float32)))
    np.testing.assert_allclose(lifted, shape + 0.1, atol=1e-4)


def test_fit_takes_no_notice_of_hidden_points(model):
    truth = state(model, 4)
    points = model.project(truth)
    hidden = model.mean[:, 0] > 0.25
    spoilt = points.copy()
    spoilt[hidden] += RNG.normal(size=(int(hidden.sum()), 3)).astype(np.float32) * 25
    partial = model.fit(spoilt, visible=np.where(hidden, 0, 1).astype(np.float32))
    blind = model.fit(spoilt)
    seen = ~hidden

    def error(found: FaceState) -> float:
        return float(np.linalg.norm(model.project(found)[seen] - points[seen], axis=1).mean())

    assert error(partial) < 0.02 * truth.scale
    assert error(partial) < 0.4 * error(blind)


def test_full_visibility_changes_nothing(model):
    points = model.project(state(model, 4))
    plain, full = model.fit(points), model.fit(points, visible=np.ones(POINTS, np.float32))
    np.testing.assert_allclose(full.expression, plain.expression, atol=0.02)
    np.testing.assert_allclose(full.rotation, plain.rotation, atol=1e-3)


@pytest.mark.parametrize("damage", ["nan", "inf", "one place"])
def test_points_that_are_no_face_are_refused(model, damage):
    points = model.project(state(model))
    if damage == "one place":
        points[:] = 5
    else:
        points[7] = float(damage)
    with pytest.raises(ReenactError, match="not those of a face"):
        model.fit(points)


def test_points_of_another_scheme_are_a_mistake_of_the_caller(model):
    with pytest.raises(ValueError, match="478"):
        model.fit(np.zeros((68, 3), np.float32))


def test_a_real_face_is_explained(model, face):
    fitted = model.fit(face.points)
    off = np.linalg.norm((model.project(fitted) - face.points)[:, :2], axis=1)
    assert off.mean() < 0.02 * fitted.scale
    assert np.abs(fitted.identity).max() < 5


def test_file_round_trip(model, tmp_path):
    path = tmp_path / "model.safetensors"
    model.save(path, {"data": "none"})
    again = load_face_model(path)
    for name in ("mean", "identity", "expression", "rigidity", "noise"):
        np.testing.assert_allclose(getattr(again, name), getattr(model, name), atol=2e-3, rtol=1e-3)


def _truncated(path):
    path.write_bytes(path.read_bytes()[:-1000])


def _foreign(path):
    path.write_bytes(b"no safetensors at all" * 9)


def _gone(path):
    path.unlink()


def _rewritten(path, **changes):
    tensors = load_file(path)
    for name, array in changes.items():
        tensors.pop(name, None)
        if array is not None:
            tensors[name] = array
    save_file(tensors, path)


def _without_mean(path):
    _rewritten(path, mean=None)


def _other_points(path):
    _rewritten(path, mean=np.zeros((68, 3), np.float16))


def _flat_modes(path):
    _rewritten(path, expression=np.zeros((80, 1434), np.float16))


def _not_finite(path):
    _rewritten(path, noise=np.full((POINTS, 3), np.nan, np.float16))


def _no_rank(path):
    _rewritten(path, identity=np.array(1.0, np.float16))


def _one_more(path):
    _rewritten(path, extra=np.zeros(3, np.float16))


@pytest.mark.parametrize(
    "damage",
    [_truncated, _foreign, _gone, _without_mean, _other_points, _flat_modes, _not_finite, _no_rank, _one_more],
)
def test_a_changed_file_is_refused_by_one_line(model, tmp_path, damage):
    path = tmp_path / "model.safetensors"
    model.save(path, {})
    damage(path)
    with pytest.raises(ReenactError) as caught:
        load_face_model(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_the_shipped_model_is_refused_with_any_byte_changed(tmp_path):
    whole = (files("reenact") / "assets" / "face_model.safetensors").read_bytes()
    path = tmp_path / "face_model.safetensors"
    path.write_bytes(whole)
    assert len(load_shipped(path).identity) == len(default_face_model().identity)
    random = np.random.default_rng(1)
    for place in random.integers(0, len(whole), 20):
        data = bytearray(whole)
        data[place] ^= 1 << random.integers(8)
        path.write_bytes(data)
        with pytest.raises(ReenactError, match="SHA-256") as caught:
            load_shipped(path)
        assert str(path) in str(caught.value)
    with pytest.raises(ReenactError, match="cannot be read"):
        load_shipped(tmp_path / "gone")


def test_identities_are_apart_by_what_a_picture_tells_of_them(model):
    none = np.zeros(len(model.identity), np.float32)
    one = np.random.default_rng(1).normal(size=len(none)).astype(np.float32)
    assert model.apart(one, one) == 0
    assert model.apart(one, none) == pytest.approx(model.apart(none, one))
    assert model.apart(2 * one, none) == pytest.approx(2 * model.apart(one, none), rel=1e-5)
    # Against the posterior that `fit` works with, formed anew.
    modes = np.concatenate([model.identity, model.expression]).reshape(-1, 478 * 3).astype(np.float64)
    precision = modes @ np.diag(1 / np.maximum(model.noise.reshape(-1), 1e-4) ** 2) @ modes.T + np.eye(
        len(modes)
    )
    left = np.linalg.inv(precision)[: len(none), : len(none)] + 0.02 * np.eye(len(none))
    wanted = np.sqrt(one @ np.linalg.solve(left, one) / len(none))
    assert model.apart(one, none) == pytest.approx(wanted, rel=1e-3)
