"""The layouts of 68, 98 and 146 points as fixed mixtures of mesh points.

Each point of a layout is one mesh point or a weighted mean of a few, so that a conversion is one product
`weights @ points`: linear, differentiable, the same in two and three dimensions. The tables were set
against two independent references: dlib's 68-point predictor on 569 portraits, and the 106 + 40 points
that OSFR's authors publish with their pictures (`docs/faces.md` has the figures).

The jaw's 33 points lie at equal steps of arc length on the mean face's oval, from the ear at the height of
the eye (0, the picture's left) over the chin (16) to the other ear (32); iBUG's 17 are every second one.
They are points of the 3D face: in a profile they stay on the jaw bone, where 2D data sets mark the
visible outline instead.

Points are numbered from the picture's left to its right, so that in all layouts the *right* side of the
subject comes first.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reenact.errors import ReenactError
from reenact.geometry.schemes.mesh import MESH_FLIP
from reenact.types import Floats, Landmarks, Scheme

COUNT: dict[Scheme, int] = {"mesh478": 478, "ibug68": 68, "wflw98": 98, "osfr146": 146}
"""Points a scheme."""

_JAW_STEPS = (
    (127, 234, 0.0), (127, 234, 0.622), (234, 93, 0.239), (234, 93, 0.848), (93, 132, 0.423),
    (93, 132, 0.986), (132, 58, 0.514), (58, 172, 0.047), (58, 172, 0.663), (172, 136, 0.339),
    (136, 150, 0.085), (136, 150, 0.811), (150, 149, 0.684), (149, 176, 0.607), (176, 148, 0.495),
    (148, 152, 0.293), (148, 152, 1.0),
)  # fmt: skip
"""Half the jaw, ear to chin: (from, to, share of the way) at equal arc length on the symmetric mean face."""

# 'a+b' is the midpoint of two mesh points.
_IBUG_BROW = "70+46 63+53 105+52 66+65 107+55"
_IBUG_BRIDGE = "168 197 5 4"
_NOSE_BASE = "75 97 2 326 305"
_IBUG_RIGHT_EYE = "33 160 158 133 153 144"
_IBUG_LEFT_EYE = "362 385 387 263 373 380"
_LIPS_OUTER = "61 39 37 0 267 269 291 321+405 314 17 84 91+181"
_LIPS_INNER = "78 82 13 312 308 317 14 87"

_WFLW_RIGHT_BROW = "70+46 63 105 66 107 55 65 52 53"
_WFLW_LEFT_BROW = "336 296 334 293 300+276 283 282 295 285"
_WFLW_RIGHT_EYE = "33 161 159 157 133 154 145 163"
_WFLW_LEFT_EYE = "362 384 386 388 263 390 374 381"

_OSFR_BRIDGE = "168 6+197 195+5 4"
_OSFR_BASE = "98 97 2 326 327"
_OSFR_RIGHT_LOWER_BROW = "53 52 65 55"
_OSFR_LEFT_LOWER_BROW = "285 295 282 283"
_OSFR_EYE_MIDDLES = "159 145 159+145 386 374 386+374"
_OSFR_NOSE_SIDES = "168+133 168+362 131 360 48+64 278+294"

_GAZE_POINTS = 20
"""Gaze points an eye."""


def _rows(text: str) -> Floats:
    rows = np.zeros((len(text.split()), 478), np.float32)
    for row, word in zip(rows, text.split(), strict=True):
        parts = [int(part) for part in word.split("+")]
        row[parts] = 1 / len(parts)
    return rows


def _jaw_rows() -> Floats:
    right = np.zeros((17, 478), np.float32)
    for row, (start, stop, share) in zip(right, _JAW_STEPS, strict=True):
        row[start] += 1 - share
        row[stop] += share
    return np.concatenate([right, right[15::-1, MESH_FLIP]])


def _gaze_rows() -> Floats:
    """20 points on each iris: an ellipse through its four mesh points.

    Starts beside the nose, goes down, and runs outward, up and back: clockwise on the screen for the right
    eye, mirrored for the left.
    """
    angle = np.arange(_GAZE_POINTS) * (2 * np.pi / _GAZE_POINTS)
    right = np.zeros((_GAZE_POINTS, 478), np.float32)
    right[:, 468] = 1
    right[:, 469], right[:, 471] = np.cos(angle) / 2, -np.cos(angle) / 2
    right[:, 472], right[:, 470] = np.sin(angle) / 2, -np.sin(angle) / 2
    return np.concatenate([right, right[:, MESH_FLIP]])


def _ibug68() -> Floats:
    right_brow = _rows(_IBUG_BROW)
    parts = [_jaw_rows()[::2], right_brow, right_brow[::-1, MESH_FLIP], _rows(_IBUG_BRIDGE), _rows(_NOSE_BASE)]
    eyes = [_rows(_IBUG_RIGHT_EYE), _rows(_IBUG_LEFT_EYE)]
    return np.concatenate([*parts, *eyes, _rows(_LIPS_OUTER), _rows(_LIPS_INNER)])


def _wflw98() -> Floats:
    brows = [_rows(_WFLW_RIGHT_BROW), _rows(_WFLW_LEFT_BROW)]
    nose = [_rows(_IBUG_BRIDGE), _rows(_NOSE_BASE)]
    eyes = [_rows(_WFLW_RIGHT_EYE), _rows(_WFLW_LEFT_EYE)]
    lips = [_rows(_LIPS_OUTER), _rows(_LIPS_INNER)]
    return np.concatenate([_jaw_rows(), *brows, *nose, *eyes, *lips, _rows("468 473")])


def _osfr146() -> Floats:
    brows = [_rows(_WFLW_RIGHT_BROW)[:5], _rows(_WFLW_LEFT_BROW)[:5]]
    nose = [_rows(_OSFR_BRIDGE), _rows(_OSFR_BASE)]
    eyes = [_rows(_IBUG_RIGHT_EYE), _rows(_IBUG_LEFT_EYE)]
    lower_brows = [_rows(_OSFR_RIGHT_LOWER_BROW), _rows(_OSFR_LEFT_LOWER_BROW)]
    middles = [_rows(_OSFR_EYE_MIDDLES), _rows(_OSFR_NOSE_SIDES)]
    lips = [_rows(_LIPS_OUTER), _rows(_LIPS_INNER), _rows("468 473")]
    return np.concatenate([_jaw_rows(), *brows, *nose, *eyes, *lower_brows, *middles, *lips, _gaze_rows()])


WEIGHTS: dict[Scheme, Floats] = {
    "mesh478": np.eye(478, dtype=np.float32),
    "ibug68": _ibug68(),
    "wflw98": _wflw98(),
    "osfr146": _osfr146(),
}
"""(N, 478) float32 a scheme, rows summing to 1: `scheme points = weights @ mesh points`.

ibug68: 0-16 jaw, 17-21 right and 22-26 left brow, 27-30 bridge, 31-35 nose base, 36-41 right and 42-47 left
eye, 48-59 outer and 60-67 inner lips.
wflw98: 0-32 jaw, 33-41 right and 42-50 left brow (upper edge, lower edge back), 51-54 bridge, 55-59 nose
base, 60-67 right and 68-75 left eye, 76-87 outer and 88-95 inner lips, 96 right and 97 left pupil.
osfr146: the common order of 106 points (0-32 jaw, 33-42 upper brows, 43-46 bridge, 47-51 base, 52-63 eyes,
64-71 lower brows, 72-77 lid middles and eye centres, 78-83 sides of the nose, 84-103 lips, 104-105 pupils),
then 20 points round the right iris and 20 round the left (OSFR figure 3.3 and the authors' landmark files).
"""


def _flip68() -> list[int]:
    jaw, brows, nose = range(16, -1, -1), range(26, 16, -1), [27, 28, 29, 30, 35, 34, 33, 32, 31]
    eyes = [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40]
    lips = [54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65]
    return [*jaw, *brows, *nose, *eyes, *lips]


def _flip98() -> list[int]:
    jaw = range(32, -1, -1)
    brows = [46, 45, 44, 43, 42, 50, 49, 48, 47, 37, 36, 35, 34, 33, 41, 40, 39, 38]
    nose = [51, 52, 53, 54, 59, 58, 57, 56, 55]
    eyes = [72, 71, 70, 69, 68, 75, 74, 73, 64, 63, 62, 61, 60, 67, 66, 65]
    lips = [82, 81, 80, 79, 78, 77, 76, 87, 86, 85, 84, 83, 92, 91, 90, 89, 88, 95, 94, 93]
    return [*jaw, *brows, *nose, *eyes, *lips, 97, 96]


def _flip146() -> list[int]:
    jaw, brows, nose = range(32, -1, -1), range(42, 32, -1), [43, 44, 45, 46, 51, 50, 49, 48, 47]
    eyes = [61, 60, 59, 58, 63, 62, 55, 54, 53, 52, 57, 56]
    inner = [71, 70, 69, 68, 67, 66, 65, 64, 75, 76, 77, 72, 73, 74, 79, 78, 81, 80, 83, 82]
    lips = [90, 89, 88, 87, 86, 85, 84, 95, 94, 93, 92, 91, 100, 99, 98, 97, 96, 103, 102, 101]
    return [*jaw, *brows, *nose, *eyes, *inner, *lips, 105, 104, *range(126, 146), *range(106, 126)]


FLIP: dict[Scheme, NDArray[np.int32]] = {
    "mesh478": MESH_FLIP,
    "ibug68": np.array(_flip68(), np.int32),
    "wflw98": np.array(_flip98(), np.int32),
    "osfr146": np.array(_flip146(), np.int32),
}
"""(N,) a scheme: the point that takes each point's place in the mirrored picture."""


def convert_points(points: NDArray[np.floating], scheme: Scheme) -> NDArray[np.floating]:
    """Mesh points in another scheme: (..., 478, D) to (..., N, D), in the same unit and type."""
    if points.shape[-2] != 478:
        raise ReenactError(
            f"{points.shape[-2]} points cannot be converted to {scheme}; give the detector's 478 mesh points"
        )
    return points if scheme == "mesh478" else WEIGHTS[scheme].astype(points.dtype) @ points


def convert(landmarks: Landmarks, scheme: Scheme) -> Landmarks:
    """Landmarks on the mesh in another scheme, visibility carried over.

    A point is visible where mesh points of at least half its weight are. Raises ReenactError for landmarks
    of any other scheme than the mesh or the wanted one.
    """
    if landmarks.scheme == scheme:
        return landmarks
    if landmarks.scheme != "mesh478":
        raise ReenactError(
            f"{landmarks.scheme} landmarks cannot become {scheme}; detect the face's 478 mesh points first"
        )
    visible = landmarks.visible
    if visible is not None:
        visible = np.abs(WEIGHTS[scheme]) @ visible >= 0.5 * np.abs(WEIGHTS[scheme]).sum(axis=1)
    return Landmarks(convert_points(landmarks.points, scheme), scheme, visible)


def flip_points(points: NDArray[np.floating], scheme: Scheme, width: float) -> NDArray[np.floating]:
    """The points of the mirrored picture, (..., N, D), for a picture of `width` pixels."""
    flipped = points[..., FLIP[scheme], :].copy()
    flipped[..., 0] = width - flipped[..., 0]
    return flipped
