"""Angles against SciPy's rotations, and their errors."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from reenact.evaluation.metrics import angle_errors, angles, pose_mae, prmse


@pytest.mark.parametrize(
    "wanted", [(0, 0, 0), (40, 0, 0), (0, -25, 0), (0, 0, 15), (-60, 20, -30), (75, -50, 80)]
)
def test_angles_come_back(wanted: tuple[float, float, float]) -> None:
    yaw, pitch, roll = wanted
    vector = Rotation.from_euler("ZYX", [roll, -yaw, -pitch], degrees=True).as_rotvec()
    assert angles(vector.astype(np.float32)) == pytest.approx(wanted, abs=0.01)


def test_errors_take_the_short_way_round() -> None:
    one, other = np.array([[179.0, 0, 3]]), np.array([[-179.0, 0, 0]])
    assert angle_errors(one, other) == pytest.approx(np.array([[2.0, 0, 3]]))
    assert pose_mae(one, other) == pytest.approx(5 / 3)
    assert prmse(one, other) == pytest.approx(np.sqrt(13 / 3))
