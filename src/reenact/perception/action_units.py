"""Action units as geometric rules on the expression, and a reader for OpenFace's tables.

A unit is measured on the face that the morphable model has fitted, without pose: the distance between the outer
eye corners is the unit, y points down. Each rule is a distance or a shift there, taken from the same person at
rest where that is known; `SCALE` turns it into the intensity of 0 to 5 that FACS and OpenFace use. These are
rules on points: what only wrinkles and bulges show (AU6, AU9, AU14, AU23) is an estimate from the points that
move along. For published figures run OpenFace itself and read its table.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reenact.errors import ReenactError
from reenact.geometry.face_model import FaceModel, default_face_model
from reenact.perception.head_pose import HeadPose, head_pose, turn
from reenact.types import FaceState, Floats, Points

GLG_UNITS = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 28, 45)
"""The 18 units of GLG's figure 4, which are OpenFace's."""
OSFR_UNITS = (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26)
"""The 12 units of OSFR 4.1.4, which are DISFA's."""
PRESENT = 1.0
"""Intensity from which a unit counts as present (FACS level A)."""
MOST = 5.0

NAMES = {
    1: "inner brow raiser", 2: "outer brow raiser", 4: "brow lowerer", 5: "upper lid raiser",
    6: "cheek raiser", 7: "lid tightener", 9: "nose wrinkler", 10: "upper lip raiser", 12: "lip corner puller",
    14: "dimpler", 15: "lip corner depressor", 17: "chin raiser", 20: "lip stretcher", 23: "lip tightener",
    25: "lips part", 26: "jaw drop", 28: "lip suck", 45: "blink",
}  # fmt: skip


def _gap(p: Points, *pairs: tuple[int, int]) -> Floats:
    """Mean distance between the points of each pair."""
    ends = np.array(pairs).T
    return np.asarray(np.linalg.norm(p[..., ends[0], :] - p[..., ends[1], :], axis=-1).mean(-1))


def _mean(p: Points, axis: int, *points: int) -> Floats:
    return np.asarray(p[..., list(points), axis].mean(-1))


def _y(p: Points, *points: int) -> Floats:
    return _mean(p, 1, *points)


def _z(p: Points, *points: int) -> Floats:
    return _mean(p, 2, *points)


def _opening(p: Points) -> Floats:
    """Between the lids, over the eye's width."""
    lids = _gap(p, (160, 144), (159, 145), (158, 153), (385, 380), (386, 374), (387, 373))
    return lids / _gap(p, (33, 133), (362, 263))


def _width(p: Points) -> Floats:
    return _gap(p, (61, 291))


def _red(p: Points) -> Floats:
    """Height of the two lips' red together."""
    return _gap(p, (0, 13), (37, 82), (267, 312)) + _gap(p, (17, 14), (84, 87), (314, 317))


def _corners(p: Points) -> Floats:
    """How far the corners of the mouth lie below the middle between the lips."""
    return _y(p, 61, 291) - _y(p, 13, 14)


def _part(p: Points) -> Floats:
    return _gap(p, (13, 14), (82, 87), (312, 317))


RULES: dict[int, Callable[[Points], Floats]] = {
    1: lambda p: -_y(p, 55, 107, 285, 336),  # the inner ends of the brows rise
    2: lambda p: -_y(p, 46, 70, 63, 276, 300, 293),  # the outer ends rise
    4: lambda p: _y(p, 55, 65, 285, 295) - 0.7 * _gap(p, (55, 285)),  # lower and closer together
    5: lambda p: _opening(p) - 0.5 * _y(p, 160, 159, 158, 385, 386, 387),  # the upper lids rise
    6: lambda p: -_y(p, 117, 118, 50, 346, 347, 280),  # the cheeks rise towards the eyes
    7: lambda p: -_y(p, 144, 145, 153, 380, 374, 373) - 0.3 * _opening(p),  # the lower lids rise
    9: lambda p: -_y(p, 48, 64, 98, 278, 294, 327) + 0.5 * _y(p, 55, 285),  # wings up, inner brows down
    10: lambda p: _y(p, 2) - _y(p, 37, 0, 267),  # the upper lip nears the nose
    12: lambda p: -_y(p, 61, 291) + 0.5 * _width(p),  # the corners go up and out
    14: lambda p: _z(p, 61, 291) - _z(p, 0, 17) - 1.5 * _part(p),  # the corners go in
    15: lambda p: _corners(p) - 0.3 * _part(p),  # the corners fall below the lips
    17: lambda p: -_y(p, 17, 18, 200) + 0.5 * _y(p, 152),  # the chin's boss and the lower lip rise
    20: lambda p: _width(p) - 1.5 * (-_corners(p)).clip(0),  # out, but not up
    23: lambda p: -_red(p) - 0.5 * _width(p) - _part(p),  # thin, narrow, shut
    25: _part,  # apart
    26: lambda p: _y(p, 152, 148, 377),  # the chin falls
    28: lambda p: -_red(p) - 3 * _part(p) + 0.5 * _z(p, 0, 17),  # rolled in over the teeth
    45: lambda p: -_opening(p),  # the lids shut
}
"""Unit -> its measure on canonical points (..., 478, 3), as (...); larger is more."""

SCALE: dict[int, tuple[float, float]] = {
    1: (0.1942, 0.3498),
    2: (0.1628, 0.3176),
    4: (-0.349, -0.3077),
    5: (0.3179, 0.512),
    6: (-0.2481, -0.2081),
    7: (-0.098, -0.0333),
    9: (-0.4917, -0.4505),
    10: (-0.1848, -0.0819),
    12: (-0.4797, -0.2641),
    14: (0.1798, 0.2219),
    15: (0.0219, 0.0619),
    17: (-0.2871, -0.2471),
    20: (0.5618, 0.7151),
    23: (-0.4582, -0.4182),
    25: (0.0086, 0.3261),
    26: (1.2518, 1.3726),
    28: (-0.3439, -0.3039),
    45: (-0.2638, -0.0615),
}
"""Unit -> its measure at rest and at full strength (intensity 5).

Rest: the median over 931 old portraits, which seldom smile (units 4, 7, 9, 14, 15, 17, 23, 28, 45, where faces
at rest differ most: the 75th percentile). Full: the 99.5th percentile over the training clips and the modern
portraits, and at least 0.04 above rest. People and clips set aside for tests are not in it.
"""


@dataclass(frozen=True)
class ActionUnits:
    """intensity: unit -> 0 to 5."""

    intensity: dict[int, float]

    def present(self, unit: int) -> bool:
        """Whether the unit is at least at FACS level A."""
        return self.intensity[unit] >= PRESENT

    def vector(self, units: tuple[int, ...] = GLG_UNITS) -> Floats:
        """Intensities of `units` in [0, 1], as OSFR's and GANimation's metrics take them."""
        return np.array([self.intensity[unit] / MOST for unit in units], np.float32)

    def presence(self, units: tuple[int, ...] = GLG_UNITS) -> NDArray[np.bool_]:
        """Which of `units` are present, as GLG's AUCON compares them."""
        return np.array([self.present(unit) for unit in units])


def action_units(
    state: FaceState, neutral: FaceState | None = None, *, model: FaceModel | None = None
) -> ActionUnits:
    """The units of a fitted face.

    neutral: the same person at rest; each unit is then measured from there, which is far more exact: with
    one picture alone, a face's own build (high brows, thin lips) passes for expression. model: of `state`, by
    default the shipped one.
    """
    model = default_face_model() if model is None else model
    face = model.shape(state.identity, state.expression)
    rest = None if neutral is None else model.shape(neutral.identity, neutral.expression)
    return units_of_shape(face, rest)


def units_of_shape(face: Points, rest: Points | None = None) -> ActionUnits:
    """The units of a canonical face (478, 3), against `rest` (478, 3) where that is known."""
    return ActionUnits(dict(zip(RULES, intensities(face, rest).tolist(), strict=True)))


def intensities(faces: Points, rest: Points | None = None) -> Floats:
    """(..., 18): 0 to 5, of canonical faces (..., 478, 3) in the order of `RULES`, which is that of
    `GLG_UNITS`; against each one's `rest` (..., 478, 3) where that is known."""
    values = []
    for unit, rule in RULES.items():
        start, full = SCALE[unit]
        change = rule(faces) - (start if rest is None else rule(rest))
        values.append(np.clip(MOST * change / (full - start), 0, MOST))
    return np.stack(values, -1)


@dataclass(frozen=True)
class OpenFaceTable:
    """What OpenFace wrote for a clip. times: (F,) seconds. confidence: (F,). success: (F,) bool. units: F
    readings (AU28 has presence only there: its intensity is 0 or 1). pose: F angles in our convention.
    landmarks: (F, 68, 2) pixels, or None where the table has none."""

    times: Floats
    confidence: Floats
    success: NDArray[np.bool_]
    units: tuple[ActionUnits, ...]
    pose: tuple[HeadPose, ...]
    landmarks: Floats | None


def read_openface(path: Path) -> OpenFaceTable:
    """Read the CSV of OpenFace 2 (`FeatureExtraction`); raises ReenactError where it is not one."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [{key.strip(): value for key, value in row.items() if key} for row in csv.DictReader(file)]
        return _table(rows)
    except OSError as error:
        raise ReenactError(f"{path}: cannot be read ({error.strerror})") from error
    except (KeyError, ValueError, TypeError, AttributeError, UnicodeDecodeError) as error:
        raise ReenactError(
            f"{path}: not a table of OpenFace 2 ({type(error).__name__}: {error}); "
            "write it with FeatureExtraction -aus -pose"
        ) from error


def _table(rows: list[dict[str, str]]) -> OpenFaceTable:
    if not rows:
        raise ValueError("no rows")

    def column(name: str) -> Floats:
        return np.array([float(row[name]) for row in rows], np.float32)

    intensity = {
        u: column(f"AU{u:02d}_r") if f"AU{u:02d}_r" in rows[0] else column(f"AU{u:02d}_c") for u in GLG_UNITS
    }
    turns = np.stack([column(f"pose_R{axis}") for axis in "xyz"], 1)
    points = None
    if "x_0" in rows[0]:
        points = np.stack([np.stack([column(f"{axis}_{i}") for i in range(68)], 1) for axis in "xy"], 2)
    return OpenFaceTable(
        times=column("timestamp") if "timestamp" in rows[0] else np.zeros(len(rows), np.float32),
        confidence=column("confidence"),
        success=column("success") > 0.5,
        units=tuple(ActionUnits({u: float(v[i]) for u, v in intensity.items()}) for i in range(len(rows))),
        pose=tuple(_openface_pose(row) for row in turns),
        landmarks=points,
    )


def _openface_pose(angles: Floats) -> HeadPose:
    """OpenFace's angles in ours: it multiplies Rx Ry Rz in the camera's axes, which are the picture's."""
    x, y, z = (float(angle) for angle in angles)
    return head_pose(turn(0, x) @ turn(1, y) @ turn(2, z))
