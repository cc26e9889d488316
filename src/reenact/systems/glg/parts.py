"""Individual landmark reenactment (section III-B, figure 3): left eye, right eye, nose and mouth by themselves.

Shape letters: B samples, S side of the picture. Pictures are in [-1, 1], heatmaps in [0, 1]. Centres are (B, 4,
2), x and y in pixels, in the order of `PARTS`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from reenact.geometry.draw import crop_sizes
from reenact.geometry.schemes.parts import GLG_CROP_PARTS
from reenact.systems.glg.presets import ImageSettings

PARTS = tuple(GLG_CROP_PARTS)
_SLOPE = 0.2


def centres(points: Tensor) -> Tensor:
    """The centre of each part of landmarks (B, 68, 2)."""
    return torch.stack([points[:, list(part), :2].mean(1) for part in GLG_CROP_PARTS.values()], 1)


def cut(images: Tensor, centre: Tensor, size: tuple[int, int]) -> Tensor:
    """Crops (B, C, h, w) of images (B, C, S, S) around centres (B, 2); zero where they leave the picture.
    size: (w, h). As `geometry.draw.cut` at its `crop_corners`."""
    w, h = size
    padded = functional.pad(images, (w, w, h, h)).permute(0, 2, 3, 1)
    return padded[_places(images, centre, size)].permute(0, 3, 1, 2)


def paste(canvas: Tensor, crops: Tensor, centre: Tensor) -> Tensor:
    """A copy of the canvas (B, C, S, S) with crops (B, C, h, w) laid around centres (B, 2)."""
    h, w = crops.shape[-2:]
    padded = functional.pad(canvas, (w, w, h, h)).permute(0, 2, 3, 1).contiguous()
    laid = padded.index_put(_places(canvas, centre, (w, h)), crops.permute(0, 2, 3, 1).to(padded.dtype))
    return laid[:, h:-h, w:-w].permute(0, 3, 1, 2)


def _places(images: Tensor, centre: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
    """Sample, row and column (each broadcasts to (B, h, w)) of crops in images that are padded by a crop."""
    (w, h), (height, width) = size, images.shape[-2:]
    left, top = (centre[:, 0] - w / 2).round().long() + w, (centre[:, 1] - h / 2).round().long() + h
    x = left.clamp(0, width + w)[:, None, None] + torch.arange(w, device=centre.device)
    y = top.clamp(0, height + h)[:, None, None] + torch.arange(h, device=centre.device)[:, None]
    return torch.arange(len(centre), device=centre.device)[:, None, None], y, x


class PartNet(nn.Module):
    """One part (figure 3 b): the RGB crop of the source and the crop of the target's heatmap, each through
    convolutions and max pooling, added, and through transposed convolutions to an RGB crop in [-1, 1]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.picture, self.heatmap = _encoder(3, width), _encoder(1, width)
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(2 * width, width, 4, 2, 1),
            nn.LeakyReLU(_SLOPE),
            nn.ConvTranspose2d(width, width, 4, 2, 1),
            nn.LeakyReLU(_SLOPE),
            nn.Conv2d(width, 3, 3, padding=1),
        )

    def forward(self, picture: Tensor, heatmap: Tensor) -> Tensor:
        made = self.decoder(self.picture(picture) + self.heatmap(heatmap))
        height, width = picture.shape[-2:]
        return torch.tanh(made[..., :height, :width])


def _encoder(inputs: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, width, 3, padding=1),
        nn.LeakyReLU(_SLOPE),
        nn.MaxPool2d(2, ceil_mode=True),
        nn.Conv2d(width, 2 * width, 3, padding=1),
        nn.LeakyReLU(_SLOPE),
        nn.MaxPool2d(2, ceil_mode=True),
        nn.Conv2d(2 * width, 2 * width, 3, padding=1),
    )


class Parts(nn.Module):
    """The four networks of one form, and the blank picture I_p that they are placed on."""

    def __init__(self, settings: ImageSettings) -> None:
        super().__init__()
        self.sizes = crop_sizes(settings.size)
        self.nets = nn.ModuleDict({name: PartNet(settings.part_width) for name in PARTS})

    def crops(self, images: Tensor, centre: Tensor) -> dict[str, Tensor]:
        """The parts of images (B, C, S, S) around their centres (B, 4, 2), by name."""
        return {name: cut(images, centre[:, i], self.sizes[name]) for i, name in enumerate(PARTS)}

    def forward(
        self, source: Tensor, heatmap: Tensor, source_at: Tensor, target_at: Tensor
    ) -> dict[str, Tensor]:
        """The reenacted parts by name, each (B, 3, h, w)."""
        pictures, drawn = self.crops(source, source_at), self.crops(heatmap, target_at)
        return {name: self.nets[name](pictures[name], drawn[name]) for name in PARTS}

    def placed(self, made: dict[str, Tensor], target_at: Tensor, size: int) -> Tensor:
        """I_p: (B, 3, S, S), black with the parts at the target's centres."""
        any_part = made[PARTS[0]]
        canvas = any_part.new_full((len(any_part), any_part.shape[1], size, size), -1.0)
        for number, name in enumerate(PARTS):
            canvas = paste(canvas, made[name], target_at[:, number])
        return canvas

    def regions(self, target_at: Tensor, size: int) -> Tensor:
        """(B, 1, S, S): 1 where the parts lie, 0 elsewhere."""
        ones = {
            name: target_at.new_ones(len(target_at), 1, height, width)
            for name, (width, height) in self.sizes.items()
        }
        return (self.placed(ones, target_at, size) + 1) / 2
