"""Cameras: a device, or a file that stands in for one, paced in real time. Only the newest frame is kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np

from reenact.errors import ReenactError
from reenact.geometry.opencv import opencv
from reenact.media.compose import over
from reenact.media.reader import open_frames
from reenact.types import Image

_LONGEST = 1280


@dataclass(frozen=True)
class Shot:
    """A camera frame (H, W, 3) RGB, and when it was there, in seconds of the monotonic clock."""

    image: Image
    at: float


class Camera:
    """Frames from an endless or ending source, of which only the newest is ever held.

    frames: makes an iterator that waits for each frame, as a camera does; its own thread uses and closes it.
    A context manager. taken, dropped: frames that came, and those of them that nobody asked for in time.
    """

    def __init__(self, frames: Callable[[], Iterator[Image]]) -> None:
        self._frames = frames
        self._newest: Shot | None = None
        self._change = threading.Condition()
        self._stop = self._ended = False
        self._error: Exception | None = None
        self.taken = self.dropped = 0
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Camera:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop = True
        # A device that hangs in the driver is left to the end of the process.
        self._thread.join(2)

    @property
    def ended(self) -> bool:
        """Whether no frame will come any more and all were asked for."""
        with self._change:
            return self._ended and self._newest is None

    def newest(self, wait: float) -> Shot | None:
        """The newest frame that was not given out yet; None where none came within `wait` seconds. Raises what
        the camera ended with."""
        with self._change:
            self._change.wait_for(lambda: self._newest is not None or self._ended, wait)
            shot, self._newest = self._newest, None
            if shot is None and self._error is not None:
                raise self._error
            return shot

    def _run(self) -> None:
        try:
            with closing(self._frames()) as frames:  # type: ignore[type-var]
                for image in frames:
                    with self._change:
                        self.taken += 1
                        self.dropped += self._newest is not None
                        self._newest = Shot(image, time.monotonic())
                        self._change.notify_all()
                    if self._stop:
                        break
        except Exception as error:
            self._error = error
        with self._change:
            self._ended = True
            self._change.notify_all()


def open_camera(name: str) -> Camera:
    """The camera of that number, or the file of that name played once in real time. Raises ReenactError where
    there is neither."""
    if name.isascii() and name.isdigit():
        number = int(name)
        cv2 = opencv()
        cv2.setLogLevel(0)  # what its backends have to say about each device that is not there
        capture = cv2.VideoCapture(number)
        if not capture.isOpened():
            raise ReenactError(
                f"there is no camera {number}; give another --camera, or a video file in its place"
            )
        return Camera(lambda: _device(capture, number))
    path = Path(name)
    open_frames(path).close()
    return Camera(lambda: _paced(path))


def _device(capture: object, number: int) -> Iterator[Image]:
    try:
        while True:
            there, image = capture.read()  # type: ignore[attr-defined]
            if not there:
                raise ReenactError(
                    f"camera {number} gives no more frames; is it in use elsewhere, or unplugged?"
                )
            yield np.ascontiguousarray(image[..., ::-1])
    finally:
        capture.release()  # type: ignore[attr-defined]


def _paced(path: Path) -> Iterator[Image]:
    with open_frames(path, longest=_LONGEST) as frames:
        began = None
        for frame in frames:
            began = time.monotonic() if began is None else began
            time.sleep(max(began + float(frame.time) - time.monotonic(), 0))
            yield over(frame.image, 128)
