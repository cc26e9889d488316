"""Mean absolute difference of pictures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reenact.types import Image


def l1(result: Image, truth: Image, mask: NDArray[np.bool_] | None = None) -> float:
    """Mean absolute difference of two pictures (H, W, 3) uint8, with levels in [0, 1]; 0 where equal.

    mask: (H, W), the pixels that count (the whole picture by default); nan where there are none. Source: the
    L1 of self-reenactment in Monkey-Net and its followers. Raises ValueError where the shapes differ.
    """
    check_pictures(result, truth)
    difference = np.abs(result.astype(np.float32) - truth.astype(np.float32)).mean(2) / 255
    if mask is None:
        return float(difference.mean())
    return float(difference[mask].mean()) if mask.any() else float("nan")


def check_pictures(result: Image, truth: Image) -> None:
    """Raises ValueError where two pictures are not both (H, W, 3) of one size."""
    if result.shape != truth.shape or result.ndim != 3 or result.shape[2] != 3:
        raise ValueError(f"pictures must both be (H, W, 3) of one size, not {result.shape} and {truth.shape}")
