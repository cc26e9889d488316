"""How skin moves: the mesh's points followed by their looks, where a detector only guesses them.

A detector puts cheeks, brows and folds where such a face mostly has them, and wanders by a pixel or two from
what is seen. Here each point is looked for in every frame near where the detector puts it, by its looks in the
first frame, so that nothing drifts, and the landmarks are moved by what the points around agree on. Points that
look otherwise now (lids, the inside of a mouth, what turned away) are left to the detector.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from reenact.geometry.face_model import POINTS, default_face_model
from reenact.geometry.schemes import LEFT_EYE, LIPS_INNER, LIPS_OUTER, MESH_TRIANGLES, RIGHT_EYE
from reenact.perception.close_up import CloseUp
from reenact.perception.lucas_kanade import Search, found_again
from reenact.types import Floats, Points

_SEARCH = Search(window=7, halvings=0, back=2.0, far=6.0)
_FACING = 0.05
"""Cosine of the angle between skin and line of sight, above which it is seen."""
_REACH = 0.05
"""Canonical units, one standard deviation, over which points answer for each other."""
_PRIOR = 0.3
"""What the detector's own guess weighs, in points."""
_MESH = 468
_CHANGING = np.concatenate([RIGHT_EYE, LEFT_EYE, LIPS_INNER, np.arange(_MESH, POINTS)]).astype(np.int32)
"""Edges of what opens and shuts, and the irises: they look otherwise in the next frame."""
_FEATURES = np.concatenate([_CHANGING, LIPS_OUTER]).astype(np.int32)
"""These stay where the detector has them, who knows eyes and lips best."""


@dataclass(frozen=True)
class _Anchor:
    """The frame that points are looked for from. grey: (S, S). at: (478, 3) pixels. seen: (478,)."""

    grey: NDArray[np.uint8]
    at: Points
    seen: NDArray[np.bool_]


class SkinTracker:
    """Follows the points of one face through the frames of a video or camera; the first is the anchor, whose
    landmarks stand as they are."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Take the next frame as the anchor."""
        self._anchor: _Anchor | None = None

    def refined(self, close_up: CloseUp, points: Points) -> Points:
        """The landmarks (478, 3) in pixels of the picture, moved to where their looks are."""
        at = close_up.points(points)
        seen = _towards_us(at)
        if self._anchor is None:
            self._anchor = _Anchor(close_up.grey, at, seen)
            return points
        start = self._anchor
        moved, found = found_again(start.grey, close_up.grey, start.at[:, :2], at[:, :2], _SEARCH)
        trust = (found & seen & start.seen & _steady()).astype(np.float32)
        near = _nearness()
        step = (near @ (trust[:, None] * moved)) / ((near @ trust)[:, None] + np.float32(_PRIOR))
        step[_FEATURES] = 0
        out = points.copy()
        out[:, :2] += step / np.float32(close_up.zoom)
        return out


def _towards_us(points: Points) -> NDArray[np.bool_]:
    """(478,): which points' skin faces the viewer; irises never do."""
    a, b, c = (points[MESH_TRIANGLES[:, corner]] for corner in range(3))
    across = np.cross(c - a, b - a)
    normal = np.zeros((POINTS, 3), np.float32)
    for corner in range(3):
        np.add.at(normal, MESH_TRIANGLES[:, corner], across)
    return -normal[:, 2] > _FACING * np.maximum(np.linalg.norm(normal, axis=1), 1e-6)


@cache
def _steady() -> NDArray[np.bool_]:
    return ~np.isin(np.arange(POINTS), _CHANGING)


@cache
def _nearness() -> Floats:
    """(478, 478): how much points of the mean face answer for each other."""
    mean = default_face_model().mean
    apart = ((mean[:, None] - mean[None]) ** 2).sum(-1)
    return np.exp(-apart / (2 * _REACH**2)).astype(np.float32)
