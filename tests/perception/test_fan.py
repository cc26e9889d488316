"""FAN behind the detector's interface, with a stand-in for the package that fetches its weights."""

from __future__ import annotations

import importlib.machinery
import sys
import types

import numpy as np
import pytest

from reenact.errors import ReenactError
from reenact.geometry.face_model import default_face_model
from reenact.geometry.schemes import convert_points
from reenact.perception.detector import MeshDetector, open_detector
from reenact.perception.fan import FanDetector

IMAGE = np.full((200, 300, 3), 90, np.uint8)


def face(x: float, y: float, scale: float) -> np.ndarray:
    """68 points of the mean face in our convention."""
    return convert_points(default_face_model().mean * scale + [x, y, 0], "ibug68").astype(np.float32)


@pytest.fixture
def package(monkeypatch):
    """`face_alignment` with a network that answers with whatever `answer` holds."""
    fake = types.ModuleType("face_alignment")
    fake.__spec__ = importlib.machinery.ModuleSpec("face_alignment", None)
    fake.answer, fake.asked = None, []

    class Network:
        def __init__(self, kind, device):
            fake.asked.append((kind, device))

        def get_landmarks_from_image(self, image):
            fake.asked.append(image)
            return fake.answer

    fake.LandmarksType = types.SimpleNamespace(THREE_D="3D")
    fake.FaceAlignment = Network
    monkeypatch.setitem(sys.modules, "face_alignment", fake)
    return fake


def test_points_come_in_our_convention_the_largest_face_first(package):
    small, large = face(60, 80, 30), face(200, 90, 55)
    to_fan = np.array([0.5, 0.5, 0], np.float32)
    package.answer = [
        small - to_fan,
        (large - to_fan) * np.array([1, 1, -1], np.float32),
    ]  # one z the other way
    with FanDetector(max_faces=5, device="cuda:0") as detector:
        found = detector.detect(IMAGE)
    assert package.asked[0] == ("3D", "cuda:0") and package.asked[1].shape == IMAGE.shape
    assert [f.scheme for f in found] == ["ibug68", "ibug68"]
    for landmarks, expected in zip(found, (large, small), strict=True):
        np.testing.assert_allclose(landmarks.points, expected, atol=1e-4)
        assert landmarks.points[30, 2] < landmarks.points[[0, 16], 2].mean()  # the nose is nearer than the ears


def test_at_most_as_many_as_asked_for_and_none_where_none_is(package):
    package.answer = [face(60, 80, 30), face(200, 90, 55)]
    with open_detector("fan") as detector:
        assert len(detector.detect(IMAGE)) == 1
        package.answer = None
        assert detector.detect(IMAGE) == []


def test_transparent_pixels_count_as_grey(package):
    with FanDetector() as detector:
        detector.detect(np.zeros((20, 30, 4), np.uint8))
    assert (package.asked[1] == 128).all()


def test_missing_package_and_missing_weights_are_one_clear_line(package, monkeypatch):
    def offline(kind, device):
        raise OSError("no route to host")

    package.FaceAlignment = offline
    with pytest.raises(ReenactError, match="FAN's weights could not be fetched"):
        FanDetector()
    monkeypatch.delitem(sys.modules, "face_alignment")
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *_: None)
    with pytest.raises(ReenactError, match="pip install face-alignment"):
        open_detector("fan")


def test_detectors_by_name():
    with open_detector() as detector:
        assert isinstance(detector, MeshDetector)
    with pytest.raises(ReenactError, match="'mesh' and 'fan'"):
        open_detector("other")  # type: ignore[arg-type]
