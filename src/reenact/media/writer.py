"""One door for everything that is written frame by frame: videos, GIFs and folders of PNG files."""

from __future__ import annotations

import errno
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import av.error
import numpy as np
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from reenact.errors import ReenactError
from reenact.media.audio import AudioFeed, AudioTrack
from reenact.media.codecs import Codec
from reenact.media.compose import over, pad_to_even
from reenact.media.encoders import Encoder, choose, container_of
from reenact.media.files import output_error
from reenact.media.stills import write_still
from reenact.types import Image

TICKS = 90_000
"""Ticks a second for variable frame rates: every common rate's frames fall on one."""

BACKGROUND = 255
"""Grey level under transparency where the format has none."""


class FrameSink(ABC):
    """Takes frames in order of time. A context manager: leaving it normally closes it, an exception aborts.

    notes: one line for each change the format forced, such as padding.
    """

    def __init__(self, path: Path, width: int, height: int) -> None:
        self.path = path
        self.width = width
        self.height = height
        self.size = width, height
        self.notes: list[str] = []
        self._open = True

    @abstractmethod
    def write(self, image: Image, time: Fraction) -> None:
        """Adds a frame (height, width, 3 or 4) that appears at `time` seconds; times must rise from 0."""

    @abstractmethod
    def _finish(self, end: Fraction | None) -> None: ...

    def _abort(self) -> None:  # noqa: B027  (a folder has nothing to let go of)
        pass

    def close(self, end: Fraction | None = None) -> None:
        """Completes the file. end: seconds when the last frame vanishes; by default it stays 1 / fps.

        After an interruption it still makes a playable file of what was written. May be called again.
        """
        if self._open:
            self._open = False
            with _failing_disk(self.path):
                self._finish(end)

    def __enter__(self) -> FrameSink:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        elif self._open:
            self._open = False
            self._abort()

    def _check(self, image: Image) -> None:
        if image.shape[:2] != (self.height, self.width):
            raise ValueError(
                f"frame is {image.shape[1]} x {image.shape[0]}, sink is {self.width} x {self.height}"
            )


def open_writer(
    path: Path,
    *,
    width: int,
    height: int,
    fps: Fraction,
    codec: Codec = "auto",
    quality: int = 75,
    alpha: bool = False,
    audio: AudioTrack | None = None,
    variable: bool = False,
    threads: int = 0,
) -> FrameSink:
    """Opens `path` for frames of `width` x `height` px: MP4, MOV, MKV, WebM or GIF by suffix, else a folder.

    fps: the rate, exact; with variable=True frames keep their own times (to 1/90,000 s), else they fall on
    the grid of `fps`. quality: 0 to 100. alpha: keep transparency where the format can. audio: sound to go
    with it. threads: of the encoder, 0 for as many as there are cores. Writes in place: use it inside
    `files.atomic_output`. Raises ReenactError for a suffix or codec that cannot be written.
    """
    path = Path(path)
    if path.is_dir() or not path.suffix:
        return FolderSink(path, width, height, quality, audio)
    if path.suffix.lower() == ".gif":
        from reenact.media.gif import GifSink

        return GifSink(path, width, height, fps, audio is not None)
    encoder = choose(path, codec, alpha)
    with _failing_disk(path):
        sink = VideoSink(path, width, height, fps, encoder, quality, audio, variable, threads)
    if alpha and not encoder.alpha:
        sink.notes.append(
            f"{path.suffix} holds no transparency here: it is laid on white; use .webm, .mov or a folder"
        )
    return sink


class FolderSink(FrameSink):
    """A folder of PNG files, `frame_000000.png` and on; times and sound have no place in it."""

    def __init__(self, path: Path, width: int, height: int, quality: int, audio: AudioTrack | None) -> None:
        super().__init__(path, width, height)
        with _failing_disk(path):
            path.mkdir(exist_ok=True)
        self._quality = quality
        self._count = 0
        if audio is not None:
            self.notes.append("a folder of pictures holds no sound: it was left out")

    def write(self, image: Image, time: Fraction) -> None:
        self._check(image)
        with _failing_disk(self.path):
            write_still(self.path / f"frame_{self._count:06d}.png", image, self._quality)
        self._count += 1

    def _finish(self, end: Fraction | None) -> None:
        if self._count == 0:
            raise ReenactError(f"no frame was written to {self.path}; the driving video gave none")


class VideoSink(FrameSink):
    """A video file through one of FFmpeg's encoders, with sound beside it."""

    def __init__(
        self,
        path: Path,
        width: int,
        height: int,
        fps: Fraction,
        encoder: Encoder,
        quality: int,
        audio: AudioTrack | None,
        variable: bool,
        threads: int,
    ) -> None:
        super().__init__(path, width, height)
        self._fps = Fraction(fps)
        self._tick = Fraction(1, TICKS) if variable else 1 / self._fps
        self._encoder = encoder
        self._variable = variable
        self._reformatter = VideoReformatter()
        self._held: VideoFrame | None = None
        self._begun = False
        self._stamp = 0
        self._durations: dict[int, int] = {}
        self._container = self._open_container()
        self._audio: AudioFeed | None = None
        try:
            self._stream = self._add_stream(quality, threads)
            if audio is not None:
                self._add_audio(audio)
        except BaseException:
            self._abort()
            raise

    def _open_container(self) -> OutputContainer:
        name = container_of(self.path)
        options = {"movflags": "+faststart"} if name in ("mp4", "mov") else {}
        return av.open(str(self.path.absolute()), "w", format=name, container_options=options)

    def _add_stream(self, quality: int, threads: int) -> Any:
        encoder = self._encoder
        order = encoder.in_order if self._variable else {}
        stream: Any = self._container.add_stream(
            encoder.name, rate=self._fps, options={**encoder.options(quality, threads), **order}
        )
        even = "420" in encoder.pixels
        stream.width = self.width + (self.width % 2 if even else 0)
        stream.height = self.height + (self.height % 2 if even else 0)
        self.size = stream.width, stream.height
        if self.size != (self.width, self.height):
            self.notes.append(
                f"padded from {self.width} x {self.height} to {stream.width} x {stream.height} px: "
                "the codec takes even sizes only"
            )
        stream.pix_fmt = encoder.pixels
        context = stream.codec_context
        context.time_base = self._tick
        context.framerate = self._fps
        context.thread_count = threads
        context.colorspace = context.color_primaries = context.color_trc = 1  # all BT.709
        context.color_range = ColorRange.MPEG.value
        if encoder.tag and container_of(self.path) in ("mp4", "mov"):
            context.codec_tag = encoder.tag
        if encoder.pixels == "yuva420p":
            stream.metadata["alpha_mode"] = "1"
        return stream

    def _add_audio(self, track: AudioTrack) -> None:
        try:
            self._audio = AudioFeed(track, self._container, container_of(self.path))
        except ReenactError as error:
            self.notes.append(f"sound left out: {error}")

    def write(self, image: Image, time: Fraction) -> None:
        self._check(image)
        frame = self._converted(image)
        stamp = round(time / self._tick)
        if self._held is not None:
            stamp = max(stamp, self._stamp + 1)
        with _failing_disk(self.path):
            self._encode_held(stamp)
            if self._audio is not None:
                self._audio.feed(time)
        frame.pts = stamp
        self._held, self._stamp = frame, stamp

    def _converted(self, image: Image) -> VideoFrame:
        if self._encoder.alpha and image.shape[2] == 3:
            image = np.dstack([image, np.full(image.shape[:2], 255, np.uint8)])
        elif not self._encoder.alpha:
            image = over(image, BACKGROUND)
        if "420" in self._encoder.pixels:
            image = pad_to_even(image)
        form = "rgba" if image.shape[2] == 4 else "rgb24"
        frame = self._reformatter.reformat(
            VideoFrame.from_numpy_buffer(np.ascontiguousarray(image), format=form),
            format=self._encoder.pixels,
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            interpolation=Interpolation.BILINEAR,
            threads=1,
        )
        frame.time_base = self._tick
        return frame

    def _encode_held(self, until: int) -> None:
        """Encodes the frame before, whose duration is known only now."""
        if self._held is not None:
            self._durations[self._stamp] = until - self._stamp
            self._mux(self._held)

    def _mux(self, frame: VideoFrame | None) -> None:
        with nullcontext() if self._begun else no_more_urgent():
            packets = self._stream.encode(frame)
        self._begun = True
        for packet in packets:
            packet.duration = self._durations.pop(packet.pts or 0, packet.duration or 0)
            self._container.mux(packet)

    def _finish(self, end: Fraction | None) -> None:
        try:
            if self._held is None:
                raise ReenactError(f"no frame was written to {self.path}; the driving video gave none")
            until = self._stamp + max(1, round(1 / self._fps / self._tick))
            if end is not None:
                until = max(self._stamp + 1, round(end / self._tick))
            self._encode_held(until)
            self._mux(None)
            if self._audio is not None:
                self._audio.finish(until * self._tick)
                self.notes.extend(self._audio.notes)
            self._container.close()
        except BaseException:
            self._abort()
            raise
        self._close_audio()

    def _abort(self) -> None:
        # The half-written file is thrown away by whoever made its name; only handles are let go here.
        with suppress(av.error.FFmpegError, OSError, ValueError):
            self._container.close()
        self._close_audio()

    def _close_audio(self) -> None:
        if self._audio is not None:
            self._audio.close()


@contextmanager
def no_more_urgent() -> Iterator[None]:
    """Neither this thread nor those begun inside become real-time threads: SVT-AV1 makes all of its own and its
    caller such where it may (as root, so in many containers), which starves whatever else runs."""
    if not hasattr(os, "sched_getscheduler"):
        yield
        return
    urgent = os.SCHED_FIFO, os.SCHED_RR
    policy, level = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        tasks = Path("/proc/self/task")
        for task in [] if policy in urgent or not tasks.is_dir() else tasks.iterdir():
            with suppress(OSError):
                if os.sched_getscheduler(int(task.name)) in urgent:
                    os.sched_setscheduler(int(task.name), policy, level)


@contextmanager
def _failing_disk(path: Path) -> Iterator[None]:
    """Turns a full disk, a quota and the like into one line; other encoder errors too."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.EINTR:
            raise
        raise output_error(error, path) or ReenactError(
            f"cannot write {path}: {error.strerror or error}"
        ) from error
    except av.error.FFmpegError as error:
        raise ReenactError(f"cannot encode {path}: {error}; try another --codec or size") from error
