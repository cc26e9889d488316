"""The image generator with its style branch (section III-C, figure 6), the whole of the image stage, and the
discriminator.

Shape letters: B samples, S side of the picture, s = S / 4 + 2 of the feature maps (58 for 224), C channels, K
length of the style code. Pictures are (B, 3, S, S) in [-1, 1], heatmaps (B, 1, S, S) in [0, 1].
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from reenact.nn.blocks import PatchDiscriminator
from reenact.systems.glg.flow import FlowHead, PointFeatures, extractor, warp
from reenact.systems.glg.parts import Parts, centres
from reenact.systems.glg.presets import ImageSettings

_SLOPE = 0.2
_REGION_BLUR = 5


class Style(NamedTuple):
    """What modulates a layer. code: (B, K), or None for none. region: (B, 1, S, S), where it holds, or None for
    everywhere."""

    code: Tensor | None
    region: Tensor | None


# --------------------------------------------------------------------------------------------------------------
# The style branch (III-C-1, figure 6)


class StyleBranch(nn.Module):
    """A landmark heatmap to the style code (B, K): convolutions down to 4 x 4 or so, and a linear layer."""

    def __init__(self, settings: ImageSettings) -> None:
        super().__init__()
        widest = settings.channels[-1]
        layers: list[nn.Module] = []
        inputs, outputs, side = 1, settings.channels[0], settings.size
        while side > 4:
            layers += [nn.Conv2d(inputs, outputs, 3, 2, 1), nn.LeakyReLU(_SLOPE)]
            inputs, outputs, side = outputs, min(2 * outputs, widest), -(-side // 2)
        self.layers = nn.Sequential(*layers)
        self.code = nn.Linear(inputs * side * side, settings.style_code)

    def forward(self, heatmap: Tensor) -> Tensor:
        return functional.leaky_relu(self.code(self.layers(heatmap).flatten(1)), _SLOPE)


class Layer(nn.Module):
    """A 3 x 3 convolution and LeakyReLU, (B, I, h, w) to (B, O, h, w); with a style code its weights are
    modulated and demodulated by it (StyleGAN2, Karras et al. 2020, equations 1 and 3), which is done to the
    inputs and outputs. In a region of style, the rest of the map is as without a code."""

    def __init__(self, inputs: int, outputs: int, style_code: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1)
        nn.init.kaiming_normal_(self.conv.weight, a=_SLOPE)
        nn.init.zeros_(self.conv.bias)  # type: ignore[arg-type]
        self.affine = nn.Linear(style_code, inputs) if style_code else None

    def forward(self, x: Tensor, style: Style) -> Tensor:
        if self.affine is None or style.code is None:
            return functional.leaky_relu(self.conv(x), _SLOPE)
        y = self._modulated(x, 1 + self.affine(style.code))
        if style.region is not None:
            where = functional.interpolate(style.region, x.shape[-2:], mode="bilinear", align_corners=False)
            y = torch.lerp(self.conv(x).float(), y.float(), where.float())
        return functional.leaky_relu(y, _SLOPE)

    def _modulated(self, x: Tensor, scale: Tensor) -> Tensor:
        weight = self.conv.weight
        power = scale.square() @ weight.square().sum((2, 3)).T  # (B, O), of the modulated weights
        # The size that the weights have without a style, so that both kinds of map go together.
        demodulation = weight.square().sum((1, 2, 3)).sqrt() * torch.rsqrt(power + 1e-8)
        y = functional.conv2d(x * scale[:, :, None, None], weight, padding=1)
        y = y * demodulation[:, :, None, None]
        return y if self.conv.bias is None else y + self.conv.bias[:, None, None]


# --------------------------------------------------------------------------------------------------------------
# The image generator (III-C, figure 6)


class UNet(nn.Module):
    """Three convolutions to r, 58 x 58; r*, r warped by the flow; joined with I_p; layers at that size; joined
    with r* again, the one skip connection; bilinear upsampling, each time with layers after it.

    58 = 224 / 4 + 2 comes of two convolutions of stride 2 with a padding of 2.
    """

    def __init__(self, settings: ImageSettings) -> None:
        super().__init__()
        first, second, deep = settings.channels
        code = settings.style_code if settings.style else 0
        self.size = settings.size
        self.down = nn.Sequential(
            nn.Conv2d(3, first, settings.ends, padding=settings.ends // 2),
            nn.LeakyReLU(_SLOPE),
            nn.Conv2d(first, second, 3, 2, 2),
            nn.LeakyReLU(_SLOPE),
            nn.Conv2d(second, deep, 3, 2, 2),
            nn.LeakyReLU(_SLOPE),
        )
        self.middle = nn.ModuleList(
            Layer(deep if number else deep + 3, deep, code) for number in range(settings.middles)
        )
        self.up = nn.ModuleList(
            [Layer(2 * deep, deep, code), Layer(deep, second, code), Layer(second, first, code)]
        )
        self.last = nn.Conv2d(first, 3, settings.ends, padding=settings.ends // 2)

    def forward(self, source: Tensor, flow: Tensor | None, placed: Tensor, style: Style) -> Tensor:
        r = self.down(source)
        warped = r if flow is None else warp(r, flow)
        parts = functional.interpolate(placed, r.shape[-2:], mode="bilinear", align_corners=False)
        x = torch.cat([warped, parts.to(warped.dtype)], 1)
        for layer in self.middle:
            x = layer(x, style)
        x = self.up[0](torch.cat([x, warped.to(x.dtype)], 1), style)
        for layer, side in zip(self.up[1:], (self.size // 2, self.size), strict=True):
            x = functional.interpolate(x, (side, side), mode="bilinear", align_corners=False)
            x = layer(x, style)
        return torch.tanh(self.last(x))


# --------------------------------------------------------------------------------------------------------------
# The whole (figure 1)


class Drawn(NamedTuple):
    """picture: (B, 3, S, S). parts: the reenacted parts by name, (B, 3, h, w). placed: I_p, (B, 3, S, S). flow:
    (B, 2, S, S), or None. source_points, driving_points: (B, 136), the auxiliary regression's, or None."""

    picture: Tensor
    parts: dict[str, Tensor]
    placed: Tensor
    flow: Tensor | None
    source_points: Tensor | None
    driving_points: Tensor | None


class Generator(nn.Module):
    """Source, driving face and target heatmap to the picture: flow, parts and image generator together.

    source, driving: pictures (the driving one may be the heatmap, three times). heatmap: of the target.
    source_points, target_points: (B, 68, 2), landmarks in pixels.
    """

    def __init__(self, settings: ImageSettings) -> None:
        super().__init__()
        self.size, self.styled, self.partial = settings.size, settings.style, settings.style_regions
        flows = settings.flow != "none"
        self.extractor = extractor(settings) if flows else None
        self.head = FlowHead(settings) if flows else None
        self.parts = Parts(settings) if settings.parts else None
        self.branch = StyleBranch(settings) if settings.style else None
        self.unet = UNet(settings)

    def forward(
        self, source: Tensor, driving: Tensor, heatmap: Tensor, source_points: Tensor, target_points: Tensor
    ) -> Tensor:
        """The picture alone."""
        return self.drawn(source, driving, heatmap, source_points, target_points).picture

    def drawn(
        self, source: Tensor, driving: Tensor, heatmap: Tensor, source_points: Tensor, target_points: Tensor
    ) -> Drawn:
        """The picture and all that it was made of."""
        flow, *marks = self.flow(source, driving, source_points, target_points)
        target_at = centres(target_points)
        parts, placed = self.landmarks(source, heatmap, centres(source_points), target_at)
        picture = self.unet(source, flow, placed, self.style(heatmap, target_at))
        return Drawn(picture, parts, placed, flow, *marks)

    def flow(
        self, source: Tensor, driving: Tensor, source_points: Tensor, target_points: Tensor
    ) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        """The flow, and the auxiliary regression's points of source and driving; None for what is not there."""
        if self.extractor is None or self.head is None:
            return None, None, None
        told = isinstance(self.extractor, PointFeatures)
        seen = (source_points, target_points) if told else (source, driving)
        # Both at once: a batch norm sees the same mixture of the two in training and at work.
        features, points = self.extractor(torch.cat(seen))
        flow = self.head(*features.chunk(2))
        return (flow, None, None) if points is None else (flow, *points.chunk(2))

    def landmarks(
        self, source: Tensor, heatmap: Tensor, source_at: Tensor, target_at: Tensor
    ) -> tuple[dict[str, Tensor], Tensor]:
        """The reenacted parts, and I_p; without them it is black."""
        if self.parts is None:
            return {}, torch.full_like(source, -1.0)
        made = self.parts(source, heatmap, source_at, target_at)
        return made, self.parts.placed(made, target_at, self.size)

    def style(self, heatmap: Tensor, target_at: Tensor) -> Style:
        """The style of a target; around its parts alone where that is asked for."""
        if self.branch is None:
            return Style(None, None)
        region = None
        if self.partial and self.parts is not None:
            region = self.parts.regions(target_at, self.size)
            region = functional.avg_pool2d(region, _REGION_BLUR, 1, _REGION_BLUR // 2)
        return Style(self.branch(heatmap), region)


class Discriminator(nn.Module):
    """Pictures to logits (B, 1, h, w): DCGAN's stack of strided convolutions (its reference 28), read as
    patches. `features` are what feature matching compares."""

    def __init__(self, settings: ImageSettings) -> None:
        super().__init__()
        self.patches = PatchDiscriminator(3, settings.patch_width)

    def forward(self, pictures: Tensor) -> Tensor:
        return self.patches(pictures)

    def features(self, pictures: Tensor) -> tuple[list[Tensor], Tensor]:
        """The maps after each LeakyReLU, and the logits."""
        found, x = [], pictures
        for layer in self.patches.layers:
            x = layer(x)
            if isinstance(layer, nn.LeakyReLU):
                found.append(x)
        return found, x
