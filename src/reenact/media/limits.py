"""What is refused before it is read: limits that keep hostile or broken files from hurting."""

from __future__ import annotations

import stat
from pathlib import Path

from reenact.errors import ReenactError

MAX_STILL_PIXELS = 200_000_000
"""Pixels of a still, checked in its header (16,320 x 12,240 px, the largest that telephones take)."""

MOST_BYTES = 2_000_000_000
"""Memory that reading any one file may take."""

DECODER_BYTES = {"WEBP": 20, "AVIF": 20, "HEIF": 18, "TIFF": 12}
"""Bytes a pixel that decoding takes at the most, where it is more than 10, by Pillow's name of the format."""

MAX_STILL_SIDE = 65_500
"""Pixels of a still's side; what JPEG itself can hold."""

MAX_VIDEO_SIDE = 16_384
"""Pixels of a video frame's side; twice 8K."""

MAX_VIDEO_PIXELS = 70_000_000
"""Pixels of a video frame: 8K and a half again (a decoder holds a dozen frames)."""

MAX_HELD = 18
"""Frames that a decoder may hold at once: 16 for reference, and the one before and after."""

MAX_FRAMES = 10_000_000
"""Frames of a video or folder: 92 hours at 30 frames/s."""

MAX_SECONDS = 400_000
"""Seconds of a video, about 111 hours."""

MAX_STRETCH = 8
"""Sample aspect ratio beyond which the tag is taken for an error and not applied."""


class BrokenMedia(ReenactError):  # noqa: N818  (it is the media that is broken)
    """A video or picture sequence that breaks off; what came before could be read."""


def require_file(path: Path, what: str = "file") -> Path:
    """`path`, if it is a regular file with something in it.

    what: how the message names it, such as 'driving video'. Raises ReenactError for a missing file, a folder,
    a pipe or device (which could block for ever), an empty file, or one that may not be read.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        raise ReenactError(f"{what} not found: {path}; check the path") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ReenactError(f"{what} cannot be read: {str(path)!r} ({reason}); check the path") from None
    if stat.S_ISDIR(status.st_mode):
        raise ReenactError(f"{what} is a folder: {path}; give a file")
    if not stat.S_ISREG(status.st_mode):
        raise ReenactError(f"{what} is not a regular file: {path}; copy it to a file first")
    if status.st_size == 0:
        raise ReenactError(f"{what} is empty (0 bytes): {path}; copy or record it again")
    return path


def check_still_size(width: int, height: int, form: str | None, coefficients: int, path: Path) -> None:
    """Raises ReenactError where a still of `width` x `height` px would take too much memory to decode.

    form: the format as Pillow names it. coefficients: channels that a progressive JPEG holds twice, else 0.
    """
    cost = max(DECODER_BYTES.get(form or "", 10), 4 + 2 * coefficients)
    limit = min(MAX_STILL_PIXELS, MOST_BYTES // cost)
    if width * height > limit or max(width, height) > MAX_STILL_SIDE:
        raise ReenactError(
            f"picture is too large ({width} x {height} px): {path}; at most {limit // 10**6} megapixels "
            f"of {form or 'this format'} are read"
        )


def check_video_size(width: int, height: int, path: Path) -> None:
    """Raises ReenactError where a frame of `width` x `height` px is nothing or too large to decode safely."""
    if width < 1 or height < 1:
        raise ReenactError(f"video declares no picture size: {path}; it is damaged or not a video")
    if max(width, height) > MAX_VIDEO_SIDE or width * height > MAX_VIDEO_PIXELS:
        raise ReenactError(
            f"video frames are too large: {width} x {height} px in {path}; "
            f"at most {MAX_VIDEO_SIDE} px a side and {MAX_VIDEO_PIXELS // 10**6} megapixels are read"
        )


def check_frame_bytes(pixels: int, bits: int, path: Path) -> int:
    """Bytes of a frame of so many pixels of so many bits; raises ReenactError where they are too many.

    A decoder may have to hold MAX_HELD of them.
    """
    held = pixels * bits // 8
    if held * MAX_HELD > MOST_BYTES:
        raise ReenactError(
            f"video frames are too large: {held // 10**6} MB each in {path}; at most "
            f"{MOST_BYTES // MAX_HELD // 10**6} MB are read: scale it down first"
        )
    return held


def check_length(frames: int, seconds: float, path: Path) -> None:
    """Raises ReenactError where a video declares, or has, more frames or seconds than any real one."""
    if frames > MAX_FRAMES or seconds > MAX_SECONDS:
        raise ReenactError(
            f"video is too long: {frames} frames, {seconds:.0f} s in {path}; "
            f"at most {MAX_FRAMES} frames and {MAX_SECONDS} s are read; cut it with --start and --end elsewhere"
        )
