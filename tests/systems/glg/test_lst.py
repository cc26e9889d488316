"""Equation (3) with each person's own statistics."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.errors import ReenactError
from reenact.geometry.face_model import default_face_model
from reenact.systems.glg.lst import KnownStyle, Person, style_transfer
from reenact.systems.spec import TargetShape


def test_by_hand() -> None:
    """The mean moves by (10, 0) and the deviation doubles; the centre of (4, 0) and (0, 2) stays."""
    driving = Person(np.zeros((2, 2), np.float32), np.ones((2, 2), np.float32))
    source = Person(np.full((2, 2), (10, 0), np.float32), np.full((2, 2), 2, np.float32))
    made = style_transfer(np.array([[4, 0], [0, 2]], np.float32), driving, source)
    np.testing.assert_allclose(made, [[6, -1], [-2, 3]])


def test_statistics_are_over_pictures_coordinate_by_coordinate() -> None:
    faces = np.random.default_rng(0).normal(100, 5, (20, 68, 2)).astype(np.float32)
    person = Person.of(faces)
    np.testing.assert_allclose(person.mean[3], faces[:, 3].mean(0), rtol=1e-5)
    np.testing.assert_allclose(person.deviation[3], faces[:, 3].std(0), rtol=1e-4)
    with pytest.raises(ReenactError, match="at least two"):
        Person.of(faces[:1])


def test_a_person_driven_by_itself_stays_as_it_is() -> None:
    model = default_face_model()
    state = model.fit(model.mean * 70 + np.array([300, 200, 0], np.float32))
    person = Person.of(np.random.default_rng(0).normal(100, 5, (20, 68, 2)).astype(np.float32))
    driving = TargetShape(model.project(state), state)
    made = KnownStyle(person, person).convert(driving)
    assert made.scheme == "ibug68"
    np.testing.assert_allclose(made.points, driving.in_scheme("ibug68")[:, :2], atol=0.02)
