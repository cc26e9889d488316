"""The boundary-guided face reenactment (section III-B): the drawing b_t; G_F, of a transformer T_f and a style
extractor E_s; and D_B.

Shape letters: B samples, S length of the style code. Pictures and boundary images are (B, 3, H, W) in [-1, 1].
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from reenact.nn.blocks import PatchDiscriminator, ResidualBlock, StyledBlock
from reenact.nn.draw import boundary_image, landmark_map
from reenact.systems.hr_net.presets import BfrSettings

_SLOPE = 0.2
_LEAST_MAP = 4


def widths(settings: BfrSettings) -> list[int]:
    """Channels after the first convolution and after each halving: doubled up to `widest`."""
    return [min(settings.width * 2**level, settings.widest) for level in range(settings.downs + 1)]


# --------------------------------------------------------------------------------------------------------------
# b_t: '13 parts ... connect the points of each part with a line ... Gaussian blur'


def boundaries(landmarks: Tensor, settings: BfrSettings) -> Tensor:
    """The boundary image (B, 3, H, W) in [-1, 1] of landmarks (B, 68, 2) in pixels; or dots (table V)."""
    points = landmarks.float()
    if settings.boundary == "lines":
        drawn = boundary_image(points, settings.size, settings.sigma)
    else:  # a width of -1 leaves nothing of the edges
        drawn = landmark_map(points, settings.size, width=-1.0, dot=3.0, binary=False).expand(-1, 3, -1, -1)
    return (drawn * 2 - 1).contiguous(memory_format=torch.channels_last)


# --------------------------------------------------------------------------------------------------------------
# G_F (figure 4)


class StyleExtractor(nn.Module):
    """E_s: the source picture to a style code (B, S): 'a convolutional layer, six residual blocks like the
    middle block of T_f, a convolutional layer, and finally a fully connected layer'.

    differs from paper: the first blocks halve the map until it is 4 x 4, as in StarGAN v2 (the paper is silent,
    and a fully connected layer on whole maps would be enormous), and there is no instance norm, which would
    take away the statistics that are the style. With `style_size` it sees the picture averaged down, and begins
    with as many channels as T_f has at that size.
    """

    def __init__(self, settings: BfrSettings) -> None:
        super().__init__()
        self.size = settings.style_size or settings.size
        halvings = min(int(math.log2(self.size / _LEAST_MAP)), settings.style_blocks)
        width = settings.width * settings.size // (self.size * settings.stride)
        channels = [
            min(width * 2 ** min(n, halvings), settings.widest) for n in range(settings.style_blocks + 1)
        ]
        self.first = nn.Conv2d(3, channels[0], 3, padding=1)
        self.blocks = nn.Sequential(
            *(
                ResidualBlock(inputs, outputs, down=number < halvings, normalise=False)
                for number, (inputs, outputs) in enumerate(pairwise(channels))
            )
        )
        self.last = nn.Conv2d(channels[-1], channels[-1], _LEAST_MAP)
        self.code = nn.Linear(channels[-1], settings.style)

    def forward(self, source: Tensor) -> Tensor:
        if source.shape[-1] > self.size:
            source = functional.interpolate(source, self.size, mode="area")
        x = functional.leaky_relu(self.blocks(self.first(source)), _SLOPE)
        x = functional.leaky_relu(self.last(x), _SLOPE).mean((2, 3))
        return self.code(x)


class Transformer(nn.Module):
    """T_f (figure 4): a boundary image and a style code to a picture. A convolution and `downs` halving
    blocks; `middles` blocks and as many doubling ones as halving ones, with AdaIN; a deconvolution and tanh.

    differs from paper: the code enters each block by AdaIN's affine map alone; it is not concatenated with the
    feature map before. With `skips`, which the paper's figure 4 has not, each map on the way down is added to
    the one of its size on the way up, so that few samples are enough to find the lines again.
    """

    def __init__(self, settings: BfrSettings) -> None:
        super().__init__()
        channels = widths(settings)
        deep, kernel = channels[-1], settings.stride + 2
        self.first = nn.Conv2d(3, channels[0], kernel, settings.stride, padding=1)
        self.down = nn.Sequential(
            *(ResidualBlock(a, b, down=True, normalise=settings.norm_lines) for a, b in pairwise(channels))
        )
        self.middle = nn.ModuleList(StyledBlock(deep, deep, settings.style) for _ in range(settings.middles))
        self.up = nn.ModuleList(
            StyledBlock(a, b, settings.style, up=True) for a, b in pairwise(reversed(channels))
        )
        self.skips = settings.skips
        self.last = nn.ConvTranspose2d(channels[0], 3, kernel, settings.stride, padding=1)

    def forward(self, boundary: Tensor, style: Tensor) -> Tensor:
        x, passed = self.first(boundary), list[Tensor]()
        for block in self.down:
            x = block(x)
            passed.append(x)
        for block in self.middle:
            x = block(x, style)
        for block in self.up:
            x = block(x + passed.pop() if self.skips else x, style)
        return torch.tanh(self.last(functional.leaky_relu(x, _SLOPE)))


class Generator(nn.Module):
    """G_F: `T_f(boundary, E_s(source))`. The paper's I_r is the source, its b_t the boundary image."""

    def __init__(self, settings: BfrSettings) -> None:
        super().__init__()
        self.transformer = Transformer(settings)
        self.style = StyleExtractor(settings)

    def forward(self, boundary: Tensor, source: Tensor) -> Tensor:
        return self.transformer(boundary, self.style(source))


# --------------------------------------------------------------------------------------------------------------
# D_B


class Discriminator(nn.Module):
    """D_B of (6): the 70 x 70 PatchGAN on picture and boundary image together, to logits (B, 1, h, w)."""

    def __init__(self, settings: BfrSettings) -> None:
        super().__init__()
        self.patches = PatchDiscriminator(6, settings.patch_width)

    def forward(self, picture: Tensor, boundary: Tensor) -> Tensor:
        return self.patches(torch.cat([picture, boundary], 1))
