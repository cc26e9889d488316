"""FusionNet (section 3.3, figure 3.13): the generated face and the warped source, blended where both show the
same.

It has nothing to learn: the shape encoder E looks at both pictures, and the product of their parsing maps is
the mask (3.16)."""

from __future__ import annotations

from functools import cache
from threading import Lock
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from reenact.geometry.align import Matrix, apply, invert
from reenact.geometry.face_model import default_face_model
from reenact.geometry.opencv import opencv
from reenact.geometry.raster import rasterise
from reenact.geometry.schemes import convert_points
from reenact.geometry.warp import FaceWarp, WarpOptions
from reenact.perception.detector import MeshDetector
from reenact.systems.osfr.presets import OsfrSettings
from reenact.systems.osfr.shape import apart, parse
from reenact.systems.spec import SourceFace, TargetShape
from reenact.types import Floats, Image, Points

Fusion = Literal["warp", "morph", "none"]
_FACE = 104
"""Of the 146 points those that the morph's triangles join: all but pupils and gaze."""
_LONGEST = 240
"""Cells of the morph's grid along the picture's longer side; the rasteriser leaves out larger triangles."""


class FusionNet:
    """Bound to one source. matrix: (2, 3), from the region to the network's crop, in which the maps are drawn.

    differs from paper: all happens at the region's own resolution, so that the warp's detail is kept, and the
    'traditional warping' is ours, which knows of depth, eyes and mouth (`form='morph'` is the thesis's).
    """

    def __init__(
        self, source: SourceFace, matrix: Matrix, settings: OsfrSettings, form: Fusion = "warp"
    ) -> None:
        self._source, self._matrix, self._settings = source, matrix, settings
        self._warp = None
        if form == "warp":
            options = WarpOptions(fixed=source.fixed)
            self._warp = FaceWarp(source.picture, source.points, source.state, source.matte, options)
        self._detector: MeshDetector | None = None
        self._lock = Lock()

    def fuse(self, drawn: Image, target: TargetShape) -> Image:
        """(3.16): I_fuse of I_o, `drawn`, and the warped source; regions (H, W, 3 or 4)."""
        warped = self.warped(target)
        mask = self.mask(drawn, warped)[..., None]
        out = drawn.copy()
        own = drawn[..., :3].astype(np.float32)
        out[..., :3] = np.rint(own + (warped[..., :3] - own) * mask)
        return out

    def warped(self, target: TargetShape) -> Image:
        """I_warp, (H, W, 3 or 4)."""
        if self._warp is not None:
            return self._warp.render(target.points, target.state, target.head)
        return piecewise_morph(self._source.picture, self._source.points, target.points)

    def mask(self, one: Image, other: Image) -> Floats:
        """(H, W): the product of the parsing maps of two regions; 0 where no face is found in one of them."""
        height, width = one.shape[:2]
        found = [self._look(picture) for picture in (one, other)]
        if any(points is None for points in found):
            return np.zeros((height, width), np.float32)
        points = np.stack([apply(self._matrix, face) for face in found if face is not None])
        around = self._settings.fuse_around
        maps = parse(torch.from_numpy(points.astype(np.float32)), self._settings)
        return _placed(agreement(*maps, around=around), self._matrix, width, height, float(around))

    def _look(self, picture: Image) -> Points | None:
        with self._lock:  # frames are made in several threads, for which a detector is not
            if self._detector is None:
                self._detector = MeshDetector()
            faces = self._detector.detect(picture)
        return faces[0].points if faces else None


def agreement(one: torch.Tensor, other: torch.Tensor, *, around: bool = False) -> Floats:
    """(S, S) in [0, 1]: where two parsing maps (9, S, S) show the same class. (3.16)'s product, each pixel of
    a map counting as the class that is drawn last there; classes that lie over one another would agree
    everywhere. around: to show none of them is a class too."""
    one, other = apart(one), apart(other)
    agreed: Floats = (one * other).sum(0).numpy()
    return agreed + ((1 - one.sum(0)) * (1 - other.sum(0))).numpy() if around else agreed


def piecewise_morph(picture: Image, source: Points, target: Points) -> Image:
    """The thesis's 'traditional warping' (its reference [1]): the face as triangles between landmarks, each
    moved by its own affine map; nothing moves around it.

    picture: (H, W, 3 or 4). source, target: mesh points (478, 3) in its pixels.
    """
    height, width = picture.shape[:2]
    scale = min(1.0, _LONGEST / max(height, width))
    grid = max(round(width * scale), 1), max(round(height * scale), 1)
    zoom = np.array([grid[0] / width, grid[1] / height], np.float32)
    own, wanted = (convert_points(points, "osfr146")[:_FACE, :2] for points in (source, target))
    corners = np.column_stack([wanted * zoom, np.zeros(_FACE)]).astype(np.float32)
    values, inside = rasterise(corners, _triangles(), (own - wanted).astype(np.float32), grid)
    cv2 = opencv()
    flow = cv2.resize(values * inside[..., None], (width, height))
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    out: Image = cv2.remap(
        picture, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return out


@cache
def _triangles() -> NDArray[np.int32]:
    """(T, 3): Delaunay's on the mean face, clockwise on the screen."""
    face = (convert_points(default_face_model().mean, "osfr146")[:_FACE, :2] * 100 + 500).astype(np.float32)
    plane = opencv().Subdiv2D((0, 0, 1000, 1000))
    for x, y in face.tolist():
        plane.insert((x, y))
    found = plane.getTriangleList().reshape(-1, 3, 2)
    found = found[((found >= 0) & (found <= 1000)).all((1, 2))]
    numbers = np.abs(found[:, :, None] - face).sum(-1).argmin(-1).astype(np.int32)
    a, b, c = (face[numbers[:, corner]] for corner in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1])
    return np.where(area[:, None] > 0, numbers, numbers[:, ::-1]).astype(np.int32)


def _placed(mask: Floats, matrix: Matrix, width: int, height: int, around: float) -> Floats:
    """A map (S, S) of the crop where it belongs in the region, (height, width); `around` beyond it."""
    back = invert(matrix)
    # OpenCV counts from the centre of the first pixel, reenact from its corner.
    back[:, 2] += back[:, :2].sum(1) / 2 - 0.5
    cv2 = opencv()
    placed: Floats = cv2.warpAffine(mask, back, (width, height), flags=cv2.INTER_LINEAR, borderValue=around)
    return placed
