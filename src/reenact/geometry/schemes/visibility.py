"""Which points of the mesh the viewer can see.

A point is hidden where its surface turns away from the viewer, or where another part of the face lies in
front of it: the far cheek and eye of a turned head behind the nose, the far half of the jaw.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reenact.geometry.schemes.mesh import HOLE_TRIANGLES, LIPS_INNER, MESH_TRIANGLES, Indices

AWAY = -0.25
MARGIN = 0.04
"""How far a surface may turn away (cosine to the viewer), and how far in front (in face heights) a triangle
must lie to hide a point: room for the detector's depth noise, chosen so that a frontal face is all visible."""

IRISES = {"right_eye": slice(468, 473), "left_eye": slice(473, 478)}


def facing(points: NDArray[np.floating], triangles: Indices = MESH_TRIANGLES) -> NDArray[np.floating]:
    """Cosine between each skin point's normal and the direction to the viewer, (468,), of a face (478, 3)."""
    a = points[triangles[:, 0]]
    u, v = points[triangles[:, 1]] - a, points[triangles[:, 2]] - a
    x, y, z = (u[:, k - 2] * v[:, k - 1] - u[:, k - 1] * v[:, k - 2] for k in range(3))
    corners = triangles.T.reshape(-1)
    x, y, z = (np.bincount(corners, np.tile(w, 3), minlength=468) for w in (x, y, z))
    return z / np.maximum(np.sqrt(x * x + y * y + z * z), 1e-9)


def _pairs(points: NDArray[np.floating], corners: NDArray[np.floating]) -> tuple[Indices, Indices]:
    """Every (point, triangle) whose x overlaps, found by sorting: about a twentieth of all pairs."""
    order = np.argsort(points[:, 0])
    x = points[order, 0]
    first = np.searchsorted(x, corners[..., 0].min(axis=1), side="left")
    count = np.searchsorted(x, corners[..., 0].max(axis=1), side="right") - first
    triangle = np.repeat(np.arange(len(corners)), count)
    step = np.arange(len(triangle)) - np.repeat(np.cumsum(count) - count, count)
    return order[first[triangle] + step], triangle


def _covered(points: NDArray[np.floating], triangles: Indices, margin: float) -> NDArray[np.bool_]:
    """Points (N,) with a triangle at least `margin` pixels in front of them."""
    corners = points[triangles]
    point, triangle = _pairs(points, corners)
    y, low, high = points[point, 1], corners[..., 1].min(axis=1), corners[..., 1].max(axis=1)
    near = (y >= low[triangle]) & (y <= high[triangle])
    point, triangle = point[near], triangle[near]
    a = corners[triangle, 0]
    u, v, p = corners[triangle, 1] - a, corners[triangle, 2] - a, points[point] - a
    area = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    area = np.where(np.abs(area) < 1e-9, 1e-9, area)
    s = (p[:, 0] * v[:, 1] - p[:, 1] * v[:, 0]) / area
    t = (u[:, 0] * p[:, 1] - u[:, 1] * p[:, 0]) / area
    hit = (s >= 0) & (t >= 0) & (s + t <= 1) & (s * u[:, 2] + t * v[:, 2] + margin < p[:, 2])
    return np.bincount(point[hit], minlength=len(points)) > 0


def visible(points: NDArray[np.floating], triangles: Indices = MESH_TRIANGLES) -> NDArray[np.bool_]:
    """Which of the 478 points can be seen, (478,) bool.

    points: (478, 3) in pixels, z away from the viewer in the unit of x. Only the face hides itself: hair,
    hands and glasses are not known here. An iris is seen with the opening of its eye; that the lids are shut
    does not hide it.
    """
    points = np.asarray(points, np.float32)
    height = float(np.ptp(points[:468, 1]))
    seen = np.ones(478, bool)
    seen[:468] = facing(points, triangles) > AWAY
    for name, iris in IRISES.items():
        seen[iris] = facing(points, HOLE_TRIANGLES[name]).max() > 0
    # The inner lips roll inward when the mouth shuts: their own normals say nothing about the view.
    seen[LIPS_INNER] |= seen[[0, 17]].any()
    return seen & ~_covered(points, triangles, MARGIN * height)
