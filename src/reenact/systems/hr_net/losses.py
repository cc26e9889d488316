"""HR-Net's losses by equation. The adversarial and triplet losses are in `reenact.losses.adversarial`."""

from __future__ import annotations

from torch import Tensor

# --------------------------------------------------------------------------------------------------------------
# Landmarks (B, 136) in the unit of `lic.to_unit`


def landmark_l1(result: Tensor, truth: Tensor, *, mean: bool) -> Tensor:
    """(1) and (3): the L1 norm of the difference of (B, 136), averaged over B, and with `mean` over the 136."""
    distance = (result - truth).abs()
    return distance.mean() if mean else distance.sum(1).mean()


# --------------------------------------------------------------------------------------------------------------
# Pictures (B, 3, H, W) in [-1, 1], and features of them


def picture_l1(result: Tensor, truth: Tensor) -> Tensor:
    """(7), averaged over all values."""
    return (result - truth).abs().mean()


def local_perceptual(result: Tensor, truth: Tensor) -> Tensor:
    """(10): the squared L2 distance of feature maps (B, C, h, w) at each of the k points, averaged over the k
    and B.

    differs from paper: the sum is printed from 0 and the exponent as k; meant are k terms and the square.
    Whether k counts channels is not said; here it counts points, so that the loss does not depend on the map's
    size.
    """
    return (result - truth).square().sum(1).mean()
