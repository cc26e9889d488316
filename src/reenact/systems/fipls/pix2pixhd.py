"""The image generator: pix2pixHD (Wang et al. 2018, section 3.1 and appendix) on the source and a sketch.

Shape letters: B samples. Pictures and sketches are (B, 3, H, W) in [-1, 1], H and W multiples of
2^(downs + 1).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from reenact.nn.blocks import PatchDiscriminator
from reenact.nn.draw import sketch_map
from reenact.systems.fipls.presets import ReenactmentSettings

_INPUTS = 6  # x = [F_s, p_t], 'H x W x (3 + 3)'


def sketches(landmarks: Tensor, settings: ReenactmentSettings) -> Tensor:
    """p_t: the sketch map (B, 3, H, W) in [-1, 1] of landmarks (B, 98, 2) in pixels."""
    zoom = settings.size / 256
    width, pupil = max(settings.line * zoom, 1.0), max(settings.pupil * zoom, 1.5)
    drawn = sketch_map(landmarks.float(), settings.size, width, pupil)
    return (drawn * 2 - 1).contiguous(memory_format=torch.channels_last)


# --------------------------------------------------------------------------------------------------------------
# Primitives; a convolution before instance norm has no bias, which the norm would take away


def _wide(inputs: int, outputs: int, *, bias: bool = False) -> list[nn.Module]:
    return [nn.ReflectionPad2d(3), nn.Conv2d(inputs, outputs, 7, bias=bias)]


def _norm(channels: int) -> list[nn.Module]:
    return [nn.InstanceNorm2d(channels), nn.ReLU()]


def _down(channels: int) -> list[nn.Module]:
    wider = 2 * channels
    return [nn.Conv2d(channels, wider, 3, stride=2, padding=1, bias=False), *_norm(wider)]


def _up(channels: int) -> list[nn.Module]:
    narrower = channels // 2
    up = nn.ConvTranspose2d(channels, narrower, 3, stride=2, padding=1, output_padding=1, bias=False)
    return [up, *_norm(narrower)]


class Block(nn.Module):
    """Two convolutions of 3 with instance norm, added to what came in; (B, C, h, w) to the same."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3, bias=False),
            *_norm(channels),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3, bias=False),
            nn.InstanceNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


# --------------------------------------------------------------------------------------------------------------
# The generator


class GlobalGenerator(nn.Module):
    """G_1: (B, 6, h, w) to features (B, width, h, w). first: the layers that see the pictures."""

    def __init__(self, first: Sequence[nn.Module], width: int, downs: int, blocks: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [*first, *_norm(width)]
        for level in range(downs):
            layers += _down(width * 2**level)
        layers += [Block(width * 2**downs) for _ in range(blocks)]
        for level in reversed(range(downs)):
            layers += _up(width * 2 ** (level + 1))
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class Generator(nn.Module):
    """G: the source F_s and the sketch p_t of the target to a picture, each (B, 3, H, W).

    With the enhancer, G_1 sees both at half the size, and its features are added to those of G_2's own first
    layers. differs from pix2pixHD: both learn together from the start, as this paper says nothing of two steps.
    differs from paper, where the settings ask for it, for a G that is small and young. keep: a fourth channel,
    through a sigmoid, says how much of the source picture stays, so that it has not to learn to copy what does
    not move. fold: first and last layer take so many pixels along each axis at once, by 3 x 3 convolutions;
    wide ones at the full size are the dearest on a CPU.
    """

    def __init__(self, settings: ReenactmentSettings) -> None:
        super().__init__()
        s = settings
        self.enhancer, self.keep, self.fold = s.enhancer, s.keep, s.fold
        outputs = 4 if s.keep else 3
        if s.fold > 1:
            if s.enhancer:
                raise ValueError("fold is for a generator without enhancer")
            area = s.fold**2
            first = [nn.Conv2d(_INPUTS * area, s.width, 3, padding=1, bias=False)]
            self.coarse = GlobalGenerator(first, s.width, s.downs, s.blocks)
            self.last = nn.Sequential(nn.Conv2d(s.width, outputs * area, 3, padding=1), nn.PixelShuffle(s.fold))
            self.apply(_start)
            return
        width = s.width * (2 if s.enhancer else 1)
        self.coarse = GlobalGenerator(_wide(_INPUTS, width), width, s.downs, s.blocks)
        if s.enhancer:
            self.first = nn.Sequential(*_wide(_INPUTS, s.width), *_norm(s.width), *_down(s.width))
            blocks = [Block(2 * s.width) for _ in range(s.local_blocks)]
            self.second = nn.Sequential(*blocks, *_up(2 * s.width))
        self.last = nn.Sequential(*_wide(s.width, outputs, bias=True))
        self.apply(_start)

    def forward(self, source: Tensor, sketch: Tensor) -> Tensor:
        return self.pictures(source, sketch)[0]

    def pictures(self, source: Tensor, sketch: Tensor) -> tuple[Tensor, Tensor]:
        """The picture, and what was drawn before the source was laid over it; without `keep` the same."""
        x = torch.cat([source, sketch], 1)
        made = self.last(self._features(functional.pixel_unshuffle(x, self.fold) if self.fold > 1 else x))
        drawn = torch.tanh(made[:, :3])
        if not self.keep:
            return drawn, drawn
        return drawn + torch.sigmoid(made[:, 3:]) * (source - drawn), drawn

    def _features(self, x: Tensor) -> Tensor:
        return self.second(self.first(x) + self.coarse(_halved(x))) if self.enhancer else self.coarse(x)


# --------------------------------------------------------------------------------------------------------------
# The discriminators


class Discriminators(nn.Module):
    """D_1 ... D_n of (5): patch discriminators, each at half the resolution of the one before, on source,
    sketch and picture together."""

    def __init__(self, settings: ReenactmentSettings) -> None:
        super().__init__()
        self.scales = nn.ModuleList(
            PatchDiscriminator(_INPUTS + 3, settings.critic_width) for _ in range(settings.critic_scales)
        )
        self.apply(_start)

    def forward(self, source: Tensor, sketch: Tensor, picture: Tensor) -> list[list[Tensor]]:
        """For each scale the features after each LeakyReLU, and last the logits (B, 1, h, w)."""
        x = torch.cat([source, sketch, picture], 1)
        found = []
        for number, scale in enumerate(self.scales):
            x = _halved(x) if number else x
            found.append(_features(scale, x))
        return found


def _features(scale: nn.Module, x: Tensor) -> list[Tensor]:
    found = []
    layers: nn.Sequential = scale.layers  # type: ignore[assignment]
    for layer in layers:
        x = layer(x)
        if isinstance(layer, nn.LeakyReLU):
            found.append(x)
    return [*found, x]


def _halved(x: Tensor) -> Tensor:
    return functional.avg_pool2d(x, 3, stride=2, padding=1, count_include_pad=False)


def _start(module: nn.Module) -> None:
    """'The weights are initialized randomly using a normal distribution': pix2pixHD's deviation, 0.02."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
