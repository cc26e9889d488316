"""How much landmarks tremble."""

from __future__ import annotations

import numpy as np

from reenact.types import Floats


def jitter(track: Floats, unit: float = 1.0) -> float:
    """High-frequency movement of points (F, N, 2 or 3) over F >= 3 frames: root mean square of their second
    differences in the picture plane, over sqrt(6), which is the standard deviation of a white tremble per
    coordinate; a steady motion counts nothing. In the track's unit, or in per cent of `unit` where that is
    given (the eye distance in pixels, say, times .01).

    Source: the acceleration measure of steadiness in pose estimation (Kanazawa et al. 2019), normalised.
    """
    if track.ndim != 3 or len(track) < 3:
        raise ValueError(f"a track of at least 3 frames (F, N, 2 or 3) is needed, not {track.shape}")
    second = np.diff(np.asarray(track[..., :2], np.float64), 2, axis=0)
    return float(np.sqrt((second**2).mean() / 6) / unit)


def wander(track: Floats, unit: float = 1.0) -> float:
    """Standard deviation per coordinate of points (F, N, 2 or 3) about their mean places: for a driver that
    does not move, everything that the points do, slow drift included."""
    if track.ndim != 3:
        raise ValueError(f"a track (F, N, 2 or 3) is needed, not {track.shape}")
    points = np.asarray(track[..., :2], np.float64)
    return float(np.sqrt(((points - points.mean(0)) ** 2).mean()) / unit)
