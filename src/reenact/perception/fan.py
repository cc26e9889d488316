"""FAN as a second detector: 68 points in 3D, the detector of HR-Net's and DG's papers.

The package `face-alignment` is optional and fetches its weights on first use (Bulat and Tzimiropoulos,
How far are we from solving the 2D & 3D Face Alignment problem?, ICCV 2017).
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

import numpy as np

from reenact.errors import ReenactError
from reenact.perception.graphs import as_rgb
from reenact.types import Image, Landmarks, Points

_FIRST_JAW, _LAST_JAW, _NOSE_TIP = 0, 16, 30


class FanDetector:
    """`face-alignment` behind the detector's interface; points are (68, 3) pixels in scheme 'ibug68'.

    max_faces: how many to return at most. device: 'cpu' or a CUDA device. Raises ReenactError where the package
    is not installed or its weights cannot be had.
    """

    def __init__(self, *, max_faces: int = 1, device: str = "cpu") -> None:
        if importlib.util.find_spec("face_alignment") is None:
            raise ReenactError(
                "the FAN detector needs the package face-alignment, which is not installed: "
                "pip install face-alignment; or use the default detector"
            )
        package: Any = importlib.import_module("face_alignment")
        self._max_faces = max_faces
        try:
            self._network: Any = package.FaceAlignment(package.LandmarksType.THREE_D, device=device)
        except OSError as error:  # urllib's errors are OSErrors
            raise ReenactError(
                f"FAN's weights could not be fetched ({error}); connect to the internet once, or use the "
                "default detector"
            ) from error

    def __enter__(self) -> FanDetector:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def detect(self, image: Image) -> list[Landmarks]:
        """Faces in (H, W, 3 or 4) uint8, the largest first; an empty list where there is none."""
        found = self._network.get_landmarks_from_image(as_rgb(image)) or []
        faces = [Landmarks(_ours(np.asarray(points, np.float32)), "ibug68") for points in found]
        faces.sort(key=lambda face: float(np.ptp(face.points[:, :2], axis=0).max()), reverse=True)
        return faces[: self._max_faces]

    def close(self) -> None:
        """Free the network."""
        self._network = None


def _ours(points: Points) -> Points:
    """FAN's points in our convention: pixel centres at a half, z smaller for the nose than for the ears."""
    points = points + np.array([0.5, 0.5, 0.0], np.float32)
    if points[_NOSE_TIP, 2] > points[[_FIRST_JAW, _LAST_JAW], 2].mean():
        points[:, 2] = -points[:, 2]
    return points
