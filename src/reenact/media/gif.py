"""Animated GIF: one palette, found on the first seconds, so that a still background stays still."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
from av.filter import Graph
from av.video.format import VideoFormat
from av.video.frame import VideoFrame

from reenact.errors import ReenactError
from reenact.media.writer import FrameSink
from reenact.types import Image

TICK = Fraction(1, 100)
SHORTEST = 2
"""Ticks; browsers slow a shorter frame down to ten."""

BUFFER_BYTES = 64_000_000
PALETTE_FRAMES = 12


class GifSink(FrameSink):
    """Frames with a palette of 255 colours and transparency, at hundredths of a second.

    The first frames, up to 64 MB, wait until the palette is made of a dozen of them; memory is bounded.
    """

    def __init__(self, path: Path, width: int, height: int, fps: Fraction, sound: bool) -> None:
        super().__init__(path, width, height)
        self._fps = fps
        self._waiting: list[tuple[Image, int]] = []
        self._room = max(2, BUFFER_BYTES // (width * height * 4))
        self._last: int | None = None
        self._end = 0
        self._left_out = 0
        self._graph: Graph | None = None
        self._tail = 0
        self._container = av.open(str(path.absolute()), "w", format="gif")
        self._stream: Any = self._container.add_stream("gif", rate=100)
        self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, "pal8"
        self._stream.codec_context.time_base = TICK
        if sound:
            self.notes.append("a GIF holds no sound: it was left out")

    def write(self, image: Image, time: Fraction) -> None:
        self._check(image)
        stamp = round(time / TICK)
        if self._last is not None and stamp - self._last < SHORTEST:
            self._left_out += 1
            return
        self._last = stamp
        rgba = image if image.shape[2] == 4 else np.dstack([image, np.full(image.shape[:2], 255, np.uint8)])
        if self._graph is not None:
            self._encode(rgba, stamp)
            return
        self._waiting.append((rgba.copy(), stamp))
        if len(self._waiting) >= self._room:
            self._start()

    def _start(self) -> None:
        step = max(1, len(self._waiting) // PALETTE_FRAMES)
        palette = _palette([image for image, _ in self._waiting[::step]])
        self._graph, self._pictures = _mapper(palette, self.width, self.height)
        for image, stamp in self._waiting:
            self._encode(image, stamp)
        self._waiting.clear()

    def _encode(self, image: Image, stamp: int) -> None:
        frame = _frame(image, stamp)
        self._pictures.push(frame)
        self._drain()

    def _drain(self) -> None:
        assert self._graph is not None
        while True:
            try:
                mapped = self._graph.vpull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            self._mux(mapped)

    def _mux(self, frame: VideoFrame | None) -> None:
        for packet in self._stream.encode(frame):
            self._tail = packet.size
            self._container.mux(packet)

    def _finish(self, end: Fraction | None) -> None:
        try:
            if self._last is None:
                raise ReenactError(f"no frame was written to {self.path}; the driving video gave none")
            if self._graph is None:
                self._start()
            self._pictures.push(None)
            self._drain()
            self._mux(None)
        finally:
            self._container.close()
        shown = round((end if end is not None else self._last * TICK + 1 / self._fps) / TICK) - self._last
        _set_last_delay(self.path, self._tail, max(SHORTEST, shown))
        if self._left_out:
            self.notes.append(f"{self._left_out} frames left out: a GIF shows at most 50 a second")

    def _abort(self) -> None:
        self._container.close()


def _frame(image: Image, stamp: int) -> VideoFrame:
    frame = VideoFrame.from_ndarray(image, format="rgba")
    frame.pts, frame.time_base = stamp, TICK
    return frame


def _palette(images: list[Image]) -> VideoFrame:
    height, width = images[0].shape[:2]
    graph = Graph()
    source = graph.add_buffer(width=width, height=height, format=VideoFormat("rgba"), time_base=TICK)
    graph.link_nodes(source, graph.add("palettegen", "stats_mode=full"), graph.add("buffersink")).configure()
    for index, image in enumerate(images):
        source.push(_frame(image, index))
    source.push(None)
    return graph.vpull()


def _mapper(palette: VideoFrame, width: int, height: int) -> tuple[Graph, Any]:
    """A graph that maps pictures to the palette, and its entrance."""
    graph = Graph()
    pictures = graph.add_buffer(width=width, height=height, format=VideoFormat("rgba"), time_base=TICK)
    colours = graph.add_buffer(
        width=palette.width, height=palette.height, format=palette.format, time_base=TICK, name="palette"
    )
    use = graph.add("paletteuse", "dither=sierra2_4a:diff_mode=rectangle")
    sink = graph.add("buffersink")
    pictures.link_to(use, 0, 0)
    colours.link_to(use, 0, 1)
    use.link_to(sink, 0, 0)
    graph.configure()
    palette.pts, palette.time_base = 0, TICK
    colours.push(palette)
    colours.push(None)
    return graph, pictures


def _set_last_delay(path: Path, tail: int, delay: int) -> None:
    """Writes the last frame's delay, which the muxer can only guess, into its control block."""
    with path.open("r+b") as file:
        begin = max(0, path.stat().st_size - tail - 1)
        file.seek(begin)
        if (at := file.read().find(b"\x21\xf9\x04")) >= 0:
            file.seek(begin + at + 4)
            file.write(min(delay, 0xFFFF).to_bytes(2, "little"))
