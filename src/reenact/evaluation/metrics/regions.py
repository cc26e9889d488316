"""Where a difference is: the face, its surroundings, eyes and mouth."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from reenact.evaluation.metrics.nme import eye_distance
from reenact.geometry.schemes import LEFT_EYE, LIPS_OUTER, RIGHT_EYE
from reenact.types import Points

Mask = NDArray[np.bool_]
Part = Literal["both", "eyes", "mouth"]
_RINGS = {
    "both": (RIGHT_EYE, LEFT_EYE, LIPS_OUTER),
    "eyes": (RIGHT_EYE, LEFT_EYE),
    "mouth": (LIPS_OUTER,),
}
_SKIN = 468
_MARGIN = 0.06


def face_mask(points: Points, height: int, width: int) -> Mask:
    """(height, width): the convex hull of the mesh points (478, 2 or 3) in pixels, irises left out."""
    import cv2

    mask = np.zeros((height, width), np.uint8)
    hull = cv2.convexHull(points[:_SKIN, :2].astype(np.float32))
    cv2.fillConvexPoly(mask, _corners(np.asarray(hull)[:, 0]), (1,), shift=4)
    return mask.astype(bool)


def feature_mask(points: Points, height: int, width: int, part: Part = "both") -> Mask:
    """(height, width): lids and outer lips of the mesh (478, 2 or 3), or one of the two, with what they
    enclose, made larger by 6 % of the distance between the outer eye corners."""
    import cv2

    mask = np.zeros((height, width), np.uint8)
    for ring in _RINGS[part]:
        cv2.fillPoly(mask, [_corners(points[ring, :2])], (1,), shift=4)
    reach = max(round(_MARGIN * eye_distance(points)), 1)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return cv2.dilate(mask, disc).astype(bool)


def _corners(outline: NDArray[Any]) -> NDArray[Any]:
    """Outline (K, 2) in sixteenths of a pixel, counted from the centre of the top-left pixel."""
    return np.round((outline - 0.5) * 16).astype(np.int32)
