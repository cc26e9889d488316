"""GLG's losses (section III-D) but for the adversarial one, which is in `losses.adversarial`, and the
perceptual one, which is `PerceptualFeatures.distance`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor


def picture_l1(result: Tensor, truth: Tensor) -> Tensor:
    """The mean absolute difference of pictures (B, 3, H, W) in [-1, 1]."""
    return (result - truth).abs().mean()


def parts_l1(made: Mapping[str, Tensor], truth: Mapping[str, Tensor]) -> Tensor:
    """The same of the reenacted parts, each (B, 3, h, w), averaged over the parts."""
    return torch.stack([picture_l1(made[name], truth[name]) for name in made]).mean()


def feature_matching(real: Sequence[Tensor], fake: Sequence[Tensor]) -> Tensor:
    """The mean absolute difference of the discriminator's maps, averaged over them (pix2pixHD, equation 4). No
    gradient reaches the real ones."""
    return torch.stack([(f - r.detach()).abs().mean() for r, f in zip(real, fake, strict=True)]).mean()


def landmark_l1(result: Tensor, truth: Tensor) -> Tensor:
    """The mean absolute difference of landmarks (B, 136), -1 and 1 at the crop's borders."""
    return (result - truth).abs().mean()
