"""Where a head looks, in degrees.

The picture's axes are x to the right, y down, z away from the viewer; a face that looks into the camera has the
identity rotation. Positive yaw turns it towards the picture's right, positive pitch up, positive roll tilts it
clockwise on the screen. The three are intrinsic turns in the order roll, yaw, pitch:
`R = Rz(roll) Ry(-yaw) Rx(-pitch)`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reenact.errors import ReenactError
from reenact.geometry.face_model import rotation_matrix
from reenact.types import Floats

_LOCKED = 1e-6  # cosine of yaw below which roll and pitch turn about one axis


class HeadPose(NamedTuple):
    """Degrees. yaw in [-90, 90], pitch and roll in (-180, 180]."""

    yaw: float
    pitch: float
    roll: float


def head_pose(rotation: NDArray[np.floating]) -> HeadPose:
    """The angles of a rotation vector (3,) in radians or a matrix (3, 3), canonical frame to picture.

    Looking straight to the side (yaw of 90 degrees), roll and pitch cannot be told apart: roll is then 0.
    Raises ReenactError for another shape.
    """
    matrix = _matrix(rotation)
    yaw = np.arcsin(np.clip(matrix[2, 0], -1, 1))
    if np.hypot(matrix[0, 0], matrix[1, 0]) < _LOCKED:
        pitch, roll = np.arctan2(matrix[1, 2], matrix[1, 1]), 0.0
    else:
        pitch, roll = -np.arctan2(matrix[2, 1], matrix[2, 2]), np.arctan2(matrix[1, 0], matrix[0, 0])
    return HeadPose(*(float(np.degrees(angle)) for angle in (yaw, pitch, roll)))


def pose_matrix(pose: HeadPose) -> Floats:
    """The rotation (3, 3) that has these angles; the inverse of `head_pose`."""
    yaw, pitch, roll = np.radians(pose)
    matrix = turn(2, roll) @ turn(1, -yaw) @ turn(0, -pitch)
    return matrix.astype(np.float32)


def turn(axis: int, angle: float) -> NDArray[np.float64]:
    """(3, 3): the right-handed rotation by `angle` radians about x (0), y (1) or z (2)."""
    a, b = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.eye(3)
    matrix[a, a] = matrix[b, b] = np.cos(angle)
    matrix[a, b], matrix[b, a] = -np.sin(angle), np.sin(angle)
    return matrix


def turned_by(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """The angle in degrees, 0 to 180, between two rotations (vectors or matrices)."""
    difference = _matrix(one).T @ _matrix(other)
    off = np.array([difference[2, 1] - difference[1, 2], difference[0, 2] - difference[2, 0],
                    difference[1, 0] - difference[0, 1]])  # fmt: skip
    return float(np.degrees(np.arctan2(np.linalg.norm(off), np.trace(difference) - 1)))


def _matrix(rotation: NDArray[np.floating]) -> NDArray[np.float64]:
    values = np.asarray(rotation)
    if values.shape == (3,):
        return np.asarray(rotation_matrix(values.astype(np.float32)), np.float64)
    if values.shape == (3, 3):
        return values.astype(np.float64)
    raise ReenactError(f"a rotation is a vector (3,) or a matrix (3, 3), not {values.shape}")
