"""Media made on the spot: frames that carry their own number, videos of any codec, sound with clicks."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from reenact.media.writer import no_more_urgent

Picture = NDArray[np.uint8]
BITS = 8


def coded(number: int, width: int = 64, height: int = 48) -> Picture:
    """A picture whose upper half shows `number` as black and white cells, over a colour gradient."""
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0] = np.linspace(40, 215, width)[None]
    image[..., 1] = np.linspace(60, 190, height)[:, None]
    image[..., 2] = 110
    bits = [(number >> bit) & 1 for bit in range(BITS)]
    image[: height // 2] = np.repeat(bits, -(-width // BITS))[None, :width, None] * np.uint8(255)
    return image


def number_of(image: Picture) -> int:
    """The number that `coded` put in, at any size."""
    height, width = image.shape[:2]
    row = image[height // 4, :, :3].mean(axis=1)
    cell = width / BITS
    return sum((row[int((bit + 0.5) * cell)] > 128) << bit for bit in range(BITS))


def write_video(
    path: Path,
    images: Iterable[Picture],
    *,
    codec: str = "libx264",
    rate: Fraction | int = 25,
    stamps: Sequence[int] | None = None,
    tick: Fraction | None = None,
    pixels: str = "yuv420p",
    options: dict[str, str] | None = None,
    container: dict[str, str] | None = None,
    sar: Fraction | None = None,
    sound: Path | None = None,
) -> Path:
    """A video of `images` through PyAV directly (not through the code under test)."""
    output: Any = av.open(str(path), "w", container_options=container or {})
    stream: Any = None
    for index, image in enumerate(images):
        if stream is None:
            stream = output.add_stream(codec, rate=rate, options=options or {})
            stream.height, stream.width = image.shape[:2]
            stream.pix_fmt = pixels
            stream.codec_context.time_base = tick or 1 / Fraction(rate)
            if sar:
                stream.codec_context.sample_aspect_ratio = sar
            copied = _add_copy(output, sound)
        frame = av.VideoFrame.from_ndarray(image, format="rgba" if image.shape[2] == 4 else "rgb24")
        frame.pts = index if stamps is None else stamps[index]
        frame.time_base = stream.codec_context.time_base
        with no_more_urgent():
            packets = stream.encode(frame)
        output.mux(packets)
    output.mux(stream.encode(None))
    if copied is not None:
        _copy(output, copied, sound)
    output.close()
    return path


def _add_copy(output: Any, sound: Path | None) -> Any:
    if sound is None:
        return None
    with av.open(str(sound)) as source:
        return output.add_stream_from_template(source.streams.audio[0])


def _copy(output: Any, stream: Any, sound: Path | None) -> None:
    with av.open(str(sound)) as source:
        for packet in source.demux(audio=0):
            if packet.dts is not None:
                packet.stream = stream
                output.mux(packet)


def write_clicks(
    path: Path, seconds: float, at: Iterable[float], codec: str = "aac", rate: int = 44_100, delay: int = 0
) -> Path:
    """Sound that is silent but for a 1 kHz burst of 60 ms at each of the times `at`; delay in samples."""
    samples = np.zeros(round(seconds * rate), np.float32)
    burst = 0.7 * np.sin(2 * np.pi * 1000 * np.arange(round(0.06 * rate)) / rate)
    for time in at:
        begin = round(time * rate)
        samples[begin : begin + len(burst)] = burst[: max(0, len(samples) - begin)]
    output: Any = av.open(str(path), "w")
    stream: Any = output.add_stream(codec, rate=rate)
    stream.codec_context.layout = "mono"
    form = stream.codec_context.codec.audio_formats[0].name
    for begin in range(0, len(samples), 4096):
        part = samples[None, begin : begin + 4096]
        if form.startswith("s16"):
            part = (part * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(
            part, format="s16" if part.dtype == np.int16 else "fltp", layout="mono"
        )
        frame.sample_rate, frame.pts, frame.time_base = rate, begin + delay, Fraction(1, rate)
        output.mux(stream.encode(frame))
    output.mux(stream.encode(None))
    output.close()
    return path


def onsets(path: Path) -> list[float]:
    """Seconds, on the file's clock, at which bursts begin in its sound (independent of the code under test)."""
    found: list[float] = []
    quiet = -1.0
    with av.open(str(path)) as source:
        for frame in source.decode(audio=0):
            values = np.abs(frame.to_ndarray().astype(np.float32)).reshape(-1)
            if not frame.format.is_planar:
                values = values.reshape(-1, len(frame.layout.channels))[:, 0]
            else:
                values = values[: frame.samples]
            if frame.format.name.startswith("s16"):
                values = values / 32767
            begin = float(frame.pts * frame.time_base)
            for sample in np.flatnonzero(values > 0.2):
                time = begin + sample / frame.sample_rate
                if time > quiet:
                    found.append(time)
                quiet = time + 0.1
    return found


def flashes(path: Path) -> list[float]:
    """Seconds, on the file's clock, of frames that are mostly white."""
    with av.open(str(path)) as source:
        return [
            float(frame.pts * frame.time_base)
            for frame in source.decode(video=0)
            if np.asarray(frame.to_ndarray(format="gray")).mean() > 128
        ]


def patch_box(path: Path, name: bytes, offset: int, value: bytes) -> None:
    """Overwrites `value` at `offset` bytes after the four letters of each MP4 box `name`."""
    data = bytearray(path.read_bytes())
    at = data.find(name)
    assert at >= 0
    while at >= 0:
        data[at + 4 + offset : at + 4 + offset + len(value)] = value
        at = data.find(name, at + 4)
    path.write_bytes(bytes(data))


def tkhd_matrix(a: int, b: int, c: int, d: int) -> bytes:
    """The transformation of a track header (ISO/IEC 14496-12, 8.3.2), version 0, at offset 40 of the box."""
    one = 1 << 16
    return struct.pack(">9i", a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30)
