"""Average coordinate error of converted landmarks."""

from __future__ import annotations

import numpy as np

from reenact.types import Floats


def ace(result: Floats, truth: Floats) -> float:
    """Mean absolute difference of coordinates (..., N, 2 or 3), in pixels of a 256 px crop.

    Source: HR-Net section IV ('Average Coordinate Error' between the modified landmarks and the truth, over
    1,000 random ones) and DG section 4 ('Average Coordinate-wise Error'). Neither gives a formula: this takes
    'coordinate-wise' at its word, each coordinate by itself. Raises ValueError where the shapes differ.
    """
    if result.shape != truth.shape or result.ndim < 2:
        raise ValueError(f"points must both be (..., N, 2 or 3), not {result.shape} and {truth.shape}")
    return float(np.abs(np.asarray(result, np.float64) - truth).mean())
