"""Classes of pixels: skin, features, hair, neck, clothes.

What the mesh covers is known; the rest of the person (`matte`) is told apart by place and by likeness to the
face's own skin colour, and is an estimate. BiSeNet, which knows hair by its looks, is used where its file is
given or was fetched.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pil
from PIL import ImageFilter

from reenact.geometry.align import face_square
from reenact.geometry.schemes import (
    FACE_OVAL,
    LEFT_BROW,
    LEFT_EYE,
    LIPS_INNER,
    LIPS_OUTER,
    NOSE_OUTLINE,
    RIGHT_BROW,
    RIGHT_EYE,
)
from reenact.perception.graphs import as_rgb
from reenact.perception.guided import box_mean
from reenact.perception.identity import open_session
from reenact.perception.matte import PersonSegmenter, filled, person_matte, square_cut
from reenact.runtime.weights import fetched_and_checked
from reenact.types import Image, Landmarks, Points

CLASSES = ("background", "skin", "brows", "eyes", "nose", "lips", "mouth", "hair", "neck", "clothes")
"""What `parse` tells apart, by index. The left and the right of a pair are one class."""

Mask = NDArray[np.bool_]
_RINGS = (
    ("nose", NOSE_OUTLINE),
    ("brows", RIGHT_BROW),
    ("brows", LEFT_BROW),
    ("eyes", RIGHT_EYE),
    ("eyes", LEFT_EYE),
    ("lips", LIPS_OUTER),
    ("mouth", LIPS_INNER),
)
_CHEEKS, _FOREHEAD, _NOSE = (50, 280, 205, 425, 101, 330, 36, 266, 187, 411), (151, 9, 69, 299), (4, 197)
_SKIN_SAMPLES = _CHEEKS + _FOREHEAD + _NOSE
_JAW_LINE = (132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361)
_IMAGENET_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_IMAGENET_SPREAD = np.array([0.229, 0.224, 0.225], np.float32)
# CelebAMask-HQ as the published BiSeNet numbers it: background, skin, brows (2), eyes (2), glasses, ears (2),
# earring, nose, mouth, lips (2), neck, necklace, clothes, hair, hat.
_FROM_CELEBA = np.array([0, 1, 2, 2, 3, 3, 1, 1, 1, 1, 4, 6, 5, 5, 8, 8, 9, 7, 7], np.uint8)
_SMOOTHED = 5  # side of the median window on hair, neck and clothes


class Parser(Protocol):
    """What every parser offers. name: for tables, so that no figure goes under another parser's name."""

    name: str

    def parse(self, image: Image, landmarks: Landmarks) -> NDArray[np.uint8]:
        """(H, W) uint8, an index into `CLASSES` for each pixel."""


class MeshParser:
    """Classes from the mesh, the person matte and the colour of the face's own skin.

    Exact as far as the mesh is: skin, brows, eyes, nose, lips, mouth. Estimates: `hair` is what of the head
    outside the mesh does not look like skin (a hat is hair, a bald head is skin), `neck` is skin-coloured and
    below the jaw, `clothes` the rest of the person below it. Ears count as skin, as does what glasses cover.
    """

    name = "mesh"

    def __init__(self) -> None:
        self._segmenter = PersonSegmenter()

    def __enter__(self) -> MeshParser:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the segmentation."""
        self._segmenter.close()

    def parse(self, image: Image, landmarks: Landmarks) -> NDArray[np.uint8]:
        """(H, W) uint8, an index into `CLASSES`, for the face at `landmarks` in (H, W, 3 or 4) uint8."""
        rgb = as_rgb(image)
        height, width = rgb.shape[:2]
        points = landmarks.points[:, :2]
        person = person_matte(image, landmarks, self._segmenter) > 0.5
        face = filled(points[FACE_OVAL], height, width) > 0.5
        below, neck = _below_the_jaw(points, height, width)
        skin = np.where(
            below, neck & _skin_coloured(rgb, points, shade=0.2), _skin_coloured(rgb, points) | face
        )
        classes = np.zeros((height, width), np.uint8)
        classes[person & ~below & skin] = CLASSES.index("skin")
        classes[person & ~below & ~skin] = CLASSES.index("hair")
        classes[person & below & skin] = CLASSES.index("neck")
        classes[person & below & ~skin] = CLASSES.index("clothes")
        smooth = Pil.fromarray(classes).filter(ImageFilter.MedianFilter(_SMOOTHED))
        classes = np.array(smooth)
        classes[face] = CLASSES.index("skin")
        for name, ring in _RINGS:
            classes[filled(points[ring], height, width) > 0.5] = CLASSES.index(name)
        return classes


def _skin_coloured(rgb: Image, points: Points, shade: float = 0.0) -> Mask:
    """Pixels whose colour is that of the cheeks, forehead and nose, within what these vary.

    shade: how much darker or brighter the same skin may be (standard deviation, as a share): a neck lies
    in shadow.
    """
    size = float(np.ptp(points, axis=0).max())
    soft = box_mean(rgb.astype(np.float32), max(1, round(size / 80)))
    at = points[list(_SKIN_SAMPLES)]
    rows = np.clip(at[:, 1].astype(int), 0, rgb.shape[0] - 1)
    columns = np.clip(at[:, 0].astype(int), 0, rgb.shape[1] - 1)
    seen = soft[rows, columns]
    centre = np.median(seen, axis=0)
    # A fringe, a beard or a shadow covers some samples: the nearest two thirds speak for the skin.
    seen = seen[np.argsort(np.abs(seen - centre).sum(1))[: 2 * len(seen) // 3]]
    centre = seen.mean(0)
    spread = np.cov(seen.T) + np.diag([120.0, 60.0, 60.0]) + shade**2 * np.outer(centre, centre)
    gap = soft - centre
    distance = np.einsum("hwi,ij,hwj->hw", gap, np.linalg.inv(spread).astype(np.float32), gap)
    return np.asarray(distance < 9.0)


def _below_the_jaw(points: Points, height: int, width: int) -> tuple[Mask, Mask]:
    """Pixels under the jaw (continued level from its corners), and those of them where a neck can be.

    That is as wide as the jaw at its corners and a third of the face long.
    """
    along = points[152] - points[10]
    length = max(float(np.linalg.norm(along)), 1e-6)
    down = along / length
    across = np.array([-down[1], down[0]])
    jaw = points[list(_JAW_LINE)]
    order = np.argsort(jaw @ across)
    sides, depths = (jaw @ across)[order], (jaw @ down)[order]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) + 0.5
    side, depth = x * across[0] + y * across[1], x * down[0] + y * down[1]
    below = depth > np.interp(side.ravel(), sides, depths).reshape(height, width)
    neck = below & (side > sides[0]) & (side < sides[-1]) & (depth < float(points[152] @ down) + length / 3)
    return np.asarray(below), np.asarray(neck)


def open_parser(bisenet: Path | None = None) -> Parser:
    """BiSeNet where its file is given or was fetched (`reenact weights fetch bisenet`), otherwise `MeshParser`;
    `name` says which. ReenactError where the file given cannot be run."""
    path = fetched_and_checked("bisenet") if bisenet is None else bisenet
    return MeshParser() if path is None else BiSeNetParser(path)


class BiSeNetParser:
    """BiSeNet trained on CelebAMask-HQ, the parser of the papers' metrics, mapped to `CLASSES`.

    path: the published network as ONNX (input (1, 3, 512, 512), ImageNet normalisation, 19 classes out).
    Raises ReenactError where the file or ONNX Runtime is missing.
    """

    name = "bisenet"

    def __init__(self, path: Path, *, threads: int = 1) -> None:
        self._session: Any = open_session(path, "BiSeNet", threads)
        self._input = self._session.get_inputs()[0].name

    def parse(self, image: Image, landmarks: Landmarks) -> NDArray[np.uint8]:
        """(H, W) uint8, an index into `CLASSES`, for the face at `landmarks`; beyond its crop: background."""
        rgb = as_rgb(image)
        square = face_square(landmarks.points)
        x0, y0, side = square.x - square.side / 2, square.y - square.side / 2, square.side
        crop = Pil.fromarray(square_cut(rgb, x0, y0, side)).resize((512, 512), Pil.Resampling.BILINEAR)
        normal = (np.asarray(crop, np.float32) / 255 - _IMAGENET_MEAN) / _IMAGENET_SPREAD
        scores = self._session.run(None, {self._input: normal.transpose(2, 0, 1)[None].astype(np.float32)})[0][
            0
        ]
        found = _FROM_CELEBA[scores.argmax(0)]
        part = np.asarray(Pil.fromarray(found).resize((round(side), round(side)), Pil.Resampling.NEAREST))
        classes = np.zeros(rgb.shape[:2], np.uint8)
        top, left = max(-round(y0), 0), max(-round(x0), 0)
        height = min(rgb.shape[0] - round(y0), len(part)) - top
        width = min(rgb.shape[1] - round(x0), len(part)) - left
        target = np.s_[round(y0) + top : round(y0) + top + height, round(x0) + left : round(x0) + left + width]
        classes[target] = part[top : top + height, left : left + width]
        return classes
