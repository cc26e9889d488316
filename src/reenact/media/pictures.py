"""Frames that are pictures already: a still, a folder of stills, an animated WebP."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import PIL.Image

from reenact.errors import ReenactError
from reenact.media.compose import resize
from reenact.media.integrity import break_reason
from reenact.media.limits import BrokenMedia, check_length, check_video_size, require_file
from reenact.media.source import FrameSource, MediaInfo, TimedImage
from reenact.media.stills import read_still
from reenact.types import Image

FOLDER_RATE = Fraction(25)
"""Frames/s of a folder of pictures."""

PICTURE_SUFFIXES = {
    ".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif",
}  # fmt: skip
DEFAULT_SHOWN = Fraction(1, 10)
"""Seconds of an animated picture's frame that gives none, as browsers take it."""


def open_still(path: Path, longest: int | None) -> FrameSource:
    """A single still as a source of one frame."""
    image = _limit(read_still(path), longest)
    info = _info(image, None, None, 1, Path(path).suffix.lstrip(".").lower(), "still")
    return FrameSource(Path(path), info, iter([(image, Fraction(0), Fraction(0))]))


def list_pictures(folder: Path) -> list[Path]:
    """The pictures in `folder` in natural order (2 before 10). Raises ReenactError for none, and for links."""
    found = []
    try:
        entries = list(os.scandir(folder))
    except OSError as error:
        raise ReenactError(
            f"folder cannot be read: {folder} ({error.strerror}); check its permissions"
        ) from None
    for entry in entries:
        if entry.name.startswith(".") or Path(entry.name).suffix.lower() not in PICTURE_SUFFIXES:
            continue
        if entry.is_symlink():
            raise ReenactError(f"folder holds a link: {entry.path}; copy the picture itself into the folder")
        if entry.is_file():
            found.append(Path(entry.path))
    if not found:
        raise ReenactError(f"folder holds no pictures: {folder}; put JPEG or PNG frames into it")
    check_length(len(found), 0, folder)
    return sorted(found, key=_natural)


def _natural(path: Path) -> list[tuple[int, int, str]]:
    # Only ASCII digits: int() also takes others, which re's \d finds but which sort nowhere.
    parts = re.split(r"([0-9]+)", path.name.lower())
    return [(0, int(part), "") if index % 2 else (1, 0, part) for index, part in enumerate(parts)]


def open_folder(
    path: Path, start: Fraction | None, end: Fraction | None, longest: int | None, rate: Fraction | None
) -> FrameSource:
    """A folder of pictures as frames at `rate` (25 by default), all at the size of the first."""
    fps = rate or FOLDER_RATE
    files = list_pictures(path)
    skip = int((start or Fraction(0)) * fps)
    stop = len(files) if end is None else min(len(files), -int(-end * fps // 1))
    chosen = files[skip:stop]
    if not chosen:
        raise ReenactError(
            f"--start lies beyond the end of {path} ({len(files)} frames at {fps}/s); choose an earlier one"
        )
    first = _limit(read_still(chosen[0]), longest)
    info = _info(first, fps, len(chosen) / fps, len(chosen), "pictures", "folder", skip / fps)
    return FrameSource(path, info, _folder_frames(chosen, first, fps))


def _folder_frames(files: list[Path], first: Image, fps: Fraction) -> Iterator[TimedImage]:
    height, width = first.shape[:2]
    for index, file in enumerate(files):
        image = first if index == 0 else _fit(read_still(file), width, height, first.shape[2])
        yield image, index / fps, 1 / fps


def _fit(image: Image, width: int, height: int, channels: int) -> Image:
    if image.shape[:2] != (height, width):
        picture = PIL.Image.fromarray(image).resize((width, height), PIL.Image.Resampling.LANCZOS)
        image = np.asarray(picture)
    if image.shape[2] < channels:
        return np.dstack([image, np.full((height, width), 255, np.uint8)])
    return np.ascontiguousarray(image[..., :channels])


def open_webp(path: Path, start: Fraction | None, end: Fraction | None, longest: int | None) -> FrameSource:
    """An animated WebP with its own durations; a WebP of one frame is a still."""
    count, alpha = _webp_header(require_file(path, "picture"))
    if count == 1:
        return open_still(path, longest)
    check_length(count, 0, path)
    broken = break_reason(path)
    frames = _cut(_webp_frames(path, count, longest, broken), start or Fraction(0), end)
    head = next(frames, None)
    if head is None:
        raise ReenactError(f"--start lies beyond the end of {path}; choose an earlier one")
    origin, rest = head[1], _from_zero(head, frames)
    info = _info(head[0], None, None, count, "webp", "gif", origin, broken, alpha)
    return FrameSource(path, info, rest)


def _webp_header(path: Path) -> tuple[int, bool]:
    """Number of frames, and whether there is transparency."""
    try:
        with PIL.Image.open(path, formats=["WEBP"]) as picture:
            width, height = picture.size
            found = getattr(picture, "n_frames", 1), picture.mode == "RGBA"
    except Exception as error:  # a damaged header ends in any of a dozen kinds
        reason = break_reason(path) or str(error) or type(error).__name__
        raise ReenactError(f"picture is damaged or cut off: {path} ({reason}); get it again") from error
    check_video_size(width, height, path)
    return found


def _webp_frames(path: Path, count: int, longest: int | None, broken: str | None) -> Iterator[TimedImage]:
    time = Fraction(0)
    with PIL.Image.open(path, formats=["WEBP"]) as picture:
        for index in range(count):
            try:
                picture.seek(index)
                image = np.array(picture.convert("RGBA" if picture.mode == "RGBA" else "RGB"))
            except Exception as error:
                raise BrokenMedia(
                    f"animated picture breaks off at frame {index}: {path}; get it again"
                ) from error
            shown = Fraction(round(picture.info.get("duration", 0)), 1000) or DEFAULT_SHOWN
            yield _limit(image, longest), time, shown
            time += shown
    if broken:
        raise BrokenMedia(f"animated picture breaks off: {path} ({broken}); get it again")


def _cut(frames: Iterator[TimedImage], start: Fraction, end: Fraction | None) -> Iterator[TimedImage]:
    for timed in frames:
        if end is not None and timed[1] >= end:
            return
        if timed[1] + timed[2] > start:
            yield timed


def _from_zero(head: TimedImage, rest: Iterator[TimedImage]) -> Iterator[TimedImage]:
    yield head[0], Fraction(0), head[2]
    for image, time, shown in rest:
        yield image, time - head[1], shown


def _limit(image: Image, longest: int | None) -> Image:
    return image if longest is None or max(image.shape[:2]) <= longest else resize(image, longest)


def _info(
    image: Image,
    fps: Fraction | None,
    duration: Fraction | None,
    frames: int,
    codec: str,
    kind: str,
    start: Fraction = Fraction(0),
    broken: str | None = None,
    alpha: bool | None = None,
) -> MediaInfo:
    height, width, channels = image.shape
    return MediaInfo(
        width, height, fps, duration, frames, False, alpha if alpha is not None else channels == 4,
        codec, kind, start, broken,  # type: ignore[arg-type]
    )  # fmt: skip
