"""Picture sheets: what the networks make of the same held-out samples as training goes on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from torch import Tensor

from reenact.media.files import atomic_output
from reenact.types import Image

_TITLE = 18
_GAP = 2
_MOST = 8


def sheet(columns: Mapping[str, Tensor], most: int = _MOST) -> Image:
    """(H, W, 3): a row a sample (at most `most`), a column a title; columns are (B, 3, h, w) in [-1, 1], all of
    one size."""
    from PIL import Image as Pictures
    from PIL import ImageDraw

    strips = [_strip(images[:most]) for images in columns.values()]
    height, width = strips[0].shape[:2]
    canvas = Pictures.new("RGB", ((width + _GAP) * len(strips) - _GAP, height + _TITLE), "white")
    draw = ImageDraw.Draw(canvas)
    for number, (title, strip) in enumerate(zip(columns, strips, strict=True)):
        left = number * (width + _GAP)
        draw.text((left + 3, 2), title, fill="black")
        canvas.paste(Pictures.fromarray(strip), (left, _TITLE))
    return np.asarray(canvas)


def write_sheet(path: Path, image: Image) -> None:
    """Write a sheet as PNG, whole or not at all, over one that is there."""
    from PIL import Image as Pictures

    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_output(path, overwrite=True) as partial:
        Pictures.fromarray(image).save(partial)


def _strip(images: Tensor) -> Image:
    """Samples below one another, a white line between them."""
    pixels = ((images.detach().float().cpu().clamp(-1, 1) + 1) * 127.5).round().byte()
    rows = np.pad(pixels.permute(0, 2, 3, 1).numpy(), ((0, 0), (0, _GAP), (0, 0), (0, 0)), constant_values=255)
    return rows.reshape(-1, *rows.shape[2:])[:-_GAP]
