"""Poses by hand."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.errors import ReenactError
from reenact.geometry.face_model import FaceModel, rotation_matrix
from reenact.perception.action_units import SCALE, units_of_shape
from reenact.perception.head_pose import head_pose
from reenact.pipeline.pose import Pose, pose_motion, units_expression


@pytest.mark.parametrize("unit", sorted(SCALE))
def test_a_unit_that_is_asked_for_is_the_one_that_shows(model: FaceModel, unit: int) -> None:
    """Measured with the units' own rules, on the mean person, against rest."""
    nobody = np.zeros(len(model.identity), np.float32)
    rest = model.shape(nobody, np.zeros(len(model.expression), np.float32))
    face = units_expression(model, {unit: 2.0})
    shown = units_of_shape(model.shape(nobody, face), rest).intensity
    assert shown[unit] == pytest.approx(2.0, abs=0.25)


def test_units_add_up_and_none_is_rest(model: FaceModel) -> None:
    assert not units_expression(model, {}).any() and not units_expression(model, {12: 0.0}).any()
    nobody = np.zeros(len(model.identity), np.float32)
    rest = model.shape(nobody, np.zeros(len(model.expression), np.float32))
    shown = units_of_shape(model.shape(nobody, units_expression(model, {1: 2, 26: 3})), rest).intensity
    assert shown[1] == pytest.approx(2, abs=0.3) and shown[26] == pytest.approx(3, abs=0.3)


def test_no_wish_leaves_plausible_faces(model: FaceModel) -> None:
    assert np.linalg.norm(units_expression(model, dict.fromkeys(SCALE, 5.0))) <= 8.001


def test_the_head_takes_the_angles() -> None:
    motion = pose_motion(Pose(yaw=20, pitch=-10, roll=5, expressions={"smile": 1.0}))
    assert len(motion) == 1 and motion.expression.any()
    angles = head_pose(rotation_matrix(motion.rotation[0]))
    assert angles == pytest.approx((20, -10, 5), abs=0.01)


WRONG = [
    (Pose(yaw=90), "yaw"),
    (Pose(pitch=float("nan")), "pitch"),
    (Pose(expressions={"grin": 1}), "no expression"),
    (Pose(expressions={"smile": 9}), "strength"),
    (Pose(units={3: 1}), "no action unit"),
    (Pose(units={12: 6}), "0 to 5"),
]


@pytest.mark.parametrize(("pose", "said"), WRONG)
def test_what_no_face_can_do_is_refused(pose: Pose, said: str) -> None:
    with pytest.raises(ReenactError, match=said):
        pose_motion(pose)
