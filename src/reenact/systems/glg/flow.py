"""Optical flow estimation (section III-A, figure 2): two extractors of flow features and one of ours, and the
head that makes the flow of the source's and the driving face's.

Shape letters: B samples, S side of the picture, P patches, W width of the transformer (768).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from reenact.systems.glg.presets import ImageSettings

ROWS = 2
"""Rows of the flow features, u in R^(2 x 768)."""
_SLOPE = 0.2
_DOUBLINGS = 5  # from 7 x 7 to 224 x 224


# --------------------------------------------------------------------------------------------------------------
# The Vision Transformer (figure 2)


class Attention(nn.Module):
    """(1) and (2): softmax(Q K^T / sqrt(d_k)) V of (B, N, W). One head, as printed, unless more are asked
    for."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.project = nn.Linear(width, 3 * width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.project(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)


class Block(nn.Module):
    """A layer: attention, then an MLP, each around a shortcut and behind layer norm (Dosovitskiy et al.
    2021)."""

    def __init__(self, width: int, heads: int, expansion: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.mlp = nn.Sequential(
            nn.Linear(width, expansion * width), nn.GELU(), nn.Linear(expansion * width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class ViT(nn.Module):
    """Pictures (B, 3, S, S) to flow features (B, 2, W) and the 68 points (B, 136), -1 and 1 at the borders:
    patches of 14 x 14 and three learnt tokens t, two for the flow and one for the landmarks.

    Positions are learnt too, which the paper does not mention; without them patches would have no place.
    """

    def __init__(self, settings: ImageSettings) -> None:
        super().__init__()
        width, patches = settings.width, (settings.size // settings.patch) ** 2
        self.embed = nn.Conv2d(3, width, settings.patch, stride=settings.patch)
        self.tokens = nn.Parameter(torch.randn(ROWS + 1, width) * 0.02)
        self.positions = nn.Parameter(torch.randn(patches, width) * 0.02)
        self.blocks = nn.Sequential(
            *(Block(width, settings.heads, settings.expansion) for _ in range(settings.depth))
        )
        self.norm = nn.LayerNorm(width)
        self.landmarks = nn.Linear(width, 136)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor | None]:
        patches = self.embed(pictures).flatten(2).transpose(1, 2) + self.positions
        v = torch.cat([patches, self.tokens.expand(len(patches), -1, -1)], 1)
        t = self.norm(self.blocks(v)[:, -(ROWS + 1) :])
        return t[:, :ROWS], self.landmarks(t[:, ROWS])


# --------------------------------------------------------------------------------------------------------------
# ResNet-34 (He et al. 2016, table 1)


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions with batch norm around a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.body(x) + self.shortcut(x))


class ResNet34(nn.Module):
    """Pictures (B, 3, S, S) to flow features (B, 2, W): the pooled features, projected. It has no landmark
    token, and so no auxiliary regression."""

    def __init__(self, settings: ImageSettings) -> None:
        super().__init__()
        width = settings.resnet
        self.stem = nn.Sequential(
            nn.Conv2d(3, width, 7, 2, 3, bias=False), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(3, 2, 1)
        )
        self.blocks = nn.Sequential(*_stages(width))
        self.project = nn.Linear(8 * width, ROWS * settings.width)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor | None]:
        pooled = self.blocks(self.stem(pictures)).mean((2, 3))
        return self.project(pooled).unflatten(1, (ROWS, -1)), None


def _stages(width: int) -> Iterator[nn.Module]:
    inputs = width
    for level, count in enumerate((3, 4, 6, 3)):
        for number in range(count):
            yield BasicBlock(inputs, width * 2**level, 2 if level and not number else 1)
            inputs = width * 2**level


# --------------------------------------------------------------------------------------------------------------
# Ours: from the landmarks


class PointFeatures(nn.Module):
    """Ours: the 68 points (B, 68, 2) in pixels to flow features (B, 2, W), without looking at a picture.

    differs from paper: it has no such extractor. From pictures, or heatmaps, the flow has to learn to find the
    landmarks first, which takes more samples than a short training sees (`docs/log.md`).
    """

    def __init__(self, settings: ImageSettings) -> None:
        super().__init__()
        self.size = settings.size
        self.layers = nn.Sequential(
            nn.Linear(136, settings.hidden),
            nn.LeakyReLU(_SLOPE),
            nn.Linear(settings.hidden, ROWS * settings.width),
        )
        for layer in self.layers:
            _keep_size(layer)

    def forward(self, points: Tensor) -> tuple[Tensor, Tensor | None]:
        unit = points.flatten(1) / (self.size / 2) - 1
        return self.layers(unit).unflatten(1, (ROWS, -1)), None


# --------------------------------------------------------------------------------------------------------------
# From u_s and u_d to the flow f*


class FlowHead(nn.Module):
    """u_s and u_d (B, 2, W) to f* (B, 2, S, S): compressed to 2 x 128 each, joined, an MLP to 7 x 7 x 128, and
    transposed convolutions. f* is in half sides of the picture, from a place in the target to where it comes
    from in the source; it begins at nothing."""

    def __init__(self, settings: ImageSettings) -> None:
        super().__init__()
        self.side, self.deep = settings.size // 2**_DOUBLINGS, settings.deep
        self.compress = nn.Linear(settings.width, settings.compressed)
        self.mlp = nn.Sequential(
            nn.Linear(2 * ROWS * settings.compressed, settings.hidden),
            nn.LeakyReLU(_SLOPE),
            nn.Linear(settings.hidden, self.side**2 * self.deep),
            nn.LeakyReLU(_SLOPE),
        )
        channels = [max(self.deep >> level, 8) for level in range(_DOUBLINGS)]
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(channels):
            layers += [nn.ConvTranspose2d(inputs, outputs, 4, 2, 1), nn.LeakyReLU(_SLOPE)]
        self.grow = nn.Sequential(*layers)
        self.last = nn.ConvTranspose2d(channels[-1], 2, 4, 2, 1)
        for layer in self.modules():
            _keep_size(layer)
        nn.init.normal_(self.last.weight, std=1e-2)

    def forward(self, source: Tensor, driving: Tensor) -> Tensor:
        joined = torch.cat([self.compress(source).flatten(1), self.compress(driving).flatten(1)], 1)
        f = self.mlp(joined).unflatten(1, (self.deep, self.side, self.side))
        return self.last(self.grow(f))


def _keep_size(layer: nn.Module) -> None:
    """Initial weights with which the size of what a layer passes on stays (He et al. 2015). PyTorch's own let
    it shrink by more than half at each transposed convolution, and with it what the flow is to depend on."""
    if isinstance(layer, nn.Linear | nn.ConvTranspose2d):
        taps = 4 if isinstance(layer, nn.ConvTranspose2d) else 1  # of 16, at a stride of 2
        inputs = layer.weight.shape[0] if taps > 1 else layer.weight.shape[1]
        nn.init.normal_(layer.weight, std=(2 / (1 + _SLOPE**2) / (inputs * taps)) ** 0.5)
        nn.init.zeros_(layer.bias)  # type: ignore[arg-type]


def warp(features: Tensor, flow: Tensor) -> Tensor:
    """Features (B, C, h, w) moved by a flow (B, 2, S, S) that is resized to them; beyond the border its
    edge."""
    features, flow = features.float(), flow.float()
    flow = functional.interpolate(flow, features.shape[-2:], mode="bilinear", align_corners=False)
    same = torch.eye(2, 3, device=flow.device, dtype=flow.dtype).expand(len(flow), -1, -1)
    grid = functional.affine_grid(same, list(features.shape), align_corners=False)
    grid = grid + flow.permute(0, 2, 3, 1)
    return functional.grid_sample(features, grid, padding_mode="border", align_corners=False)


def flow_at(flow: Tensor, points: Tensor) -> Tensor:
    """A flow (B, 2, S, S) at points (B, N, 2) in pixels of the picture, (B, N, 2) in half sides."""
    grid = points / (flow.shape[-1] / 2) - 1
    found = functional.grid_sample(
        flow.float(), grid[:, :, None].float(), padding_mode="border", align_corners=False
    )
    return found[..., 0].transpose(1, 2)


def extractor(settings: ImageSettings) -> nn.Module:
    """The feature extractor that the settings name."""
    kinds = {"vit": ViT, "resnet34": ResNet34, "points": PointFeatures}
    return kinds[settings.flow](settings)
