"""Landmarks with gradients: a small net distilled from the detector, for losses on generated pictures.

It gives the 478 points of the mesh; 68 and 98 points are the fixed mixtures of `geometry.schemes`, so that
every scheme of the papers comes from one output. DG's landmark loss and shape discriminator read the 68 points
in 3D with their visibility, FIPLS's boundary loss the 98 in 2D. Weights, figures and limits: the card
`weights/landmark_net.md`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from reenact.geometry.schemes import WEIGHTS
from reenact.nn.tower import Tower, load_tensors, resized
from reenact.runtime.weights import shipped
from reenact.types import Scheme

SIZE = 128
"""Pixels a side that the net sees."""


class Prediction(NamedTuple):
    """points: (B, 478, 3) in pixels of the pictures given, z in the unit of x. visible: (B, 68) logits."""

    points: Tensor
    visible: Tensor


class LandmarkNet(nn.Module):
    """Pictures of one face each, (B, 3, H, W) RGB in [-1, 1], square, to its points.

    The face is expected as in a face crop of `geometry.align` (1.85 face heights), give or take a third in
    size and 45 degrees in roll. Every step is differentiable in the pictures.
    """

    ibug68: Tensor
    wflw98: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.tower = Tower((16, 32, 96, 160), (1, 2, 3))
        self.squeeze = nn.Sequential(nn.Conv2d(160, 32, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU())
        self.code = nn.Linear(32 * 8 * 8, 160)
        self.shape = nn.Linear(160, 478 * 3)
        self.seen = nn.Linear(160, 68)
        schemes: tuple[Scheme, ...] = ("ibug68", "wflw98")
        for scheme in schemes:
            rows = torch.from_numpy(np.ascontiguousarray(WEIGHTS[scheme], np.float32))
            self.register_buffer(scheme, rows, persistent=False)

    def forward(self, images: Tensor) -> Prediction:
        unit, seen = self.unit(resized(images, SIZE))
        return Prediction(unit * images.shape[-1], seen)

    def unit(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, 128, 128) to points in units of the side (0 at the left and upper edge), and logits."""
        code = self.code(self.squeeze(self.tower(images)[-1]).flatten(1)).float()
        return self.shape(code).float().reshape(-1, 478, 3), self.seen(code).float()

    def features(self, images: Tensor) -> list[Tensor]:
        """Feature maps at 64, 32, 16 and 8 pixels, for a perceptual loss."""
        return self.tower(resized(images, SIZE))

    def landmarks68(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 68, 3) iBUG points in pixels and (B, 68) visibility logits."""
        points, seen = self(images)
        return self.ibug68 @ points, seen

    def landmarks98(self, images: Tensor) -> Tensor:
        """(B, 98, 2) WFLW points in pixels, pupils last."""
        return self.wflw98 @ self(images).points[..., :2]

    def in_scheme(self, images: Tensor, scheme: Scheme) -> Tensor:
        """(B, N, 3) points of `scheme` in pixels."""
        points: Tensor = self(images).points
        if scheme == "mesh478":
            return points
        return torch.from_numpy(np.ascontiguousarray(WEIGHTS[scheme], np.float32)).to(points) @ points


def load_landmark_net() -> LandmarkNet:
    """The shipped net, in evaluation mode, without gradients to its own weights. ReenactError if damaged."""
    net = LandmarkNet()
    load_tensors(net, load_file(shipped("landmark_net").path))
    return net.eval().requires_grad_(False)
