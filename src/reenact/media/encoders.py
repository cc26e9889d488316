"""Which encoder writes what, and with which settings."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import av
import av.error

from reenact.errors import ReenactError
from reenact.media.codecs import Codec

CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
"""FFmpeg's muxer for each suffix."""

CODECS = {
    "mp4": ("h264", "h265", "av1", "vp9"),
    "mov": ("h264", "h265"),
    "matroska": ("h264", "h265", "vp9", "av1"),
    "webm": ("vp9", "av1"),
}
"""Codecs each container takes; the first is what 'auto' means."""

Options = dict[str, str]


@dataclass(frozen=True)
class Encoder:
    """An FFmpeg encoder. options: from quality (0 to 100) and threads (0 is all). tag: four letters, if any.

    in_order: what keeps it from storing frames out of order; with a variable rate MP4 could not say how long
    each stays otherwise.
    """

    name: str
    pixels: str
    options: Callable[[int, int], Options]
    tag: str | None = None
    in_order: Options = field(default_factory=dict)

    @property
    def alpha(self) -> bool:
        """Whether it keeps transparency."""
        return self.pixels.startswith("yuva")


def crf(quality: int, worst: int, best: int) -> str:
    """Quality 0 to 100 on an encoder's constant-rate-factor scale, where less is better."""
    quality = min(max(quality, 0), 100)
    return str(round(worst + (best - worst) * quality / 100))


def _h264(quality: int, threads: int) -> Options:
    return {"preset": "veryfast", "crf": crf(quality, 44, 12)}


def _h265(quality: int, threads: int) -> Options:
    pools = f":pools={threads}" if threads else ""
    return {"preset": "superfast", "crf": crf(quality, 46, 14), "x265-params": f"log-level=none{pools}"}


def _vp9(quality: int, threads: int) -> Options:
    return {"deadline": "realtime", "cpu-used": "6", "row-mt": "1", "crf": crf(quality, 60, 20), "b": "0"}


def _av1(quality: int, threads: int) -> Options:
    # The library prints its banner past FFmpeg's log otherwise.
    os.environ.setdefault("SVT_LOG", "1")
    lanes = {"svtav1-params": f"lp={threads}"} if threads else {}
    return {"preset": "10", "crf": crf(quality, 60, 20), **lanes}


def _prores(quality: int, threads: int) -> Options:
    return {"profile": "4444", "qscale": crf(quality, 24, 4), "vendor": "apl0"}


_ENCODERS = {
    "h264": Encoder("libx264", "yuv420p", _h264, in_order={"bf": "0"}),
    "h265": Encoder("libx265", "yuv420p", _h265, "hvc1", {"bf": "0"}),
    "vp9": Encoder("libvpx-vp9", "yuv420p", _vp9),
    "av1": Encoder("libsvtav1", "yuv420p", _av1),
}
_WITH_ALPHA = {
    "webm": Encoder("libvpx-vp9", "yuva420p", _vp9),
    "matroska": Encoder("libvpx-vp9", "yuva420p", _vp9),
    "mov": Encoder("prores_ks", "yuva444p10le", _prores, "ap4h"),
}


def container_of(path: Path) -> str:
    """The muxer for `path` by its suffix. Raises ReenactError for one that is not written."""
    if (name := CONTAINERS.get(path.suffix.lower())) is None:
        known = ", ".join([*CONTAINERS, ".gif"])
        raise ReenactError(
            f"cannot write a video as {path.suffix or 'a name without suffix'}: {path}; use {known}"
        )
    return name


def choose(path: Path, codec: Codec, alpha: bool) -> Encoder:
    """The encoder for `path`. Transparency wins over 'auto' where the container has a codec for it.

    Raises ReenactError for a codec that the container or this installation does not have.
    """
    container = container_of(path)
    name = CODECS[container][0] if codec == "auto" else codec
    if name not in CODECS[container]:
        possible = ", ".join(CODECS[container])
        raise ReenactError(
            f"{path.suffix} cannot hold {name}: {path}; use --codec {possible} or another suffix"
        )
    encoder = _ENCODERS[name]
    if alpha and container in _WITH_ALPHA and codec in ("auto", "vp9"):
        encoder = _WITH_ALPHA[container]
    if not is_available(encoder.name):
        raise ReenactError(
            f"this installation cannot write {name} ({encoder.name} is missing); use --codec h264"
        )
    return encoder


def check_codec(path: Path, codec: Codec) -> None:
    """Raises ReenactError where no moving picture can be written as `path` with `codec`. Writes nothing; a name
    without an ending is a folder of PNG files."""
    if path.suffix and path.suffix.lower() != ".gif":
        choose(path, codec, alpha=False)
    elif codec != "auto":
        kind = "a GIF" if path.suffix else "a folder of PNG files"
        raise ReenactError(
            f"--codec {codec}: {kind} has no video codec: {path}; leave --codec out, "
            "or name a video such as out.mp4"
        )


def is_available(encoder: str) -> bool:
    """Whether this build of FFmpeg has the encoder."""
    try:
        av.Codec(encoder, "w")
    except (av.error.FFmpegError, ValueError):
        return False
    return True
