"""Chips against dlib's own, and the embedding on one real face and another."""

from __future__ import annotations

import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image as Pil
from skimage import data

from reenact.errors import ReenactError
from reenact.perception import identity
from reenact.perception.chips import ARCFACE_CHIP, DLIB_CHIP, chip_matrix, cut_chip
from reenact.perception.detector import MeshDetector
from reenact.perception.identity import ArcFaceIdentity, DlibIdentity, open_identity
from reenact.runtime import weights


@pytest.fixture(scope="module")
def astronaut():
    return data.astronaut()


@pytest.fixture(scope="module")
def face(astronaut):
    with MeshDetector() as detector:
        return detector.detect(astronaut)[0]


@pytest.fixture(scope="module")
def embedder():
    pytest.importorskip("dlib")
    pytest.importorskip("importlib.util").find_spec("face_recognition_models") or pytest.skip("no network")
    return DlibIdentity()


def test_chip_is_dlibs_own(astronaut, face):
    dlib = pytest.importorskip("dlib")
    points = face.points.copy()
    order = [263, 362, 33, 133, 2]  # dlib's: outer and inner corner of each eye, foot of the nose
    points[order, :2] = np.round(points[order, :2] - 0.5) + 0.5
    parts = [dlib.point(int(x - 0.5), int(y - 0.5)) for x, y in points[order, :2]]
    shape = dlib.full_object_detection(dlib.rectangle(160, 60, 290, 190), parts)
    expected = dlib.get_face_chip(astronaut, shape, DLIB_CHIP.size, 0.25)
    ours = cut_chip(astronaut, points, DLIB_CHIP)
    assert ours.shape == (150, 150, 3)
    assert np.abs(ours.astype(int) - expected).mean() < 2.5  # of 255; a shift of a quarter pixel gives 2.1 more


def test_chip_follows_turn_and_size(astronaut, face):
    plain = cut_chip(astronaut, face.points, DLIB_CHIP).astype(int)
    turned = face.points.copy()
    turned[:, 0], turned[:, 1] = face.points[:, 1], 512 - face.points[:, 0]
    quarter = cut_chip(np.ascontiguousarray(np.rot90(astronaut)), turned, DLIB_CHIP)
    assert np.abs(plain - quarter).mean() < 2
    large = np.asarray(Pil.fromarray(astronaut).resize((2048, 2048), Pil.Resampling.BICUBIC))
    assert np.abs(plain - cut_chip(large, face.points * 4, DLIB_CHIP)).mean() < 3


def test_arcface_places(face):
    matrix = chip_matrix(face.points, ARCFACE_CHIP)
    placed = face.points[[468, 473, 1, 61, 291], :2] @ matrix[:, :2].T + matrix[:, 2]
    assert np.abs(placed - np.array(ARCFACE_CHIP.places)).mean() < 4


def test_same_face_another_face(astronaut, face, embedder):
    own = embedder.embed(astronaut, face)
    assert own.shape == (128,) and own.dtype == np.float32
    dark = embedder.embed((astronaut * 0.6).astype(np.uint8), face)
    assert embedder.similarity(own, own) == 1
    assert embedder.same_person(own, dark) and embedder.similarity(own, dark) > 0.85
    # A face as different as one picture allows: upside down in its chip.
    wrong = face.points * np.array([1, -1, 1], np.float32) + np.array([0, 2 * 128, 0], np.float32)
    other = embedder.embed_chips([cut_chip(np.ascontiguousarray(astronaut[::-1]), wrong, DLIB_CHIP)])[0]
    assert not embedder.same_person(own, other)


def test_similarity_is_half_the_distance(embedder):
    one, other = np.zeros(128, np.float32), np.zeros(128, np.float32)
    other[0] = 0.5
    assert embedder.similarity(one, other) == pytest.approx(0.75)
    assert embedder.same_person(one, other)
    other[0] = 0.61
    assert not embedder.same_person(one, other)


def test_without_arcface_it_is_dlib(monkeypatch, tmp_path):
    pytest.importorskip("dlib")
    monkeypatch.setenv("REENACT_HOME", str(tmp_path))
    assert open_identity().name == "dlib"


def test_fetched_arcface_is_checked_and_preferred(monkeypatch, tmp_path):
    monkeypatch.setenv("REENACT_HOME", str(tmp_path))
    session = SimpleNamespace(get_inputs=lambda: [SimpleNamespace(name="image")])
    monkeypatch.setattr(identity, "open_session", lambda *_: session)
    entry = weights.PUBLISHED["arcface"]
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / entry.file_name).write_bytes(b"a network")
    with pytest.raises(ReenactError, match="SHA-256"):
        open_identity()
    digest = weights.sha256_of(tmp_path / "weights" / entry.file_name)
    monkeypatch.setitem(weights.PUBLISHED, "arcface", replace(entry, sha256=digest))
    assert open_identity().name == "arcface"


def test_missing_packages_are_said(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "dlib", None)
    with pytest.raises(ReenactError, match=r"pip install 'reenact\[identity\]'"):
        open_identity()
    monkeypatch.setattr(identity.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ReenactError, match="face_recognition_models"):
        identity.dlib_model_file()
    with pytest.raises(ReenactError, match="ArcFace"):
        ArcFaceIdentity(tmp_path / "none.onnx")
