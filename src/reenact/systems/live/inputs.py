"""What the network sees: a fixed crop of the source, and of each frame the landmark warp in that crop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reenact.geometry.align import face_square
from reenact.geometry.opencv import opencv
from reenact.geometry.warp import FaceWarp, WarpOptions
from reenact.systems.live.shape import shape_maps
from reenact.systems.spec import SourceFace, TargetShape
from reenact.types import Floats, Image, Points

SIDE = 256
"""Pixels of the crop that the network sees."""
MAP_SIDE = SIDE // 2
FLOW_SIDE = SIDE // 4
RESIDUAL_UNIT = 4.0
"""Pixels of the crop of residual flow that the network gives as 1."""
KEPT = 1.0
"""What is added to the network's answer before the sigmoid that says how much of the warp stays."""


@dataclass(frozen=True)
class Crop:
    """A square of whole pixels of a picture, which it may leave. left, top: its corner. side: its size."""

    left: int
    top: int
    side: int

    @classmethod
    def around(cls, points: Points) -> Crop:
        """The square of 1.85 face heights around a face (478, 2 or 3)."""
        square = face_square(points)
        side = max(round(square.side), 16)
        return cls(round(square.x - side / 2), round(square.y - side / 2), side)

    def inside(self, points: Points) -> Points:
        """Points of the picture in pixels of the crop at `SIDE`."""
        moved = points.copy()
        moved[:, :2] -= (self.left, self.top)
        return moved * np.float32(SIDE / self.side)

    def cut(self, picture: Image) -> Image:
        """(SIDE, SIDE, C) of a picture (H, W, C): area means where it shrinks, cubic where it grows; beyond the
        border the edge pixels repeat."""
        cv2 = opencv()
        height, width = picture.shape[:2]
        right, bottom = self.left + self.side, self.top + self.side
        out = picture[max(self.top, 0) : max(bottom, 0), max(self.left, 0) : max(right, 0)]
        beyond = (max(-self.top, 0), max(bottom - height, 0), max(-self.left, 0), max(right - width, 0))
        if any(beyond):
            out = cv2.copyMakeBorder(out, *beyond, cv2.BORDER_REPLICATE)
        way = cv2.INTER_AREA if self.side > SIDE else cv2.INTER_CUBIC
        return cv2.resize(out, (SIDE, SIDE), interpolation=way)


@dataclass(frozen=True)
class SourceInputs:
    """What depends on the source alone. picture: (256, 256, 3) uint8. maps: (128, 128, 7) uint8, its own shape
    maps and the matte."""

    picture: Image
    maps: Image


@dataclass(frozen=True)
class FrameInputs:
    """What depends on the frame. picture: (256, 256, 3) uint8, the landmark warp. maps: (128, 128, 6) uint8,
    the target's shape maps. flow: (64, 64, 2) float32, where each pixel of the crop came from, as an offset in
    pixels of the crop of 256."""

    picture: Image
    maps: Image
    flow: Floats


class LiveInputs:
    """A source ready to be warped, and the network's crop of it."""

    def __init__(self, source: SourceFace) -> None:
        options = WarpOptions(fixed=source.fixed)
        self.warp = FaceWarp(source.picture, source.points, source.state, source.matte, options)
        self.crop = Crop.around(source.points)
        self._size = source.picture.shape[:2]
        matte = np.ones(self._size, np.float32) if source.matte is None else source.matte
        cv2 = opencv()
        seen = cv2.resize(self.crop.cut((matte * 255).astype(np.uint8)), (MAP_SIDE, MAP_SIDE))
        maps = shape_maps(self.crop.inside(source.points) / 2, MAP_SIDE)
        picture = self.crop.cut(source.picture[..., :3])
        self.source = SourceInputs(picture, np.concatenate([maps, seen[..., None]], 2))

    def frame(self, target: TargetShape) -> tuple[Image, FrameInputs]:
        """The whole region warped, (H, W, 3 or 4), and what the network sees of it."""
        picture, flow = self.warp.render_with_flow(target.points, target.state, target.head)
        maps = shape_maps(self.crop.inside(target.points) / 2, MAP_SIDE)
        return picture, FrameInputs(self.crop.cut(picture[..., :3]), maps, self._seen_flow(flow))

    def _seen_flow(self, flow: Floats) -> Floats:
        """Flow on the region's grid (h, w, 2), in its pixels, as the crop sees it."""
        height, width = self._size
        step = self.crop.side / FLOW_SIDE
        # Pixel centres of the crop's grid, in pixels of the flow's grid counted from 0.
        across = np.array([flow.shape[1] / width, flow.shape[0] / height])
        corner = (np.array([self.crop.left, self.crop.top]) + step / 2) * across - 0.5
        matrix = np.array([[step * across[0], 0, corner[0]], [0, step * across[1], corner[1]]])
        cv2 = opencv()
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        seen = cv2.warpAffine(
            flow.astype(np.float32),
            matrix,
            (FLOW_SIDE, FLOW_SIDE),
            flags=flags,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return seen * np.float32(SIDE / self.crop.side)
