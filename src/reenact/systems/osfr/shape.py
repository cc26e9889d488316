"""The shape encoder E (section 3.2.1, figure 3.4): landmarks to a face parsing map. It has nothing to learn.

The detector's 478 points take the place of the paper's own detector of 106 + 40 points, which they are turned
into (`geometry/schemes/layouts.py`); the drawing is `nn/draw.py: parsing_map`."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from reenact.geometry.schemes import OSFR_CLASSES, WEIGHTS
from reenact.nn.draw import parsing_map
from reenact.systems.osfr.presets import OsfrSettings

CLASSES = len(OSFR_CLASSES)
_COLOURS = torch.tensor(
    [
        [0.75, 0.6, 0.5], [0.45, 0.25, 0.1], [1, 1, 1], [0.1, 0.35, 0.9], [0.95, 0.75, 0.3],
        [0.9, 0.2, 0.3], [0.7, 0.1, 0.4], [0.9, 0.95, 1], [0.3, 0.8, 0.4],
    ],
    device="cpu",  # also where a dry run is the first to import this, under the device 'meta'
)  # fmt: skip


def parse(points: Tensor, settings: OsfrSettings) -> Tensor:
    """E: (B, 478 or 146, 2 or 3) in pixels of the picture to the parsing map (B, 9, S, S) in [0, 1], a class of
    `OSFR_CLASSES` each."""
    flat = points[..., :2].float()
    if flat.shape[1] == WEIGHTS["mesh478"].shape[0]:
        flat = torch.as_tensor(WEIGHTS["osfr146"], device=flat.device) @ flat
    return parsing_map(flat, settings.size, settings.bridge * settings.size / 256)


def at_size(parsing: Tensor, shape: torch.Size) -> Tensor:
    """The parsing map (B, 9, h, w) at the size of a map of `shape`: the mean over each pixel's area."""
    return functional.adaptive_avg_pool2d(parsing, (shape[-2], shape[-1]))


def apart(parsing: Tensor) -> Tensor:
    """(..., 9, H, W) with what is drawn over a class taken out of it, so that the classes of a pixel sum to
    at most 1. Later classes lie over earlier ones: features over the face, the gaze over the eyes."""
    shown, over = [], torch.ones_like(parsing[..., 0, :, :])
    for number in reversed(range(CLASSES)):
        layer = parsing[..., number, :, :]
        shown.append(layer * over)
        over = over * (1 - layer)
    return torch.stack(shown[::-1], -3)


def coloured(parsing: Tensor) -> Tensor:
    """A parsing map (B, 9, S, S) as a picture (B, 3, S, S) in [-1, 1], a colour a class (figure 3.4)."""
    colours = _COLOURS.to(parsing)
    return torch.einsum("bchw,ck->bkhw", apart(parsing), colours) * 2 - 1
