"""The morphable landmark model: any face in any pose and expression, as a few coefficients.

A face is 478 points `s R (mean + identity . a + expression . e) + t`, a linear model of shape seen by a
scaled orthographic camera (Blanz and Vetter 1999 for the model, Bregler 2000 for the camera). `a` and `e`
have unit normal priors, so that one picture is split into identity and expression by their probabilities
(the two-factor Gaussian model of probabilistic LDA, Prince and Elder 2007).

Canonical frame: origin between the eyes, unit the distance between the outer eye corners of the mean face,
x to the picture's right, y down, z away from the viewer. `training/face_model.py` learns it.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reenact.errors import ReenactError
from reenact.types import FaceState, Floats, Points

POINTS = 478
_ROUNDS = 4
_FLOOR = 0.02
"""Variance of an identity that is never told, however many points are seen."""

SHIPPED_SHA256 = "f7b8d32be5842b79ba912eaa1c049e246a59e47d79d3007d1feb18f80dcce0ab"
"""Of the shipped model's file: whoever makes it anew puts the new figure here, and makes `demo.motion` anew."""


def rotation_matrix(vector: Floats) -> Floats:
    """The rotation matrix (3, 3) of a rotation vector (3,) in radians (Rodrigues' formula)."""
    x, y, z = (float(v) for v in vector)
    angle = math.sqrt(x * x + y * y + z * z)
    a = math.sin(angle) / angle if angle > 1e-8 else 1.0
    b = (1 - math.cos(angle)) / angle**2 if angle > 1e-4 else 0.5
    xx, yy, zz, xy, xz, yz = b * x * x, b * y * y, b * z * z, b * x * y, b * x * z, b * y * z
    rows = (
        (1 - yy - zz, xy - a * z, xz + a * y),
        (xy + a * z, 1 - xx - zz, yz - a * x),
        (xz - a * y, yz + a * x, 1 - xx - yy),
    )
    return np.array(rows, np.float32)


def rotation_vector(matrix: Floats) -> Floats:
    """The rotation vector (3,) in radians of a rotation matrix (3, 3), angle below pi."""
    m = np.asarray(matrix, np.float64)
    axis = np.array([m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1]])
    sine = math.sqrt(float(axis @ axis)) / 2
    angle = math.atan2(sine, (float(m[0, 0] + m[1, 1] + m[2, 2]) - 1) / 2)
    return (axis * (angle / (2 * sine) if sine > 1e-9 else 0.5)).astype(np.float32)


def procrustes(shape: Points, points: Points, weights: Floats) -> tuple[Floats, float, Floats]:
    """Rotation (3, 3), scale and translation (3,) that carry `shape` onto `points`, both (N, 3), in the
    weighted least-squares sense, weights (N,) (Umeyama 1991, equations 40 to 42)."""
    w = weights / weights.sum()
    centre_s, centre_p = w @ shape, w @ points
    s, p = shape - centre_s, points - centre_p
    u, d, vt = np.linalg.svd((p * w[:, None]).T @ s)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))], np.float32)
    rotation = (u * sign) @ vt
    scale = float((d * sign).sum() / np.einsum("n,nd,nd->", w, s, s))
    return rotation, scale, centre_p - scale * rotation @ centre_s


POSE_POINTS = (168, 6, 197, 195, 5, 4, 127, 356, 234, 454, 93, 323, 132, 361)
"""The nose's bridge and tip, and the face's sides at the ears: bone that no frown or open mouth moves."""


def pose_weights() -> Floats:
    """(478,) weights of the points for the pose, sum 1: all but nothing outside POSE_POINTS. With weights by
    each point's own variance a frown reads as a nod, and the hair follows it."""
    weights = np.full(POINTS, 1e-6, np.float32)
    weights[list(POSE_POINTS)] = 1
    return weights / weights.sum()


@dataclass(frozen=True, eq=False)
class FaceModel:
    """mean: (478, 3). identity: (I, 478, 3) and expression: (E, 478, 3), each mode scaled to one standard
    deviation. rigidity: (478,) weights of the points for the pose, see `pose_weights`.
    noise: (478, 3), standard deviation of what the modes leave over, in canonical units."""

    mean: Floats
    identity: Floats
    expression: Floats
    rigidity: Floats
    noise: Floats

    @cached_property
    def key(self) -> str:
        """A short name of this very model: 16 hex digits of its hash. Coefficients of one model mean nothing
        to another."""
        digest = hashlib.sha256()
        for array in (self.mean, self.identity, self.expression):
            digest.update(array.astype(np.float16).tobytes())
        return digest.hexdigest()[:16]

    @cached_property
    def _modes(self) -> Floats:
        """(I + E, 478 * 3): identity first."""
        return np.concatenate([self.identity, self.expression]).reshape(-1, POINTS * 3)

    @cached_property
    def _precision(self) -> Floats:
        return (1 / np.maximum(self.noise, 1e-4) ** 2).reshape(-1)

    @cached_property
    def _posterior(self) -> tuple[Floats, Floats]:
        """Matrix (I + E, 1434) from a shape's offset to the coefficients' mean, and their covariance."""
        weighted = self._modes * self._precision
        covariance = np.linalg.inv(weighted.astype(np.float64) @ self._modes.T + np.eye(len(self._modes)))
        return (covariance @ weighted).astype(np.float32), covariance.astype(np.float32)

    def shape(self, identity: Floats, expression: Floats) -> Points:
        """Canonical points (..., 478, 3) of coefficients (..., I) and (..., E)."""
        coefficients = np.concatenate([identity, expression], -1).astype(np.float32)
        return self.mean + (coefficients @ self._modes).reshape(*coefficients.shape[:-1], POINTS, 3)

    def project(self, state: FaceState, offset: Points | float = 0.0) -> Points:
        """Points (478, 3) in pixels of a state; `offset` (478, 3) is added to the canonical shape."""
        shape = self.shape(state.identity, state.expression) + offset
        points = state.scale * shape @ rotation_matrix(state.rotation).T
        points[:, :2] += state.translation
        return points.astype(np.float32)

    def canonical(self, state: FaceState, points: Points) -> Points:
        """The inverse of `project`: points (478, 3) in pixels, seen in the canonical frame of `state`."""
        centred = points - np.append(state.translation, 0.0).astype(np.float32)
        return (centred @ rotation_matrix(state.rotation) / state.scale).astype(np.float32)

    def fit(
        self, points: Points, *, visible: Floats | None = None, identity: Floats | None = None
    ) -> FaceState:
        """Pose and coefficients of detected points (478, 3) in pixels.

        visible: (478,) trust in each point in [0, 1]. identity: (I,) holds the identity, for a person known
        from other frames. Alternates the closed forms of pose and coefficients. Raises ReenactError where
        the points are not those of a face (not finite, or all in one place).
        """
        points = _checked(points)
        solve, covariance = self._posterior if visible is None else self._partial_posterior(visible)
        trust = self.rigidity if visible is None else self.rigidity * visible
        coefficients = np.zeros(len(self._modes), np.float32)
        for _ in range(_ROUNDS):
            shape = self.mean + (coefficients @ self._modes).reshape(POINTS, 3)
            rotation, scale, move = procrustes(shape, points, trust)
            seen = (points - move) @ rotation / scale
            # A free depth of the whole head: the detector's z has no common origin over frames.
            coefficients = solve @ (seen - self.mean).reshape(-1)
            if identity is not None:
                coefficients = self._conditioned(coefficients, identity, covariance)
        split = len(self.identity)
        return FaceState(
            rotation=rotation_vector(rotation),
            scale=scale,
            translation=move[:2].astype(np.float32),
            identity=coefficients[:split],
            expression=coefficients[split:],
        )

    def with_identity(self, state: FaceState, identity: Floats) -> FaceState:
        """`state` as it would have been fitted had the identity (I,) been known: the expression takes over
        what the identity no longer explains (conditional mean of the joint Gaussian posterior)."""
        joint = np.concatenate([state.identity, state.expression])
        joint = self._conditioned(joint, identity, self._posterior[1])
        return replace(state, identity=np.asarray(identity, np.float32), expression=joint[len(identity) :])

    def apart(self, one: Floats, other: Floats) -> float:
        """How far two identities (I,) are apart, in standard deviations of what one picture leaves open of
        them: the Mahalanobis distance over the root of I. About 1 for one person, 4 for two."""
        step = np.asarray(one, np.float64) - other
        return float(np.sqrt(step @ self._identity_precision @ step / len(step)))

    @cached_property
    def _identity_precision(self) -> NDArray[np.float64]:
        split = len(self.identity)
        open_left = self._posterior[1][:split, :split].astype(np.float64)
        return np.linalg.inv(open_left + _FLOOR * np.eye(split))

    def _conditioned(self, coefficients: Floats, identity: Floats, covariance: Floats) -> Floats:
        split = len(self.identity)
        gain = np.linalg.solve(covariance[:split, :split], covariance[:split, split:])
        expression = coefficients[split:] + (identity - coefficients[:split]) @ gain
        return np.concatenate([identity, expression]).astype(np.float32)

    def _partial_posterior(self, visible: Floats) -> tuple[Floats, Floats]:
        precision = self._precision * np.repeat(np.maximum(visible, 1e-3), 3).astype(np.float32)
        weighted = self._modes * precision
        covariance = np.linalg.inv(weighted @ self._modes.T + np.eye(len(self._modes), dtype=np.float32))
        return (covariance @ weighted).astype(np.float32), covariance.astype(np.float32)

    def save(self, path: Path, record: dict[str, object]) -> None:
        """Write fp16 safetensors with `record` (data, date, licence, figures) as JSON metadata."""
        from safetensors.numpy import save_file

        arrays = ("mean", "identity", "expression", "rigidity", "noise")
        tensors = {name: np.ascontiguousarray(getattr(self, name), np.float16) for name in arrays}
        save_file(tensors, path, metadata={"record": json.dumps(record, sort_keys=True)})


def load_face_model(path: Path) -> FaceModel:
    """Read a model that `save` wrote; a ReenactError where it is not one."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        tensors = {name: array.astype(np.float32) for name, array in load_file(path).items()}
        model = FaceModel(**tensors)
        fits = _fits(model)
    except (OSError, SafetensorError, TypeError, ValueError, MemoryError) as error:
        raise ReenactError(
            f"{path} is not a face model ({error}); make one with 'reenact train face-model'"
        ) from error
    if not fits:
        raise ReenactError(
            f"{path} is not a face model of {POINTS} points; make one with 'reenact train face-model'"
        )
    return model


def _fits(model: FaceModel) -> bool:
    arrays = (model.mean, model.identity, model.expression, model.rigidity, model.noise)
    shape = (POINTS, 3)
    wanted = (shape, (len(model.identity), *shape), (len(model.expression), *shape), (POINTS,), shape)
    shapes = [array.shape for array in arrays] == list(wanted)
    return shapes and all(np.isfinite(array).all() for array in arrays) and float(model.rigidity.sum()) > 0


@lru_cache(maxsize=1)
def default_face_model() -> FaceModel:
    """The model that is shipped with the package; a ReenactError where its file is not the one that was."""
    with as_file(files("reenact") / "assets" / "face_model.safetensors") as path:
        return load_shipped(path)


def load_shipped(path: Path) -> FaceModel:
    """Read the shipped model from `path`, its hash checked first."""
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ReenactError(f"{path} cannot be read ({error.strerror}); install reenact again") from None
    if found != SHIPPED_SHA256:
        raise ReenactError(
            f"{path}: its SHA-256 begins with {found[:16]}, {SHIPPED_SHA256[:16]} is expected; the file was "
            "changed or is not complete: install reenact again"
        )
    return load_face_model(path)


def _checked(points: Points) -> Points:
    points = np.asarray(points, np.float32)
    if points.shape != (POINTS, 3):
        raise ValueError(f"points must be ({POINTS}, 3), not {points.shape}")
    if not np.isfinite(points).all() or np.ptp(points[:, 0]) < 1e-3:
        raise ReenactError("the detected points are not those of a face; try another picture")
    return points
