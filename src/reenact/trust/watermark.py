"""An invisible watermark in the pixels: 'AI-manipulated', a format version and a 32-bit id.

A faint pattern (half a level in flat areas, up to 2.4 where the picture is busy) is added to all three
colours alike, so that only the luma changes. The pattern repeats a square tile of 256 units, the picture being
scaled to an area of 512 x 512 units: so it grows with the picture and survives resizing, and every part of a
picture as large as one tile holds the whole message, so that it survives cropping. In the tile's spectrum the
pattern occupies a ring of middle frequencies, which compression spares: a third of them are pilots with
phases that are always the same, which tell presence and position; the others carry the coded bits as the sign
of a phase. The pattern does not change from frame to frame: it does not flicker, costs hardly any bits, and
frames of a clip can be averaged.

Spread-spectrum marking and its perceptual masking follow Cox et al., 'Secure spread spectrum watermarking for
multimedia' (1997); the details are ours. `readout` reads it, docs/trust.md has the figures.

Units below are 'units' of that scaled picture unless pixels are named.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from reenact.errors import ReenactError
from reenact.trust.pattern import TILE, floats, message_tile, scaled_size
from reenact.types import Floats, Image

MIN_SIDE = 96
"""Pictures whose geometric mean of width and height is below this many pixels are left unmarked."""

_FLAT, _GAIN, _BUSY = 0.5, 1.0, 2.4
"""Strength in grey levels: in flat areas, its growth with the root of local contrast, and the ceiling, which
keeps every picture above 40 dB. Roots are averaged, so that a lone edge does not raise its surroundings."""

_CELL = 4
_STRIP_PIXELS = 1 << 16
_KEPT_PIXELS = 9_000_000
"""Side in pixels of a cell of one strength; pixels handled at a time, so that they stay in the cache; and the
size up to which a picture's pattern is kept between frames."""


class Watermark:
    """The mark of one run, for pictures of one size.

    width, height: in pixels. mark_id: 0 to 2**32 - 1. The pattern is made once, here; `embed` then takes about
    2 ms for 512 x 512 px. fits: False where the picture is too small to hold a mark (`embed` then returns it
    unchanged); the caller should say so.
    """

    def __init__(self, width: int, height: int, mark_id: int) -> None:
        if width < 1 or height < 1:
            raise ReenactError(f"a picture of {width} x {height} pixels cannot be marked")
        if not 0 <= mark_id < 1 << 32:
            raise ReenactError(f"mark id {mark_id} does not fit into 32 bits; use new_mark_id()")
        self.width, self.height, self.mark_id = width, height, mark_id
        self.fits = math.sqrt(width * height) >= MIN_SIDE
        self._rows = max(_CELL, _STRIP_PIXELS // width // _CELL * _CELL)
        self._tile = message_tile(mark_id)
        self._level = _level(self._tile, width, height)
        self._dither = np.random.default_rng(mark_id).random((self._rows, width), np.float32) - 0.5
        kept = range(0, height, self._rows) if self.fits and width * height <= _KEPT_PIXELS else ()
        self._kept = {start: self._pattern(start) for start in kept}

    def embed(self, image: Image) -> Image:
        """A marked copy of a picture, (H, W, 3) or (H, W, 4) uint8 of this mark's size; alpha is untouched."""
        if image.shape[:2] != (self.height, self.width):
            raise ValueError(
                f"the mark is for {self.width} x {self.height}, not {image.shape[1]} x {image.shape[0]}"
            )
        if not self.fits:
            return image.copy()
        out = np.empty_like(image)
        strength = _strength(image)
        for start in range(0, self.height, self._rows):
            strip = slice(start, min(start + self._rows, self.height))
            change = _enlarge(strength, start, strip.stop)[:, : self.width]
            pattern = self._kept[start] if self._kept else self._pattern(start)
            change = floats(cv2.multiply(change, pattern))
            change += self._dither[: len(change)]  # steps below one level then survive the rounding
            _add(image[strip], change, out[strip])
        return out

    def _pattern(self, start: int) -> Floats:
        """A strip of the pattern, (rows, W), standard deviation 1."""
        stop = min(start + self._rows, self.height)
        return floats(_lay(self._tile, self.width, self.height, start, stop) / self._level)


def _lay(tile: Floats, width: int, height: int, start: int, stop: int) -> Floats:
    """The repeated tile seen through the pixels of rows start to stop of a picture, (stop - start, W)."""
    units_x, units_y = scaled_size(width, height)
    x = _wrapped(np.arange(width), units_x / width)
    y = _wrapped(np.arange(start, stop), units_y / height)
    smooth = cv2.GaussianBlur(_padded(tile), (0, 0), max(0.01, 0.35 * (units_x / width - 1)))
    grid = np.broadcast_to(x, (len(y), width)), np.broadcast_to(y[:, None], (len(y), width))
    return floats(
        cv2.remap(smooth, np.ascontiguousarray(grid[0]), np.ascontiguousarray(grid[1]), cv2.INTER_CUBIC)
    )


_PAD = 8


def _padded(tile: Floats) -> Floats:
    return np.pad(tile, _PAD, mode="wrap")


def _wrapped(pixels: NDArray[np.int64], units: float) -> Floats:
    """Positions of pixel centres within the padded tile."""
    return (np.mod((pixels + 0.5) * units - 0.5, TILE) + _PAD).astype(np.float32)


def _level(tile: Floats, width: int, height: int) -> float:
    """Standard deviation of the pattern as the pixels see it; small pictures blur it."""
    rows = _lay(tile, width, height, 0, min(height, 512))
    return max(float(rows.std()), 1e-3)


def _strength(image: Image) -> Floats:
    """Strength in grey levels, (cells y, x): low where the eye would see it, higher where it is busy."""
    height, width = image.shape[:2]
    size = -(-width // _CELL), -(-height // _CELL)
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)[..., :3]
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    contrast = cv2.blur(np.sqrt(cv2.absdiff(grey, cv2.blur(grey, (3, 3)))), (5, 5))
    return floats(np.clip(_FLAT + _GAIN * contrast, _FLAT, _BUSY))


def _enlarge(strength: Floats, start: int, stop: int) -> Floats:
    """Rows start (a multiple of _CELL) to stop of the strength, interpolated to pixels, (stop - start, >= W).

    A cell more on either side goes in, so that strips meet without seams.
    """
    first, last = start // _CELL, -(-stop // _CELL)
    cells = strength[max(first - 1, 0) : last + 1]
    size = cells.shape[1] * _CELL, cells.shape[0] * _CELL
    above = (first - max(first - 1, 0)) * _CELL
    return floats(cv2.resize(cells, size, interpolation=cv2.INTER_LINEAR)[above : above + stop - start])


_SAME = 128
"""Added to a change so that it fits into a byte; SIMD adds and subtracts bytes far faster than floats."""


def _add(image: Image, change: Floats, out: Image) -> None:
    """out = image + change in each colour, rounded and kept within 0 to 255; alpha is copied."""
    rounded = cv2.convertScaleAbs(change, alpha=1.0, beta=float(_SAME))
    same = np.full_like(rounded, _SAME)
    up, down = cv2.subtract(rounded, same), cv2.subtract(same, rounded)  # one of them is 0 in each pixel
    up3, down3 = cv2.merge([up] * 3), cv2.merge([down] * 3)
    colours = np.ascontiguousarray(image[..., :3])
    out[..., :3] = cv2.subtract(cv2.add(colours, up3), down3)
    out[..., 3:] = image[..., 3:]
