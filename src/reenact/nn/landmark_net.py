"""Landmarks with gradients: the detector's network on face crops, for losses on generated pictures.

It gives the 478 points of the mesh as the detector would; 68 and 98 points are the fixed mixtures of
`geometry.schemes`, so that every scheme of the papers comes from one output. DG's landmark loss and shape
discriminator read the 68 points in 3D with their visibility, FIPLS's boundary loss the 98 in 2D. Weights,
figures and limits: the card `weights/landmark_net.md`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from reenact.geometry.align import FACE_LIFT, FACE_MARGIN
from reenact.geometry.schemes import WEIGHTS
from reenact.nn.mesh_net import SIZE, MeshNet
from reenact.nn.shipping import load_tensors, resized
from reenact.nn.visibility import visible
from reenact.perception.finders import MARGIN
from reenact.runtime.weights import shipped
from reenact.types import Scheme

_OUTER_EYES = (33, 263)
_LEAST, _MOST = 0.4, 2.0  # of the first region's side: what a second one may be


class Prediction(NamedTuple):
    """points: (B, 478, 3) in pixels of the pictures given, z in the unit of x. face: (B,) logit of a face."""

    points: Tensor
    face: Tensor


class LandmarkNet(nn.Module):
    """Pictures of one face each, (B, 3, H, H) RGB in [-1, 1], to its points.

    The face is expected as in a face crop of `geometry.align` (1.85 face heights), give or take a third in
    size and 30 degrees in roll. As the detector does, the network reads twice, the second time in the region
    that the points of the first reading ask for. The second reading is differentiable in the pictures; its
    region is held.
    """

    ibug68: Tensor
    wflw98: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.net = MeshNet()
        self.register_buffer("ibug68", _rows("ibug68"), persistent=False)
        self.register_buffer("wflw98", _rows("wflw98"), persistent=False)

    def forward(self, images: Tensor) -> Prediction:
        with torch.no_grad():
            first = face_regions(images)
            again = regions_of(self.read(images, first).points, first)
        return self.read(images, again)

    def read(self, images: Tensor, regions: Tensor) -> Prediction:
        """The faces in `regions`: (B, 2, 3), each takes the network's 192 pixels to the picture's."""
        points, face = self.net(_shown(images, regions))
        linear, offset = regions[..., :2], regions[:, None, :, 2]
        flat = points[..., :2] @ linear.transpose(1, 2) + offset
        depth = points[..., 2:] * linear[:, None, :, :1].norm(dim=2)
        return Prediction(torch.cat([flat, depth], -1), face)

    def features(self, images: Tensor) -> list[Tensor]:
        """Feature maps at 96, 48, 24 and 12 pixels of the whole pictures, for a perceptual loss."""
        return self.net.trunk.maps((resized(images, SIZE) + 1) / 2)

    def landmarks68(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 68, 3) iBUG points in pixels and (B, 68) bool: what the face's own shape does not hide."""
        points = self(images).points
        return self.ibug68 @ points, visible(points, "ibug68")

    def landmarks98(self, images: Tensor) -> Tensor:
        """(B, 98, 2) WFLW points in pixels, pupils last."""
        return self.wflw98 @ self(images).points[..., :2]

    def in_scheme(self, images: Tensor, scheme: Scheme) -> Tensor:
        """(B, N, 3) points of `scheme` in pixels."""
        points: Tensor = self(images).points
        return points if scheme == "mesh478" else _rows(scheme).to(points) @ points


def face_regions(images: Tensor) -> Tensor:
    """(B, 2, 3): where the face of a face crop is, upright, from the network's 192 pixels to the picture's."""
    size = images.shape[-1]
    scale = size * MARGIN / FACE_MARGIN / SIZE
    x, y = size / 2, size * (0.5 + FACE_LIFT / FACE_MARGIN)
    matrix = [[scale, 0, x - scale * SIZE / 2], [0, scale, y - scale * SIZE / 2]]
    return torch.tensor(matrix, dtype=images.dtype, device=images.device).expand(len(images), 2, 3)


def regions_of(points: Tensor, first: Tensor) -> Tensor:
    """(B, 2, 3): the regions that points (B, 478, 3) ask for, as `perception.detector.region_of`; not much
    smaller or larger than `first`, whatever the picture shows."""
    low, high = points[..., :2].amin(1), points[..., :2].amax(1)
    usual = first[:, 0, 0] * SIZE
    side = MARGIN * (high - low).amax(1)
    scale = side.clamp(_LEAST * usual, _MOST * usual) / SIZE
    across = points[:, _OUTER_EYES[1], :2] - points[:, _OUTER_EYES[0], :2]
    angle = torch.atan2(across[:, 1], across[:, 0])
    cos, sin = angle.cos() * scale, angle.sin() * scale
    linear = torch.stack([torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], 1)
    corner = linear.sum(2) * (SIZE / 2)
    return torch.cat([linear, ((low + high) / 2 - corner)[..., None]], -1)


def _shown(images: Tensor, regions: Tensor) -> Tensor:
    """(B, 3, 192, 192) in [0, 1]: what the network is shown of pictures in [-1, 1].

    Large pictures are averaged down first, as the detector's are. MediaPipe takes the region's pixel 0 from the
    picture's pixel at the region's corner: half a pixel off our convention, and its points with it.
    """
    step = max(1, int(images.shape[-1] * MARGIN / FACE_MARGIN / SIZE / 1.5))
    small = functional.avg_pool2d(images, step) if step > 1 else images
    steps = torch.arange(SIZE, dtype=images.dtype, device=images.device)
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    pixels = torch.stack([x, y, torch.ones_like(x)], -1) @ regions[:, None].transpose(2, 3) / step + 0.5
    unit = pixels * pixels.new_tensor([2 / small.shape[-1], 2 / small.shape[-2]]) - 1
    shown = functional.grid_sample(small, unit, padding_mode="border", align_corners=False)
    return (shown.contiguous(memory_format=torch.channels_last) + 1) / 2


def _rows(scheme: Scheme) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(WEIGHTS[scheme], np.float32))


def load_landmark_net() -> LandmarkNet:
    """The shipped net, in evaluation mode, without gradients to its own weights. ReenactError if damaged."""
    net = LandmarkNet()
    load_tensors(net.net, load_file(shipped("landmark_net").path))
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # twice as fast on a CPU
    return net.eval().requires_grad_(False)
