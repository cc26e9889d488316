"""Named expressions move what their names say."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.errors import ReenactError
from reenact.geometry.apertures import opening
from reenact.geometry.expressions import EXPRESSIONS, Wish, conditional, expression, lips_parted
from reenact.geometry.schemes import (
    LEFT_BROW,
    LEFT_EYE,
    LEFT_IRIS_CENTRE,
    LIPS_INNER,
    MESH_FLIP,
    RIGHT_EYE,
    RIGHT_IRIS_CENTRE,
)


def shape(model, **strengths):
    return model.shape(np.zeros(len(model.identity), np.float32), expression(model, strengths))


def gap(points, ring):
    return opening(points, ring).gap


def test_what_each_name_does(model):
    rest = shape(model)
    assert gap(shape(model, blink=1.0), LEFT_EYE) < 0.3 * gap(rest, LEFT_EYE)
    assert gap(shape(model, wide_eyes=1.0), LEFT_EYE) > gap(rest, LEFT_EYE)
    wink = shape(model, wink_left=1.0)
    assert gap(wink, LEFT_EYE) < 0.6 * gap(wink, RIGHT_EYE)
    assert gap(shape(model, jaw_open=1.0), LIPS_INNER) > gap(rest, LIPS_INNER) + 0.2
    assert (shape(model, brows_up=1.0) - rest)[LEFT_BROW, 1].mean() < -0.03
    smile = shape(model, smile=1.0)
    assert smile[291, 0] - smile[61, 0] > rest[291, 0] - rest[61, 0] + 0.05
    assert smile[61, 1] < rest[61, 1] - 0.02
    round_ = shape(model, lips_round=1.0)
    assert round_[291, 0] - round_[61, 0] < rest[291, 0] - rest[61, 0] - 0.05
    for name, sign in (("gaze_left", 1), ("gaze_right", -1)):
        moved = (shape(model, **{name: 1.0}) - rest)[[LEFT_IRIS_CENTRE, RIGHT_IRIS_CENTRE], 0]
        assert (sign * moved > 0.02).all()


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_strength_is_a_factor(model, name):
    full = expression(model, {name: 1.0})
    np.testing.assert_allclose(expression(model, {name: -0.5}), -0.5 * full, rtol=1e-5, atol=1e-6)
    # Half a dozen standard deviations would be no face.
    assert np.linalg.norm(full) / np.sqrt(len(full)) < 3


def test_names_add_up(model):
    both = expression(model, {"smile": 0.5, "blink": 1.0})
    parts = expression(model, {"smile": 0.5}) + expression(model, {"blink": 1.0})
    np.testing.assert_allclose(both, parts, rtol=1e-5, atol=1e-6)
    assert not expression(model, {}).any()


def test_the_model_is_much_the_same_in_the_mirror(model):
    move = (shape(model, jaw_open=1.0) - shape(model))[:, :2]
    mirrored = move[MESH_FLIP] * [-1, 1]
    assert np.abs(move - mirrored).mean() < 0.15 * np.abs(move).mean()


def test_conditional_mean_against_brute_force(model):
    wish = Wish((14, 152), ((0.0, 0.2, 0.0), (0.0, 0.2, 0.03)))
    rows = model.expression[:, [14, 152]].reshape(len(model.expression), -1).T.astype(np.float64)
    wanted = np.array(wish.move).ravel()
    # The textbook form: the covariance of what is seen, inverted.
    expected = rows.T @ np.linalg.solve(rows @ rows.T + 0.004**2 * np.eye(len(rows)), wanted)
    np.testing.assert_allclose(conditional(model, (wish,)), expected, atol=1e-3)


def test_lips_parted_counts_the_opening(model):
    assert (
        lips_parted(model, expression(model, {"jaw_open": 1.0}))
        > lips_parted(model, expression(model, {})) + 0.1
    )


def test_a_name_that_is_not_there(model):
    with pytest.raises(ReenactError, match="choose from: blink"):
        expression(model, {"grimace": 1.0})
