"""Sheets of pictures: what was compared, to be looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from reenact.media.compose import resize
from reenact.types import Image

_CELL = 160
_MOST = 6
_GAP = 2


def strip(pictures: Sequence[Image], cell: int = _CELL) -> Image:
    """(cell, W, 3): at most 6 of the pictures, evenly chosen, side by side on white, each in a square."""
    chosen = np.unique(np.linspace(0, len(pictures) - 1, min(_MOST, len(pictures))).astype(int))
    return np.concatenate([_square(pictures[n], cell) for n in chosen], 1)


def sheet(source: Image, strips: Mapping[str, Image]) -> Image:
    """(H, W, 3): the source at the left, and one strip below the other, each with its name."""
    cell = next(iter(strips.values())).shape[0]
    rows = [_named(picture, name) for name, picture in strips.items()]
    line = np.full((_GAP, rows[0].shape[1], 3), 255, np.uint8)
    right = np.concatenate([part for row in rows for part in (row, line)][:-1])
    left = np.full((right.shape[0], cell + _GAP, 3), 255, np.uint8)
    left[:cell, :cell] = _named(_square(source, cell), "source")
    return np.concatenate([left, right], 1)


def _square(picture: Image, cell: int) -> Image:
    small = resize(picture[..., :3], cell - _GAP)
    out = np.full((cell, cell, 3), 255, np.uint8)
    top, left = (cell - small.shape[0]) // 2, (cell - small.shape[1]) // 2
    out[top : top + small.shape[0], left : left + small.shape[1]] = small
    return out


def _named(picture: Image, name: str) -> Image:
    import PIL.Image
    import PIL.ImageDraw

    canvas = PIL.Image.fromarray(picture)
    draw = PIL.ImageDraw.Draw(canvas)
    box = draw.textbbox((4, 3), name)
    draw.rectangle((box[0] - 3, box[1] - 2, box[2] + 3, box[3] + 2), fill="white")
    draw.text((4, 3), name, fill="black")
    return np.array(canvas)
