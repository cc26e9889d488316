"""Rates as they are meant."""

from __future__ import annotations

from fractions import Fraction

import pytest

from reenact.media.timing import is_steady, nominal_rate

NTSC = Fraction(30000, 1001)


@pytest.mark.parametrize(
    ("average", "guessed", "expected"),
    [
        (NTSC, NTSC, NTSC),
        (Fraction(3000, 1001), Fraction(3), Fraction(3000, 1001)),
        (Fraction(35940, 1199), NTSC, NTSC),
        (Fraction(100, 3), NTSC, Fraction(100, 3)),
        (Fraction(17, 2), Fraction(600), Fraction(17, 2)),
        (None, Fraction(25), Fraction(25)),
        (Fraction(90_000), None, Fraction(25)),
        (None, None, Fraction(25)),
    ],
)
def test_nominal_rate(average: Fraction | None, guessed: Fraction | None, expected: Fraction) -> None:
    assert nominal_rate(average, guessed) == expected


def test_steady_times() -> None:
    exact = [index / NTSC for index in range(100)]
    rounded = [Fraction(round(time * 1000), 1000) for time in exact]
    assert is_steady(exact, NTSC)
    assert is_steady(rounded, NTSC)
    assert is_steady(exact[:10] + exact[13:], NTSC)
    assert not is_steady([*exact[:10], exact[10] + Fraction(1, 90)], NTSC)
    assert not is_steady([Fraction(0), Fraction(1, 1000)], NTSC)
