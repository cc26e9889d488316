"""A folder of data with one clip and two stills, made of the astronaut of scikit-image."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import skimage.data

from reenact.media.writer import open_writer
from reenact.types import Image


@pytest.fixture(scope="session")
def face() -> Image:
    """(192, 192, 3): the head and shoulders."""
    head = PIL.Image.fromarray(skimage.data.astronaut()[:280, 90:370])
    return np.asarray(head.resize((192, 192), PIL.Image.Resampling.LANCZOS))


@pytest.fixture(scope="session")
def data(face: Image, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """clips/val/tilt.mp4: 31 frames, in which the picture turns by 12 degrees and moves; two stills, one of the
    face and one of none."""
    root = tmp_path_factory.mktemp("data")
    (root / "clips" / "val").mkdir(parents=True)
    (root / "stills").mkdir()
    path = root / "clips" / "val" / "tilt.mp4"
    with open_writer(path, width=192, height=192, fps=Fraction(25), codec="h264", quality=95) as sink:
        for number in range(31):
            frame = PIL.Image.fromarray(face).rotate(
                0.4 * number, PIL.Image.Resampling.BICUBIC, translate=(number // 3, 0)
            )
            sink.write(np.asarray(frame), Fraction(number, 25))
    PIL.Image.fromarray(face).save(root / "stills" / "face.png")
    PIL.Image.fromarray(skimage.data.coffee()).save(root / "stills" / "coffee.png")
    return root


@pytest.fixture(scope="session")
def truth_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small RaFD with a known truth: two made-up relatives, four actions."""
    from reenact.data.synthetic_pictures import actions, relatives, sitter, write_set
    from reenact.geometry.face_model import default_face_model
    from reenact.perception.detector import MeshDetector

    image, model = np.ascontiguousarray(skimage.data.astronaut()[:320, 64:384]), default_face_model()
    with MeshDetector() as detector:
        person = sitter(model, image, detector.detect(image)[0].points, 160, "astronaut")
    wanted = ("090_{person:02d}_Synthetic_unknown_neutral", "090_{person:02d}_Synthetic_unknown_surprised")
    wanted += ("045_{person:02d}_Synthetic_unknown_happy", "135_{person:02d}_Synthetic_unknown_neutral")
    chosen = [a for a in actions("rafd") if any(w in a.name for w in wanted) and "_frontal" in a.name]
    out = tmp_path_factory.mktemp("truth") / "rafd"
    assert write_set("rafd", relatives(model, person, 2), out, chosen=chosen) == 8
    return out


@pytest.fixture(scope="session")
def people(face: Image, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """people/ann: seven pictures, rolled by -18 to 18 degrees; people/bob: three, by -12, 0 and 12."""
    root = tmp_path_factory.mktemp("people")
    for name, turns, picture in (("ann", range(-18, 19, 6), face), ("bob", (-12, 0, 12), face[:, ::-1])):
        folder = root / "people" / name
        folder.mkdir(parents=True)
        for turn in turns:
            rolled = PIL.Image.fromarray(np.ascontiguousarray(picture)).rotate(
                turn, PIL.Image.Resampling.BICUBIC
            )
            rolled.save(folder / f"{turn:+03d}.png")
    return root
