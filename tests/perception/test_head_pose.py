"""Angles against SciPy's rotations and against faces that are turned by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from skimage import data

from reenact.errors import ReenactError
from reenact.geometry.face_model import default_face_model
from reenact.perception.detector import MeshDetector
from reenact.perception.head_pose import HeadPose, head_pose, pose_matrix, turn, turned_by


@pytest.mark.parametrize("seed", range(5))
def test_angles_are_scipys(seed):
    rotation = Rotation.random(random_state=seed)
    roll, yaw, pitch = rotation.as_euler("ZYX", degrees=True) * (1, -1, -1)
    for given in (rotation.as_rotvec(), rotation.as_matrix()):
        assert head_pose(given) == pytest.approx((yaw, pitch, roll), abs=1e-2)
    assert pose_matrix(HeadPose(yaw, pitch, roll)) == pytest.approx(rotation.as_matrix(), abs=1e-5)


@pytest.mark.parametrize(
    ("pose", "nose"),
    [
        (HeadPose(30, 0, 0), (0.5, 0, -0.866)),  # to the picture's right
        (HeadPose(0, 30, 0), (0, -0.5, -0.866)),  # up
        (HeadPose(0, 0, 30), (0, 0, -1)),  # tilted: still looks into the camera
    ],
)
def test_signs(pose, nose):
    assert pose_matrix(pose) @ (0, 0, -1) == pytest.approx(nose, abs=1e-3)
    if pose.roll:
        assert (pose_matrix(pose) @ (1, 0, 0))[1] > 0  # the picture's right side goes down: clockwise


@pytest.mark.parametrize("yaw", [90, -90])
def test_straight_to_the_side(yaw):
    matrix = pose_matrix(HeadPose(yaw, 20, 0))
    again = head_pose(matrix)
    assert again.roll == 0 and again.yaw == pytest.approx(yaw, abs=0.1)
    assert pose_matrix(again) == pytest.approx(matrix, abs=1e-3)


def test_angle_between_rotations():
    one, other = Rotation.random(random_state=7), Rotation.random(random_state=8)
    expected = np.degrees((one.inv() * other).magnitude())
    assert turned_by(one.as_matrix(), other.as_rotvec()) == pytest.approx(expected, abs=1e-2)
    assert turned_by(np.eye(3), turn(1, np.pi)) == pytest.approx(180)
    assert turned_by(np.eye(3), turn(0, 1e-4)) == pytest.approx(np.degrees(1e-4), rel=1e-3)


def test_a_tilted_photograph_has_that_roll_and_a_mirrored_one_the_other_yaw():
    astronaut = data.astronaut()
    model = default_face_model()
    with MeshDetector() as detector:
        plain, quarter, mirrored = (
            head_pose(model.fit(detector.detect(np.ascontiguousarray(image))[0].points).rotation)
            for image in (astronaut, np.rot90(astronaut), astronaut[:, ::-1])
        )
    assert quarter.roll == pytest.approx(plain.roll - 90, abs=3)
    assert quarter.yaw == pytest.approx(plain.yaw, abs=3) and quarter.pitch == pytest.approx(plain.pitch, abs=4)
    assert mirrored.yaw == pytest.approx(-plain.yaw, abs=4) and mirrored.roll == pytest.approx(
        -plain.roll, abs=2
    )


def test_other_shapes_are_refused():
    with pytest.raises(ReenactError, match=r"\(3,\)"):
        head_pose(np.zeros(4))
