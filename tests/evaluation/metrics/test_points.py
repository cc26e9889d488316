"""Landmark metrics on displacements that are made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.evaluation.metrics import (
    ace,
    akd,
    expression_error,
    eye_distance,
    eye_gap,
    jitter,
    mouth_gap,
    mouth_gap_error,
    nme,
    scale_drift,
    wander,
)
from reenact.geometry.expressions import expression
from reenact.geometry.face_model import default_face_model
from reenact.types import FaceState, Points


def face(**strengths: float) -> Points:
    """The mean face, 50 px between the eyes' outer corners, with named expressions."""
    model = default_face_model()
    identity = np.zeros(len(model.identity), np.float32)
    state = FaceState(
        np.zeros(3, np.float32), 50.0, np.float32([100, 90]), identity, expression(model, strengths)
    )
    return model.project(state)


def test_errors_of_a_shift_by_a_3_4_5_triangle() -> None:
    truth = face()
    moved = truth + np.float32([3, -4, 100])
    assert nme(moved, truth) == pytest.approx(100 * 5 / eye_distance(truth), rel=1e-4)
    assert akd(moved, truth) == pytest.approx(5, rel=1e-4)
    assert ace(moved[:, :2], truth[:, :2]) == pytest.approx(3.5, rel=1e-4)
    assert ace(moved, truth) == pytest.approx(107 / 3, rel=1e-4)


def test_errors_do_not_depend_on_depth() -> None:
    truth = face()
    assert nme(truth + np.float32([0, 0, 9]), truth) == 0
    assert akd(truth + np.float32([0, 0, 9]), truth) == 0


def test_shapes_are_checked() -> None:
    with pytest.raises(ValueError, match="points"):
        nme(np.zeros((478, 3), np.float32), np.zeros((478, 2), np.float32))
    with pytest.raises(ValueError, match="points"):
        ace(np.zeros((5, 2), np.float32), np.zeros((4, 2), np.float32))


def test_gaps_follow_mouth_and_lids() -> None:
    rest, opened, shut = face(), face(jaw_open=1.0), face(blink=1.0)
    assert mouth_gap(opened) > mouth_gap(rest) + 10
    assert eye_gap(shut) < 0.5 * eye_gap(rest)
    assert abs(eye_gap(opened) - eye_gap(rest)) < 1
    assert mouth_gap_error(opened, rest) == pytest.approx(mouth_gap(opened) - mouth_gap(rest))


def test_gaps_do_not_depend_on_size() -> None:
    points = face(jaw_open=0.5)
    assert mouth_gap(3 * points) == pytest.approx(mouth_gap(points), rel=1e-4)


def test_expression_error_is_in_per_cent_of_the_eye_distance() -> None:
    model = default_face_model()
    none = expression(model, {})
    small, large = (expression(model, {"smile": strength}) for strength in (0.5, 1.0))
    assert expression_error(none, none, model) == 0
    assert expression_error(large, none, model) == pytest.approx(
        2 * expression_error(small, none, model), rel=1e-4
    )
    assert 1 < expression_error(large, none, model) < 15


def test_jitter_of_white_noise_is_its_standard_deviation() -> None:
    noise = np.random.default_rng(0).normal(0, 0.3, (400, 50, 2))
    assert jitter(noise) == pytest.approx(0.3, rel=0.02)
    assert wander(noise) == pytest.approx(0.3, rel=0.02)
    assert jitter(noise, 0.5) == pytest.approx(0.6, rel=0.02)


def test_jitter_passes_over_steady_motion_and_wander_does_not() -> None:
    line = np.arange(30.0)[:, None, None] * np.ones((1, 4, 2))
    assert jitter(line) == pytest.approx(0, abs=1e-9)
    assert wander(line) == pytest.approx(np.std(np.arange(30)), rel=1e-6)


def test_jitter_needs_three_frames() -> None:
    with pytest.raises(ValueError, match="3 frames"):
        jitter(np.zeros((2, 5, 2)))


def test_scale_drift_is_the_range_over_the_mean() -> None:
    assert scale_drift(np.full(9, 80.0)) == 0
    assert scale_drift(np.array([95.0, 100.0, 105.0])) == pytest.approx(10)
    with pytest.raises(ValueError, match="positive"):
        scale_drift(np.array([1.0, 0.0]))
