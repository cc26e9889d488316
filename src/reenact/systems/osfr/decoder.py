"""The semantically adaptive decoder D (section 3.2.3, figures 3.6 to 3.8), the generator of F and D, and the
three-scale discriminator (figure 3.12).

Shape letters: B samples, C channels, H and W a map, S side of the picture.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from reenact.nn.blocks import PatchDiscriminator
from reenact.systems.osfr.appearance import Appearance, AppearanceAutoEncoder, he_initialised, normalising
from reenact.systems.osfr.presets import Norm, OsfrSettings
from reenact.systems.osfr.shape import CLASSES, at_size

# --------------------------------------------------------------------------------------------------------------
# SPADE


class SpadeUnit(nn.Module):
    """(3.5) to (3.7), figure 3.8: a normalised map with the gain and shift that two 3x3 convolutions read at
    each pixel from the parsing map (B, 9, H, W).

    differs from paper: the gain's bias begins at 1, where the learned gain begins that it replaces; the signal
    would vanish in the five units of a path otherwise."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gain = nn.Conv2d(CLASSES, channels, 3, padding=1)
        self.shift = nn.Conv2d(CLASSES, channels, 3, padding=1)
        nn.init.ones_(self.gain.bias)  # type: ignore[arg-type]

    def forward(self, normal: Tensor, parsing: Tensor) -> Tensor:
        """(3.7) of a map that its block has brought to mean 0 and deviation 1."""
        return self.gain(parsing) * normal + self.shift(parsing)


class SpadeStep(nn.Module):
    """[SPADE unit, ReLU, conv1x1] of figure 3.7."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.unit = SpadeUnit(channels)
        self.mix = nn.Conv2d(channels, channels, 1)

    def forward(self, normal: Tensor, parsing: Tensor) -> Tensor:
        return self.mix(functional.relu(self.unit(normal, parsing)))


class SpadeBlock(nn.Module):
    """Figure 3.7: two steps, and one in the bypass, summed; (B, C, H, W) to the same shape."""

    def __init__(self, channels: int, norm: Norm = "instance") -> None:
        super().__init__()
        self.norms = nn.ModuleList(normalising(norm, channels, affine=False) for _ in range(2))  # (3.3), (3.4)
        self.first, self.second, self.bypass = (SpadeStep(channels) for _ in range(3))

    def forward(self, x: Tensor, parsing: Tensor) -> Tensor:
        normal = self.norms[0](x)  # once for both paths
        inner = self.first(normal, parsing)
        return self.second(self.norms[1](inner), parsing) + self.bypass(normal, parsing)


# --------------------------------------------------------------------------------------------------------------
# D


class PlainModule(nn.Sequential):
    """One of D's first modules: 'convolutional and upsampling layers' alone, (B, I, H, W) to (B, O, 2H, 2W)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(outputs, outputs, 4, 2, 1),
            nn.ReLU(),
        )
        he_initialised(self)


class SpadeModule(nn.Module):
    """One of D's last modules (figure 3.6): the layer before and F's feature map of that size together, a SPADE
    block, a 1x1 convolution, a 4x4 deconvolution; to (B, O, 2H, 2W)."""

    def __init__(self, inputs: int, feature: int, outputs: int, norm: Norm) -> None:
        super().__init__()
        self.block = SpadeBlock(inputs + feature, norm)
        self.mix = nn.Conv2d(inputs + feature, outputs, 1)
        self.up = nn.ConvTranspose2d(outputs, outputs, 4, 2, 1)

    def forward(self, x: Tensor, feature: Tensor | None, parsing: Tensor) -> Tensor:
        joined = x if feature is None else torch.cat([x, feature], 1)
        return self.up(self.mix(self.block(joined, at_size(parsing, joined.shape))))


class AdaptiveDecoder(nn.Module):
    """D: the appearance of the source and a parsing map (B, 9, S, S) to a picture (B, 3, S, S) in [-1, 1]."""

    def __init__(self, settings: OsfrSettings) -> None:
        super().__init__()
        self.concat = settings.concat
        entering = (settings.up[0], *settings.decoder[:-1])
        plain = len(entering) - settings.scales
        widths = settings.decoder
        first = zip(entering[:plain], widths[:plain], strict=True)
        self.plain = nn.Sequential(*(PlainModule(a, b) for a, b in first))
        features = settings.up[plain:] if settings.concat else (0,) * settings.scales
        rest = zip(entering[plain:], features, widths[plain:], strict=True)
        self.spade = nn.ModuleList(SpadeModule(a, f, b, settings.norm) for a, f, b in rest)
        self.last = nn.Conv2d(settings.decoder[-1], 3, 3, padding=1)

    def forward(self, appearance: Appearance, parsing: Tensor) -> Tensor:
        x = self.plain(appearance.code)
        for module, feature in zip(self.spade, appearance.features, strict=True):
            x = module(x, feature if self.concat else None, parsing)
        return torch.tanh(self.last(x))


class Generator(nn.Module):
    """F and D (figure 3.2, equation 3.2): the source picture and the parsing map of the driving face to I_o and
    I_AE, both (B, 3, S, S)."""

    def __init__(self, settings: OsfrSettings) -> None:
        super().__init__()
        self.appearance = AppearanceAutoEncoder(settings)
        self.decoder = AdaptiveDecoder(settings)

    def forward(self, reference: Tensor, parsing: Tensor) -> tuple[Tensor, Tensor]:
        appearance = self.appearance(reference)
        return self.decoder(appearance, parsing), appearance.picture


# --------------------------------------------------------------------------------------------------------------
# d_1, d_2, d_3


class Discriminator(nn.Module):
    """A PatchGAN at each of three sizes, S, S/2 and S/4 (figure 3.12): a picture to logits (B, 1, h, w) a
    size."""

    def __init__(self, settings: OsfrSettings) -> None:
        super().__init__()
        self.scales = nn.ModuleList(
            PatchDiscriminator(3, settings.patch_width, settings.patch_halvings)
            for _ in range(settings.patch_scales)
        )

    def forward(self, picture: Tensor) -> list[Tensor]:
        logits = []
        for number, scale in enumerate(self.scales):
            picture = functional.avg_pool2d(picture, 2) if number else picture
            logits.append(scale(picture))
        return logits
