"""The networks of `live`: one looks at the source once, one completes the landmark warp of each frame.

Shape letters: B samples. Pictures are (B, 3, 256, 256) RGB in [-1, 1]; maps are (B, M, 128, 128) in [0, 1];
flow is (B, 2, 64, 64) in pixels of the crop of 256, from the target back to the source. Only operators that
stock ONNX Runtime and OpenVINO have; no normalisation, which took a fifth of the time in the first experiment.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from reenact.systems.live.inputs import KEPT, RESIDUAL_UNIT
from reenact.systems.live.presets import LiveSettings
from reenact.systems.live.shape import MAPS

SOURCE_MAPS = len(MAPS) + 1
"""Of the source: its shape maps and the matte."""
_SLOPE = 0.1
_FLOW_UNIT = 32.0  # pixels of flow that the network sees as 1


class Pair(nn.Module):
    """Two 3x3 convolutions around a shortcut, (B, C, H, W) to the same."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor) -> Tensor:
        return functional.leaky_relu(x + self.second(functional.leaky_relu(self.first(x), _SLOPE)), _SLOPE)


def _conv(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    layer = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1)
    nn.init.kaiming_normal_(layer.weight, a=_SLOPE)
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return nn.Sequential(layer, nn.LeakyReLU(_SLOPE))


class SourceNet(nn.Module):
    """The source (B, 3, 256, 256) and its maps (B, 7, 128, 128) to features at 64, 32 and 16 pixels and a
    code of the whole picture, (B, C)."""

    def __init__(self, settings: LiveSettings) -> None:
        super().__init__()
        first, *widths = settings.source_widths
        self.stem = _conv(48 + 4 * SOURCE_MAPS, first)
        before = [first, *widths[:-1]]
        self.levels = nn.ModuleList(
            nn.Sequential(_conv(i, o, stride=1 if number == 0 else 2), Pair(o))
            for number, (i, o) in enumerate(zip(before, widths, strict=True))
        )
        self.style = nn.Linear(widths[-1], settings.code)

    def forward(self, picture: Tensor, maps: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        x = self.stem(
            torch.cat([functional.pixel_unshuffle(picture, 4), functional.pixel_unshuffle(maps, 2)], 1)
        )
        found = []
        for level in self.levels:
            x = level(x)
            found.append(x)
        return found[0], found[1], found[2], self.style(x.mean((2, 3)))


class FrameNet(nn.Module):
    """What completes a frame.

    Sees the landmark warp, the target's maps, the flow, and the source's features carried along by the flow.
    Gives the residual flow (B, 2, 64, 64) in pixels of the crop, by which the warp is sampled again, and a
    layer (B, 4, 256, 256) to lay over that: three channels of colour in [-1, 1], premultiplied, and how much of
    the warp remains, in [0, 1]. The picture is `layer[:, :3] + layer[:, 3:] * warped`. It is called with the
    inputs of `draw`, the source's code in place of its style. All convolutions are at 64 pixels or fewer, where
    processors are fast. What is exported ends with `draw`: the rest is cheaper in the generator
    (`generator.finished`).
    """

    def __init__(self, settings: LiveSettings) -> None:
        super().__init__()
        w64, w32, w16 = settings.widths
        s64, s32, s16 = settings.source_widths[1:]
        self.stem = _conv(48 + 4 * len(MAPS) + 2, w64)
        self.mix64 = _conv(w64 + s64, w64)
        self.down32, self.mix32 = _conv(w64, w32, stride=2), _conv(w32 + s32, w32)
        self.down16, self.mix16 = _conv(w32, w16, stride=2), _conv(w16 + s16, w16)
        self.style = nn.Linear(settings.code, w16)
        self.middle = nn.Sequential(*(Pair(w16) for _ in range(settings.middle)))
        self.up32, self.fine32 = _conv(w16, w32), _conv(w32, w32)
        self.up64, self.fine64 = _conv(w32, w64), Pair(w64)
        self.coarse = nn.Conv2d(w64, 5, 3, padding=1)
        self.layer = nn.Conv2d(w64, 64, 3, padding=1)
        nn.init.zeros_(self.coarse.weight)
        nn.init.zeros_(self.coarse.bias)  # type: ignore[arg-type]
        nn.init.normal_(self.layer.weight, std=1e-3)

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        *seen, code = inputs
        coarse, drawn = self.draw(*(*seen, self.style(code)))
        return coarse[:, :2] * RESIDUAL_UNIT, self._layer(drawn, coarse[:, 2:], seen[0])

    def draw(
        self,
        warp: Tensor,
        maps: Tensor,
        flow: Tensor,
        source64: Tensor,
        source32: Tensor,
        source16: Tensor,
        style: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """The convolutions' own answers: (B, 5, 64, 64), the residual flow in its unit and the change of light;
        (B, 4, 256, 256), the paint beside the blurred warp and, before a sigmoid, how much of the warp stays.
        style: (B, C), of the source's code."""
        seen = [functional.pixel_unshuffle(warp, 4), functional.pixel_unshuffle(maps, 2), flow / _FLOW_UNIT]
        x64 = self.stem(torch.cat(seen, 1))
        x64 = self.mix64(torch.cat([x64, carried(source64, flow)], 1))
        flow32 = functional.avg_pool2d(flow, 2)
        x32 = self.mix32(torch.cat([self.down32(x64), carried(source32, flow32)], 1))
        flow16 = functional.avg_pool2d(flow32, 2)
        x = self.mix16(torch.cat([self.down16(x32), carried(source16, flow16)], 1))
        x = self.middle(x + style[:, :, None, None])
        x = self.fine32(self.up32(_doubled(x)) + x32)
        x = self.fine64(self.up64(_doubled(x)) + x64)
        return self.coarse(x).float(), functional.pixel_shuffle(self.layer(x).float(), 4)

    @staticmethod
    def _layer(drawn: Tensor, shade: Tensor, warp: Tensor) -> Tensor:
        """Paint where the mask says so; elsewhere the warp, in a light that changes slowly."""
        keep = torch.sigmoid(drawn[:, 3:] + KEPT)
        light = functional.interpolate(shade, scale_factor=4.0, mode="bilinear", align_corners=False)
        blurred = functional.interpolate(
            functional.avg_pool2d(warp, 4), scale_factor=4.0, mode="bilinear", align_corners=False
        )
        paint = blurred + drawn[:, :3]
        return torch.cat([(1 - keep) * paint + keep * light, keep], 1)


class OnceASource(nn.Module):
    """What is exported of a network for the source: its features, and the style that its code asks for."""

    def __init__(self, network: LiveNet) -> None:
        super().__init__()
        self.source, self.style = network.source, network.frame.style

    def forward(self, picture: Tensor, maps: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        *features, code = self.source(picture, maps)
        return features[0], features[1], features[2], self.style(code)


class OnceAFrame(nn.Module):
    """What is exported of a network for a frame: `FrameNet.draw`."""

    def __init__(self, network: LiveNet) -> None:
        super().__init__()
        self.frame = network.frame

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        made: tuple[Tensor, Tensor] = self.frame.draw(*inputs)
        return made


class LiveNet(nn.Module):
    """Both, as they are trained."""

    def __init__(self, settings: LiveSettings) -> None:
        super().__init__()
        self.source, self.frame = SourceNet(settings), FrameNet(settings)

    def forward(
        self, picture: Tensor, source_maps: Tensor, warp: Tensor, maps: Tensor, flow: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The residual flow and the layer of `FrameNet` for a source and a frame."""
        out: tuple[Tensor, Tensor] = self.frame(warp, maps, flow, *self.source(picture, source_maps))
        return out


def _doubled(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="nearest")


def carried(maps: Tensor, flow: Tensor) -> Tensor:
    """Maps (B, C, H, W) sampled where a flow (B, 2, H, W), in pixels of the crop of 256, says."""
    side = maps.shape[-1]
    at = torch.arange(side, dtype=torch.float32, device=maps.device) + 0.5
    y, x = torch.meshgrid(at, at, indexing="ij")
    where = torch.stack([x, y], -1)[None] * (2.0 / side) - 1
    grid = where + flow.float().permute(0, 2, 3, 1) / 128.0
    return functional.grid_sample(maps.float(), grid, padding_mode="border", align_corners=False).to(maps.dtype)


def composed(warp: Tensor, residual: Tensor, layer: Tensor) -> tuple[Tensor, Tensor]:
    """The frame (B, 3, 256, 256) and the warp sampled again by the residual flow (B, 2, 64, 64)."""
    fine = functional.interpolate(residual.float(), scale_factor=4.0, mode="bilinear", align_corners=False)
    again = carried(warp, fine)
    return layer[:, :3] + layer[:, 3:] * again, again
