"""Endless landmark triples to train converters on: `data/synthetic.py`'s, computed in bulk.

The same faces as `landmark_triples` makes (prior, pose range, a fixed offset of each person), but only for the
points of one scheme and for a whole batch at once, so that a batch of 128 costs about a millisecond and no
person is seen twice. The held-out triples are those of `landmark_triples` itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reenact.data.synthetic import PoseRange, TripleOptions, landmark_triples, turned_away
from reenact.geometry.face_model import FaceModel, default_face_model
from reenact.geometry.schemes import WEIGHTS
from reenact.training.sources import Data
from reenact.types import Floats

_FACE_SIDE = 1.85 * 1.865
"""Side of a crop in canonical units, and the eyes' height in it: as in `data/synthetic.py`."""
_EYES_UP = 0.06
_CLIP = 2.5
HELD_OUT_SEED = 20_261_120


class ModelFaces:
    """Faces of the face model in bulk, for the points of one scheme, in pixels of a crop.

    options: scheme, side, pose range, and size of each person's own offset. person, expression: how many
    standard normal numbers a person and an expression have; the first `identities` of a person are its
    identity.
    """

    def __init__(self, model: FaceModel, options: TripleOptions) -> None:
        self.options = options
        weights = WEIGHTS[options.scheme]
        self._mean = (weights @ model.mean).reshape(-1)
        identity, expression = (_flat(weights, modes) for modes in (model.identity, model.expression))
        self._people = np.concatenate([identity, _offset_roots(weights, model.noise) * options.residual])
        self._moments = expression
        self.person, self.expression, self.points = len(self._people), len(expression), len(weights)
        self.identities = len(identity)

    def expressions(self, rng: np.random.Generator, count: int, each: int = 1) -> Floats:
        """(count, each * E) numbers of so many expressions."""
        return rng.standard_normal((count, each * self.expression), np.float32).clip(-_CLIP, _CLIP)

    def poses(self, rng: np.random.Generator, count: int) -> Floats:
        """(count, 6): yaw, pitch, roll in radians, logarithm of the size, and place in sides."""
        return _draw_pose(rng, count, self.options.pose)

    def faces(self, person: Floats, expression: Floats, pose: Floats) -> Floats:
        """(B, N, 3) of people (B, P), expressions (B, E) and poses (B, 6)."""
        flat = self._mean + person @ self._people + expression @ self._moments
        turned = flat.reshape(len(flat), -1, 3) @ _rotations(pose[:, :3]).transpose(0, 2, 1)
        side = np.float32(self.options.side)
        points = side / np.float32(_FACE_SIDE) * np.exp(pose[:, 3])[:, None, None] * turned
        points[..., :2] += side * (np.array([0.5, 0.5 - _EYES_UP], np.float32) + pose[:, 4:])[:, None]
        return np.asarray(points, np.float32)


class TripleSource:
    """Batches of `driving`, `source` and `target`, each (B, N, 2) in pixels of the crop.

    options: as of `ModelFaces`, and noise on what is seen. size: how many triples are called an epoch.
    """

    def __init__(self, model: FaceModel, options: TripleOptions, size: int) -> None:
        self.size = size
        self._faces, self._noise = ModelFaces(model, options), options.noise

    @property
    def _sizes(self) -> tuple[int, int, int]:
        """Numbers a row has of a person, of an expression, and of a pose."""
        return self._faces.person, self._faces.expression, 6

    def draw(self, rng: np.random.Generator, count: int) -> NDArray[Any]:
        """(count, D) float32: two people, two expressions and two poses each, and the noise."""
        faces = self._faces
        people = rng.standard_normal((count, 2 * faces.person), np.float32)
        moments = faces.expressions(rng, count, 2)
        numbers = [people, moments, *(faces.poses(rng, count) for _ in range(2))]
        if self._noise:
            numbers += [rng.standard_normal((count, 4 * faces.points), np.float32)]
        return np.concatenate(numbers, 1)

    def load(self, rows: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """The triples of these rows."""
        faces = self._faces
        sizes = np.repeat(self._sizes, 2)
        driver, person, wanted, own, there, here, noise = np.split(rows, np.cumsum(sizes), 1)
        driving = faces.faces(driver, wanted, there)[..., :2]
        source = faces.faces(person, own, here)[..., :2]
        target = faces.faces(person, wanted, there)[..., :2]
        if self._noise:
            for points, jitter in zip((driving, source), np.split(noise, 2, 1), strict=True):
                points += self._noise * jitter.reshape(points.shape)
        return {"driving": driving, "source": source, "target": target}


class HeldOutTriples:
    """A fixed set of triples of people that training never drew; rows are taken in their order."""

    def __init__(self, model: FaceModel, options: TripleOptions, count: int, seed: int) -> None:
        self.size = count
        triples = landmark_triples(model, count, seed, options=options)
        self.points = {
            name: np.ascontiguousarray(getattr(triples, name)[..., :2])
            for name in ("driving", "source", "target")
        }

    def draw(self, rng: np.random.Generator, count: int) -> NDArray[Any]:
        """(count,) numbers of triples."""
        return rng.choice(self.size, count, replace=count > self.size)

    def load(self, rows: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """The triples of these numbers."""
        return {name: points[rows] for name, points in self.points.items()}


def open_triples(size: int, held_out: int, noise: float = 0.0) -> Data:
    """Synthetic 68-point triples from the shipped face model: `size` an epoch, `held_out` to look at."""
    model = default_face_model()
    options = TripleOptions(scheme="ibug68", noise=noise)
    note = f"synthetic 68-point triples, {held_out} held out (seed {HELD_OUT_SEED})"
    held = HeldOutTriples(model, options, held_out, HELD_OUT_SEED)
    return Data(TripleSource(model, options, size), held, note)


def _flat(weights: Floats, modes: Floats) -> Floats:
    """Modes (M, 478, 3) of the mesh as (M, 3N) of a scheme with weights (N, 478)."""
    return (weights @ modes).reshape(len(modes), -1)


def _offset_roots(weights: Floats, noise: Floats) -> Floats:
    """(3N, 3N): standard normal rows times this have the covariance of the scheme's points where each
    mesh point has noise (478, 3) of its own."""
    count = len(weights)
    roots = np.zeros((3, count, count, 3), np.float32)
    for axis in range(3):
        values, vectors = np.linalg.eigh((weights * noise[:, axis].astype(np.float64) ** 2) @ weights.T)
        roots[axis, :, :, axis] = (vectors * np.sqrt(values.clip(0))).T
    return roots.reshape(3 * count, 3 * count)


def _draw_pose(rng: np.random.Generator, count: int, pose: PoseRange) -> Floats:
    """(count, 6): yaw, pitch, roll in radians, logarithm of the size, and place in sides."""
    limits = np.deg2rad([pose.yaw, pose.pitch, pose.roll])
    angles = rng.uniform(-limits, limits, (count, 3))
    if pose.least_yaw:
        angles[:, 0] = np.deg2rad(turned_away(np.rad2deg(angles[:, 0]), pose))
    size = rng.normal(0, pose.size, (count, 1))
    return np.concatenate([angles, size, rng.normal(0, pose.place, (count, 2))], 1).astype(np.float32)


def _rotations(angles: Floats) -> Floats:
    """(B, 3, 3) of yaw, pitch and roll (B, 3) in radians: `perception.head_pose.pose_matrix` of each."""
    (cy, cp, cr), (sy, sp, sr) = np.cos(angles).T, np.sin(angles).T
    rows = (
        (cr * cy, cr * sy * sp - sr * cp, -cr * sy * cp - sr * sp),
        (sr * cy, sr * sy * sp + cr * cp, -sr * sy * cp + cr * sp),
        (sy, -cy * sp, cy * cp),
    )
    return np.stack([np.stack(row, -1) for row in rows], -2).astype(np.float32)
