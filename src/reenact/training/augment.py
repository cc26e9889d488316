"""What happens to faces before a distilled net sees them: turned, shifted, mirrored, recoloured, spoilt.

All functions take a generator, so that a seed fixes them. Pictures are (B, 3, H, W) float in [0, 1].
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Placement:
    """How far a crop may be off. turn: standard deviation in degrees; every fourth face is turned up to three
    times that. zoom: largest factor of size, both ways. shift: largest share of the side."""

    turn: float
    zoom: float
    shift: float


def draw_placement(
    base: Tensor, place: Placement, generator: Generator, *, mirror: bool = True
) -> tuple[Tensor, Tensor]:
    """Matrices (B, 2, 3) from the net's unit square to the stored unit square, and (B,) bool: mirrored.

    base: (B, 2, 3), the well-placed crop. The random part acts inside the net's square, about its middle.
    """
    count = len(base)
    turn = torch.randn(count, generator=generator) * math.radians(place.turn)
    wide = torch.rand(count, generator=generator) < 0.25
    turn = torch.where(
        wide, (torch.rand(count, generator=generator) * 2 - 1) * 3 * math.radians(place.turn), turn
    )
    zoom = torch.exp((torch.rand(count, generator=generator) * 2 - 1) * math.log(place.zoom))
    shift = (torch.rand(count, 2, generator=generator) * 2 - 1) * place.shift
    mirrored = torch.rand(count, generator=generator) < 0.5 * mirror
    cos, sin = turn.cos() * zoom, turn.sin() * zoom
    linear = torch.stack([torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], 1)
    linear[:, :, 0] *= torch.where(mirrored, -1.0, 1.0)[:, None]
    middle = torch.full((count, 2, 1), 0.5)
    offset = middle - linear @ middle + shift[..., None]
    outer = torch.cat([base[:, :, :2] @ linear, base[:, :, :2] @ offset + base[:, :, 2:]], -1)
    return outer, mirrored


def sample(pictures: Tensor, matrices: Tensor, size: int) -> Tensor:
    """Pictures under matrices from the new unit square to the old one: (B, 3, size, size) in [0, 1].

    pictures: (B, 3, H, W), uint8 or float in [0, 1].
    """
    linear, offset = matrices[:, :, :2], matrices[:, :, 2]
    corner = torch.full((2,), 0.5)
    theta = torch.cat([linear, ((linear @ corner + offset) * 2 - 1)[..., None]], -1)
    grid = functional.affine_grid(theta, [len(theta), 3, size, size], align_corners=False)
    pictures = pictures if pictures.is_floating_point() else pictures.float() / 255
    return functional.grid_sample(pictures, grid, padding_mode="border", align_corners=False)


def move_points(points: Tensor, matrices: Tensor) -> Tensor:
    """(B, N, 3) in the old unit square to the new one; z is scaled with the picture."""
    inverse = torch.linalg.inv(matrices[:, :, :2])
    moved = (points[..., :2] - matrices[:, None, :, 2]) @ inverse.transpose(1, 2)
    zoom = torch.linalg.det(inverse).abs().sqrt()
    return torch.cat([moved, points[..., 2:] * zoom[:, None, None]], -1)


def spoil(images: Tensor, generator: Generator, *, cover: float = 0.3) -> Tensor:
    """Light, colour, blur, coarse pixels, noise, and patches that cover parts of the face.

    cover: share of the pictures that get patches.
    """
    images = _recolour(images, generator)
    images = _soften(images, generator)
    images = _cover(images, cover, generator)
    noise = torch.rand(len(images), 1, 1, 1, generator=generator) ** 3 * 0.08
    images = images + torch.randn(images.shape, generator=generator) * noise
    return images.clamp(0, 1)


def _recolour(images: Tensor, generator: Generator) -> Tensor:
    count = len(images)

    def draw(low: float, high: float, channels: int = 1) -> Tensor:
        return low + (high - low) * torch.rand(count, channels, 1, 1, generator=generator)

    grey = images.mean(1, keepdim=True)
    plain = torch.rand(count, 1, 1, 1, generator=generator) < 0.2
    images = torch.where(plain, grey, grey + (images - grey) * draw(0.3, 1.5))
    images = images.clamp(1e-3, 1) ** draw(0.6, 1.7)
    mean = images.mean((1, 2, 3), keepdim=True)
    images = mean + (images - mean) * draw(0.5, 1.4)
    return (images * draw(0.6, 1.25) * draw(0.85, 1.15, 3) + draw(-0.08, 0.08)).clamp(0, 1)


def _soften(images: Tensor, generator: Generator) -> Tensor:
    """A third is blurred by way of fewer pixels, the way small or generated faces are."""
    chosen = (torch.rand(len(images), generator=generator) < 0.33).nonzero()[:, 0]
    if len(chosen) == 0:
        return images
    size = images.shape[-1]
    fewer = int(size * (0.25 + 0.5 * float(torch.rand(1, generator=generator))))
    small = functional.interpolate(images[chosen], fewer, mode="bilinear", antialias=True, align_corners=False)
    images = images.clone()
    images[chosen] = functional.interpolate(small, size, mode="bilinear", align_corners=False)
    return images


def _cover(images: Tensor, share: float, generator: Generator) -> Tensor:
    size = images.shape[-1]
    images = images.clone()
    for i in (torch.rand(len(images), generator=generator) < share).nonzero()[:, 0].tolist():
        height, width = (torch.rand(2, generator=generator) * 0.35 * size + 4).int().tolist()
        y, x = (torch.rand(2, generator=generator) * size).int().tolist()
        images[i, :, y : y + height, x : x + width] = torch.rand(3, 1, 1, generator=generator)
    return images
