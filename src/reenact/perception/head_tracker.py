"""How the head moves apart from the face: points of forehead, hair and ears, followed by their looks.

The points are chosen in one frame, the anchor, and looked for in every other frame near where the face's pose
puts them, so that nothing drifts; what they say together is a
`geometry.head_offset`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reenact.geometry.head_field import project, unproject
from reenact.geometry.head_offset import TOGETHER, fit_offset, scaled
from reenact.geometry.opencv import opencv
from reenact.geometry.schemes import FACE_OVAL
from reenact.perception.close_up import SIDE, CloseUp
from reenact.perception.lucas_kanade import Search, found_again
from reenact.perception.matte import person_matte
from reenact.types import FaceState, Floats, Landmarks, Points

_ACROSS, _UP, _DOWN = 1.7, 1.6, 1.05
"""The part of the head that is rigid, in canonical units: half axes around the eyes, and how far below them."""
_FOREHEAD = -0.62
"""Of the face itself, what lies above this height moves with no frown."""
_MOST, _LEAST = 120, 12
_TRIES = 5
"""In so many frames an anchor is looked for; a person's matte in every frame would cost more than all else."""
_QUALITY, _APART = 0.01, 3
_SEARCH = Search(window=15, halvings=1, back=1.0, far=10.0)


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

    def offset(self, close_up: CloseUp, points: Points, state: FaceState) -> Floats:
        """(6,) as of `geometry.head_offset`, the shift in pixels of the picture that was seen close up.

        points: (478, 3) of the face in it. state: the same face as coefficients.
        """
        if self._anchor is None and not self._left:
            return TOGETHER
        seen = close_up.state(state)
        if self._anchor is None:
            self._anchor, self._left = _anchor_of(close_up, close_up.points(points), seen), self._left - 1
            return TOGETHER
        start = self._anchor
        moved, found = found_again(start.grey, close_up.grey, start.at, project(start.local, seen), _SEARCH)
        return scaled(fit_offset(start.local, seen, moved, found), 1 / close_up.zoom)


def _anchor_of(close_up: CloseUp, points: Points, state: FaceState) -> _Anchor | None:
    """The points to follow; None where there are too few."""
    cv2 = opencv()
    grey = close_up.grey
    matte = person_matte(close_up.picture, Landmarks(points, "mesh478"))
    x, y = np.moveaxis(unproject(_centres(), state), -1, 0)
    rigid = (np.hypot(x / _ACROSS, y / _UP) < 1) & (y < _DOWN) & (matte > 0.5)
    face = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillPoly(face, [np.round(points[FACE_OVAL, :2]).astype(np.int32)], 1)
    rigid &= (face == 0) | (y < _FOREHEAD)
    mask = cv2.erode(rigid.astype(np.uint8) * 255, np.ones((3, 3), np.uint8))
    corners = cv2.goodFeaturesToTrack(grey, _MOST, _QUALITY, _APART, mask=mask, blockSize=5)
    if corners is None or len(corners) < _LEAST:
        return None
    at = corners[:, 0] + np.float32(0.5)
    return _Anchor(grey, at, unproject(at, state))


def _centres() -> Points:
    at = np.arange(SIDE, dtype=np.float32) + 0.5
    return np.stack(np.meshgrid(at, at), -1)
