"""Classes on a real portrait, and a BiSeNet stand-in whose answer is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from skimage import data

from reenact.errors import ReenactError
from reenact.geometry.align import face_square
from reenact.perception import parsing
from reenact.perception.detector import MeshDetector
from reenact.perception.parsing import CLASSES, BiSeNetParser, MeshParser, open_parser
from reenact.runtime import weights


@pytest.fixture(scope="module")
def astronaut():
    return data.astronaut()


@pytest.fixture(scope="module")
def face(astronaut):
    with MeshDetector() as detector:
        return detector.detect(astronaut)[0]


@pytest.fixture(scope="module")
def classes(astronaut, face):
    with MeshParser() as parser:
        return parser.parse(astronaut, face)


# Places read off the picture by eye, as (y, x).
@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("background", (60, 400)),
        ("hair", (40, 230)),
        ("hair", (90, 165)),
        ("skin", (120, 190)),
        ("skin", (165, 225)),
        ("eyes", (101, 203)),
        ("eyes", (103, 246)),
        ("nose", (125, 224)),
        ("lips", (152, 224)),
        ("mouth", (145, 222)),
        ("neck", (181, 215)),
        ("clothes", (400, 150)),
    ],
)
def test_places_have_their_class(classes, name, place):
    assert CLASSES[classes[place]] == name


def test_every_class_is_there_and_the_type_is_small(classes):
    assert classes.dtype == np.uint8 and classes.shape == (512, 512)
    assert set(np.unique(classes)) == set(range(len(CLASSES)))


class ConstantNetwork:
    """Stands in for an ONNX session: class `winner` wins in the left half, 0 elsewhere."""

    def __init__(self, winner):
        self.scores = np.zeros((1, 19, 512, 512), np.float32)
        self.scores[0, winner, :, :256] = 1

    def get_inputs(self):
        return [SimpleNamespace(name="image")]

    def run(self, outputs, inputs):
        assert inputs["image"].shape == (1, 3, 512, 512) and inputs["image"].dtype == np.float32
        return [self.scores]


def test_bisenets_numbers_are_mapped_and_put_back(monkeypatch, astronaut, face):
    hair = 17  # in CelebAMask-HQ, as the published network numbers it
    monkeypatch.setattr(parsing, "open_session", lambda *_: ConstantNetwork(hair))
    classes = BiSeNetParser(Path("parser.onnx")).parse(astronaut, face)
    middle = int(face_square(face.points).x)
    assert CLASSES[classes[120, middle - 10]] == "hair"
    assert CLASSES[classes[120, middle + 10]] == "background"
    assert classes[400:].max() == 0  # beyond the crop


def test_fetched_network_is_checked_and_preferred(monkeypatch, tmp_path):
    monkeypatch.setenv("REENACT_HOME", str(tmp_path))
    monkeypatch.setattr(parsing, "open_session", lambda *_: ConstantNetwork(0))
    with open_parser() as parser:
        assert isinstance(parser, MeshParser) and parser.name == "mesh"
    entry = weights.PUBLISHED["bisenet"]
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / entry.file_name).write_bytes(b"a network")
    with pytest.raises(ReenactError, match="SHA-256"):
        open_parser()
    digest = weights.sha256_of(tmp_path / "weights" / entry.file_name)
    monkeypatch.setitem(weights.PUBLISHED, "bisenet", replace(entry, sha256=digest))
    assert open_parser().name == "bisenet"
    assert open_parser(tmp_path / "own.onnx").name == "bisenet"


def test_missing_network_is_said(tmp_path):
    with pytest.raises(ReenactError, match="BiSeNet"):
        BiSeNetParser(tmp_path / "none.onnx")
    (tmp_path / "bad.onnx").write_bytes(b"no network")
    pytest.importorskip("onnxruntime")
    with pytest.raises(ReenactError, match="fetch it again"):
        BiSeNetParser(tmp_path / "bad.onnx")
