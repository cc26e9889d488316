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
inside it, level outside."""
_STEEPEST = (1.4 * np.sqrt(2 / np.e), 0.8 * np.sqrt(2 / np.e / 3.0))
"""Of the bowl, along x and along y."""
_ROOM = 0.85
"""A bowl turned by t folds over where its slope times tan(t) is 1; it is made flatter where it would pass this,
at 35 degrees of yaw."""
_ROUNDS, _NEAR = 6, 1e-3
"""Newton's steps, and the last step's length in canonical units; each about squares what is left."""
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
    """Canonical x, y (..., 2) of the bowl's points that are seen at pixels (..., 2).

    These lie on a line of sight, so that their depth alone is unknown; Newton's steps find it, within 1e-4.
    """
    inverse, slope, depth_of = _seen_from(state)
    x, y = np.moveaxis(((at - state.translation) / state.scale) @ inverse.T, -1, 0)
    low, high = depth_of * _BOWL[0], depth_of * sum(_BOWL[:3])
    depth = depth_of * _bowl(0.8 * x, 0.8 * y)[0]
    for _ in range(_ROUNDS):
        there, growth = _bowl(x - depth * slope[0], y - depth * slope[1])
        along = 1 + depth_of * (growth[0] * slope[0] + growth[1] * slope[1])
        was, depth = depth, np.clip(depth - (depth - depth_of * there) / along, low, high)
        if np.abs(depth - was).max(initial=0) < _NEAR:
            break
    return np.stack([x - depth * slope[0], y - depth * slope[1]], -1).astype(np.float32)


def project(local: Points, state: FaceState) -> Points:
    """Pixels (..., 2) of the bowl's points with canonical x, y (..., 2)."""
    r, (_, _, depth_of) = rotation_matrix(state.rotation), _seen_from(state)
    turned = local @ r[:2, :2].T + (depth_of * _bowl(local[..., 0], local[..., 1])[0])[..., None] * r[:2, 2]
    return (turned * state.scale + state.translation).astype(np.float32)


def _seen_from(state: FaceState) -> tuple[Floats, Floats, float]:
    """(2, 2) from the picture's plane to x, y; (2,) how these slide with depth along a line of sight; and what
    the bowl's depth is multiplied with, so that it does not fold over."""
    r = rotation_matrix(state.rotation)
    inverse = np.linalg.inv(r[:2, :2])
    slope = inverse @ r[:2, 2]
    steepest = float(np.abs(slope) @ _STEEPEST)
    return inverse, slope, min(1.0, _ROOM / max(steepest, 1e-6))


def _bowl(x: Floats, y: Floats) -> tuple[Floats, tuple[Floats, Floats]]:
    """The bowl's depth at canonical places, and how it grows along x and along y."""
    c0, c1, c2, c3 = _BOWL
    across, down = np.exp(-x * x), np.exp(-y * y / c3)
    return c0 + c1 * (1 - across) + c2 * (1 - down), (2 * c1 * x * across, 2 * c2 / c3 * y * down)


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
