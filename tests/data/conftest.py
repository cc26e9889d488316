"""Small trees with the true names of data sets and made-up pictures; and one real face, detected once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from reenact.geometry.face_model import FaceModel, default_face_model
from reenact.types import Image

Tree = Callable[..., Path]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """A function that makes files by name below a new folder and returns it: pictures of one grey each, and
    text files where `texts` gives their text."""

    def make(*names: str, **texts: str) -> Path:
        root = tmp_path / "set"
        for number, name in enumerate(names):
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix in (".jpg", ".png", ".JPG"):
                PIL.Image.new("RGB", (8, 8), (number * 7 % 256,) * 3).save(path)
            else:
                path.write_text(texts.get(path.name.replace(".", "_").replace("-", "_"), "x"))
        return root

    return make


@pytest.fixture(scope="session")
def model() -> FaceModel:
    return default_face_model()


@pytest.fixture(scope="session")
def portrait() -> Image:
    """(320, 320, 3): a public-domain portrait."""
    data = pytest.importorskip("skimage.data")
    return np.ascontiguousarray(data.astronaut()[:320, 64:384])


@pytest.fixture(scope="session")
def points(portrait: Image) -> np.ndarray:
    """(478, 3): the landmarks of `portrait`."""
    from reenact.perception.detector import MeshDetector

    with MeshDetector() as detector:
        return detector.detect(portrait)[0].points
