"""The target's shape as maps that the network sees beside the warped picture."""

from __future__ import annotations

import numpy as np

from reenact.geometry.opencv import opencv
from reenact.geometry.schemes import (
    FACE_OVAL,
    LEFT_BROW,
    LEFT_EYE,
    LEFT_IRIS,
    LEFT_IRIS_CENTRE,
    LIPS_INNER,
    LIPS_OUTER,
    NOSE_BASE,
    NOSE_BRIDGE,
    RIGHT_BROW,
    RIGHT_EYE,
    RIGHT_IRIS,
    RIGHT_IRIS_CENTRE,
)
from reenact.types import Image, Points

MAPS = ("lines", "lips", "mouth", "eyes", "irises", "face")
"""What the channels show: lines along brows, lids, nose and lips; areas of the lips with the mouth, of the open
mouth, of the eye openings, of the irises in them, and of the face."""

_FINE = 4  # subpixels a side
_SHIFT = 4  # binary digits of OpenCV's fixed-point coordinates
_LINES = (RIGHT_BROW, LEFT_BROW, NOSE_BRIDGE, NOSE_BASE)
_RINGS = (RIGHT_EYE, LEFT_EYE, LIPS_OUTER, LIPS_INNER)


def shape_maps(points: Points, side: int) -> Image:
    """(side, side, 6) uint8, 255 inside: `MAPS` of a face (478, 2 or 3) in pixels of a square of `side`."""
    cv2 = opencv()
    at = np.round((points[:, :2] * _FINE - 0.5) * (1 << _SHIFT)).astype(np.int32)
    fine = side * _FINE

    def filled(*rings: np.ndarray) -> Image:
        canvas = np.zeros((fine, fine), np.uint8)
        for ring in rings:
            cv2.fillPoly(canvas, [at[ring]], 255, shift=_SHIFT)
        return canvas

    lines = np.zeros((fine, fine), np.uint8)
    cv2.polylines(lines, [at[line] for line in _LINES], False, 255, _FINE, shift=_SHIFT)
    cv2.polylines(lines, [at[ring] for ring in _RINGS], True, 255, _FINE, shift=_SHIFT)
    eyes = filled(RIGHT_EYE, LEFT_EYE)
    irises = np.zeros((fine, fine), np.uint8)
    for centre, rim in ((RIGHT_IRIS_CENTRE, RIGHT_IRIS), (LEFT_IRIS_CENTRE, LEFT_IRIS)):
        radius = np.linalg.norm(points[rim, :2] - points[centre, :2], axis=1).mean() * _FINE * (1 << _SHIFT)
        cv2.circle(irises, at[centre].ravel().tolist(), int(radius), 255, -1, shift=_SHIFT)
    maps = (
        lines,
        filled(LIPS_OUTER),
        filled(LIPS_INNER),
        eyes,
        cv2.bitwise_and(irises, eyes),
        filled(FACE_OVAL),
    )
    return cv2.merge([cv2.resize(one, (side, side), interpolation=cv2.INTER_AREA) for one in maps])
