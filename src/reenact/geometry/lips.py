"""How the skin around the mouth goes along with lips that are moved by more than the face model knows."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from reenact.geometry.face_model import default_face_model
from reenact.geometry.head_field import smoothstep
from reenact.geometry.schemes import LIPS_INNER, MESH_FLIP
from reenact.types import Floats, Points

_TO_NOSE, _TO_CHIN = 0.24, 0.5
"""Canonical units from the lips' edges to where skin no longer gives way when they close."""
_HALF = (
    (2, 164, 0, 11, 12, 13, 14, 15, 16, 17, 18, 200, 199, 175, 152),
    (97, 167, 37, 72, 38, 82, 87, 86, 85, 84, 83, 201, 208, 171, 148),
    (98, 165, 39, 73, 41, 81, 178, 179, 180, 181, 182, 194, 32, 140, 176),
    (206, 92, 40, 74, 42, 80, 88, 89, 90, 91, 106, 204, 211, 170, 149),
    (216, 186, 185, 184, 183, 191, 95, 96, 77, 146, 43, 202, 210, 169, 150),
)
_COLUMNS = np.array([*_HALF, *(MESH_FLIP[list(column)] for column in _HALF[1:])], np.int32)
"""(9, 15): points one below the other, from the nose or the cheek through both lips down to the chin."""
_GAP, _LIPS = 5, slice(1, 9)
"""The link of a column that is the mouth's opening, and those that end in lips."""
_FREE, _LEAST = 0.7, 0.3
"""Share of their own spacing to which points of a column come as they like, and which they never go below."""


def lips_moved(shape: Points, before: Points) -> Points:
    """A canonical face (478, 3) whose lips' inner edges (`LIPS_INNER`) were at `before` (20, 3): lips keep
    their height, and what is around them gives way, up to the nose and down to the chin."""
    out = shape.copy()
    beside, carry = _carry()
    out[beside] += carry @ (shape[LIPS_INNER] - before)
    return out


def unfolded(shape: Points, own: Points, lips: float) -> Points:
    """A canonical face (478, 3) whose skin does not fold over above or below the mouth, as it would where
    another face's motion asks for more room than `own` (478, 3), the face at rest, has there. What is crowded
    runs softly into a least spacing; what lies further down is pushed on, lips by the share
    `lips`."""
    down = np.diff(shape[_COLUMNS, 1], axis=1)
    rest = np.diff(own[_COLUMNS, 1], axis=1)
    beyond = down - _FREE * rest  # negative where it is crowded
    crowded = (beyond < 0) & (rest > 0)
    crowded[:, _GAP] = False
    slack = np.maximum((_FREE - _LEAST) * rest, 1e-6)
    spaced = np.where(crowded, _LEAST * rest + slack * np.exp(np.minimum(beyond, 0) / slack), down)
    pushed = np.cumsum(spaced - down, 1)
    held = (1 - lips) * pushed[:, _LIPS]
    pushed[:, _LIPS] -= held
    pushed[:, _LIPS.stop :] -= held[:, -1:]
    out = shape.copy()
    out[_COLUMNS[:, 1:], 1] += pushed
    return out


@lru_cache(maxsize=1)
def _carry() -> tuple[NDArray[np.int32], Floats]:
    """Points beside the lips' inner edges, and how much of each edge point's way each of them goes, (K, 20)."""
    mean = default_face_model().mean
    ring, half = LIPS_INNER, len(LIPS_INNER) // 2
    upper, lower = ring[: half + 1], np.append(ring[half:], ring[0])
    carry = np.zeros((len(mean), len(ring)), np.float32)
    for edge, way, reach in ((upper, -1, _TO_NOSE), (lower, 1, _TO_CHIN)):
        order = np.argsort(mean[edge, 0])
        x, y = mean[edge[order], :2].T
        beyond = way * (mean[:, 1] - np.interp(mean[:, 0], x, y))
        weight = (1 - smoothstep(beyond, 0, reach)) * (beyond > 0) * (np.abs(mean[:, 0]) < x[-1])
        for number, point in enumerate(ring):
            hat = np.interp(mean[:, 0], x, (edge[order] == point).astype(np.float32))
            carry[:, number] += weight * hat
    carry[ring] = 0
    beside = np.flatnonzero(carry.any(1)).astype(np.int32)
    return beside, carry[beside]
