"""How the head moves apart from the face: points of forehead, hair and ears, followed by their looks.

The points are chosen in one frame, the anchor, and looked for in every other frame near where the face's pose
puts them (Lucas and Kanade 1981, by OpenCV), so that nothing drifts; what they say together is a
`geometry.head_offset`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from reenact.geometry.head_field import project, unproject
from reenact.geometry.head_offset import TOGETHER, fit_offset, scaled
from reenact.geometry.opencv import opencv
from reenact.geometry.schemes import FACE_OVAL
from reenact.perception.matte import person_matte, square_cut
from reenact.types import FaceState, Floats, Image, Landmarks, Points

_SIDE, _UNITS = 256, 4.4
"""Pixels of the square that is looked at, and its side in canonical units; the eyes are in its middle."""
_ACROSS, _UP, _DOWN = 1.7, 1.6, 1.05
"""The part of the head that is rigid, in canonical units: half axes around the eyes, and how far below them."""
_FOREHEAD = -0.62
"""Of the face itself, what lies above this height moves with no frown."""
_MOST, _LEAST = 120, 12
_TRIES = 5
"""In so many frames an anchor is looked for; a person's matte in every frame would cost more than all else."""
_QUALITY, _APART, _WINDOW = 0.01, 3, 15
_RETURN, _FAR = 1.0, 10.0
"""Pixels: how exactly a point has to come back when it is followed backwards, and how far it may be off."""


@dataclass(frozen=True)
class _Anchor:
    """The frame that points are looked for from. grey: (S, S). at: (N, 2) pixels. local: (N, 2) canonical."""

    grey: NDArray[np.uint8]
    at: Points
    local: Points


class HeadTracker:
    """Follows one head through the frames of a video or camera. The first frame that shows enough of it is the
    anchor, where by definition the head goes with its face; where none of the first few does, nothing is
    followed."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Take the next frame as the anchor."""
        self._anchor: _Anchor | None = None
        self._left = _TRIES

    def offset(self, picture: Image, points: Points, state: FaceState) -> Floats:
        """(6,) as of `geometry.head_offset`, the shift in pixels of the picture (H, W, 3).

        points: (478, 3) of the face in it. state: the same face as coefficients.
        """
        if self._anchor is None and not self._left:
            return TOGETHER
        square, seen = _square(picture, state)
        zoom = seen.scale / state.scale
        if self._anchor is None:
            placed = points * np.float32(zoom)
            placed[:, :2] += seen.translation - zoom * state.translation
            self._anchor, self._left = _anchor_of(_shrunk(square), placed, seen), self._left - 1
            return TOGETHER
        grey = _shrunk(opencv().cvtColor(square, opencv().COLOR_RGB2GRAY))
        return scaled(fit_offset(self._anchor.local, seen, *_followed(self._anchor, grey, seen)), 1 / zoom)


def _square(picture: Image, state: FaceState) -> tuple[Image, FaceState]:
    """What is looked at of a picture, (S, S, 3), and the state in it at `_SIDE`: the face is always at one
    place and of one size."""
    side = max(round(_UNITS * state.scale), 16)
    left, top = (round(float(at) - side / 2) for at in state.translation)
    zoom = _SIDE / side
    place = ((state.translation - (left, top)) * zoom).astype(np.float32)
    square = square_cut(picture[..., :3], left, top, side)
    return square, replace(state, scale=state.scale * zoom, translation=place)


def _shrunk(square: Image) -> Image:
    cv2 = opencv()
    way = cv2.INTER_AREA if len(square) > _SIDE else cv2.INTER_LINEAR
    return cv2.resize(square, (_SIDE, _SIDE), interpolation=way)


def _anchor_of(square: Image, points: Points, state: FaceState) -> _Anchor | None:
    """The points to follow; None where there are too few."""
    cv2 = opencv()
    grey = cv2.cvtColor(square, cv2.COLOR_RGB2GRAY)
    matte = person_matte(square, Landmarks(points, "mesh478"))
    x, y = np.moveaxis(unproject(_centres(), state), -1, 0)
    rigid = (np.hypot(x / _ACROSS, y / _UP) < 1) & (y < _DOWN) & (matte > 0.5)
    face = np.zeros((_SIDE, _SIDE), np.uint8)
    cv2.fillPoly(face, [np.round(points[FACE_OVAL, :2]).astype(np.int32)], 1)
    rigid &= (face == 0) | (y < _FOREHEAD)
    mask = cv2.erode(rigid.astype(np.uint8) * 255, np.ones((3, 3), np.uint8))
    corners = cv2.goodFeaturesToTrack(grey, _MOST, _QUALITY, _APART, mask=mask, blockSize=5)
    if corners is None or len(corners) < _LEAST:
        return None
    at = corners[:, 0] + np.float32(0.5)
    return _Anchor(grey, at, unproject(at, state))


def _followed(anchor: _Anchor, grey: NDArray[np.uint8], state: FaceState) -> tuple[Floats, NDArray[np.bool_]]:
    """How far the anchor's points are from where the state puts them, (N, 2), and which were found."""
    cv2 = opencv()
    expected = project(anchor.local, state)
    options = {
        "winSize": (_WINDOW, _WINDOW),
        "maxLevel": 1,
        "flags": cv2.OPTFLOW_USE_INITIAL_FLOW,
        "criteria": (cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, 15, 0.02),
    }
    # OpenCV counts from the first pixel's centre, we from its corner.
    start, goal = anchor.at[:, None] - np.float32(0.5), expected[:, None] - np.float32(0.5)
    there, ahead, _ = cv2.calcOpticalFlowPyrLK(anchor.grey, grey, start, goal.copy(), **options)
    again, behind, _ = cv2.calcOpticalFlowPyrLK(grey, anchor.grey, there, start.copy(), **options)
    moved = (there - goal)[:, 0]
    back = np.linalg.norm((again - start)[:, 0], axis=1)
    seen = (ahead[:, 0] > 0) & (behind[:, 0] > 0) & (back < _RETURN)
    return moved, seen & (np.linalg.norm(moved, axis=1) < _FAR)


def _centres() -> Points:
    at = np.arange(_SIDE, dtype=np.float32) + 0.5
    return np.stack(np.meshgrid(at, at), -1)
