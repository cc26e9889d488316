"""OSFR's losses in the order of their equations. The least squares of (3.13) and (3.14) are in
`losses.adversarial`, the sum (3.15) stands in `train.py`.

Pictures are (B, 3, S, S) in [-1, 1].
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from reenact.losses.adversarial import least_squares_discriminator_loss, least_squares_generator_loss
from reenact.nn.features import open_features
from reenact.nn.identity_net import chips, load_identity_net


def picture_l1(result: Tensor, truth: Tensor) -> Tensor:
    """(3.9) and (3.10): the mean absolute difference over all values."""
    return (result - truth).abs().mean()


def vector_l1(result: Tensor, truth: Tensor, *, mean: bool) -> Tensor:
    """(3.11): the L1 norm of the difference of (B, N), averaged over B, and with `mean` over the N."""
    distance = (result - truth).abs()
    return distance.mean() if mean else distance.sum(1).mean()


class Identity(nn.Module):
    """f of (3.11): faces as the vectors of our identity net (dlib's space), each cut out by its landmarks.

    differs from paper: its f is a verification net trained on CelebA, not published.
    """

    def __init__(self) -> None:
        super().__init__()
        self.net = load_identity_net()

    def forward(self, pictures: Tensor, points: Tensor) -> Tensor:
        """(B, 128) of pictures with their mesh points (B, 478, 2) in pixels."""
        with torch.autocast(pictures.device.type, enabled=False):
            vectors: Tensor = self.net(chips(pictures.float(), points.float().cpu().numpy()))
        return vectors


class Perceptual(nn.Module):
    """(3.12): the L1 distance of VGG-16's relu1_2, relu2_2, relu3_3 and relu4_3, each averaged over its map,
    summed.

    differs from paper where VGG-16's weights were not fetched: the distance of `reenact.nn.features` over our
    own two nets. name: which of the two it is."""

    def __init__(self) -> None:
        super().__init__()
        self.net = open_features()
        self.name = self.net.name

    def forward(self, result: Tensor, target: Tensor) -> Tensor:
        """A scalar; no gradient reaches the target."""
        if self.name != "VGG-16":
            return self.net.distance(result, target.detach())
        with torch.no_grad():
            wanted = self.net(target)
        return summed_l1(self.net(result), wanted)


def summed_l1(result: dict[str, Tensor], truth: dict[str, Tensor]) -> Tensor:
    """The sum over maps of the mean absolute difference."""
    return torch.stack([(result[name] - truth[name]).abs().mean() for name in truth]).sum()


def generator_adversarial(fake: Sequence[Tensor]) -> Tensor:
    """(3.13) with c = 1: the sum over the three scales, all of one weight."""
    return _over_scales(least_squares_generator_loss, fake)


def discriminator_adversarial(real: Sequence[Tensor], fake: Sequence[Tensor]) -> Tensor:
    """(3.14) with a = 1 and b = 0."""
    return _over_scales(least_squares_discriminator_loss, real, fake)


def _over_scales(loss: Callable[..., Tensor], *logits: Sequence[Tensor]) -> Tensor:
    return torch.stack([loss(*of_scale) for of_scale in zip(*logits, strict=True)]).sum()
