"""Structural similarity (Wang, Bovik, Sheikh and Simoncelli 2004)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reenact.evaluation.metrics.l1 import check_pictures
from reenact.types import Image

_RADIUS = 5
_SIGMA = 1.5
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def ssim(result: Image, truth: Image) -> float:
    """Mean structural similarity of two pictures (H, W, 3) uint8; 1 where equal, -1 at least.

    Gaussian windows of 11 px (sigma 1.5), K1 = .01 and K2 = .03 (the paper's equation 13), the mean over the
    channels and over the windows that lie inside the picture. Source: HR-Net, DG and GLG, which do not say
    how they treat colour. Raises ValueError where the shapes differ or a side is under 11 px.
    """
    check_pictures(result, truth)
    if min(result.shape[:2]) < 2 * _RADIUS + 1:
        raise ValueError(f"a side of at least {2 * _RADIUS + 1} px is needed, not {result.shape}")
    x, y = result.astype(np.float64), truth.astype(np.float64)
    mean_x, mean_y = _blur(x), _blur(y)
    var_x, var_y = _blur(x * x) - mean_x**2, _blur(y * y) - mean_y**2
    both = _blur(x * y) - mean_x * mean_y
    above = (2 * mean_x * mean_y + _C1) * (2 * both + _C2)
    below = (mean_x**2 + mean_y**2 + _C1) * (var_x + var_y + _C2)
    return float((above / below).mean())


def _blur(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gaussian means of the windows that lie inside (H, W, C), as (H - 10, W - 10, C)."""
    at = np.arange(-_RADIUS, _RADIUS + 1)
    weights = np.exp(-0.5 * (at / _SIGMA) ** 2)
    weights /= weights.sum()
    height, width = values.shape[0] - 2 * _RADIUS, values.shape[1] - 2 * _RADIUS
    rows = np.zeros((height, *values.shape[1:]))
    for shift, weight in enumerate(weights):
        rows += weight * values[shift : shift + height]
    out = np.zeros((height, width, values.shape[2]))
    for shift, weight in enumerate(weights):
        out += weight * rows[:, shift : shift + width]
    return out
