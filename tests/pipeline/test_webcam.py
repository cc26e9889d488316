"""Live use with a file for the camera, SDL's unseen screen for the window, and a fake virtual camera."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from reenact.cli import main
from reenact.errors import ReenactError
from reenact.media.reader import open_frames
from reenact.pipeline.camera import Camera, Shot, open_camera
from reenact.pipeline.options import MotionOptions
from reenact.pipeline.outlets import Key
from reenact.pipeline.webcam import Cast, perform
from reenact.trust.verify import verify
from reenact.types import Image

WAIT = 60.0


class Film:
    """An outlet that keeps what it is shown, and presses keys at given pictures."""

    def __init__(self, keys: dict[int, Key] | None = None) -> None:
        self.images: list[Image] = []
        self.lines: list[str] = []
        self._keys = dict(keys or {})

    def show(self, image: Image, at: float) -> None:
        self.images.append(image)

    def tell(self, line: str) -> None:
        self.lines.append(line)

    def pressed(self) -> list[Key]:
        key = self._keys.pop(len(self.images), None)
        return [key] if key else []


class Scripted(Camera):
    """A camera that gives each picture when it is asked for, at 25 a second of its own time."""

    def __init__(self, images: list[Image]) -> None:
        super().__init__(lambda: iter(()))
        self._rest = list(images)
        self._given = 0

    @property
    def ended(self) -> bool:
        return not self._rest

    def newest(self, wait: float) -> Shot | None:
        self._given += 1
        return Shot(self._rest.pop(0), time.monotonic() + self._given / 25)


@pytest.fixture(scope="module")
def cast(portrait: Path) -> Iterator[Cast]:
    made = Cast([portrait], "warp", MotionOptions(smooth=0), 128)
    yield made
    made.close()


def played(cast: Cast, images: list[Image], keys: dict[int, Key] | None = None) -> Film:
    film = Film(keys)
    cast.recalibrate()
    perform(Scripted(images), cast, lambda image: image, [film])
    return film


def test_the_portrait_follows(cast: Cast, performance: list[Image]) -> None:
    film = played(cast, performance[:8])
    assert len(film.images) == 8 and film.images[0].shape == (128, 128, 3)
    still, turned = film.images[0].astype(float), film.images[6].astype(float)
    assert np.abs(still - turned).mean() > 2


def test_the_neutral_face_is_taken_again(cast: Cast, performance: list[Image]) -> None:
    turned = [performance[0], *[performance[6]] * 3]
    before = played(cast, turned).images
    after = played(cast, turned, {2: "neutral"}).images
    rest, moved, again = (image.astype(float) for image in (before[0], before[3], after[3]))
    assert np.abs(rest - again).mean() < np.abs(rest - moved).mean() / 3


def test_pause_and_quit(cast: Cast, performance: list[Image]) -> None:
    assert len(played(cast, performance[:6], {2: "pause"}).images) == 2
    assert len(played(cast, performance[:6], {3: "quit"}).images) == 3


def test_sources_are_switched_at_one_size(portrait: Path, folder: Path, performance: list[Image]) -> None:
    import PIL.Image

    wide = folder / "wide.png"
    PIL.Image.open(portrait).crop((0, 0, 256, 200)).save(wide)
    cast = Cast([portrait, wide], "warp", MotionOptions(), 128)
    film = Film({2: "next", 4: "next"})
    perform(Scripted(performance[:6]), cast, lambda image: image, [film])
    cast.close()
    assert {image.shape for image in film.images} == {(128, 128, 3)}
    assert not film.images[2][:8].any() and film.images[4][:8].any()


def test_a_slow_watcher_sees_the_newest_frame_and_no_queue() -> None:
    """While it looks away 39 frames come, of which it sees the last."""
    frames = [np.full((4, 4, 3), number, np.uint8) for number in range(40)]
    away, all_came = threading.Event(), threading.Event()

    def paced() -> Iterator[Image]:
        yield frames[0]
        away.wait(WAIT)
        yield from frames[1:]
        all_came.set()

    with Camera(paced) as camera:
        first = camera.newest(WAIT)
        away.set()
        assert all_came.wait(WAIT)
        last = camera.newest(WAIT)
        assert first is not None and last is not None
        assert (first.image[0, 0, 0], last.image[0, 0, 0]) == (0, 39)
        assert camera.newest(WAIT) is None and camera.ended
    assert (camera.taken, camera.dropped) == (40, 38)


def test_a_file_is_paced_in_real_time(driving: Path) -> None:
    began = time.monotonic()
    with open_camera(str(driving)) as camera:
        shots = []
        while not camera.ended:
            if (shot := camera.newest(WAIT)) is not None:
                shots.append(shot)
    assert time.monotonic() - began > 0.7  # 24 frames at 29.97 a second
    assert len(shots) + camera.dropped == 24


def test_what_a_camera_ends_with_comes_up() -> None:
    def broken() -> Iterator[Image]:
        yield np.zeros((4, 4, 3), np.uint8)
        raise ReenactError("unplugged")

    with Camera(broken) as camera:
        time.sleep(0.05)
        assert camera.newest(WAIT) is not None
        with pytest.raises(ReenactError, match="unplugged"):
            camera.newest(WAIT)


def test_a_camera_that_is_not_there(portrait: Path, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for camera in ("97", str(folder / "nowhere.mp4"), str(portrait) + "x"):
        assert main(["webcam", str(portrait), "--camera", camera, "--no-window", "--record", "x.mp4"]) == 2
        assert len(capfd.readouterr().err.strip().splitlines()) == 1
    assert main(["webcam", str(portrait), "--no-window"]) == 2


class FakeBackend:
    """A virtual camera that keeps its frames."""

    frames: ClassVar[list[np.ndarray]] = []
    size: ClassVar[tuple[int, int]] = (0, 0)

    def __init__(
        self, *, width: int, height: int, fps: float, fourcc: int, device: str | None, **more: Any
    ) -> None:
        FakeBackend.size = (width, height)

    def close(self) -> None:
        FakeBackend.frames.append(np.zeros(0))

    def send(self, frame: np.ndarray) -> None:
        FakeBackend.frames.append(frame.copy())

    def device(self) -> str:
        return "fake"

    def native_fourcc(self) -> int | None:
        return None


def test_the_command_with_all_outlets(
    portrait: Path,
    driving: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("pygame")
    virtual = pytest.importorskip("pyvirtualcam")
    monkeypatch.setattr(virtual.camera, "BACKENDS", {"fake": FakeBackend})
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    FakeBackend.frames.clear()
    out = tmp_path / "live.mp4"
    words = ["webcam", str(portrait), "--camera", str(driving), "--size", "160", "--record", str(out)]
    assert main([*words, "--virtual-camera", "--json"]) == 0
    told = json.loads("{" + capfd.readouterr().out.split("{", 1)[1])
    assert told["frames"] > 0 and told["p95"] >= told["p50"] > 0
    assert FakeBackend.size == (160, 160) and len(FakeBackend.frames) == told["frames"] + 1
    assert FakeBackend.frames[0].size == 160 * 160 * 3
    assert verify(out).verdict == "marked"
    with open_frames(out) as video:
        times = [frame.time for frame in video]
        assert len(times) == told["frames"] and video.end <= Fraction(5, 1) and times == sorted(times)
    assert main([*words, "--no-window"]) == 2  # it is there already


def test_without_a_screen_there_is_no_window(
    portrait: Path, driving: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pygame")
    for name in ("SDL_VIDEODRIVER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert main(["webcam", str(portrait), "--camera", str(driving)]) == 2
    assert "--no-window" in capfd.readouterr().err
