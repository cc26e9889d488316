"""The losses of `live` that compare pictures."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

_LEVELS = 4
_C1, _C2 = 0.02**2, 0.06**2  # Wang et al. 2004, for a range of 2


def pixel_weights(maps: Tensor, face: float, features: float) -> Tensor:
    """(B, 1, 256, 256): 1, and more on the face and around eyes and mouth, from shape maps (B, 6, 128, 128)."""
    near = functional.max_pool2d(maps[:, [1, 3]].amax(1, keepdim=True), 9, 1, 4)
    weight = 1 + face * maps[:, 5:6] + features * functional.avg_pool2d(near, 5, 1, 2)
    return functional.interpolate(weight, scale_factor=2.0, mode="bilinear", align_corners=False)


def weighted_l1(made: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean of |made - truth| over (B, 3, H, W); weight is (B, 1, H, W)."""
    return ((made - truth).abs().mean(1, keepdim=True) * weight).sum() / weight.sum()


def pyramid_l1(made: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """L1 of the levels of a Laplacian pyramid (Bojanowski et al. 2018, section 3.2, with box filters), all
    levels of one weight, each pixel of `weight` (B, 1, H, W)."""
    total = made.new_zeros(())
    difference = made - truth
    for _ in range(_LEVELS):
        coarse = functional.avg_pool2d(difference, 2)
        band = difference - functional.interpolate(
            coarse, scale_factor=2.0, mode="bilinear", align_corners=False
        )
        total = total + (band.abs().mean(1, keepdim=True) * weight).sum() / weight.sum()
        difference, weight = coarse, functional.avg_pool2d(weight, 2)
    return total + (difference.abs().mean(1, keepdim=True) * weight).sum() / weight.sum()


def dissimilarity(made: Tensor, truth: Tensor) -> Tensor:
    """1 - SSIM (Wang et al. 2004, equation 13) of pictures (B, 3, H, W) in [-1, 1], in boxes of 7 x 7."""
    means, squares = (functional.avg_pool2d(x, 7, 1) for x in (made, made * made))
    means_t, squares_t = (functional.avg_pool2d(x, 7, 1) for x in (truth, truth * truth))
    products = functional.avg_pool2d(made * truth, 7, 1)
    spread, spread_t = squares - means**2, squares_t - means_t**2
    shared = products - means * means_t
    top = (2 * means * means_t + _C1) * (2 * shared + _C2)
    return 1 - (top / ((means**2 + means_t**2 + _C1) * (spread + spread_t + _C2))).mean()
