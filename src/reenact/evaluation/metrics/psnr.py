"""Peak signal to noise ratio."""

from __future__ import annotations

import numpy as np

from reenact.evaluation.metrics.l1 import check_pictures
from reenact.types import Image


def psnr(result: Image, truth: Image) -> float:
    """10 log10(255^2 / mean squared error) in decibels of two pictures (H, W, 3) uint8, over all channels at
    once; infinite where they are equal. Source: GLG section IV, HR-Net table III. Raises ValueError where the
    shapes differ."""
    check_pictures(result, truth)
    error = float(((result.astype(np.float64) - truth.astype(np.float64)) ** 2).mean())
    return float("inf") if error == 0 else float(10 * np.log10(255.0**2 / error))
