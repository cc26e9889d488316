"""Errors of the head's angles."""

from __future__ import annotations

import numpy as np

from reenact.perception.head_pose import head_pose
from reenact.types import Floats


def angles(rotation: Floats) -> Floats:
    """Yaw, pitch and roll (3,) in degrees of a rotation vector (3,) in radians or a matrix (3, 3), by the one
    convention of `perception/head_pose.py`."""
    return np.array(head_pose(rotation), np.float32)


def angle_errors(result: Floats, truth: Floats) -> Floats:
    """Absolute differences (..., 3) of angles (..., 3) in degrees, the short way round."""
    return np.abs((np.asarray(result) - truth + 180) % 360 - 180)


def pose_mae(result: Floats, truth: Floats) -> float:
    """Mean absolute error of yaw, pitch and roll (..., 3) in degrees. Source: OSFR section 4.1.4, head pose
    consistency."""
    return float(angle_errors(result, truth).mean())


def prmse(result: Floats, truth: Floats) -> float:
    """Root mean square error of yaw, pitch and roll (..., 3) in degrees. Source: GLG section IV, PRMSE."""
    return float(np.sqrt((angle_errors(result, truth) ** 2).mean()))
