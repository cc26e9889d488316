"""Edits of a face's shape by landmarks: a wider nose, larger eyes (the manipulations of FIPLS' figure 3).

Each works in the face model's canonical frame, whatever way the head is turned, and runs out smoothly around
the part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from reenact.errors import ReenactError
from reenact.geometry.face_model import FaceModel, default_face_model, rotation_matrix
from reenact.geometry.schemes import (
    JAW,
    LEFT_BROW,
    LEFT_EYE,
    LEFT_IRIS,
    LEFT_IRIS_CENTRE,
    LIPS_INNER,
    LIPS_OUTER,
    NOSE_BASE,
    NOSE_BRIDGE,
    RIGHT_BROW,
    RIGHT_EYE,
    RIGHT_IRIS,
    RIGHT_IRIS_CENTRE,
)
from reenact.types import FaceState, Floats, Points

LEAST, MOST = 0.5, 2.0
"""Limits of a factor; 1 changes nothing."""
_LIPS = np.concatenate([LIPS_OUTER, LIPS_INNER])
_EYES = (
    np.concatenate([RIGHT_EYE, RIGHT_IRIS, [RIGHT_IRIS_CENTRE]]),
    np.concatenate([LEFT_EYE, LEFT_IRIS, [LEFT_IRIS_CENTRE]]),
)


@dataclass(frozen=True)
class Attribute:
    """A part (or several, each about its own middle) that is scaled along axes of the canonical frame: 0
    across, 1 down.

    about: points whose middle stays where it is, else the part's own. reach: how far around the part the edit
    runs out, in canonical units (the distance between the outer eye corners is 1).
    """

    title: str
    parts: tuple[NDArray[np.integer], ...]
    axes: tuple[int, ...]
    about: NDArray[np.integer] | None = None
    reach: float = 0.12


ATTRIBUTES: dict[str, Attribute] = {
    "nose_width": Attribute("width of the nose", (NOSE_BASE,), (0,)),
    "nose_length": Attribute("length of the nose", (NOSE_BASE,), (1,), about=NOSE_BRIDGE[:1], reach=0.3),
    "mouth_width": Attribute("width of the mouth", (_LIPS,), (0,)),
    "lips": Attribute("fullness of the lips", (_LIPS,), (1,), reach=0.08),
    "eyes": Attribute("size of the eyes", _EYES, (0, 1), reach=0.08),
    "brows": Attribute(
        "height of the brows above the eyes",
        (np.concatenate([RIGHT_BROW, LEFT_BROW]),),
        (1,),
        about=np.concatenate([RIGHT_EYE, LEFT_EYE]),
        reach=0.1,
    ),
    "jaw": Attribute("width of the jaw", (JAW[3:-3],), (0,), reach=0.25),
}


def edited(
    points: Points, changes: Mapping[str, float], model: FaceModel | None = None
) -> tuple[Points, FaceState]:
    """Points (478, 3) in pixels with attributes scaled by factors, and the state of the result: the pose and
    expression of the face before. A ReenactError for an unknown attribute or a factor out of range."""
    model = model or default_face_model()
    state = model.fit(points)
    shape = model.canonical(state, points)
    moved = shape + sum(
        (_change(shape, name, factor) for name, factor in changes.items()), np.zeros_like(shape)
    )
    out = state.scale * moved @ rotation_matrix(state.rotation).T
    out[:, :2] += state.translation
    out = out.astype(np.float32)
    return out, replace(state, identity=model.fit(out).identity)


def _change(shape: Points, name: str, factor: float) -> Floats:
    """(478, 3): how far each point of the canonical shape goes."""
    if name not in ATTRIBUTES:
        raise ReenactError(f"there is no attribute {name!r}; choose one of: {', '.join(ATTRIBUTES)}")
    if not LEAST <= factor <= MOST:
        raise ReenactError(f"{name} {factor:g}: a factor from {LEAST:g} to {MOST:g}; 1 changes nothing")
    one = ATTRIBUTES[name]
    change = np.zeros_like(shape)
    for number, part in enumerate(one.parts):
        centre = shape[part if one.about is None else one.about].mean(0)
        axes = list(one.axes)
        # Around a part its own reach is scaled, so that points beyond it do not go further than its edge.
        half = np.abs(shape[part] - centre).max(0)
        away = np.clip(shape - centre, -half, half)
        change[:, axes] += (factor - 1) * (_share(name, number)[:, None] * away)[:, axes]
    return change


@cache
def _share(name: str, number: int) -> Floats:
    """(478,): 1 on the part, smoothly down to 0 around it, on the mean face."""
    one, mean = ATTRIBUTES[name], default_face_model().mean
    part = mean[one.parts[number]]
    away = np.linalg.norm(mean[:, None] - part[None], axis=2).min(1)
    return np.exp(-((away / one.reach) ** 2)).astype(np.float32)
