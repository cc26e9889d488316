"""What every reader hands out: what the media is, and its frames one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Literal

from reenact.media.limits import check_length
from reenact.types import Frame, Image

Kind = Literal["video", "gif", "folder", "still"]

LONGEST_LAST = 10
"""Seconds a last frame may stay by the container's word alone."""

TimedImage = tuple[Image, Fraction, Fraction]
"""A picture, the time it appears and the time it stays, both in seconds."""


@dataclass(frozen=True)
class MediaInfo:
    """What is known before the frames are read.

    width, height: pixels of the frames as they come, upright and square. fps: nominal rate, None for a still.
    duration: seconds as declared, of the chosen part; `FrameSource.end` has the exact one after reading.
    frames: how many are expected. kind: 'gif' stands for every animated picture. start_time: place of the
    first frame on the file's own clock in seconds, to which sound is cut. broken: why the file is known to
    break off, before the break is reached, else None.
    """

    width: int
    height: int
    fps: Fraction | None
    duration: Fraction | None
    frames: int | None
    has_audio: bool
    has_alpha: bool
    codec: str
    kind: Kind
    start_time: Fraction = Fraction(0)
    broken: str | None = None


class FrameSource:
    """A context manager over the frames of a video, animated picture, folder or still; read once, in order.

    info: see MediaInfo. end: seconds at which the last frame that was read stops being shown (exact; the
    duration once all is read). notes: one line for each oddity that was passed over, such as damaged frames.
    Iterating raises BrokenMedia where the media breaks off, after the frames before it.
    """

    def __init__(
        self,
        path: Path,
        info: MediaInfo,
        frames: Iterator[TimedImage],
        close: Callable[[], None] = lambda: None,
        notes: list[str] | None = None,
        declared_end: Fraction | None = None,
    ) -> None:
        self.path = path
        self.info = info
        self.end = self._last = Fraction(0)
        self.notes: list[str] = [] if notes is None else notes
        self._frames = frames
        self._close = close
        self._declared_end = declared_end

    def __iter__(self) -> Iterator[Frame]:
        for count, (image, time, duration) in enumerate(self._frames, 1):
            self.end, self._last = time + duration, time
            check_length(count, float(self.end), self.path)
            yield Frame(image, time)
        self._settle()

    def _settle(self) -> None:
        """Takes the container's word for when the last frame vanishes, where it is near what was counted.

        With frames out of order and a variable rate, a packet's duration is that of its place in the file.
        """
        declared = self._declared_end
        if declared is not None and self._last < declared < self._last + LONGEST_LAST:
            self.end = declared

    def __enter__(self) -> FrameSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the file; may be called again."""
        self._close()
