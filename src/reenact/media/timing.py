"""Frame rates as they are meant, and whether frames keep to one."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

MAX_RATE = 1000
"""Frames/s; a higher nominal rate is a wrong tag."""

DEFAULT_RATE = Fraction(25)


def is_standard(rate: Fraction) -> bool:
    """Whether `rate` is a whole number of frames a second, or one slowed by 1000/1001 as in NTSC."""
    return rate.denominator == 1 or (rate * Fraction(1001, 1000)).denominator == 1


def nominal_rate(average: Fraction | None, guessed: Fraction | None) -> Fraction:
    """The rate a video is meant to have, from FFmpeg's average (frames by duration) and its guess.

    The average of a steady video is exact; that of a phone's is off by its last frame, where the guess helps.
    """
    usable = [rate for rate in (average, guessed) if rate and 0 < rate <= MAX_RATE]
    if not usable:
        return DEFAULT_RATE
    first, last = Fraction(usable[0]), Fraction(usable[-1])
    if not is_standard(first) and abs(last / first - 1) < Fraction(1, 100):
        return last
    return first


def is_steady(times: Sequence[Fraction], fps: Fraction, tolerance: Fraction = Fraction(1, 1000)) -> bool:
    """Whether all `times` (seconds) fall on frames of `fps`, each on its own; a missing frame does no harm.

    Where it is False, write with `variable=True`.
    """
    places = [round(time * fps) for time in times]
    if any(second <= first for first, second in pairwise(places)):
        return False
    return all(abs(place / fps - time) <= tolerance for place, time in zip(places, times, strict=True))
