"""The watermark in the tile's spectrum: what writing (`watermark`) and reading (`readout`) share.

Units are those of a picture scaled to an area of AREA_SIDE x AREA_SIDE. B bins, T tile side in units.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from reenact.trust import code
from reenact.types import Floats

TILE = 256
AREA_SIDE = 512

_BAND = (1 / 44, 1 / 9)
_TILT = 0.3
_PILOTS = 0.34
_SEED = 0x5EE2AC7
_CREST = 2.0
"""The ring in cycles a unit, the fall of amplitude with frequency, the share of pilots, the seed of bins and
phases (part of the format: never change it), and the limit of peaks in standard deviations."""

Spectrum = NDArray[np.complex128]


@dataclass(frozen=True)
class Layout:
    """Where pilots and data lie in the tile's spectrum: the first `pilots` of the B bins, then the data bins.

    rows, columns: (B,) indices. carrier: (B,) unit phases. amplitude: (B,). bit: (B - pilots,) the coded bit of
    each data bin.
    """

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    carrier: Spectrum
    amplitude: NDArray[np.float64]
    pilots: int
    bit: NDArray[np.int64]


@lru_cache(maxsize=1)
def layout() -> Layout:
    """The one layout of format version 1."""
    rng = np.random.Generator(np.random.PCG64(_SEED))
    radius = np.hypot(np.fft.fftfreq(TILE)[:, None], np.fft.rfftfreq(TILE)[None, :])
    ring = (radius >= _BAND[0]) & (radius <= _BAND[1])
    ring[TILE // 2 :, 0] = False  # the mirror image of the upper half
    rows, columns = np.nonzero(ring)
    order = rng.permutation(len(rows))
    rows, columns = rows[order], columns[order]
    pilots = round(len(rows) * _PILOTS)
    bit = np.resize(np.arange(code.LENGTH), len(rows) - pilots)
    carrier = np.exp(2j * np.pi * rng.random(len(rows)))
    return Layout(rows, columns, carrier, (radius[rows, columns] / _BAND[0]) ** -_TILT, pilots, bit)


def message_tile(mark_id: int) -> Floats:
    """The tile that carries an id, (T, T), standard deviation 1, without high peaks."""
    bins = layout()
    sign = np.ones(len(bins.rows))
    sign[bins.pilots :] = 1.0 - 2.0 * code.encode(mark_id)[bins.bit]
    spectrum = np.zeros((TILE, TILE // 2 + 1), np.complex128)
    spectrum[bins.rows, bins.columns] = bins.carrier * bins.amplitude * sign
    tile = np.fft.irfft2(spectrum, s=(TILE, TILE))
    tile = np.clip(tile / tile.std(), -_CREST, _CREST)
    return (tile / tile.std()).astype(np.float32)


def scaled_size(width: int, height: int) -> tuple[int, int]:
    """Width and height of a picture in units, both even."""
    scale = AREA_SIDE / math.sqrt(width * height) / 2
    return 2 * max(1, round(width * scale)), 2 * max(1, round(height * scale))


def floats(array: NDArray) -> Floats:
    """OpenCV's stubs do not know that float32 in gives float32 out."""
    return array.astype(np.float32, copy=False)
