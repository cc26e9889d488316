"""The Fréchet distance against SciPy's matrix root and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import sqrtm

from reenact.evaluation.metrics import frechet_distance
from reenact.types import Floats


def by_matrix_root(one: Floats, other: Floats) -> float:
    """As Heusel et al. write it."""
    means = ((one.mean(0) - other.mean(0)) ** 2).sum()
    s1, s2 = np.cov(one, rowvar=False), np.cov(other, rowvar=False)
    return float(means + np.trace(s1 + s2 - 2 * np.real(sqrtm(s1 @ s2))))


@pytest.fixture(scope="module")
def sets() -> tuple[Floats, Floats]:
    rng = np.random.default_rng(3)
    mix = rng.normal(size=(6, 6))
    return rng.normal(size=(80, 6)) @ mix, 1.5 * rng.normal(size=(50, 6)) + 0.3


def test_equals_the_matrix_root(sets: tuple[Floats, Floats]) -> None:
    assert frechet_distance(*sets) == pytest.approx(by_matrix_root(*sets), rel=1e-6)
    assert frechet_distance(*sets) == pytest.approx(frechet_distance(*sets[::-1]), rel=1e-9)


def test_of_one_number_is_the_closed_form() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(2, 3, (500, 1)), rng.normal(-1, 0.5, (400, 1))
    closed = (x.mean() - y.mean()) ** 2 + (x.std(ddof=1) - y.std(ddof=1)) ** 2
    assert frechet_distance(x, y) == pytest.approx(closed, rel=1e-9)


def test_equal_sets_are_at_no_distance_and_a_shift_counts_squared(sets: tuple[Floats, Floats]) -> None:
    one = sets[0]
    assert frechet_distance(one, one) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(one + 2, one) == pytest.approx(4 * 6, rel=1e-9)


def test_fewer_pictures_than_features() -> None:
    """Covariances of deficient rank, as 30 pictures give in 128 numbers."""
    rng = np.random.default_rng(2)
    one, other = rng.normal(size=(30, 128)), rng.normal(size=(20, 128))
    assert frechet_distance(one, one) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(one, other) == pytest.approx(by_matrix_root(one, other), rel=1e-3)


def test_shapes_are_checked() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        frechet_distance(np.zeros((1, 4)), np.zeros((5, 4)))
    with pytest.raises(ValueError, match="features"):
        frechet_distance(np.zeros((5, 3)), np.zeros((5, 4)))
