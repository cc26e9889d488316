"""A real face for the geometry: a public-domain portrait, detected once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from reenact.geometry.face_model import FaceModel, default_face_model
from reenact.perception.detector import MeshDetector
from reenact.types import Image, Landmarks, Points


@dataclass(frozen=True)
class Face:
    """picture: (320, 320, 3). points: (478, 3) as detected in it."""

    picture: Image
    points: Points


@pytest.fixture(scope="session")
def model() -> FaceModel:
    return default_face_model()


@pytest.fixture(scope="session")
def detector():
    with MeshDetector() as found:
        yield found


@pytest.fixture(scope="session")
def face(detector) -> Face:
    data = pytest.importorskip("skimage.data")
    picture = np.ascontiguousarray(data.astronaut()[:320, 64:384])
    return Face(picture, detector.detect(picture)[0].points)


@pytest.fixture(scope="session")
def matte(face) -> np.ndarray:
    """(320, 320): 1 where the person of `face` is."""
    from reenact.perception.matte import person_matte

    return person_matte(face.picture, Landmarks(face.points, "mesh478"))
