"""A face with hair and shoulders, its landmarks, and their fit."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

from reenact.geometry.face_model import default_face_model
from reenact.perception.detector import MeshDetector
from reenact.types import FaceState, Image, Points


@pytest.fixture(scope="session")
def picture() -> Image:
    return np.ascontiguousarray(data.astronaut()[:320, 64:384])


@pytest.fixture(scope="session")
def points(picture: Image) -> Points:
    with MeshDetector() as detector:
        return detector.detect(picture)[0].points


@pytest.fixture(scope="session")
def state(points: Points) -> FaceState:
    return default_face_model().fit(points)
