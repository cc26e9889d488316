"""Expressions by name: what the whole face does, given what a few of its points do.

The expression coefficients have a normal prior, so the most probable face under a wish such as 'the lids
meet' is a conditional mean: cheeks and brows follow as they did in the faces that the model was learned
from. It makes poses without a driving face, motions for tests, and the demo.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from reenact.errors import ReenactError
from reenact.geometry.face_model import FaceModel
from reenact.geometry.schemes import (
    LEFT_BROW,
    LEFT_EYE,
    LEFT_IRIS,
    LEFT_IRIS_CENTRE,
    LIPS_INNER,
    RIGHT_BROW,
    RIGHT_EYE,
    RIGHT_IRIS,
    RIGHT_IRIS_CENTRE,
)
from reenact.types import Floats

_NOISE = 0.004


@dataclass(frozen=True)
class Wish:
    """Wanted movements: `points` (K,) of the mesh move by `move` (K, 3) canonical units; with `apart`, the
    second half of the points moves so relative to the first half."""

    points: tuple[int, ...]
    move: tuple[tuple[float, float, float], ...]


def _lids(ring: np.ndarray, amount: float) -> Wish:
    upper = ring[2:7]
    return Wish(tuple(int(p) for p in upper), ((0.0, amount, 0.0),) * 5)


def _rigid(points: np.ndarray, x: float, y: float) -> Wish:
    return Wish(tuple(int(p) for p in points), ((x, y, 0.0),) * len(points))


def _still(*points: int) -> Wish:
    return Wish(points, ((0.0, 0.0, 0.0),) * len(points))


_IRIS_RIGHT = np.append(RIGHT_IRIS, RIGHT_IRIS_CENTRE)
_IRIS_LEFT = np.append(LEFT_IRIS, LEFT_IRIS_CENTRE)
_MOUTH_STILL = _still(61, 291, 13, 14, 17, 0, 152)
_EYES_STILL = _still(159, 145, 386, 374, 105, 334, 55, 285)

EXPRESSIONS: dict[str, tuple[Wish, ...]] = {
    "blink": (_lids(RIGHT_EYE, 0.095), _lids(LEFT_EYE, 0.095), _MOUTH_STILL),
    "wide_eyes": (_lids(RIGHT_EYE, -0.03), _lids(LEFT_EYE, -0.03), _MOUTH_STILL),
    "wink_right": (_lids(RIGHT_EYE, 0.095), _lids(LEFT_EYE, 0.0), _MOUTH_STILL),
    "wink_left": (_lids(LEFT_EYE, 0.095), _lids(RIGHT_EYE, 0.0), _MOUTH_STILL),
    "brows_up": (_rigid(RIGHT_BROW[:5], 0, -0.07), _rigid(LEFT_BROW[:5], 0, -0.07), _MOUTH_STILL),
    "frown": (_rigid(RIGHT_BROW[3:6], 0.03, 0.035), _rigid(LEFT_BROW[3:6], -0.03, 0.035), _MOUTH_STILL),
    "smile": (
        Wish((61, 291), ((-0.075, -0.07, 0.04), (0.075, -0.07, 0.04))),
        Wish((13, 14), ((0.0, -0.01, 0.0),) * 2),
    ),
    "sad": (Wish((61, 291), ((0.0, 0.05, 0.0), (0.0, 0.05, 0.0))), _EYES_STILL),
    "jaw_open": (
        Wish((152, 14, 17, 13), ((0, 0.20, 0.03), (0, 0.20, 0.0), (0, 0.19, 0.0), (0, 0.0, 0.0))),
        Wish((61, 291), ((0.02, 0.05, 0.0), (-0.02, 0.05, 0.0))),
        _EYES_STILL,
    ),
    "lips_round": (Wish((61, 291), ((0.09, 0.0, -0.03), (-0.09, 0.0, -0.03))), _EYES_STILL),
    "gaze_right": (_rigid(_IRIS_RIGHT, -0.05, 0), _rigid(_IRIS_LEFT, -0.05, 0), _MOUTH_STILL),
    "gaze_left": (_rigid(_IRIS_RIGHT, 0.05, 0), _rigid(_IRIS_LEFT, 0.05, 0), _MOUTH_STILL),
}
"""What each name moves at strength 1, in canonical units (the eyes' outer corners are 1 apart)."""


def expression(model: FaceModel, strengths: Mapping[str, float]) -> Floats:
    """Coefficients (E,) of named expressions at given strengths (0 none, 1 full, negative the opposite).

    Each name's own most probable face is found from rest, and they are added. Raises ReenactError for a name
    that is not in EXPRESSIONS.
    """
    total = np.zeros(len(model.expression), np.float32)
    for name, strength in strengths.items():
        if name not in EXPRESSIONS:
            raise ReenactError(f"there is no expression {name!r}; choose from: {', '.join(EXPRESSIONS)}")
        total += strength * conditional(model, EXPRESSIONS[name])
    return total


def conditional(model: FaceModel, wishes: tuple[Wish, ...]) -> Floats:
    """The mean of the expression's normal prior (E,) given that points move as wished (Gaussian
    conditioning, equal to ridge regression on those points)."""
    points = np.concatenate([wish.points for wish in wishes]).astype(int)
    wanted = np.concatenate([wish.move for wish in wishes]).astype(np.float64).reshape(-1)
    rows = model.expression[:, points].reshape(len(model.expression), -1).astype(np.float64)
    system = rows @ rows.T / _NOISE**2 + np.eye(len(rows))
    return np.linalg.solve(system, rows @ wanted / _NOISE**2).astype(np.float32)


def lips_parted(model: FaceModel, coefficients: Floats) -> float:
    """Opening between the lips of the mean face, canonical units."""
    shape = model.shape(np.zeros(len(model.identity), np.float32), coefficients)
    return float(np.linalg.norm(shape[LIPS_INNER[5]] - shape[LIPS_INNER[15]]))
