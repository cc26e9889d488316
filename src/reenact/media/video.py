"""Video files, and the animated pictures that FFmpeg reads: decoded with exact times and flat memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any, cast

import av
import av.error
from av.codec.context import CodecContext
from av.container import Flags, InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from reenact.errors import ReenactError
from reenact.media.colour import FrameConverter
from reenact.media.integrity import break_reason
from reenact.media.limits import (
    MAX_VIDEO_PIXELS,
    BrokenMedia,
    check_frame_bytes,
    check_length,
    check_video_size,
    require_file,
)
from reenact.media.source import FrameSource, MediaInfo, TimedImage
from reenact.media.timing import nominal_rate

DEMUXERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,gif,apng,"
    "mxf,nut,ivf,h264,hevc,obu,m4v,mjpeg,yuv4mpegpipe,dv,rm,mp3,wav,flac,aac"
)
"""Containers that are opened; playlists, scripts and devices, which can name other files, are not."""

THREAD_BYTES = 300_000_000
"""Memory that the frames of the decoder's threads may take beside those that it must hold."""

ANIMATED = {"gif", "apng"}
MAX_DAMAGED_RUN = 300
"""Packets in a row that fail to decode before a video counts as broken off."""

COARSE_TICK = Fraction(1, 1000)
"""Seconds; Matroska's and FLV's usual clock, which rounds the common rates' times."""

MAX_SPANS = 1000
"""Packet durations that are kept; more than any decoder's delay."""

_CODEC_NAMES = {"hevc": "h265"}
Timed = tuple[VideoFrame, Fraction]


def open_container(path: Path, what: str = "video") -> InputContainer:
    """The file opened for reading; network, playlists and scripts are refused. Raises ReenactError."""
    path = require_file(Path(path), what)
    options = {"format_whitelist": DEMUXERS, "protocol_whitelist": "file", "max_pixels": str(MAX_VIDEO_PIXELS)}
    try:
        # An absolute path cannot be taken for a protocol such as 'concat:'.
        return av.open(str(path.absolute()), "r", options=options, metadata_errors="replace")
    except (av.error.FFmpegError, ValueError, OSError, MemoryError, IndexError) as error:
        if reason := break_reason(path):
            raise ReenactError(f"{what} is cut off: {path} ({reason}); copy or record it again") from error
        raise ReenactError(f"not a {what} that can be read: {path}; use MP4, WebM, MOV, MKV or GIF") from error


def open_video(
    path: Path, start: Fraction | None, end: Fraction | None, longest: int | None, threads: int | None
) -> FrameSource:
    """The frames of a video file or animated picture; arguments as in `reader.open_frames`."""
    container = open_container(path)
    try:
        return _Video(container, Path(path), threads).source(start, end, longest)
    except BaseException:
        container.close()
        raise


class _Video:
    """One opened video: finds its stream, seeks, decodes, and watches for damage."""

    def __init__(self, container: InputContainer, path: Path, threads: int | None) -> None:
        self.container = container
        self.path = path
        self.notes: list[str] = []
        self.stream = _video_stream(container, path)
        self.tags = {key.lower(): value for key, value in self.stream.metadata.items()}
        self.broken = break_reason(path)
        if self.broken:
            container.flags |= cast(int, Flags.discard_corrupt.value)
        self.damaged = 0
        self._spans: dict[int, int] = {}
        self.context = self._decoder(threads)
        self._tick: Fraction = self.stream.time_base or Fraction(1, 90_000)
        self.first = _seconds(self.stream.start_time, self._tick) or Fraction(0)
        self.fps = nominal_rate(self.stream.average_rate, self.stream.guessed_rate)
        self._check()

    def _check(self) -> None:
        context = self.stream.codec_context
        check_video_size(context.width, context.height, self.path)
        seconds = float(self.duration or 0)
        check_length(max(self.stream.frames, int(seconds * self.fps)), seconds, self.path)

    def _decoder(self, threads: int | None) -> Any:
        context: Any = self.stream.codec_context
        if context.name == "vp9" and self.tags.get("alpha_mode") == "1":
            # FFmpeg's own VP9 decoder drops the transparency; libvpx keeps it.
            other = CodecContext.create("libvpx-vp9", "r")
            other.extradata = context.extradata
            context = other
        # Every thread holds a frame of its own; the pixel limit holds for sizes that change on the way too.
        held = check_frame_bytes(context.width * context.height, _bits(self.stream), self.path)
        most = max(1, THREAD_BYTES // max(1, held))
        context.thread_type = "AUTO"
        context.thread_count = min(threads or os.cpu_count() or 1, most)
        context.options = {**context.options, "max_pixels": str(MAX_VIDEO_PIXELS)}
        return context

    @property
    def duration(self) -> Fraction | None:
        """Declared seconds of the video stream, else of the whole file."""
        own = _seconds(self.stream.duration, self._tick)
        if own is None:
            own = _tagged_duration(self.tags.get("duration"))
        if own is None and self.container.duration:
            own = Fraction(self.container.duration, av.time_base)
        return own if own is None or own > 0 else None

    def source(self, start: Fraction | None, end: Fraction | None, longest: int | None) -> FrameSource:
        frames = self._from(start)
        try:
            image, origin = next(frames)
        except StopIteration:
            raise self._nothing(start) from None
        convert = FrameConverter(image, self.stream.sample_aspect_ratio, longest)
        check_video_size(convert.width, convert.height, self.path)
        stop = None if end is None else self.first + end
        timed = self._timed(chain([(image, origin)], frames), origin, stop, convert)
        info = self._info(convert, origin, end)
        last = self._declared_end(origin) if end is None else None
        return FrameSource(self.path, info, timed, self.container.close, self.notes, last)

    def _declared_end(self, origin: Fraction) -> Fraction | None:
        """When an MP4's track ends by its own header, from `origin`; other containers keep no exact figure."""
        own = _seconds(self.stream.duration, self._tick)
        if own is None or self.broken or "mov" not in self.container.format.name:
            return None
        return self.first + own - origin

    def _nothing(self, start: Fraction | None) -> ReenactError:
        if start:
            return ReenactError(
                f"--start {float(start):g} s lies beyond the end of {self.path}; choose an earlier one"
            )
        reason = self.broken or "no frame could be decoded"
        return ReenactError(f"video has no readable frame: {self.path} ({reason}); copy or record it again")

    def _info(self, convert: FrameConverter, origin: Fraction, end: Fraction | None) -> MediaInfo:
        duration, frames = self.duration, self.stream.frames or None
        if duration is not None:
            last = duration if end is None else min(end, duration)
            part = max(Fraction(0), self.first + last - origin)
            if part != duration or frames is None:
                frames = max(1, round(part * self.fps))
            duration = part
        name = self.stream.codec_context.name
        return MediaInfo(
            width=convert.width,
            height=convert.height,
            fps=self.fps,
            duration=duration,
            frames=frames,
            has_audio=bool(self.container.streams.audio),
            has_alpha=convert.has_alpha,
            codec=_CODEC_NAMES.get(self.stream.codec.canonical_name, self.stream.codec.canonical_name) or name,
            kind="gif" if set(self.container.format.name.split(",")) & ANIMATED else "video",
            start_time=origin,
            broken=self.broken,
        )

    def _from(self, start: Fraction | None) -> Iterator[Timed]:
        """Frames with their place on the file's clock, from the one on screen at `start`."""
        if not start:
            return self._clock()
        target = self.first + start
        self._seek(target)
        frames = self._clock()
        head = next(frames, None)
        if head is None or head[1] > target:
            self._seek(self.first)  # the index led past the target: read from the beginning instead
            return self._on_screen(self._clock(), target)
        return self._on_screen(chain([head], frames), target)

    def _seek(self, target: Fraction) -> None:
        with suppress(av.error.FFmpegError):
            self.container.seek(int(target / self._tick), stream=self.stream, backward=True)
            self.context.flush_buffers()

    def _on_screen(self, frames: Iterator[Timed], target: Fraction) -> Iterator[Timed]:
        held: Timed | None = None
        for timed in frames:
            if timed[1] > target:
                yield from ([timed] if held is None else [held, timed])
                yield from frames
                return
            held = timed
        if held is not None and held[1] + self._shown(held[0]) > target:
            yield held

    def _timed(
        self, frames: Iterator[Timed], origin: Fraction, stop: Fraction | None, convert: FrameConverter
    ) -> Iterator[TimedImage]:
        for frame, time in frames:
            if stop is not None and time >= stop:
                return
            yield convert(frame), self._on_grid(time - origin), self._shown(frame)

    def _on_grid(self, time: Fraction) -> Fraction:
        """`time`, with Matroska's rounding to milliseconds undone where it falls on the nominal rate."""
        if self._tick != COARSE_TICK:
            return time
        exact = round(time * self.fps) / self.fps
        return exact if abs(exact - time) <= self._tick else time

    def _shown(self, frame: VideoFrame) -> Fraction:
        """Seconds that a frame stays, as its packet says, else by the nominal rate."""
        span = self._spans.pop(frame.pts, 0) if frame.pts is not None else 0
        if span := frame.duration or span:
            shown = span * (frame.time_base or self._tick)
            return 1 / self.fps if abs(shown - 1 / self.fps) <= self._tick == COARSE_TICK else shown
        return 1 / self.fps

    def _clock(self) -> Iterator[Timed]:
        """Decoded frames with rising times; where the file gives none, the nominal rate counts on."""
        last: Fraction | None = None
        for frame in self._decoded():
            stamp = frame.pts if frame.pts is not None else frame.dts
            time = _seconds(stamp, frame.time_base or self._tick)
            if time is None:
                time = self.first if last is None else last + 1 / self.fps
            if last is not None and time <= last:
                time = last + Fraction(1, 1000)  # two frames at one time: both are kept
            last = time
            yield frame, time

    def _decoded(self) -> Iterator[VideoFrame]:
        run = 0
        try:
            for packet in self.container.demux(self.stream):
                self._note_span(packet)
                try:
                    frames = self.context.decode(packet if packet.size else None)
                except av.error.EOFError:
                    continue
                except av.error.FFmpegError as error:
                    self.damaged, run = self.damaged + 1, run + 1
                    if run > MAX_DAMAGED_RUN:
                        raise self._break(f"{run} damaged packets in a row") from error
                    continue
                run = 0
                yield from (frame for frame in frames if not (self.broken and frame.is_corrupt))
        except av.error.FFmpegError as error:
            raise self._break(self.broken or str(error)) from error
        if self.damaged:
            self.notes.append(f"{self.damaged} damaged packets of {self.path.name} were passed over")
        if self.broken:
            raise self._break(self.broken)

    def _note_span(self, packet: Packet) -> None:
        """Keeps the packet's duration, which a decoder with several threads does not always hand on."""
        if packet.pts is not None and packet.duration:
            if len(self._spans) > MAX_SPANS:
                self._spans.clear()
            self._spans[packet.pts] = packet.duration

    def _break(self, reason: str) -> BrokenMedia:
        return BrokenMedia(
            f"video breaks off: {self.path} ({reason}); get it again, or keep what is there with --keep-partial"
        )


def _video_stream(container: InputContainer, path: Path) -> VideoStream:
    """The first moving picture; a cover picture of a sound file is none."""
    for stream in container.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic and stream.codec_context is not None:
            return stream
    what = "holds sound only" if container.streams.audio else "holds no video stream"
    raise ReenactError(f"not a video: {path} {what}; give a file with a picture")


def _bits(stream: VideoStream) -> int:
    """Bits of a stored pixel, all its components together."""
    form = stream.codec_context.format
    return 24 if form is None else max(8, form.padded_bits_per_pixel)


def _seconds(ticks: int | None, base: Fraction | None) -> Fraction | None:
    return None if ticks is None or base is None else ticks * base


def _tagged_duration(text: str | None) -> Fraction | None:
    """Matroska's 'HH:MM:SS.nnnnnnnnn'."""
    try:
        hours, minutes, seconds = (text or "").split(":")
        return int(hours) * 3600 + int(minutes) * 60 + Fraction(seconds)
    except ValueError:
        return None
