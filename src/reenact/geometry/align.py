"""Similarities between point sets, and the square crop that a face is looked at in.

A transform is a (2, 3) float64 matrix that takes (x, y, 1) in pixels of one picture to pixels of another.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reenact.geometry.schemes.mesh import FACE_OVAL

Matrix = NDArray[np.float64]

FACE_MARGIN = 1.85
"""Side of a face crop in heights of the face mesh."""
FACE_LIFT = 0.11
"""How far, in face heights, the crop's centre lies above the middle of the mesh, which ends at the forehead."""


@dataclass(frozen=True)
class Square:
    """An upright square in a picture: its centre and its side in pixels."""

    x: float
    y: float
    side: float


def similarity(
    source: NDArray[np.floating], target: NDArray[np.floating], weights: NDArray[np.floating] | None = None
) -> Matrix:
    """The rotation, scale and shift that bring source points closest to target points (Umeyama 1991).

    source, target: (N, 2), N at least 2. weights: (N,), not negative. Returns (2, 3); never a mirroring.
    Raises ValueError where the points do not fix a transform.
    """
    if source.shape != target.shape or source.ndim != 2 or source.shape[1] != 2 or len(source) < 2:
        raise ValueError(
            f"two lists of at least 2 points in the plane are needed, not {source.shape} and {target.shape}"
        )
    weight = np.full(len(source), 1 / len(source)) if weights is None else np.asarray(weights, np.float64)
    weight = weight / weight.sum()
    a, b = np.asarray(source, np.float64), np.asarray(target, np.float64)
    mean_a, mean_b = weight @ a, weight @ b
    a, b = a - mean_a, b - mean_b
    spread = float(weight @ (a * a).sum(axis=1))
    if not spread > 0:
        raise ValueError("all source points coincide: no similarity is fixed by them")
    # In the plane the best rotation needs no SVD: sine and cosine are the two sums themselves.
    cos = float(weight @ (a * b).sum(axis=1)) / spread
    sin = float(weight @ (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])) / spread
    linear = np.array([[cos, -sin], [sin, cos]])
    return np.column_stack([linear, mean_b - linear @ mean_a])


def apply(matrix: Matrix, points: NDArray[np.floating]) -> NDArray[np.floating]:
    """Points (..., 2 or 3) moved by a (2, 3) similarity; z is scaled with the picture. Keeps the type."""
    moved = points[..., :2] @ matrix[:, :2].T + matrix[:, 2]
    if points.shape[-1] == 3:
        moved = np.concatenate([moved, points[..., 2:] * scale_of(matrix)], axis=-1)
    return moved.astype(points.dtype)


def scale_of(matrix: Matrix) -> float:
    """Pixels of the target a pixel of the source."""
    return float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))


def invert(matrix: Matrix) -> Matrix:
    """The way back, (2, 3)."""
    linear = np.linalg.inv(matrix[:, :2])
    return np.column_stack([linear, -linear @ matrix[:, 2]])


def compose(second: Matrix, first: Matrix) -> Matrix:
    """`first`, then `second`, as one (2, 3)."""
    linear = second[:, :2] @ first[:, :2]
    return np.column_stack([linear, second[:, :2] @ first[:, 2] + second[:, 2]])


def face_square(points: NDArray[np.floating], margin: float = FACE_MARGIN) -> Square:
    """The square a face is cropped to: `margin` face heights wide, its centre a little above the mesh's.

    points: (478, 2 or 3) mesh points in pixels. The square may leave the picture. A head that lies on its
    side counts by the longer side of its box, so that it is not cut. The convention is that of the
    development faces (median over 569 portraits: 1.851 and 0.109).
    """
    oval = np.asarray(points, np.float64)[FACE_OVAL, :2]
    low, high = oval.min(axis=0), oval.max(axis=0)
    extent = float((high - low).max())
    x, y = (low + high) / 2
    return Square(float(x), float(y) - FACE_LIFT * extent, extent * margin)


def crop_matrix(square: Square, size: int) -> Matrix:
    """From pixels of the picture to pixels of the crop of `size`, (2, 3); `invert` it to paste back."""
    scale = size / square.side
    left, top = square.x - square.side / 2, square.y - square.side / 2
    return np.array([[scale, 0, -left * scale], [0, scale, -top * scale]])
