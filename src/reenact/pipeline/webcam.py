"""Live use of a camera: the newest frame becomes a picture, which goes to a window, a virtual camera, a file.

Where the machine is too slow, frames are left out at the camera; nothing waits in a queue.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reenact.media.compose import over, pad_to_even, scale_to
from reenact.pipeline.animate import Animator
from reenact.pipeline.camera import Camera
from reenact.pipeline.options import MotionOptions
from reenact.pipeline.outlets import Outlet
from reenact.types import Image

_WAIT = 0.1
_RECENT = 90
_KEPT = 20_000
"""Latencies that the report is made from, the newest."""


@dataclass(frozen=True)
class Report:
    """How a live run went. frames: shown. dropped: camera frames left out. rate: frames/s. p50, p95:
    milliseconds from the camera to the outlets."""

    frames: int
    dropped: int
    rate: float
    p50: float
    p95: float

    def line(self) -> str:
        """For people."""
        share = 100 * self.dropped / max(self.frames + self.dropped, 1)
        return (
            f"{self.rate:.1f} frames/s, {self.p50:.0f} ms (p50) and {self.p95:.0f} ms (p95) from camera to "
            f"display, {share:.0f} % of the camera's frames left out"
        )


class Cast:
    """The portraits that a run can switch between; each is made ready when it is first wanted, and shown at the
    first one's size."""

    def __init__(self, sources: Sequence[Path], system: str, motion: MotionOptions, longest: int) -> None:
        self._sources, self._system, self._motion, self._longest = sources, system, motion, longest
        self._ready: dict[int, Animator] = {}
        self._now = 0
        height, width = pad_to_even(self._animator().portrait.picture).shape[:2]
        self.size = (width, height)

    def frame(self, image: Image, at: float) -> Image:
        """The current portrait, (H, W, 3), moved as the face in the camera's frame."""
        return _fitted(over(self._animator().frame(image, at), 255), *self.size)

    def next(self) -> None:
        """Go on to the next portrait."""
        self._now = (self._now + 1) % len(self._sources)

    def recalibrate(self) -> None:
        """Take the next frame as the neutral face."""
        self._animator().recalibrate()

    def close(self) -> None:
        """Stop the detectors."""
        for animator in self._ready.values():
            animator.close()

    def _animator(self) -> Animator:
        if self._now not in self._ready:
            made = Animator(
                self._sources[self._now], system=self._system, motion=self._motion, size=self._longest
            )
            self._ready[self._now] = made
        return self._ready[self._now]


def perform(camera: Camera, cast: Cast, finish: Callable[[Image], Image], outlets: Sequence[Outlet]) -> Report:
    """Run until the camera ends, somebody quits, or Ctrl-C. finish: the last touch on every picture."""
    meter, paused = _Meter(), False
    try:
        while not camera.ended:
            for key in [key for outlet in outlets for key in outlet.pressed()]:
                if key == "quit":
                    return meter.report(camera)
                if key == "pause":
                    paused = not paused
                elif key == "next":
                    cast.next()
                else:
                    cast.recalibrate()
            shot = camera.newest(_WAIT)
            if shot is None or paused:
                continue
            image = finish(cast.frame(shot.image, shot.at))
            for outlet in outlets:
                outlet.show(image, shot.at)
            if meter.add(time.monotonic() - shot.at):
                for outlet in outlets:
                    outlet.tell(meter.report(camera, recent=True).line())
    except KeyboardInterrupt:
        pass
    return meter.report(camera)


class _Meter:
    """Times from capture to display."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=_KEPT)
        self._shown: deque[float] = deque(maxlen=_RECENT)
        self._began: float | None = None
        self._frames = 0

    def add(self, seconds: float) -> bool:
        """Note a frame; whether it is time to tell."""
        now = time.monotonic()
        self._began = now if self._began is None else self._began
        self._times.append(seconds)
        self._shown.append(now)
        self._frames += 1
        return self._frames % 15 == 0

    def report(self, camera: Camera, recent: bool = False) -> Report:
        times = list(self._times)[-_RECENT:] if recent else list(self._times)
        p50, p95 = np.percentile(times, (50, 95)) * 1000 if times else (0.0, 0.0)
        span = self._shown[-1] - (self._shown[0] if recent else self._began or 0.0) if times else 0.0
        count = len(self._shown) if recent else self._frames
        rate = (count - 1) / span if span > 0 else 0.0
        return Report(self._frames, camera.dropped, rate, float(p50), float(p95))


def _fitted(image: Image, width: int, height: int) -> Image:
    """The picture as large as fits into `width` x `height`, in the middle of black."""
    tall, wide = image.shape[:2]
    if (wide, tall) == (width, height):
        return image
    if (wide + wide % 2, tall + tall % 2) == (width, height):
        return pad_to_even(image)
    factor = min(width / wide, height / tall)
    small = scale_to(image, max(round(wide * factor), 1), max(round(tall * factor), 1))
    out = np.zeros((height, width, 3), np.uint8)
    top, left = (height - small.shape[0]) // 2, (width - small.shape[1]) // 2
    out[top : top + small.shape[0], left : left + small.shape[1]] = small
    return out
