"""A pose by hand: the head's angles, named expressions and action units become a motion of one moment.

An action unit is a rule on a few points (`perception/action_units.py`). The expression that shows it is the
most probable one in which the rules' measures are those wished for: the conditional mean of its normal prior
given the measures (Gaussian conditioning), whose dependence on the coefficients is taken as fixed and
corrected in a few rounds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache

import numpy as np

from reenact.errors import ReenactError
from reenact.geometry.expressions import expression
from reenact.geometry.face_model import FaceModel, default_face_model, rotation_vector
from reenact.geometry.transfer import neck_travel
from reenact.perception.action_units import MOST, RULES, SCALE
from reenact.perception.head_pose import HeadPose, pose_matrix
from reenact.types import Floats, Motion

MOST_DEGREES = 40.0
MOST_STRENGTH = 1.5
_STEP = 0.2
_ROUNDS = 4
_SLACK = 0.02, 0.6
"""How exactly a unit's measure is kept, canonical units: one that was asked for, and one that was not."""
_FARTHEST = 8.0
"""Norm of the coefficients beyond which no face of the training clips lay by far; wishes stop there."""
_HEAD = 0.2
"""Size of the head in the motion's frame, which a relative motion takes no notice of."""


@dataclass(frozen=True)
class Pose:
    """What is asked of a portrait, as a change from its own state.

    yaw (to the picture's right), pitch (up), roll (clockwise on the screen): degrees. expressions: strengths of
    names in `geometry.expressions.EXPRESSIONS`, 1 is full. units: intensities of action units, 0 to 5.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    expressions: Mapping[str, float] = field(default_factory=dict)
    units: Mapping[int, float] = field(default_factory=dict)


def pose_motion(pose: Pose) -> Motion:
    """The pose as a motion of one moment, for `animate_image`; as relative motion it changes the source's own
    state. Raises ReenactError for an unknown expression or unit, or an angle or strength out of range."""
    _check(pose)
    model = default_face_model()
    rotation = rotation_vector(pose_matrix(HeadPose(pose.yaw, pose.pitch, pose.roll)))
    travel = _HEAD * neck_travel(np.zeros(3, np.float32), rotation)
    face = expression(model, pose.expressions) + units_expression(model, pose.units)
    return Motion(
        times=(Fraction(0),),
        rotation=rotation[None],
        scale=np.full(1, _HEAD, np.float32),
        translation=(0.5 + travel)[None].astype(np.float32),
        expression=face[None].astype(np.float32),
        found=np.ones(1, bool),
        fps=Fraction(25),
        size=(512, 512),
        duration=Fraction(1, 25),
    )


def units_expression(model: FaceModel, units: Mapping[int, float]) -> Floats:
    """The most probable expression (E,) that shows action units at intensities of 0 to 5; those that are not
    named stay near rest, as far as the named ones leave them. A wish beyond plausible faces is met in part."""
    if not any(units.values()):
        return np.zeros(len(model.expression), np.float32)
    slopes = _slopes(model)
    wished = np.array([units.get(u, 0.0) / MOST * (full - rest) for u, (rest, full) in SCALE.items()])
    slack = np.array([_SLACK[0 if units.get(u) else 1] * abs(full - rest) for u, (rest, full) in SCALE.items()])
    system = slopes @ slopes.T + np.diag(slack**2)
    rest = _measures(model, np.zeros(len(model.expression), np.float32))
    face, goal = np.zeros(len(model.expression), np.float32), wished
    for _ in range(_ROUNDS):
        face = (slopes.T @ np.linalg.solve(system, goal)).astype(np.float32)
        missed = wished - (_measures(model, face) - rest)
        asked = np.array([bool(units.get(u)) for u in SCALE])
        goal = goal + 0.7 * np.where(asked, missed, 0.0)
    return face * min(1.0, _FARTHEST / max(float(np.linalg.norm(face)), 1e-6))


def _check(pose: Pose) -> None:
    for name in ("yaw", "pitch", "roll"):
        if not abs(getattr(pose, name)) <= MOST_DEGREES:
            raise ReenactError(f"{name} is {getattr(pose, name):g}; give at most {MOST_DEGREES:g} degrees")
    for name, strength in pose.expressions.items():
        if not abs(strength) <= MOST_STRENGTH:
            raise ReenactError(f"the strength of {name!r} is {strength:g}; give at most {MOST_STRENGTH:g}")
    for unit, intensity in pose.units.items():
        if unit not in RULES:
            raise ReenactError(f"there is no action unit {unit}; choose from: {', '.join(map(str, RULES))}")
        if not 0 <= intensity <= MOST:
            raise ReenactError(f"action unit {unit} is {intensity:g}; give 0 to {MOST:g}")


def _measures(model: FaceModel, face: Floats) -> Floats:
    """(U,) measures of all units on the mean person with that expression (E,)."""
    shape = model.shape(np.zeros(len(model.identity), np.float32), face)
    return np.array([RULES[unit](shape) for unit in SCALE])


@lru_cache(maxsize=1)
def _slopes(model: FaceModel) -> Floats:
    """(U, E): how much each measure grows with each coefficient, by central differences. The
    lips are a little apart there: where they touch, the distance between them has no slope."""
    steps = _STEP * np.eye(len(model.expression), dtype=np.float32)
    base = expression(model, {"jaw_open": 0.3})
    pairs = [_measures(model, base + step) - _measures(model, base - step) for step in steps]
    return np.stack(pairs, 1) / (2 * _STEP)
