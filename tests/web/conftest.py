"""A portrait, driving files, and a server of our own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx")
from fastapi.testclient import TestClient
from web_server import write_clip

from reenact.geometry.expressions import expression
from reenact.geometry.face_model import default_face_model
from reenact.pipeline.motion_file import write_motion
from reenact.types import Motion
from reenact.web.app import make_app
from reenact.web.limits import Limits

FRAMES = 6


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
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("samples")


@pytest.fixture(scope="session")
def portrait(folder: Path) -> Path:
    """The head of a public-domain portrait, 256 by 256 pixels."""
    from skimage.data import astronaut

    path = folder / "portrait.png"
    PIL.Image.fromarray(astronaut()[:256, 96:352]).save(path)
    return path


@pytest.fixture(scope="session")
def clip(folder: Path, portrait: Path) -> Path:
    """A short driving video: the portrait rocking."""
    return write_clip(folder / "clip.mp4", portrait, FRAMES)


def make_motion(frames: int) -> Motion:
    """A mouth that opens and shuts."""
    model = default_face_model()
    phase = np.linspace(0, np.pi, frames)
    return Motion(
        times=tuple(Fraction(n, 25) for n in range(frames)),
        rotation=np.zeros((frames, 3), np.float32),
        scale=np.full(frames, 0.2, np.float32),
        translation=np.full((frames, 2), 0.5, np.float32),
        expression=np.outer(np.sin(phase), expression(model, {"jaw_open": 1.0})).astype(np.float32),
        found=np.ones(frames, bool),
        fps=Fraction(25),
        size=(256, 256),
        duration=Fraction(frames, 25),
    )


@pytest.fixture(scope="session")
def motion(folder: Path) -> Path:
    path = folder / "mouth.motion"
    write_motion(path, make_motion(FRAMES))
    return path


@pytest.fixture(scope="session")
def long_motion(folder: Path) -> Path:
    """A minute of it, so that a job on it can be stopped half way."""
    path = folder / "long.motion"
    write_motion(path, make_motion(1500))
    return path


Serve = Callable[..., TestClient]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start the API alone: serve(limits, **settings of make_app)."""
    opened: list[TestClient] = []

    def start(limits: Limits | None = None, **settings: object) -> TestClient:
        app = make_app(limits, page=False, threads=1, **settings)
        client = TestClient(app, base_url="http://127.0.0.1")
        client.__enter__()
        opened.append(client)
        return client

    yield start
    for client in opened:
        client.__exit__(None, None, None)


@pytest.fixture
def api(serve: Serve) -> TestClient:
    return serve()
