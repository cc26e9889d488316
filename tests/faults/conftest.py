"""A portrait and short driving videos, and a home of their own for the tests' certificates."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import PIL.Image
import pytest
from cli_command import write_clip

FRAMES = 8


@pytest.fixture(scope="session", autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REENACT_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="session")
def portrait(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The head of a public-domain portrait, 256 by 256 pixels."""
    from skimage.data import astronaut

    path = tmp_path_factory.mktemp("portrait") / "portrait.png"
    PIL.Image.fromarray(astronaut()[:256, 96:352]).save(path)
    return path


@pytest.fixture(scope="session")
def clip(portrait: Path) -> Path:
    """A driving video of FRAMES frames."""
    return write_clip(portrait.parent / "clip.mp4", portrait, FRAMES)


@pytest.fixture(scope="session")
def long_clip(portrait: Path) -> Path:
    """One of four seconds, so that something can happen to it while it is read."""
    return write_clip(portrait.parent / "long.mp4", portrait, 120)
