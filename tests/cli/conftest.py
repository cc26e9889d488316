"""The command, run in this process with a home of its own, and files to run it on."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import PIL.Image
import pytest
from cli_command import Command, Result, write_clip

from reenact.cli import main

FRAMES = 8


@pytest.fixture(scope="session", autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep certificates and fetched weights of the tests out of the user's home."""
    before = os.environ.get("REENACT_HOME")
    os.environ["REENACT_HOME"] = str(tmp_path_factory.mktemp("home"))
    yield
    if before is None:
        del os.environ["REENACT_HOME"]
    else:
        os.environ["REENACT_HOME"] = before


@pytest.fixture(scope="session", autouse=True)
def _interrupts() -> Iterator[None]:
    """Let what is started here be interrupted, though a script in the background ignores that, and hands it on
    to all that it starts."""
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    if ignored:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    if ignored:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


@pytest.fixture
def reenact(capfd: pytest.CaptureFixture[str]) -> Command:
    """The command, run in this process."""

    def run(*words: object) -> Result:
        capfd.readouterr()
        code = main([str(word) for word in words])
        return Result(code, *capfd.readouterr())

    return run


@pytest.fixture(scope="session")
def portrait(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The head of a public-domain portrait, 256 by 256 pixels."""
    from skimage.data import astronaut

    path = tmp_path_factory.mktemp("portrait") / "portrait.png"
    PIL.Image.fromarray(astronaut()[:256, 96:352]).save(path)
    return path


@pytest.fixture(scope="session")
def clip(portrait: Path) -> Path:
    """A short driving video: the portrait rocking, at 29.97 frames a second."""
    return write_clip(portrait.parent / "clip.mp4", portrait, FRAMES)


@pytest.fixture(scope="session")
def long_clip(portrait: Path) -> Path:
    """The same for eight seconds, so that a run on it can be stopped half way."""
    return write_clip(portrait.parent / "long.mp4", portrait, 240)
