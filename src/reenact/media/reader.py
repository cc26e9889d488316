"""One door for everything that can drive or be animated: videos, animated pictures, folders, stills."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from reenact.errors import ReenactError
from reenact.media.limits import BrokenMedia, require_file
from reenact.media.pictures import open_folder, open_still, open_webp
from reenact.media.source import FrameSource, MediaInfo

__all__ = ["BrokenMedia", "FrameSource", "MediaInfo", "check_span", "is_still", "open_frames"]


def open_frames(
    path: Path,
    *,
    start: Fraction | None = None,
    end: Fraction | None = None,
    longest: int | None = None,
    rate: Fraction | None = None,
    threads: int | None = None,
) -> FrameSource:
    """Opens a video, GIF, animated WebP or PNG, folder of pictures, or still, for reading frame by frame.

    start, end: seconds from the first frame; the frame on screen at `start` comes first, at time 0, and frames
    that appear before `end` come. longest: scale down to this many pixels on the longer side. rate: frames/s
    of a folder (25). threads: of the decoder, None for as many as there are cores.
    Raises ReenactError for anything that cannot be read; iterating raises BrokenMedia where a file breaks off.
    """
    path = Path(path)
    check_span(start, end)
    if path.is_dir():
        return open_folder(path, start, end, longest, rate)
    head = _head(require_file(path, "input"))
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return open_webp(path, start, end, longest)
    if _is_still_head(head, path):
        return open_still(path, longest)
    from reenact.media.video import open_video

    return open_video(path, start, end, longest, threads)


def is_still(path: Path) -> bool:
    """Whether the file is a single picture, by its content not an animated one. Raises like `open_frames`."""
    head = _head(require_file(Path(path), "input"))
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return b"ANIM" not in head
    return _is_still_head(head, Path(path))


def check_span(start: Fraction | None, end: Fraction | None) -> None:
    """Raises ReenactError where `start` and `end`, in seconds, enclose nothing."""
    if start is not None and start < 0:
        raise ReenactError(f"--start is negative: {float(start):g}; give seconds from the first frame")
    if end is not None and end <= (start or 0):
        raise ReenactError(
            f"--end {float(end):g} s is not after --start {float(start or 0):g} s; choose a later one"
        )


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(4096)
    except OSError as error:
        raise ReenactError(f"input cannot be read: {path} ({error.strerror}); check its permissions") from None


def _is_still_head(head: bytes, path: Path) -> bool:
    if head[:8] == b"\x89PNG\r\n\x1a\n":
        return b"acTL" not in head
    if head[4:8] == b"ftyp":
        return head[8:12] in (b"heic", b"heix", b"mif1", b"avif", b"heim", b"heis")
    if head[:2] == b"\xff\xd8":
        # Motion JPEG without a container begins like a still; its suffix tells.
        return path.suffix.lower() not in (".mjpeg", ".mjpg")
    return head[:2] == b"BM" or head[:4] in (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
