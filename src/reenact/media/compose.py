"""Putting pictures together: scaling, padding, side by side, a checkerboard behind transparency."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import PIL.Image

from reenact.types import Image


def resize(image: Image, longest: int) -> Image:
    """`image` scaled so that its longer side has `longest` pixels; alpha is weighed, so no dark fringes."""
    height, width = image.shape[:2]
    factor = longest / max(height, width)
    return scale_to(image, max(1, round(width * factor)), max(1, round(height * factor)))


def scale_to(image: Image, width: int, height: int) -> Image:
    """`image` at `width` x `height` pixels (Lanczos, with a box first where it shrinks a lot)."""
    if image.shape[:2] == (height, width):
        return image
    picture = PIL.Image.fromarray(image)
    # Pillow multiplies RGB by alpha around the filter by itself.
    scaled = picture.resize((width, height), PIL.Image.Resampling.LANCZOS, reducing_gap=2.0)
    return np.array(scaled)


def pad_to_even(image: Image) -> Image:
    """`image` with its last column and row repeated where width or height is odd, as 4:2:0 needs."""
    height, width = image.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return image
    return np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def checkerboard(image: Image, cell: int = 8) -> Image:
    """(H, W, 3): `image` over light grey squares of `cell` pixels where it is transparent."""
    if image.shape[2] == 3:
        return image
    height, width = image.shape[:2]
    rows, columns = np.arange(height)[:, None] // cell, np.arange(width)[None] // cell
    board = np.where((rows + columns) % 2 == 0, 255, 204).astype(np.uint8)
    return over(image, board[..., None])


def over(image: Image, background: Image | int) -> Image:
    """(H, W, 3): an RGBA `image` over `background` (a grey level, or broadcast to (H, W, 3))."""
    if image.shape[2] == 3:
        return image
    alpha = image[..., 3:].astype(np.uint16)
    below = np.asarray(background, dtype=np.uint16)
    mixed = image[..., :3] * alpha + below * (255 - alpha)
    return ((mixed + 127) // 255).astype(np.uint8)


def side_by_side(images: Sequence[Image], height: int) -> Image:
    """(height, W, 3): the pictures in one row, each scaled to `height`; transparency on a checkerboard."""
    row = []
    for image in images:
        width = max(1, round(image.shape[1] * height / image.shape[0]))
        row.append(checkerboard(scale_to(image, width, height)))
    return np.concatenate(row, axis=1)
