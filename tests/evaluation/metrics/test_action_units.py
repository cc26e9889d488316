"""AUCON and AU correlation on units that are made by hand, and against NumPy's correlation."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.evaluation.metrics import au_correlation, aucon
from reenact.perception.action_units import GLG_UNITS, OSFR_UNITS


def test_the_papers_have_18_and_12_units() -> None:
    assert len(GLG_UNITS) == 18 and len(OSFR_UNITS) == 12 and set(OSFR_UNITS) < set(GLG_UNITS)


def test_aucon_counts_what_is_right_either_way() -> None:
    driving = np.arange(18) % 3 == 0
    result = driving.copy()
    assert aucon(result, driving) == 1
    result[:6] = ~result[:6]
    assert aucon(result, driving) == pytest.approx(12 / 18)
    assert aucon(~driving, driving) == 0


def test_au_correlation_is_pearsons() -> None:
    one, other = np.random.default_rng(0).random((2, 12))
    assert au_correlation(one, other) == pytest.approx(100 * np.corrcoef(one, other)[0, 1])
    assert au_correlation(0.5 * one + 0.2, one) == pytest.approx(100)
    assert au_correlation(-one, one) == pytest.approx(-100)


def test_a_face_at_rest_has_no_correlation() -> None:
    assert np.isnan(au_correlation(np.zeros(12), np.arange(12.0)))


def test_shapes_are_checked() -> None:
    with pytest.raises(ValueError, match="as many units"):
        aucon(np.zeros(3, bool), np.zeros(4, bool))
    with pytest.raises(ValueError, match="at least 2"):
        au_correlation(np.zeros(1), np.zeros(1))
