"""What the face model leaves over of a face's points: how one person's skin folds, bulges and slides.

Coefficients say the better part of an expression; what they leave over between two moments of one face, a
detail, says the rest. It is (478, 3) in canonical units, and has no part along the line of sight of the picture
that it was seen in: a detector's depth is a guess, and its error would move points sideways as soon as the head
turns. Zeros are a face that is all coefficients.
"""

from __future__ import annotations

import numpy as np

from reenact.geometry.face_model import POINTS, FaceModel, rotation_matrix
from reenact.types import FaceState, Floats, Points

SHAPE = (POINTS, 3)
PLAIN = np.zeros(SHAPE, np.float32)
PLAIN.flags.writeable = False
MOST = 0.25
"""A detail never goes beyond this, in canonical units."""


def left_over(model: FaceModel, state: FaceState, points: Points) -> Floats:
    """(478, 3): what `state` does not say of points (478, 3) in pixels."""
    turn = rotation_matrix(state.rotation)
    rest = (model.canonical(state, points) - model.shape(state.identity, state.expression)) @ turn.T
    rest[:, 2] = 0
    return (rest @ turn).astype(np.float32)


def detail_between(rest: Floats, first: Floats) -> Floats:
    """The detail of a moment, of what is left over in it and in the first one of the same face, with states of
    one identity."""
    return np.clip(rest - first, -MOST, MOST)
