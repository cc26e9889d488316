"""Learning the face model from a world whose identity and expression are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.linalg import subspace_angles
from scipy.spatial.transform import Rotation

from reenact.geometry.face_model import FaceModel, default_face_model
from reenact.geometry.schemes import MESH_FLIP
from reenact.training.face_model import align_faces, learn_face_model

IDENTITY, EXPRESSION = 4, 5
TREMBLE = 0.001


@dataclass(frozen=True)
class World:
    """Faces made of known modes (K, 478, 3), in pictures of their own pose, place and size."""

    mean: np.ndarray
    identity: np.ndarray
    expression: np.ndarray
    stills: np.ndarray
    clips: list[np.ndarray]
    model: FaceModel


def modes(count: int, size: float, rng: np.random.Generator, mean: np.ndarray) -> np.ndarray:
    """Smooth displacements, each one symmetric or antisymmetric, as learning sees every face mirrored too."""
    waves = rng.normal(size=(count, 3, 3)) * 3
    phase = rng.uniform(0, 2 * np.pi, (count, 1, 3))
    field = np.sin(np.einsum("nd,kdc->knc", mean, waves) + phase)
    sign = np.where(np.arange(count) % 2, 1, -1)[:, None, None]
    field = field + sign * field[:, MESH_FLIP] * [-1, 1, 1]
    return size * field / np.sqrt((field**2).mean((1, 2), keepdims=True))


def seen(shapes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Canonical shapes as a detector might give them."""
    turns = Rotation.from_rotvec(rng.normal(size=(len(shapes), 3)) * 0.15).as_matrix()
    sizes = rng.uniform(60, 200, (len(shapes), 1, 1))
    places = rng.uniform(100, 400, (len(shapes), 1, 3))
    tremble = rng.normal(size=shapes.shape) * TREMBLE
    return (sizes * (shapes + tremble) @ turns.transpose(0, 2, 1) + places).astype(np.float32)


@pytest.fixture(scope="module")
def world() -> World:
    rng = np.random.default_rng(3)
    mean = default_face_model().mean.astype(np.float64)
    mean = (mean + mean[MESH_FLIP] * [-1, 1, 1]) / 2
    v, u = modes(IDENTITY, 0.02, rng, mean), modes(EXPRESSION, 0.012, rng, mean)

    def faces(a: np.ndarray, e: np.ndarray) -> np.ndarray:
        return seen(mean + np.tensordot(a, v, 1) + np.tensordot(e, u, 1), rng)

    stills = faces(rng.normal(size=(160, IDENTITY)), rng.normal(size=(160, EXPRESSION)))
    clips = [
        faces(np.tile(rng.normal(size=IDENTITY), (24, 1)), rng.normal(size=(24, EXPRESSION))) for _ in range(14)
    ]
    model = learn_face_model(
        stills, clips, MESH_FLIP, identity=IDENTITY, expression=EXPRESSION, rounds=12, floor=0.0005
    )
    return World(mean, v, u, stills, clips, model)


def without_pose(modes: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """(D, K): what is left of modes when each face is turned, scaled and moved onto the mean."""
    x, y, z = mean.T
    zero, one = np.zeros(len(mean)), np.ones(len(mean))
    pose = [(one, zero, zero), (zero, one, zero), (zero, zero, one), (x, y, z)]
    pose += [(zero, -z, y), (z, zero, -x), (-y, x, zero)]
    basis = np.stack([np.stack(p, 1).ravel() for p in pose], 1)
    columns = modes.reshape(len(modes), -1).T
    return columns - basis @ np.linalg.solve(basis.T @ basis, basis.T @ columns)


@pytest.mark.parametrize("part", ["identity", "expression"])
def test_the_subspaces_are_found(world, part):
    truth = without_pose(getattr(world, part), world.mean)
    learned = without_pose(getattr(world.model, part), world.mean)
    assert np.degrees(subspace_angles(truth, learned)).max() < 15


def test_identity_and_expression_are_kept_apart(world):
    """What is learned as identity lies nearer to the true identity than to the true expression."""
    for part, other in (("identity", "expression"), ("expression", "identity")):
        learned = without_pose(getattr(world.model, part), world.mean)
        own = without_pose(getattr(world, part), world.mean)
        wrong = without_pose(getattr(world, other), world.mean)
        assert (
            np.degrees(subspace_angles(learned, wrong)).min() > np.degrees(subspace_angles(learned, own)).max()
        )


def test_modes_have_the_size_of_one_standard_deviation(world):
    for part in ("identity", "expression"):
        truth = without_pose(getattr(world, part), world.mean)
        learned = without_pose(getattr(world.model, part), world.mean).T
        assert (learned**2).sum() == pytest.approx((truth**2).sum(), rel=0.35)
        flat = learned.reshape(len(learned), -1)
        gram = flat @ flat.T
        assert np.abs(gram - np.diag(np.diag(gram))).max() < 0.02 * gram.max()


def test_the_mean_and_the_noise_are_found(world):
    eyes = np.linalg.norm(world.model.mean[263] - world.model.mean[33])
    assert eyes == pytest.approx(1, abs=0.02)
    assert np.abs(world.model.mean[[33, 133, 362, 263]].mean(0)).max() < 0.01
    size = np.linalg.norm(world.mean[263] - world.mean[33])
    assert np.abs(world.model.mean - world.mean / size).max() < 0.03
    assert 0.3 * TREMBLE < np.median(world.model.noise) < 5 * TREMBLE


def test_frames_of_one_person_share_an_identity(world):
    """Unseen frames: identities of one clip scatter less than those of different people."""
    fitted = np.array([[world.model.fit(f).identity for f in clip[:6]] for clip in world.clips])
    within = fitted.std(1).mean()
    between = fitted.mean(1).std(0).mean()
    assert within < 0.35 * between


def test_alignment_undoes_pose(world):
    clip = world.clips[0]
    rng = np.random.default_rng(0)
    one = np.concatenate([clip[:1]] * 8)
    turns = Rotation.from_rotvec(rng.normal(size=(8, 3)) * 0.3).as_matrix().astype(np.float32)
    posed = rng.uniform(0.5, 2, (8, 1, 1)).astype(np.float32) * one @ turns.transpose(0, 2, 1) + 50
    aligned, rigidity = align_faces(posed, np.zeros(8, int), np.ones(8, np.float32))
    np.testing.assert_allclose(aligned.shapes, np.tile(aligned.shapes[:1], (8, 1, 1)), atol=2e-3)
    assert rigidity.sum() == pytest.approx(1, abs=1e-3)


def test_points_that_move_weigh_less(world):
    """A jaw that drops must not read as a head that grows."""
    rng = np.random.default_rng(1)
    jaw = world.mean[:, 1] > 0.9
    shapes = np.tile(world.mean, (30, 1, 1))
    shapes[:, jaw, 1] += rng.uniform(0, 0.3, (30, 1))
    shapes += rng.normal(size=shapes.shape) * TREMBLE
    aligned, rigidity = align_faces(shapes, np.zeros(30, int), np.ones(30, np.float32))
    assert rigidity[jaw].max() < 0.2 * rigidity[~jaw].min()
    assert aligned.shapes[:, ~jaw].std(0).max() < 0.02


def test_stills_alone_can_be_learned_from(world):
    """Without clips nothing varies within a person: no expression is claimed beyond the noise."""
    model = learn_face_model(world.stills[:60], [], MESH_FLIP, identity=3, expression=2, rounds=3)
    assert np.isfinite(model.identity).all() and np.isfinite(model.expression).all()
