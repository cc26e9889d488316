"""Blocks of the papers' generators and discriminators, after StarGAN v2 (Choi et al. 2020) and pix2pix.

Shape letters: B samples, C channels, H and W the map, S length of a style code.
"""

from __future__ import annotations

import math

from torch import Tensor, nn
from torch.nn import functional

_SLOPE = 0.2
_HALF = math.sqrt(0.5)  # of a sum of two branches of unit variance, so that it has unit variance too


class AdaIN(nn.Module):
    """Adaptive instance normalisation: a map (B, C, H, W) takes the statistics that a code (B, S) asks for
    (Huang and Belongie 2017, equation 8; the affine map from the code is StyleGAN's)."""

    def __init__(self, channels: int, style: int) -> None:
        super().__init__()
        self.norm = nn.InstanceNorm2d(channels)
        self.affine = nn.Linear(style, 2 * channels)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        gain, shift = self.affine(style)[:, :, None, None].chunk(2, 1)
        return (1 + gain) * self.norm(x) + shift


class ResidualBlock(nn.Module):
    """Normalise, LeakyReLU, convolve, twice, with a shortcut: (B, I, H, W) to (B, O, H, W), or half of H and W
    with `down` (StarGAN v2, `ResBlk`). normalise: instance norm; style extractors go without."""

    def __init__(self, inputs: int, outputs: int, *, down: bool = False, normalise: bool = True) -> None:
        super().__init__()
        self.down = down
        self.norm1, self.norm2 = (
            nn.InstanceNorm2d(inputs, affine=True) if normalise else nn.Identity() for _ in range(2)
        )
        self.first = nn.Conv2d(inputs, inputs, 3, padding=1)
        self.second = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, bias=False) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y = self.first(functional.leaky_relu(self.norm1(x), _SLOPE))
        y, short = self._halved(y), self._halved(self.shortcut(x))
        return (self.second(functional.leaky_relu(self.norm2(y), _SLOPE)) + short) * _HALF

    def _halved(self, x: Tensor) -> Tensor:
        return functional.avg_pool2d(x, 2) if self.down else x


class StyledBlock(nn.Module):
    """The same with AdaIN for normalisation, and twice H and W with `up` (StarGAN v2, `AdainResBlk`)."""

    def __init__(self, inputs: int, outputs: int, style: int, *, up: bool = False) -> None:
        super().__init__()
        self.up = up
        self.norm1, self.norm2 = AdaIN(inputs, style), AdaIN(outputs, style)
        self.first = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, bias=False) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        y = self.first(self._doubled(functional.leaky_relu(self.norm1(x, style), _SLOPE)))
        y = self.second(functional.leaky_relu(self.norm2(y, style), _SLOPE))
        return (y + self.shortcut(self._doubled(x))) * _HALF

    def _doubled(self, x: Tensor) -> Tensor:
        return functional.interpolate(x, scale_factor=2.0, mode="nearest") if self.up else x


class PatchDiscriminator(nn.Module):
    """pix2pix's PatchGAN (Isola et al. 2017, appendix 6.1.2): (B, I, H, W) to logits (B, 1, h, w), each
    of which sees 70 x 70 pixels with the default three halvings. Instance norm in place of batch norm, so that
    a sample's logits do not depend on the others of its batch."""

    def __init__(self, inputs: int, width: int = 64, halvings: int = 3) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(inputs, width, 4, stride=2, padding=1), nn.LeakyReLU(_SLOPE)]
        channels = width
        for number in range(1, halvings + 1):
            wider = min(channels * 2, width * 8)
            stride = 2 if number < halvings else 1
            layers += [
                nn.Conv2d(channels, wider, 4, stride=stride, padding=1),
                nn.InstanceNorm2d(wider, affine=True),
            ]
            layers += [nn.LeakyReLU(_SLOPE)]
            channels = wider
        self.layers = nn.Sequential(*layers, nn.Conv2d(channels, 1, 4, padding=1))

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images)
