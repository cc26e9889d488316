"""Identity with gradients: a small net distilled from dlib's recognition network, for losses.

Its 128 numbers lie in dlib's own space (Euclidean distance, 0.6 between one person and another). DG, OSFR and
FIPLS read it where their papers use VGGFace2 or ArcFace. The lower ten blocks are dlib's own, whose weights are
in the public domain; they hold a fifth of its numbers. Above them two blocks learn to answer as dlib's other
four do. Weights, figures and limits: the card `weights/identity_net.md`.
"""

from __future__ import annotations

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from reenact.geometry.align import compose, invert
from reenact.nn.dlib_net import Block, DlibNet, Trunk
from reenact.nn.shipping import load_tensors, resized
from reenact.perception.chips import DLIB_CHIP, chip_matrix
from reenact.runtime.weights import shipped
from reenact.types import Points

SIZE = 150
"""Pixels a side that the net sees."""
_DEPTH, _WIDTH = 10, 192


class IdentityNet(nn.Module):
    """Face chips (B, 3, 150, 150) RGB in [-1, 1], cut as by `chips`, to (B, 128)."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = Trunk(_DEPTH)
        self.top = nn.Sequential(Block(128, _WIDTH, down=True), Block(_WIDTH, _WIDTH, down=False))
        self.embed = nn.Linear(4 * _WIDTH, 128)

    def forward(self, chips: Tensor) -> Tensor:
        last = self.top(self.trunk(resized(chips, SIZE))[-1])
        found = self.embed(functional.adaptive_avg_pool2d(last, 2).flatten(1))
        return found.to(torch.promote_types(found.dtype, torch.float32))

    def features(self, images: Tensor) -> list[Tensor]:
        """Feature maps at about a quarter, an eighth and a sixteenth of (B, 3, H, W), for a perceptual loss."""
        return self.trunk(images)

    def start_from(self, teacher: DlibNet) -> None:
        """Take over dlib's lower blocks and keep them as they are."""
        own = {
            name: value for name, value in teacher.trunk.state_dict().items() if name in self.trunk.state_dict()
        }
        self.trunk.load_state_dict(own)
        self.trunk.requires_grad_(False)


def chips(images: Tensor, points: list[Points] | np.ndarray, size: int = SIZE) -> Tensor:
    """Turn, scale and cut faces the way dlib sees them; differentiable in the pictures.

    images: (B, 3, H, W). points: the mesh of each, (478, 2 or 3) in pixels; what is not on the picture is
    its nearest edge. Returns (B, 3, size, size).
    """
    height, width = images.shape[-2:]
    theta = torch.from_numpy(np.stack([_grid_matrix(p, width, height, size) for p in points])).to(images)
    grid = functional.affine_grid(theta, [len(theta), 3, size, size], align_corners=False)
    return functional.grid_sample(images, grid, padding_mode="border", align_corners=False)


def _grid_matrix(points: Points, width: int, height: int, size: int) -> np.ndarray:
    """(2, 3): from the chip to the picture, both in the [-1, 1] of `affine_grid`."""
    zoom = size / DLIB_CHIP.size
    back = invert(compose(np.array([[zoom, 0, 0], [0, zoom, 0]]), chip_matrix(points, DLIB_CHIP)))
    to_pixels = np.array([[size / 2, 0, size / 2], [0, size / 2, size / 2]])
    to_unit = np.array([[2 / width, 0, -1], [0, 2 / height, -1]])
    return compose(to_unit, compose(back, to_pixels)).astype(np.float32)


def load_identity_net() -> IdentityNet:
    """The shipped net, in evaluation mode, without gradients to its own weights. ReenactError if damaged."""
    net = IdentityNet()
    load_tensors(net, load_file(shipped("identity_net").path))
    return net.eval().requires_grad_(False)
