"""LPIPS: how different two pictures look, over VGG-16's features and published weights of their channels.

Zhang, Isola, Efros, Shechtman and Wang, The Unreasonable Effectiveness of Deep Features as a Perceptual Metric,
CVPR 2018; version 0.1 of the authors' weights ('lin', on VGG-16).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from reenact.errors import ReenactError
from reenact.nn.convert import published_tensors
from reenact.nn.vgg import Vgg16, load_vgg16
from reenact.types import Image

WIDTHS = (64, 128, 256, 512, 512)
"""Channels of the five layers of VGG-16 that are compared."""
_TINY = 1e-10


class Lpips(nn.Module):
    """Two batches of pictures (B, 3, H, W) RGB in [-1, 1], H and W of 16 or more, to distances (B,); 0 where
    they are equal."""

    def __init__(self, features: Vgg16 | None = None) -> None:
        super().__init__()
        self.features = Vgg16(deep=True) if features is None else features
        self.heads = nn.ModuleList(nn.Conv2d(width, 1, 1, bias=False) for width in WIDTHS)

    def forward(self, one: Tensor, other: Tensor) -> Tensor:
        ours, theirs = self.features(one), self.features(other)
        parts = [
            head((_unit(ours[name]) - _unit(theirs[name])) ** 2).mean((1, 2, 3))
            for name, head in zip(self.features.layers, self.heads, strict=True)
        ]
        return torch.stack(parts).sum(0)

    @torch.inference_mode()
    def of_pictures(self, one: Image, other: Image) -> float:
        """The distance of two pictures (H, W, 3) uint8 of one size."""
        return float(self(to_tensor(one), to_tensor(other)))


def to_tensor(picture: Image) -> Tensor:
    """A picture (H, W, 3) uint8 as (1, 3, H, W) in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None] / 127.5 - 1


def _unit(maps: Tensor) -> Tensor:
    """Each pixel's channels as a vector of length 1."""
    return maps / (maps.norm(dim=1, keepdim=True) + _TINY)


def load_lpips(heads: Path | None = None, vgg: Path | None = None) -> Lpips:
    """The metric with the published weights, in evaluation mode, without gradients to them.

    heads, vgg: converted weights (safetensors); by default what `reenact weights fetch lpips_vgg` and
    `... vgg16` put into the cache. Raises ReenactError where either was not fetched or does not fit.
    """
    tensors = published_tensors("lpips_vgg", "without them LPIPS is not measured", heads)
    net = Lpips(load_vgg16(vgg, deep=True))
    try:
        net.heads.load_state_dict(
            {f"{n}.weight": tensors[f"lin{n}.model.1.weight"] for n in range(len(WIDTHS))}
        )
    except (KeyError, RuntimeError) as error:
        raise ReenactError(f"{heads or 'lpips_vgg'}: not the weights of LPIPS on VGG-16 ({error})") from error
    return net.eval().requires_grad_(False)
