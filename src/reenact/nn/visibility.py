"""Which points of the mesh the viewer can see: `geometry.schemes.visible` for batches, in PyTorch."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from reenact.geometry.schemes import HOLE_TRIANGLES, LIPS_INNER, MESH_TRIANGLES, WEIGHTS
from reenact.geometry.schemes.visibility import AWAY, IRISES, MARGIN
from reenact.types import Scheme

_LIPS = LIPS_INNER.tolist()


@torch.no_grad()
def visible(points: Tensor, scheme: Scheme = "mesh478") -> Tensor:
    """(B, 478, 3) mesh points in pixels to (B, N) bool, as `schemes.convert` has it for `scheme`.

    Only what the scheme reads is looked at. Rules: `geometry.schemes.visibility`.
    """
    weights = torch.from_numpy(np.abs(WEIGHTS[scheme])).to(points)
    used = weights.sum(0).nonzero()[:, 0]
    triangles = torch.from_numpy(MESH_TRIANGLES.astype(np.int64)).to(points.device)
    seen = torch.ones(points.shape[:2], dtype=torch.bool, device=points.device)
    seen[:, :468] = _facing(points, triangles) > AWAY
    for name, iris in IRISES.items():
        hole = torch.from_numpy(HOLE_TRIANGLES[name].astype(np.int64)).to(points.device)
        seen[:, iris] = _facing(points, hole).amax(1, keepdim=True) > 0
    seen[:, _LIPS] |= seen[:, [0, 17]].any(1, keepdim=True)
    height = points[:, :468, 1].amax(1) - points[:, :468, 1].amin(1)
    covered = [_covered(p, used, triangles, MARGIN * h) for p, h in zip(points, height, strict=True)]
    seen[:, used] &= ~torch.stack(covered)
    return seen.to(weights) @ weights.T >= 0.5 * weights.sum(1)


def _facing(points: Tensor, triangles: Tensor) -> Tensor:
    """(B, 468): cosine between each skin point's normal and the direction to the viewer."""
    a, b, c = (points[:, triangles[:, corner]] for corner in range(3))
    normals = torch.linalg.cross(b - a, c - a)
    sums = torch.zeros_like(points[:, :468])
    for corner in range(3):
        sums = sums.index_add(1, triangles[:, corner], normals)
    return sums[..., 2] / sums.norm(dim=2).clamp(min=1e-9)


def _covered(points: Tensor, used: Tensor, triangles: Tensor, margin: Tensor) -> Tensor:
    """(N,) bool: the points `used` that lie at least `margin` pixels behind a triangle."""
    a, b, c = (points[triangles[:, corner]] for corner in range(3))
    u, v, p = b - a, c - a, points[used, None] - a
    area = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    area = torch.where(area.abs() < 1e-9, 1e-9, area)
    s = (p[..., 0] * v[:, 1] - p[..., 1] * v[:, 0]) / area
    t = (u[:, 0] * p[..., 1] - u[:, 1] * p[..., 0]) / area
    before = s * u[:, 2] + t * v[:, 2] + margin < p[..., 2]
    return ((s >= 0) & (t >= 0) & (s + t <= 1) & before).any(1)
