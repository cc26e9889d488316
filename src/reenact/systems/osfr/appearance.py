"""The appearance auto-encoder F (section 3.2.2, figure 3.5): a picture to a code at 1x1, and back.

Shape letters: B samples, C channels, S side of the picture. Pictures are (B, 3, S, S) in [-1, 1].
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn

from reenact.errors import ReenactError
from reenact.systems.osfr.presets import Norm, OsfrSettings

SLOPE = 0.2


class Appearance(NamedTuple):
    """What D gets of the source. code: (B, C, 1, 1). features: of the decoder's last scales, small ones first.
    picture: I_AE, the reconstruction (B, 3, S, S)."""

    code: Tensor
    features: tuple[Tensor, ...]
    picture: Tensor


def normalising(norm: Norm, channels: int, *, affine: bool) -> nn.Module:
    """Each channel at mean 0 and deviation 1, in each sample or over the batch."""
    kind = nn.InstanceNorm2d if norm == "instance" else nn.BatchNorm2d
    return kind(channels, affine=affine)


class DownBlock(nn.Sequential):
    """Half the map: a 4x4 convolution of stride 2, instance norm, LeakyReLU.

    differs from paper: the first block has no norm, nor has the last, whose map of one pixel it would make
    zero."""

    def __init__(self, inputs: int, outputs: int, norm: Norm | None) -> None:
        norms = [normalising(norm, outputs, affine=True)] if norm else []
        super().__init__(nn.Conv2d(inputs, outputs, 4, 2, 1), *norms, nn.LeakyReLU(SLOPE))


class UpBlock(nn.Sequential):
    """Twice the map: a 4x4 deconvolution of stride 2, instance norm, ReLU; `last`: tanh in place of both."""

    def __init__(self, inputs: int, outputs: int, norm: Norm, *, last: bool = False) -> None:
        ends = [nn.Tanh()] if last else [normalising(norm, outputs, affine=True), nn.ReLU()]
        super().__init__(nn.ConvTranspose2d(inputs, outputs, 4, 2, 1), *ends)


class AppearanceAutoEncoder(nn.Module):
    """F: I_ref to its code, to feature maps of the last `scales` decoder layers, and to I_AE.

    The widths that section 4.1.3 prints for the decoder's blocks are read as what goes into them: then the
    first takes the code of 1024, and the last four have maps of 16, 32, 64 and 128 pixels, the sizes of D's
    last four modules. Raises ReenactError where size and number of blocks do not fit."""

    def __init__(self, settings: OsfrSettings) -> None:
        super().__init__()
        check(settings)
        self.scales = settings.scales
        steps = list(pairwise((3, *settings.down)))
        inner = range(1, len(steps) - (settings.norm == "instance"))
        norm = settings.norm
        downs = (DownBlock(a, b, norm if n in inner else None) for n, (a, b) in enumerate(steps))
        self.encoder = nn.Sequential(*downs)
        ups = [UpBlock(a, b, norm) for a, b in pairwise(settings.up)]
        self.decoder = nn.ModuleList([*ups, UpBlock(settings.up[-1], 3, norm, last=True)])

    def forward(self, reference: Tensor) -> Appearance:
        code = self.encoder(reference)
        entering = []
        x = code
        for block in self.decoder:
            entering.append(x)
            x = block(x)
        return Appearance(code, tuple(entering[-self.scales :]), x)


def check(settings: OsfrSettings) -> None:
    """Raises ReenactError where the blocks do not lead from the picture to one pixel and back."""
    blocks = len(settings.down)
    if not len(settings.up) == len(settings.decoder) == blocks or settings.size != 2**blocks:
        raise ReenactError(
            f"--set size={settings.size}: down, up and decoder need one width for each halving of it to 1 pixel"
        )
    if settings.up[0] != settings.down[-1]:
        raise ReenactError("--set up: its first width is that of the code, the last of `down`")
    if not 1 <= settings.scales < blocks:
        raise ReenactError(f"--set scales={settings.scales}: from 1 to {blocks - 1}")


def he_initialised(module: nn.Module) -> nn.Module:
    """The module with He's initialisation, for convolutions and ReLUs in a row that no norm brings back to
    scale."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        elif isinstance(layer, nn.ConvTranspose2d):
            # Of a 4x4 kernel of stride 2 four taps meet at a pixel.
            nn.init.normal_(layer.weight, std=(2 / (4 * layer.in_channels)) ** 0.5)
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d) and layer.bias is not None:
            with torch.no_grad():
                layer.bias.zero_()
    return module
