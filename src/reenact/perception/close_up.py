"""A driving face seen close up: always in one place and of one size, for what is followed by its looks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from reenact.geometry.opencv import opencv
from reenact.perception.matte import square_cut
from reenact.types import FaceState, Image, Points

SIDE = 256
"""Pixels of the square."""
_UNITS = 4.4
"""Its side in canonical units; the eyes are in its middle."""


@dataclass(frozen=True)
class CloseUp:
    """cut: (s, s, 3), the square in the picture's own pixels. left, top: its corner in the picture."""

    cut: Image
    left: int
    top: int

    @classmethod
    def of(cls, picture: Image, state: FaceState) -> CloseUp:
        """The square around a face in a picture (H, W, 3 or 4), which it may leave."""
        side = max(round(_UNITS * state.scale), 16)
        left, top = (round(float(at) - side / 2) for at in state.translation)
        return cls(square_cut(picture[..., :3], left, top, side), left, top)

    @property
    def zoom(self) -> float:
        """Pixels of the square, at `SIDE`, a pixel of the picture."""
        return SIDE / len(self.cut)

    @cached_property
    def grey(self) -> NDArray[np.uint8]:
        """(SIDE, SIDE)."""
        return self._shrunk(opencv().cvtColor(self.cut, opencv().COLOR_RGB2GRAY))

    @property
    def picture(self) -> Image:
        """(SIDE, SIDE, 3)."""
        return self._shrunk(self.cut)

    def points(self, points: Points) -> Points:
        """Points (N, 2 or 3) of the picture in pixels of the square."""
        moved = points.copy()
        moved[:, :2] -= (self.left, self.top)
        return moved * np.float32(self.zoom)

    def state(self, state: FaceState) -> FaceState:
        """A state in the picture as one in the square."""
        place = ((state.translation - (self.left, self.top)) * self.zoom).astype(np.float32)
        return replace(state, scale=state.scale * self.zoom, translation=place)

    def _shrunk(self, picture: Image) -> Image:
        cv2 = opencv()
        way = cv2.INTER_AREA if len(picture) > SIDE else cv2.INTER_LINEAR
        return cv2.resize(picture, (SIDE, SIDE), interpolation=way)
