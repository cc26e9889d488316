"""What goes along with lips."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.geometry.expressions import expression
from reenact.geometry.lips import lips_moved, unfolded
from reenact.geometry.schemes import LIPS_INNER, LIPS_OUTER, MESH_TRIANGLES, signed_area

LOWER_EDGE = LIPS_INNER[11:]


def test_a_lip_keeps_its_height(model):
    face = model.mean.copy()
    before = face[LIPS_INNER].copy()
    face[LOWER_EDGE, 1] -= 0.05
    moved = lips_moved(face, before)
    np.testing.assert_array_equal(moved[LIPS_INNER], face[LIPS_INNER])
    for inner, outer in ((14, 17), (87, 84), (317, 314)):
        thick = moved[outer, 1] - moved[inner, 1]
        assert thick == pytest.approx(model.mean[outer, 1] - model.mean[inner, 1], rel=0.1)
    np.testing.assert_allclose(moved[[2, 1, 33, 263, 152]], model.mean[[2, 1, 33, 263, 152]], atol=1e-3)
    assert (np.diff(moved[[17, 18, 200, 199, 175, 152], 1]) > 0).all()


def test_what_is_not_crowded_stays(model):
    face = model.mean + np.tensordot(expression(model, {"jaw_open": 0.5}), model.expression, 1)
    np.testing.assert_allclose(unfolded(face, model.mean, 1.0), face, atol=2e-3)
    np.testing.assert_allclose(unfolded(model.mean, model.mean, 1.0), model.mean, atol=1e-6)


@pytest.mark.parametrize("drop", [0.06, 0.1, 0.16])
def test_a_lip_that_drops_onto_the_chin_does_not_fold_it(model, drop):
    face = model.mean.copy()
    face[[*LIPS_OUTER[11:], *LOWER_EDGE], 1] += drop
    rows = np.array([[17, 18, 200, 199, 175, 152], [84, 83, 201, 208, 171, 148]])
    assert drop < 0.1 or (np.diff(face[rows, 1], axis=1) < 0).any()
    smooth = unfolded(face, model.mean, 1.0)
    own, room = np.diff(model.mean[rows, 1], axis=1), np.diff(smooth[rows, 1], axis=1)
    assert (room > 0.29 * own).all() and (room < 1.01 * own).all()

    def folded(points):
        areas = signed_area(points, MESH_TRIANGLES) * signed_area(model.mean, MESH_TRIANGLES)
        return int((areas < 0).sum())

    assert folded(smooth) <= folded(face)
    np.testing.assert_array_equal(smooth[:, [0, 2]], face[:, [0, 2]])


def test_lips_that_are_held_are_held(model):
    face = model.mean.copy()
    face[[164, 167, 393], 1] += 0.12
    held = unfolded(face, model.mean, 0.0)
    np.testing.assert_array_equal(held[[*LIPS_OUTER, *LIPS_INNER]], face[[*LIPS_OUTER, *LIPS_INNER]])
    np.testing.assert_allclose(held[[18, 200, 152]], face[[18, 200, 152]], atol=1e-6)
    assert (unfolded(face, model.mean, 1.0)[[0, 13], 1] > face[[0, 13], 1]).all()
