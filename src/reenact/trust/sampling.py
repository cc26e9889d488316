"""A few pictures out of any file, within bounds: what a foreign file claims is not believed.

Not `media`, which reads what the user wants animated and reports every flaw; here a damaged or hostile file
must only lead to 'cannot be read'.
"""

from __future__ import annotations

import itertools
import os
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pillow_heif
from PIL import Image as Pictures
from PIL import ImageOps

from reenact.errors import ReenactError
from reenact.trust.formats import Format
from reenact.types import Image

MAX_PIXELS = 80_000_000
MAX_STILL_BYTES = 1 << 30
FRAMES = 12
SECONDS = 20.0
"""Limits: pixels of a picture, and of all frames that are looked at together; bytes of a still's file; frames
looked at; time spent on a video."""

_DEMUXERS = "mov,matroska,avi"
"""What `formats.sniff` knows; playlists and scripts, which can name other files, are not opened."""

_SHORT = 300
"""Videos of up to so many frames are decoded whole; longer ones are sought through, key frame by key frame."""

_PILLOW = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/webp": "WEBP",
    "image/gif": "GIF",
    "image/tiff": "TIFF",
    "image/bmp": "BMP",
    "image/avif": "AVIF",
    "image/heic": "HEIF",
    "image/heif": "HEIF",
}


def sample(path: Path, form: Format) -> list[Image]:
    """Up to FRAMES pictures of a still, animation or video, (H, W, 3) RGB uint8, all of one size.

    Raises ReenactError when nothing can be decoded or a limit is passed.
    """
    try:
        frames = list(_stills(path, form) if form.kind == "picture" else _video(path))
    except ReenactError:
        raise
    except Pictures.DecompressionBombError:  # from Pillow's own bound, which is higher, when it opens the file
        raise ReenactError(f"{path} is too large; more than {MAX_PIXELS:,} pixels are not decoded") from None
    except Exception as error:  # decoders answer hostile files with anything from KeyError to MemoryError
        raise ReenactError(f"{path} cannot be decoded ({type(error).__name__})") from error
    if not frames:
        raise ReenactError(f"{path} holds no picture that can be decoded")
    return [frame for frame in frames if frame.shape == frames[0].shape]


def _stills(path: Path, form: Format) -> Iterator[Image]:
    if path.stat().st_size > MAX_STILL_BYTES:
        raise ReenactError(f"{path} is larger than {MAX_STILL_BYTES >> 20} MiB, too large for a picture")
    pillow_heif.register_heif_opener()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns where the limit below refuses
        with Pictures.open(path, formats=[_PILLOW[form.mime]]) as picture:
            _check_pixels(path, *picture.size)
            count = min(getattr(picture, "n_frames", 1), 10_000)
            for index in np.unique(np.linspace(0, count - 1, min(count, _room(*picture.size))).astype(int)):
                picture.seek(int(index))
                ImageOps.exif_transpose(picture, in_place=True)
                frame = picture if picture.mode in ("RGB", "RGBA") else picture.convert("RGB")
                yield np.asarray(frame)[..., :3]


def _video(path: Path) -> Iterator[Image]:
    deadline = time.monotonic() + SECONDS
    options = {"format_whitelist": _DEMUXERS, "protocol_whitelist": "file", "max_pixels": str(MAX_PIXELS)}
    # An absolute path cannot be taken for a protocol such as 'concat:'.
    with av.open(str(path.absolute()), "r", options=options, metadata_errors="replace") as container:
        if not container.streams.video:
            raise ReenactError(f"{path} has no picture track")
        stream = container.streams.video[0]
        width, height = stream.codec_context.width, stream.codec_context.height
        _check_pixels(path, width, height)
        room = _room(width, height)
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = min(room, os.cpu_count() or 1)
        stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
        expected = _expected_frames(stream)
        frames = _through(container, stream, expected) if expected <= _SHORT else _across(container, stream)
        for frame in itertools.islice(frames, room):
            _check_pixels(path, frame.width, frame.height)
            yield np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
            if time.monotonic() > deadline:
                return


def _expected_frames(stream: av.VideoStream) -> int:
    if stream.frames:
        return stream.frames
    seconds = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0
    return round(seconds * float(stream.average_rate or 25))


def _through(
    container: av.container.InputContainer, stream: av.VideoStream, expected: int
) -> Iterator[av.VideoFrame]:
    """Every so-many-th frame in order; a broken tail ends the sample."""
    step = max(1, -(-expected // FRAMES))
    taken = 0
    try:
        for number, frame in enumerate(container.decode(stream)):
            if number % step == 0:
                taken += 1
                yield frame
            if taken >= FRAMES or number > 4 * _SHORT:
                return
    except av.error.FFmpegError:
        if not taken:
            raise


def _across(container: av.container.InputContainer, stream: av.VideoStream) -> Iterator[av.VideoFrame]:
    """A frame at each of FRAMES points of time."""
    duration = stream.duration or 0
    taken = 0
    for part in range(FRAMES):
        try:
            container.seek((stream.start_time or 0) + duration * part // FRAMES, stream=stream)
            yield next(container.decode(stream))
            taken += 1
        except (av.error.FFmpegError, StopIteration) as error:
            if part == FRAMES - 1 and not taken:
                raise ReenactError("no frame could be decoded") from error


def _room(width: int, height: int) -> int:
    """How many frames of this size are looked at: 1 to FRAMES."""
    return max(1, min(FRAMES, MAX_PIXELS // max(1, width * height)))


def _check_pixels(path: Path, width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise ReenactError(
            f"{path} declares {width} x {height} pixels; more than {MAX_PIXELS:,} are not decoded"
        )
