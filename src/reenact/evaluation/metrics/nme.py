"""Normalised mean error of landmarks."""

from __future__ import annotations

import numpy as np

from reenact.types import Points

OUTER_CORNERS = (33, 263)
"""Outer corners of the right and the left eye on the mesh."""


def eye_distance(points: Points) -> float:
    """Distance in pixels between the outer eye corners of mesh points (478, 2 or 3), in the picture."""
    return float(np.linalg.norm(points[OUTER_CORNERS[0], :2] - points[OUTER_CORNERS[1], :2]))


def nme(result: Points, truth: Points) -> float:
    """Mean distance of mesh points (478, 2 or 3) from their true places in the picture, in per cent of the true
    distance between the outer eye corners (the normalisation of 300-W and WFLW). Raises ValueError where the
    shapes differ."""
    check_points(result, truth)
    return float(100 * np.linalg.norm(result[:, :2] - truth[:, :2], axis=1).mean() / eye_distance(truth))


def check_points(result: Points, truth: Points) -> None:
    """Raises ValueError where two point sets are not both (N, 2) or both (N, 3)."""
    if result.shape != truth.shape or result.ndim != 2 or result.shape[1] not in (2, 3):
        raise ValueError(f"points must both be (N, 2) or (N, 3), not {result.shape} and {truth.shape}")
