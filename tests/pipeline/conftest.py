"""A portrait, and a driving video made from it on the spot: turns, blinks and an open mouth, with sound."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from media_samples import write_clicks, write_video

from reenact.geometry.expressions import expression
from reenact.geometry.face_model import FaceModel, default_face_model
from reenact.geometry.transfer import Blend, neck_travel
from reenact.pipeline.options import OutputOptions, RunOptions
from reenact.pipeline.portrait import Puppet, drives_of, read_portrait
from reenact.types import Image, Motion

RATE = Fraction(30000, 1001)
FRAMES = 24
SIDE = 256


@pytest.fixture(scope="session", autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the tests' certificates out of the user's home."""
    before = os.environ.get("REENACT_HOME")
    os.environ["REENACT_HOME"] = str(tmp_path_factory.mktemp("home"))
    yield
    if before is None:
        del os.environ["REENACT_HOME"]
    else:
        os.environ["REENACT_HOME"] = before


@pytest.fixture(scope="session")
def model() -> FaceModel:
    return default_face_model()


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the samples lie."""
    return tmp_path_factory.mktemp("samples")


@pytest.fixture(scope="session")
def picture() -> Image:
    """The head of a public-domain portrait, (256, 256, 3)."""
    data = pytest.importorskip("skimage.data")
    return np.ascontiguousarray(data.astronaut()[:SIDE, 96 : 96 + SIDE])


@pytest.fixture(scope="session")
def portrait(folder: Path, picture: Image) -> Path:
    path = folder / "portrait.png"
    PIL.Image.fromarray(picture).save(path)
    return path


def make_motion(model: FaceModel, frames: int = FRAMES, rate: Fraction = RATE) -> Motion:
    """A head that turns 15 degrees to each side, opens its mouth in the first half and blinks in the second."""
    phase = np.linspace(0, 2 * np.pi, frames)
    rotation = np.zeros((frames, 3), np.float32)
    rotation[:, 1] = np.deg2rad(15) * np.sin(phase)
    still = np.zeros(3, np.float32)
    travel = np.stack([neck_travel(still, turn) for turn in rotation])
    mouth, lids = np.sin(phase).clip(0), (-np.sin(phase)).clip(0)
    faces = np.outer(mouth, expression(model, {"jaw_open": 0.8})) + np.outer(
        lids, expression(model, {"blink": 1.0})
    )
    return Motion(
        times=tuple(n / rate for n in range(frames)),
        rotation=rotation,
        scale=np.full(frames, 0.2, np.float32),
        translation=(0.5 + 0.2 * travel).astype(np.float32),
        expression=faces.astype(np.float32),
        found=np.ones(frames, bool),
        fps=rate,
        size=(SIDE, SIDE),
        duration=frames / rate,
    )


@pytest.fixture(scope="session")
def motion(model: FaceModel) -> Motion:
    return make_motion(model)


@pytest.fixture(scope="session")
def performance(portrait: Path, motion: Motion) -> list[Image]:
    """The portrait giving that performance, frame by frame."""
    puppet = Puppet(read_portrait(portrait), "warp", Blend())
    drives = drives_of(motion, puppet.portrait)
    return [puppet.render(drive, drives[0]) for drive in drives]


Film = Callable[..., Path]


@pytest.fixture(scope="session")
def film(folder: Path) -> Film:
    """Writes pictures as a video: film(name, images, **settings of media_samples.write_video)."""

    def write(name: str, images: Sequence[Image], **settings: object) -> Path:
        settings = {"rate": RATE, "options": {"preset": "ultrafast", "crf": "14"}} | settings
        return write_video(folder / name, images, **settings)

    return write


@pytest.fixture(scope="session")
def driving(film: Film, performance: list[Image], folder: Path) -> Path:
    """The performance as H.264 at 29.97 frames a second, with clicks at 0.2 and 0.6 s."""
    sound = write_clicks(folder / "clicks.m4a", 0.8, [0.2, 0.6])
    return film("driving.mp4", performance, sound=sound)


@pytest.fixture(scope="session")
def quick() -> Callable[..., RunOptions]:
    """Options without marks, which have tests of their own; settings are fields of OutputOptions."""

    def make(**settings: object) -> RunOptions:
        return RunOptions(output=OutputOptions(**{"mark": False, **settings}), threads=2)

    return make
