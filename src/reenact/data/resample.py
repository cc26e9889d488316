"""A still with itself: its own picture, warped, as the driving one, so that a network cannot copy its shape.

OSFR's boundary resampling (section 3.2.4, equation 3.8) gives the picture the face contour of somebody else and
leaves eyes, brows, nose and mouth alone. `flat` is the paper's: two-dimensional, the other contour laid on by a
similarity. `solid` is ours: the contours are exchanged in the face model's canonical frame, so that the other
face may look elsewhere. `stirred` moves the expression and turns the head a little.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import numpy as np

from reenact.geometry.align import apply, similarity
from reenact.geometry.face_model import FaceModel, rotation_matrix, rotation_vector
from reenact.geometry.schemes import (
    FACE_OVAL,
    LEFT_BROW,
    LEFT_EYE,
    LEFT_IRIS,
    LEFT_IRIS_CENTRE,
    LIPS_INNER,
    LIPS_OUTER,
    MESH_TRIANGLES,
    NOSE_BASE,
    NOSE_BRIDGE,
    RIGHT_BROW,
    RIGHT_EYE,
    RIGHT_IRIS,
    RIGHT_IRIS_CENTRE,
)
from reenact.geometry.warp import FaceWarp
from reenact.types import FaceState, Floats, Image, Points

Manner = Literal["flat", "solid"]
_IRISES = [RIGHT_IRIS, LEFT_IRIS, [RIGHT_IRIS_CENTRE, LEFT_IRIS_CENTRE]]
_PARTS = [RIGHT_EYE, LEFT_EYE, RIGHT_BROW, LEFT_BROW, LIPS_INNER, LIPS_OUTER, NOSE_BASE, NOSE_BRIDGE]
_INNER = np.unique(np.concatenate([*_PARTS, *_IRISES])).astype(np.int32)
_ROUNDS = 200  # of relaxation; the mesh is about 15 edges wide


@dataclass(frozen=True)
class Resampled:
    """A warped picture (H, W, 3), its landmarks (478, 3) in pixels and its state."""

    image: Image
    points: Points
    state: FaceState


@cache
def contour_share() -> Floats:
    """(478,): how far each point goes along with the contour: 1 on the face's oval, 0 on eyes, brows, nose and
    mouth, smooth (harmonic) in between."""
    share = np.zeros(478, np.float32)
    share[FACE_OVAL] = 1
    held = np.union1d(_INNER, FACE_OVAL)
    valence = np.maximum(np.bincount(MESH_TRIANGLES.ravel(), minlength=478), 1)
    for _ in range(_ROUNDS):
        sums = np.zeros(478, np.float32)
        np.add.at(sums, MESH_TRIANGLES, share[MESH_TRIANGLES].mean(1, keepdims=True))
        relaxed = sums / valence
        relaxed[held] = share[held]
        share = relaxed.astype(np.float32)
    return share


def resampled_points(
    model: FaceModel, points: Points, state: FaceState, other: Points, manner: Manner = "solid"
) -> Points:
    """`points` (478, 3) in pixels with the contour of `other` (478, 3, of any picture): inner parts stay."""
    if manner == "flat":
        there = apply(similarity(other[_INNER, :2], points[_INNER, :2]), other)
        there[:, 2] = points[:, 2]
        return (points + contour_share()[:, None] * (there - points)).astype(np.float32)
    own = model.canonical(state, points)
    lent = model.canonical(model.fit(other), other)
    # Size and place are equal in the canonical frame, but the depth of a detected face has no fixed origin.
    lent = lent + (own - lent)[_INNER].mean(axis=0)
    shape = own + contour_share()[:, None] * (lent - own)
    placed = state.scale * shape @ rotation_matrix(state.rotation).T
    placed[:, :2] += state.translation
    return placed.astype(np.float32)


def stirred_points(
    model: FaceModel,
    points: Points,
    state: FaceState,
    random: np.random.Generator,
    *,
    expression: float = 0.5,
    turn: float = 8.0,
) -> tuple[Points, FaceState]:
    """`points` (478, 3) in pixels under another expression and a slightly turned head, and their state.

    expression: standard deviation of the change, in those of the model's coefficients. turn: the same of yaw,
    pitch and roll, degrees.
    """
    change = expression * random.standard_normal(len(state.expression)).astype(np.float32)
    angles = np.radians(turn) * random.standard_normal(3).astype(np.float32)
    rotation = rotation_matrix(angles) @ rotation_matrix(state.rotation)
    target_state = replace(
        state, rotation=rotation_vector(rotation), expression=(state.expression + change).astype(np.float32)
    )
    shape = model.canonical(state, points) + np.tensordot(change, model.expression, 1)
    target = state.scale * shape @ rotation.T
    target[:, :2] += state.translation
    return target.astype(np.float32), target_state


def stirred(
    model: FaceModel,
    image: Image,
    points: Points,
    state: FaceState,
    random: np.random.Generator,
    *,
    expression: float = 0.5,
    turn: float = 8.0,
) -> Resampled:
    """The picture warped to `stirred_points`, which are the true landmarks of the result."""
    target, target_state = stirred_points(model, points, state, random, expression=expression, turn=turn)
    warped = FaceWarp(image, points, state).render(target, target_state)
    return Resampled(warped, target, target_state)
