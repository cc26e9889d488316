"""The guided filter: a rough mask takes the edges of the picture.

Source: He, Sun, Tang, Guided Image Filtering (TPAMI 2013), the colour form, equations 19 and 20; the fast
variant (He, Sun, 2015) solves for the coefficients at reduced size and applies them at the full one.
"""

from __future__ import annotations

import numpy as np
from PIL import Image as Pil

from reenact.types import Floats, Image


def box_mean(values: Floats, radius: int) -> Floats:
    """Mean of (H, W) or (H, W, C) over squares of side 2 radius + 1, cut off at the border."""
    for axis in (0, 1):
        length = values.shape[axis]
        total = np.cumsum(values, axis=axis, dtype=np.float64)
        total = np.concatenate([np.zeros_like(total.take([0], axis)), total], axis)
        centre = np.arange(length)
        high = np.minimum(centre + radius + 1, length)
        low = np.maximum(centre - radius, 0)
        span = (high - low).reshape([-1 if a == axis else 1 for a in range(values.ndim)])
        values = ((total.take(high, axis) - total.take(low, axis)) / span).astype(np.float32)
    return values


def guided_filter(guide: Image, mask: Floats, radius: int, epsilon: float, longest: int = 384) -> Floats:
    """`mask` (h, w) in [0, 1], at the size of `guide` (H, W, 3) uint8 and with its edges.

    The mask may be the smaller of the two; the coefficients are solved at its size, or at `longest` pixels if
    that is less. radius: pixels of the mask. epsilon: variance of the guide (range [0, 1]) below which a
    patch counts as flat. Returns (H, W) float32 in [0, 1].
    """
    share = min(1.0, longest / max(mask.shape))
    size = (max(1, round(mask.shape[1] * share)), max(1, round(mask.shape[0] * share)))
    small = np.asarray(Pil.fromarray(guide).resize(size, Pil.Resampling.BOX), np.float32) / 255
    rough = np.asarray(Pil.fromarray(mask).resize(size, Pil.Resampling.BOX), np.float32)
    slope, offset = _coefficients(small, rough, max(1, round(radius * share)), epsilon)
    return _applied(guide, slope, offset)


def _applied(guide: Image, slope: Floats, offset: Floats) -> Floats:
    """The linear model at full size, plane by plane to keep memory low."""
    result = resized(offset, *guide.shape[:2]).copy()
    for channel in range(3):
        result += resized(slope[..., channel], *guide.shape[:2]) * (guide[..., channel] * np.float32(1 / 255))
    return np.clip(result, 0, 1, out=result)


def _coefficients(guide: Floats, mask: Floats, radius: int, epsilon: float) -> tuple[Floats, Floats]:
    """Slope (h, w, 3) and offset (h, w) of the locally linear model, averaged over the windows."""
    mean_guide, mean_mask = box_mean(guide, radius), box_mean(mask, radius)
    cross = box_mean(guide * mask[..., None], radius) - mean_guide * mean_mask[..., None]
    rows, columns = np.triu_indices(3)
    moments = (
        box_mean(guide[..., rows] * guide[..., columns], radius)
        - mean_guide[..., rows] * mean_guide[..., columns]
    )
    slope = _solved(moments + epsilon * (rows == columns), cross)
    offset = mean_mask - (slope * mean_guide).sum(-1)
    return box_mean(slope, radius), box_mean(offset, radius)


def _solved(upper: Floats, right: Floats) -> Floats:
    """x of `A x = right` (..., 3) for symmetric matrices given as (..., 6): xx, xy, xz, yy, yz, zz."""
    xx, xy, xz, yy, yz, zz = np.moveaxis(upper.astype(np.float64), -1, 0)
    a, b, c = yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy
    d, e, f = xx * zz - xz * xz, xy * xz - xx * yz, xx * yy - xy * xy
    x, y, z = np.moveaxis(right.astype(np.float64), -1, 0)
    solution = np.stack([a * x + b * y + c * z, b * x + d * y + e * z, c * x + e * y + f * z], -1)
    return (solution / (xx * a + xy * b + xz * c)[..., None]).astype(np.float32)


def resized(values: Floats, height: int, width: int) -> Floats:
    """(h, w) or (h, w, C) float32, resampled bilinearly to (height, width)."""
    if values.shape[:2] == (height, width):
        return values
    planes = values[..., None] if values.ndim == 2 else values
    size, method = (width, height), Pil.Resampling.BILINEAR
    parts = [
        np.asarray(Pil.fromarray(np.ascontiguousarray(p)).resize(size, method))
        for p in np.moveaxis(planes, -1, 0)
    ]
    return parts[0] if values.ndim == 2 else np.stack(parts, -1)
