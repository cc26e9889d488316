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
