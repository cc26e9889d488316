"""Where the head is apart from the face: a small correction of the pose that landmarks give.

A grimace pulls landmarks along, so that the pose they give turns a head that stands still, and hair and ears
with it. What is seen of forehead, hair and ears says better how these move. An offset is (6,) float32: a
rotation vector in radians by which the head is turned further than the face, the logarithm of how much larger
it is, and how far it is shifted, in the unit of the state's translation. Zeros are a head that goes with its
face.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from reenact.geometry.face_model import rotation_matrix, rotation_vector
from reenact.geometry.head_field import project, smoothstep
from reenact.types import FaceState, Floats, Points

SIZE = 6
TOGETHER = np.zeros(SIZE, np.float32)
TOGETHER.flags.writeable = False
_ROUNDS = 6
_PRIOR = np.array([np.deg2rad(3), np.deg2rad(3), np.deg2rad(2), 0.01, 0.04, 0.04])
"""Standard deviations of an offset; the shift in canonical units."""
_MOST = np.array([0.14, 0.14, 0.14, 0.04, 0.12, 0.12], np.float32)
"""An offset never goes beyond this; 0.14 rad are 8 degrees."""
_NOISE, _OUTLIER = 0.01, 0.04
"""Of a tracked point, canonical units: its standard deviation, and where it begins to count less."""
_FEW, _ENOUGH = 6.0, 20.0


def scaled(offset: Floats, factor: float) -> Floats:
    """An offset whose shift is in another unit, `factor` times as many of which make the same way."""
    return np.concatenate([offset[:4], offset[4:] * factor]).astype(np.float32)


def with_offset(state: FaceState, offset: Floats) -> FaceState:
    """The head's own state: `state` moved by an offset whose shift is in pixels."""
    if not offset.any():
        return state
    rotation, scale, translation = posed(state.rotation, state.scale, state.translation, offset)
    return replace(state, rotation=rotation, scale=scale, translation=translation)


def posed(rotation: Floats, scale: float, translation: Floats, offset: Floats) -> tuple[Floats, float, Floats]:
    """The head's rotation vector, scale and translation, of those of the face and an offset."""
    turn = rotation_matrix(offset[:3]) @ rotation_matrix(rotation)
    shift = (translation + offset[4:]).astype(np.float32)
    return rotation_vector(turn), scale * float(np.exp(offset[3])), shift


def fit_offset(local: Points, state: FaceState, moved: Floats, seen: NDArray[np.bool_]) -> Floats:
    """The offset, its shift in pixels, of points of the head that were found elsewhere than the state says.

    local: (N, 2), the points' canonical x and y on the head's bowl. moved: (N, 2) pixels, where each was found
    less where `project(local, state)` is. seen: (N,), which were found. Weighted least squares with a normal
    prior and weights of Geman and McClure, a few rounds; it fades to nothing where few points agree.
    """
    if int(seen.sum()) < _FEW:
        return TOGETHER
    slopes, found = _slopes(local[seen], state).reshape(-1, SIZE), moved[seen].reshape(-1) / state.scale
    offset, weight, prior = np.zeros(SIZE), np.ones(len(found) // 2), np.diag((_NOISE / _PRIOR) ** 2)
    for _ in range(_ROUNDS):
        weighted = slopes.T * np.repeat(weight, 2)
        offset = np.linalg.solve(weighted @ slopes + prior, weighted @ found)
        rest = np.linalg.norm((found - slopes @ offset).reshape(-1, 2), axis=1)
        weight = 1 / (1 + (rest / _OUTLIER) ** 2) ** 2
    agree = float((rest < 2 * _OUTLIER).sum())
    offset = np.clip(offset, -_MOST, _MOST) * smoothstep(agree, _FEW, _ENOUGH)
    offset[4:] *= state.scale
    return offset.astype(np.float32)


def _slopes(local: Points, state: FaceState) -> Floats:
    """(N, 2, 6): how the points' places in canonical units answer to each number of an offset."""
    here, step = project(local, state), 1e-3
    columns = []
    for axis in range(3):
        offset = np.zeros(SIZE, np.float32)
        offset[axis] = step
        columns.append((project(local, with_offset(state, offset)) - here) / (step * state.scale))
    columns.append((here - state.translation) / state.scale)
    columns += [np.broadcast_to(np.eye(2, dtype=np.float32)[axis], here.shape) for axis in range(2)]
    return np.stack(columns, -1).astype(np.float64)
