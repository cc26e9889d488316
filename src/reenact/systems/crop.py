"""The square that a learned generator draws: cut out of the source's region, and pasted back into it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reenact.geometry.align import Square, apply, crop_matrix, face_square, invert
from reenact.geometry.crop import cut
from reenact.geometry.opencv import opencv
from reenact.media.compose import over
from reenact.systems.spec import SourceFace
from reenact.types import FaceState, Floats, Image, Points

FEATHER = 0.08
"""Width of the seam, in sides of the crop, over which the drawn face runs into the source picture."""
_GREY = 128
_FACE_SIDE = 1.85 * 1.865
_EYES_UP = 0.06


class FaceCrop:
    """The crop of 1.85 face heights around a source's face, as `reenact prepare` cuts it for training.

    source: the face and its region (H, W). size: S, the network's own. picture: (S, S, 3), transparency on
    grey; beyond the region the edge repeats. matrix: (2, 3), region to crop.
    """

    def __init__(self, source: SourceFace, size: int) -> None:
        self.size = size
        self.matrix = crop_matrix(face_square(source.points), size)
        self._region = source.picture
        self.picture = cut(over(source.picture, _GREY), self.matrix, size, repeat_edge=True)
        self._mask = _seam(source, self.matrix, size)

    def inward(self, points: Points) -> Points:
        """Points (N, 2 or 3) of the region in pixels of the crop."""
        return apply(self.matrix, points).astype(np.float32)

    def paste(self, drawn: Image, shown: Floats | None = None) -> Image:
        """The region (H, W, 3 or 4) with a drawn crop (S, S, 3) in its place, at the region's own resolution.
        The region's transparency stays as it is. shown: (S, S) in [0, 1], how much of the crop is laid on; all
        by default."""
        placed, mask = self._placed(drawn), self._mask
        if shown is not None:
            mask = mask * self._placed(shown)[..., None].clip(0, 1)
        out = self._region.copy()
        own = out[..., :3].astype(np.float32)
        out[..., :3] = np.rint(own + (placed - own) * mask)
        return out

    def _placed(self, drawn: NDArray[Any]) -> NDArray[Any]:
        """(H, W, 3) or (H, W): the crop where it belongs; area means where it shrinks, cubic where it grows."""
        cv2 = opencv()
        back = invert(self.matrix)
        if back[0, 0] < 1:
            side = max(round(self.size * back[0, 0]), 1)
            drawn = cv2.resize(drawn, (side, side), interpolation=cv2.INTER_AREA)
            back[:, :2] *= self.size / side
        height, width = self._region.shape[:2]
        # OpenCV counts from the centre of the first pixel, reenact from its corner.
        back[:, 2] += back[:, :2].sum(1) / 2 - 0.5
        placed: NDArray[Any] = cv2.warpAffine(
            drawn, back, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        return placed


def state_square(state: FaceState) -> Square:
    """The square where `reenact.data.synthetic` puts a face of mean size and place; there landmark converters
    see driving and source, whatever part of the picture they fill."""
    side = _FACE_SIDE * state.scale
    return Square(float(state.translation[0]), float(state.translation[1]) + _EYES_UP * side, side)


def _seam(source: SourceFace, matrix: np.ndarray, size: int) -> Floats:
    """(H, W, 1): 1 inside the crop, down to 0 at its borders and at those where the whole picture goes on."""
    height, width = source.picture.shape[:2]
    x, y = np.arange(width) + 0.5, np.arange(height) + 0.5
    inside_x, inside_y = (matrix[axis, axis] * at + matrix[axis, 2] for axis, at in enumerate((x, y)))
    seam = FEATHER * size
    left, top, right, bottom = source.fixed
    across = _ramp(np.minimum(inside_x, size - inside_x), seam) * _held(
        x, width, left, right, seam / matrix[0, 0]
    )
    down = _ramp(np.minimum(inside_y, size - inside_y), seam) * _held(
        y, height, top, bottom, seam / matrix[0, 0]
    )
    return (down[:, None] * across)[..., None].astype(np.float32)


def _held(at: np.ndarray, length: int, first: bool, last: bool, seam: float) -> np.ndarray:
    """1, but down to 0 at the ends of the region that are fixed."""
    start = _ramp(at, seam) if first else np.ones(len(at))
    return start * (_ramp(length - at, seam) if last else 1.0)


def _ramp(distance: np.ndarray, width: float) -> np.ndarray:
    """0 up to a border, 1 from `width` inside it on, smooth between."""
    t = (distance / width).clip(0, 1)
    return t * t * (3 - 2 * t)
