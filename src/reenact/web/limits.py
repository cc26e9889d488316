"""What one server takes on at once, and what it refuses of an upload before it works on it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from reenact.errors import ReenactError
from reenact.media.reader import is_still, open_frames
from reenact.media.stills import still_size
from reenact.pipeline.motion_file import is_motion, read_motion

MAX_RATE = 120
"""Frames a second of a driving file, on average, and of what is written."""


@dataclass(frozen=True)
class Limits:
    """The limits of a server; `reenact serve` has an option for each.

    upload_bytes: of one request. seconds: of a driving file. pixels: of a portrait or driving picture.
    frame_pixels: of a driving video's frame. running, queued: jobs at once, and jobs that wait or are being
    uploaded beside them. keep: seconds that a finished job's files stay. portraits: held in memory for previews
    and live use, the one unused for longest going first. streams: live streams at once.
    """

    upload_bytes: int = 200 << 20
    seconds: float = 300.0
    pixels: int = 50_000_000
    frame_pixels: int = 4096 * 2304
    running: int = 1
    queued: int = 20
    keep: float = 3600.0
    portraits: int = 16
    streams: int = 4

    @property
    def frames(self) -> int:
        """Most frames of a driving file."""
        return int(self.seconds * MAX_RATE)


def check_portrait(path: Path, limits: Limits) -> None:
    """Raises ReenactError where the picture is unreadable or has more pixels than allowed; reads its header."""
    width, height = still_size(path)
    if width * height > limits.pixels:
        raise ReenactError(
            f"the picture {path} has {width} x {height} pixels; this server takes at most "
            f"{limits.pixels / 1e6:g} megapixels: make it smaller"
        )


def check_driving(path: Path, limits: Limits) -> None:
    """Raises ReenactError where the driving file is unreadable, too long or too large; decodes no video."""
    if is_motion(path):
        motion = read_motion(path)
        _check_length(path, motion.duration, len(motion), limits)
    elif is_still(path):
        check_portrait(path, limits)
    else:
        with open_frames(path) as source:
            info = source.info
        if info.width * info.height > limits.frame_pixels:
            raise ReenactError(
                f"the frames of {path} have {info.width} x {info.height} pixels; this server takes at most "
                f"{limits.frame_pixels / 1e6:g} megapixels: scale the video down"
            )
        _check_length(path, info.duration, info.frames, limits)


def _check_length(path: Path, duration: Fraction | None, frames: int | None, limits: Limits) -> None:
    if duration is not None and duration > limits.seconds:
        raise ReenactError(
            f"{path} lasts {float(duration):.0f} s; this server takes at most {limits.seconds:g} s: cut it"
        )
    if frames is not None and frames > limits.frames:
        raise ReenactError(
            f"{path} has {frames} frames; this server takes at most {limits.frames}: lower its frame rate"
        )
