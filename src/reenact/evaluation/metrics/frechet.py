"""How far apart two sets of pictures are, as sets: the Fréchet distance over any features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from reenact.types import Floats, Image

if TYPE_CHECKING:
    from reenact.nn.inception import Inception


def frechet_distance(one: Floats, other: Floats) -> float:
    """Fréchet distance of the Gaussians through two sets of features (N, D) and (M, D), N and M at least 2:
    |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)); 0 where the sets have equal means and covariances.

    Source: FID (Heusel et al. 2017, equation 6), which HR-Net, DG and FIPLS use. Over `inception_features` it
    is FID; over identity vectors it is a distance of its own, printed under its own name. It falls as the sets
    grow: compare only sets of one size. Raises ValueError where the shapes differ.
    """
    if one.ndim != 2 or other.ndim != 2 or one.shape[1] != other.shape[1] or min(len(one), len(other)) < 2:
        raise ValueError(f"features must be (N, D) and (M, D), at least 2 rows, not {one.shape}, {other.shape}")
    x, y = np.asarray(one, np.float64), np.asarray(other, np.float64)
    means = float(((x.mean(0) - y.mean(0)) ** 2).sum())
    # With centred rows X and Y, the eigenvalues of S1 S2 are the squared singular values of X Y^T.
    x, y = ((part - part.mean(0)) / np.sqrt(len(part) - 1) for part in (x, y))
    if len(x) > x.shape[1] and len(y) > y.shape[1]:  # the same from (D, D) pieces
        x, y = (np.asarray(np.linalg.qr(part, mode="r"), np.float64) for part in (x, y))
    both = float(np.linalg.svd(x @ y.T, compute_uv=False).sum())
    return max(means + float((x**2).sum() + (y**2).sum()) - 2 * both, 0.0)


def inception_features(pictures: Sequence[Image], net: Inception) -> Floats:
    """(N, 2048) of pictures (H, W, 3) uint8 of any size: what FID is taken over."""
    if not pictures:
        return np.zeros((0, 0), np.float32)
    return np.array([net.of_picture(picture) for picture in pictures], np.float32)
