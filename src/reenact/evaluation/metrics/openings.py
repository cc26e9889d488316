"""How far mouth and eyes are open, and how wrong that is."""

from __future__ import annotations

import numpy as np

from reenact.evaluation.metrics.nme import eye_distance
from reenact.types import Points

_LIPS = ((13, 14),)
_LIDS = ((159, 145), (386, 374))


def mouth_gap(points: Points) -> float:
    """Distance between the inner lips in the middle, in per cent of that between the outer eye corners; mesh
    points (478, 2 or 3)."""
    return _gap(points, _LIPS)


def eye_gap(points: Points) -> float:
    """Distance between the lids in the middle, mean of both eyes, in per cent of that between the outer eye
    corners; mesh points (478, 2 or 3)."""
    return _gap(points, _LIDS)


def mouth_gap_error(result: Points, truth: Points) -> float:
    """Absolute difference of the mouth gaps of two point sets, in per cent of the eye distance of each."""
    return abs(mouth_gap(result) - mouth_gap(truth))


def eye_gap_error(result: Points, truth: Points) -> float:
    """Absolute difference of the eye gaps of two point sets, in per cent of the eye distance of each."""
    return abs(eye_gap(result) - eye_gap(truth))


def _gap(points: Points, pairs: tuple[tuple[int, int], ...]) -> float:
    apart = [np.linalg.norm(points[upper, :2] - points[lower, :2]) for upper, lower in pairs]
    return float(100 * np.mean(apart) / eye_distance(points))
