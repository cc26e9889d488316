"""The backward flow of everything that is not the face: hair, ears, neck, shoulders.

The head beyond the face mesh is taken as a shallow bowl around it that turns with the head; below the chin
the motion fades, so that the shoulders stay; what the jaw and cheeks do at the face's edge is carried a
little way out, so that the seam closes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reenact.geometry.face_model import rotation_matrix
from reenact.types import FaceState, Floats, Points

_BOWL = (-0.26, 1.4, 0.8, 3.0)
"""Depth z = c0 + c1 (1 - exp(-x^2)) + c2 (1 - exp(-y^2 / c3)) in the canonical frame: near the mean face
inside it, level outside, and never so steep (about 1) that a turn of 40 degrees folds it over."""
_REACH = 0.25
"""How far the edge's own motion reaches out, in canonical units."""


@dataclass(frozen=True)
class Fade:
    """Where the head's motion ends, in canonical units below the eyes (the chin is at 1.26): it is whole
    above `start` and gone below `end`; turning ends sooner than moving, since shoulders follow a step but
    not a turn."""

    turn_start: float = 0.9
    turn_end: float = 1.9
    move_start: float = 0.9
    move_end: float = 2.6


def smoothstep(x: Floats | float, low: float, high: float) -> Floats:
    """0 below `low`, 1 above `high`, smooth between (Hermite)."""
    t: Floats = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def head_field(
    at: Points, source: FaceState, target: FaceState, fade: Fade, radius: float | None = None
) -> Floats:
    """Where the target pixels `at` (..., 2) come from in the source, as offsets (..., 2) in pixels.

    radius: where there is no matte of the person, the motion fades out between this distance from the face's
    middle and 1.7 times it, in canonical units.
    """
    local = unproject(at, target)
    from_head = project(local, source) - at
    from_step = (at - target.translation) * (source.scale / target.scale) + source.translation - at
    turn = 1 - smoothstep(local[..., 1], fade.turn_start, fade.turn_end)
    move = 1 - smoothstep(local[..., 1], fade.move_start, fade.move_end)
    if radius is not None:
        distance = np.hypot(local[..., 0], (local[..., 1] - 0.3) / 1.25)
        around = 1 - smoothstep(distance, radius, 1.7 * radius)
        turn, move = turn * around, move * around
    return from_step * move[..., None] + (from_head - from_step) * turn[..., None]


def unproject(at: Points, state: FaceState) -> Points:
    """Canonical x, y (..., 2) of the bowl's points that are seen at pixels (..., 2): a fixed point, since
    the depth depends on the answer."""
    r = rotation_matrix(state.rotation)
    seen = (at - state.translation) / state.scale
    inverse = np.linalg.inv(r[:2, :2]).T
    local = seen @ inverse
    for _ in range(4):
        local = (seen - _depth(local)[..., None] * r[:2, 2]) @ inverse
    return local.astype(np.float32)


def project(local: Points, state: FaceState) -> Points:
    """Pixels (..., 2) of the bowl's points with canonical x, y (..., 2)."""
    r = rotation_matrix(state.rotation)
    turned = local @ r[:2, :2].T + _depth(local)[..., None] * r[:2, 2]
    return (turned * state.scale + state.translation).astype(np.float32)


def _depth(local: Points) -> Floats:
    x, y = local[..., 0], local[..., 1]
    c0, c1, c2, c3 = _BOWL
    return c0 + c1 * (1 - np.exp(-x * x)) + c2 * (1 - np.exp(-y * y / c3))


def edge_field(at: Points, edge: Points, offset: Floats, trust: Floats, scale: float) -> Floats:
    """Carry offsets (K, 2) known at the face's edge (K, 2) to pixels `at` (..., 2), fading with distance.

    trust: (K,), near 0 for points of the edge that the face hides. scale: pixels a canonical unit.
    """
    flat = at.reshape(-1, 2)
    distance = (
        (flat**2).sum(1)[:, None] - 2 * flat @ edge.T.astype(np.float32) + (edge**2).sum(1)[None]
    ) / scale**2
    weight = trust / (np.maximum(distance, 0) + 1e-3) ** 2
    total = weight.sum(1)
    carried = weight @ offset / total[:, None]
    nearest = np.sqrt(np.maximum(distance.min(1), 0))
    carried *= (1 - smoothstep(nearest, 0, _REACH))[:, None]
    return carried.reshape(at.shape).astype(np.float32)
