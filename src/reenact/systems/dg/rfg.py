"""The reenacted face generator: G_f with the style encoder E_s, the discriminators D_f and D_s, and the
landmark map that G_f and D_s see (section 3.2).

Shape letters: B samples, S length of the style code. Pictures are (B, 3, H, W) in [-1, 1], landmark maps
(B, 1, H, W) in {-1, 1}.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from reenact.nn.blocks import ResidualBlock, StyledBlock
from reenact.nn.draw import landmark_map
from reenact.systems.dg.presets import RfgSettings

_SLOPE = 0.2


def drawn(points: Tensor, settings: RfgSettings, *, soft: bool = False) -> Tensor:
    """'A binary image of the landmarks with each neighboring landmark pair connected by an edge': (B, 68, 2 or
    3) in pixels to (B, 1, H, W), -1 and 1. soft: with grey edges, through which gradients reach the points."""
    s = settings
    drawing = landmark_map(points.float(), s.size, width=s.line, dot=s.dot, binary=not soft)
    return (drawing * 2 - 1).contiguous(memory_format=torch.channels_last)


def _first(inputs: int, outputs: int, patch: int) -> nn.Sequential:
    """The first convolution, on squares of `patch` pixels laid into channels (Shi et al. 2016, backwards)."""
    return nn.Sequential(nn.PixelUnshuffle(patch), nn.Conv2d(inputs * patch**2, outputs, 3, padding=1))


# --------------------------------------------------------------------------------------------------------------
# E_s, and D_f and D_s of 'the same structure as the style encoder but with 1D output'


class Encoder(nn.Module):
    """'Six downsampling residual blocks': (B, I, H, W) to (B, O). As in StarGAN v2 a convolution comes before
    them, and one over the last map and a linear one after; without instance norm, which would take away the
    statistics that are the style."""

    def __init__(self, inputs: int, outputs: int, width: int, settings: RfgSettings) -> None:
        super().__init__()
        s = settings
        channels = [min(width * 2**n, s.widest) for n in range(s.style_blocks + 1)]
        self.first = _first(inputs, channels[0], s.patch)
        self.blocks = nn.Sequential(
            *(ResidualBlock(a, b, down=True, normalise=False) for a, b in pairwise(channels))
        )
        self.last = nn.Conv2d(channels[-1], channels[-1], s.size // s.patch // 2**s.style_blocks)
        self.code = nn.Linear(channels[-1], outputs)

    def forward(self, images: Tensor) -> Tensor:
        x = functional.leaky_relu(self.blocks(self.first(images)), _SLOPE)
        return self.code(functional.leaky_relu(self.last(x), _SLOPE).flatten(1))


class Discriminator(nn.Module):
    """D_f on pictures (channels 3), D_s on landmark maps (channels 1): to a logit (B,)."""

    def __init__(self, channels: int, settings: RfgSettings) -> None:
        super().__init__()
        self.encoder = Encoder(channels, 1, settings.critic_width, settings)

    def forward(self, images: Tensor) -> Tensor:
        return self.encoder(images).squeeze(1)


# --------------------------------------------------------------------------------------------------------------
# G_f


class Transformer(nn.Module):
    """G_f: a landmark map and a style code (B, S) to a picture. 'Four downsampling, four intermediate and four
    upsampling residual blocks'; AdaIN enters the code 'into the last two intermediate residual blocks and all
    upsampling residual blocks'. As in StarGAN v2 there is no tanh at the end. With `skips`, which the paper has
    not, each map on the way down is added to the one of its size on the way up."""

    def __init__(self, settings: RfgSettings) -> None:
        super().__init__()
        s = settings
        channels = [min(s.width * 2**level, s.widest) for level in range(s.downs + 1)]
        deep = channels[-1]
        self.first = _first(1, channels[0], s.patch)
        self.down = nn.Sequential(
            *(ResidualBlock(a, b, down=True, normalise=s.norm_map) for a, b in pairwise(channels))
        )
        self.skips = s.skips
        self.plain = nn.Sequential(*(ResidualBlock(deep, deep) for _ in range(s.plain)))
        self.styled = nn.ModuleList(StyledBlock(deep, deep, s.style) for _ in range(s.styled))
        self.up = nn.ModuleList(StyledBlock(a, b, s.style, up=True) for a, b in pairwise(reversed(channels)))
        self.norm = nn.InstanceNorm2d(channels[0], affine=True) if s.last_norm else nn.Identity()
        self.last = nn.Sequential(nn.Conv2d(channels[0], 3 * s.patch**2, 1), nn.PixelShuffle(s.patch))

    def forward(self, landmarks: Tensor, style: Tensor) -> Tensor:
        x, passed = self.first(landmarks), list[Tensor]()
        for block in self.down:
            x = block(x)
            passed.append(x)
        x = self.plain(x)
        for block in self.styled:
            x = block(x, style)
        for block in self.up:
            x = block(x + passed.pop() if self.skips else x, style)
        return self.last(functional.leaky_relu(self.norm(x), _SLOPE))


class Generator(nn.Module):
    """The RFG at work: `G_f(map, E_s(source))`; G_f is `transformer`, E_s `style`."""

    def __init__(self, settings: RfgSettings) -> None:
        super().__init__()
        self.transformer = Transformer(settings)
        self.style = Encoder(3, settings.style, settings.width, settings)

    def forward(self, landmarks: Tensor, source: Tensor) -> Tensor:
        return self.transformer(landmarks, self.style(source))
