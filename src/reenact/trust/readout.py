"""Find and read the watermark in pictures of any size and origin.

Brightness is freed of what is slow, weighted by how busy its surroundings are (a matched filter), folded onto
one tile, and transformed. Only phases count, so that on every unmarked picture the sum over the pilots is about
a standard normal variable, which makes the thresholds mean something.

Reading works on a grid of GRID units a sample: the pattern has nothing finer. S = T / GRID is the tile's side
in samples.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from reenact.trust import code
from reenact.trust.pattern import TILE, Spectrum, floats, layout, scaled_size
from reenact.types import Floats, Image

GRID = 2
_SIDE = TILE // GRID

_AT_HOME = 1
_HOME_THRESHOLD, _SEARCH_THRESHOLD = 6.2, 8.2
_READ_THRESHOLD, _CANDIDATE_THRESHOLD = 3.5, 5.5
"""Standard deviations of the pilot sum from which a mark counts as present: in its place (within _AT_HOME
samples) and anywhere in the search after cropping; below them, where the message also decodes."""

_RATIOS = np.geomspace(1.0, 1.32, 25)
_RATIO_STEPS = (0.994, 0.997, 1.0, 1.003, 1.006)
_SHIFT_STEPS = np.linspace(-0.5, 0.5, 5)
"""How much larger the picture may once have been than what is left of it, for the search after cropping, and
the finer steps of ratio and shift (samples) around the best."""


@dataclass(frozen=True)
class WatermarkReading:
    """What was found in a picture or clip.

    present: whether the mark is there. mark_id: the id, None where it is there but cannot be read (or not
    there). confidence: 1 minus the chance of so strong a sign in an unmarked picture. score: the pilot sum in
    standard deviations. ratio: how much larger the picture was before it was cropped (1.0: not cropped).
    """

    present: bool
    mark_id: int | None
    confidence: float
    score: float
    ratio: float = 1.0


def read_watermark(image: Image) -> WatermarkReading:
    """Look for the mark in one picture, (H, W, 3 or 4) RGB or (H, W) grey uint8."""
    return _read(_whiten(image))


def read_clip(images: Iterable[Image]) -> WatermarkReading:
    """Look for the mark in frames of one clip, all of one size; stronger than any single frame."""
    total: Floats | None = None
    for image in images:
        white = _whiten(image)
        if total is None:
            total = white
        elif total.shape == white.shape:
            total += white
    return WatermarkReading(False, None, 0.0, 0.0) if total is None else _read(total)


def bit_errors(image: Image, mark_id: int) -> float:
    """Share of the coded bits that are read wrongly, 0 to 1; 0.5 is chance. For measurements."""
    white = _whiten(image)
    place = _home(white)
    if place.score < _HOME_THRESHOLD:
        place = max(place, _search(white), key=_score)
    return float(np.mean((_soft_bits(place) < 0) != code.encode(mark_id)))


def _whiten(image: Image) -> Floats:
    """Brightness on the reading grid, freed of slow changes and weighted by local contrast, (samples y, x).

    The weight is that of a matched filter, mark over noise power: where the picture is busy, the picture itself
    is the noise. Clipping keeps strong edges from speaking for the whole neighbourhood.
    """
    grey = image if image.ndim == 2 else cv2.cvtColor(np.ascontiguousarray(image[..., :3]), cv2.COLOR_RGB2GRAY)
    units = scaled_size(grey.shape[1], grey.shape[0])
    size = units[0] // GRID, units[1] // GRID
    kind = cv2.INTER_AREA if size[0] < grey.shape[1] else cv2.INTER_CUBIC
    scaled = floats(cv2.resize(grey, size, interpolation=kind))
    detail = scaled - cv2.GaussianBlur(scaled, (0, 0), 4.0 / GRID)
    noise = np.sqrt(cv2.GaussianBlur(detail * detail, (0, 0), 5.0 / GRID)) + 1.0
    return floats(np.clip(detail / noise, -1.5, 1.5) / noise)


@dataclass(frozen=True)
class _Bins:
    """The layout as the reading grid sees it: signed frequencies in cycles a tile and expected phases, (B,)."""

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    expected: Spectrum
    pilots: int


@lru_cache(maxsize=1)
def _bins() -> _Bins:
    bins = layout()
    rows = np.where(bins.rows >= TILE // 2, bins.rows - TILE, bins.rows)
    # a sample's centre lies (GRID - 1) / 2 units after that of its first unit
    lag = np.exp(2j * np.pi * (rows + bins.columns) * (GRID - 1) / (2 * TILE))
    return _Bins(rows, bins.columns, bins.carrier * lag, bins.pilots)


def _spectrum(white: Floats) -> Spectrum:
    """The picture folded onto one tile and compared with the expected phases: unit phases, (B,)."""
    rows, columns = (-(-side // _SIDE) * _SIDE for side in white.shape)
    padded = np.zeros((rows, columns), np.float32)
    padded[: white.shape[0], : white.shape[1]] = white
    folded = padded.reshape(rows // _SIDE, _SIDE, columns // _SIDE, _SIDE).sum((0, 2))
    bins = _bins()
    found = np.fft.rfft2(folded)[bins.rows, bins.columns]
    return found / (np.abs(found) + 1e-9) * np.conj(bins.expected)


def _correlation(found: Spectrum) -> NDArray[np.float64]:
    """The pilot sum in standard deviations for every whole shift of the tile, (S, S)."""
    bins = _bins()
    n = bins.pilots
    spectrum = np.zeros((_SIDE, _SIDE // 2 + 1), np.complex128)
    spectrum[bins.rows[:n], bins.columns[:n]] = found[:n]
    return np.fft.irfft2(spectrum, s=(_SIDE, _SIDE)) * (_SIDE * _SIDE / 2 / math.sqrt(n / 2))


@dataclass(frozen=True)
class _Place:
    """A guess where the tile lies: ratio, shift (rows, columns) in samples, its score, and the bins."""

    ratio: float
    shift: tuple[float, float]
    score: float
    found: Spectrum


def _score(place: _Place) -> float:
    return place.score


def _best_place(white: Floats, ratio: float, reach: int | None) -> _Place:
    """The whole shift with the highest pilot sum; `reach` limits it to that many samples around none."""
    found = _spectrum(_resized(white, ratio))
    scores = _correlation(found)
    if reach is not None:
        near = np.abs(np.fft.fftfreq(_SIDE, 1 / _SIDE)) <= reach
        scores = np.where(near[:, None] & near[None, :], scores, -np.inf)
    row, column = np.unravel_index(int(scores.argmax()), scores.shape)
    return _Place(ratio, (float(row), float(column)), float(scores[row, column]), found)


def _refined(place: _Place) -> _Place:
    """The best shift within half a sample."""
    bins = _bins()
    n = bins.pilots
    row_turns = _turns(bins.rows[:n], place.shift[0] + _SHIFT_STEPS)
    column_turns = _turns(bins.columns[:n], place.shift[1] + _SHIFT_STEPS)
    scores = np.real((row_turns * place.found[:n]) @ column_turns.T) / math.sqrt(n / 2)
    row, column = np.unravel_index(int(scores.argmax()), scores.shape)
    shift = place.shift[0] + float(_SHIFT_STEPS[row]), place.shift[1] + float(_SHIFT_STEPS[column])
    return replace(place, shift=shift, score=float(scores[row, column]))


def _turns(frequencies: NDArray[np.int64], shifts: NDArray[np.float64]) -> Spectrum:
    """What undoes shifts in samples: (shifts, B) unit phases."""
    return np.asarray(np.exp(2j * np.pi / _SIDE * np.outer(shifts, frequencies)), np.complex128)


def _resized(white: Floats, ratio: float) -> Floats:
    if ratio == 1.0:
        return white
    size = max(1, round(white.shape[1] / ratio)), max(1, round(white.shape[0] / ratio))
    return floats(cv2.resize(white, size, interpolation=cv2.INTER_LINEAR))


def _read(white: Floats) -> WatermarkReading:
    """Look in place first, then for a cropped picture."""
    home = _home(white)
    reading = _reading(home, _READ_THRESHOLD, _HOME_THRESHOLD, (2 * _AT_HOME + 1) ** 2 * len(_SHIFT_STEPS))
    if reading.present:
        return reading
    trials = len(_RATIOS) * _SIDE * _SIDE * len(_SHIFT_STEPS)
    found = _reading(_search(white), _CANDIDATE_THRESHOLD, _SEARCH_THRESHOLD, trials)
    return found if found.present else reading


def _home(white: Floats) -> _Place:
    """The place of a picture that was not cropped."""
    return _refined(_best_place(white, 1.0, _AT_HOME))


def _search(white: Floats) -> _Place:
    """The best place in a picture that may have been cropped."""
    best = max((_best_place(white, float(ratio), None) for ratio in _RATIOS), key=_score)
    if best.score < _CANDIDATE_THRESHOLD - 1:
        return best
    near = (_refined(_best_place(white, best.ratio * factor, None)) for factor in _RATIO_STEPS)
    return max(near, key=_score)


def _reading(place: _Place, readable: float, present: float, trials: int) -> WatermarkReading:
    """Judge a place: the message counts from score `readable` on, the pilots alone from `present` on."""
    mark_id = code.decode(_soft_bits(place)) if place.score >= readable else None
    chance = trials * 0.5 * math.erfc(place.score / math.sqrt(2))
    if mark_id is not None:
        chance *= code.CHANCE
    there = mark_id is not None or place.score >= present
    return WatermarkReading(there, mark_id, 1.0 - min(1.0, chance), place.score, place.ratio)


def _soft_bits(place: _Place) -> NDArray[np.float64]:
    """How much each coded bit looks like a 0 (positive) or a 1 (negative), (code.LENGTH,)."""
    bins, data = _bins(), slice(layout().pilots, None)
    rows, columns = (np.array([side]) for side in place.shift)
    turn = _turns(bins.rows[data], rows)[0] * _turns(bins.columns[data], columns)[0]
    agreement = (place.found[data] * turn).real
    return np.asarray(np.bincount(layout().bit, agreement, code.LENGTH), np.float64)
