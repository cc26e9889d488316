"""GLG's losses (section III-D) but for the adversarial one, which is in `losses.adversarial`, and the
perceptual one, which is `PerceptualFeatures.distance`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from reenact.systems.glg.flow import flow_at


def picture_l1(result: Tensor, truth: Tensor) -> Tensor:
    """The mean absolute difference of pictures (B, 3, H, W) in [-1, 1]."""
    return (result - truth).abs().mean()


def parts_l1(made: Mapping[str, Tensor], truth: Mapping[str, Tensor]) -> Tensor:
    """The same of the reenacted parts, each (B, 3, h, w), averaged over the parts."""
    return torch.stack([picture_l1(made[name], truth[name]) for name in made]).mean()


def feature_matching(real: Sequence[Tensor], fake: Sequence[Tensor]) -> Tensor:
    """The mean absolute difference of each of the discriminator's maps, summed over them (pix2pixHD, equation
    4). No gradient reaches the real ones."""
    return torch.stack([(f - r.detach()).abs().mean() for r, f in zip(real, fake, strict=True)]).sum()


def landmark_l1(result: Tensor, truth: Tensor) -> Tensor:
    """The mean absolute difference of landmarks (B, 136), -1 and 1 at the crop's borders."""
    return (result - truth).abs().mean()


def flow_l1(flow: Tensor, source: Tensor, target: Tensor) -> Tensor:
    """Ours: the mean absolute difference, in half sides, of a flow (B, 2, S, S) at the target's landmarks
    (B, N, 2) and the way from there to the source's; both in pixels of the picture."""
    way = (source - target) / (flow.shape[-1] / 2)
    return (flow_at(flow, target) - way).abs().mean()
