"""Sound beside a written video: copied packet by packet, or encoded anew where the container cannot hold it.

Both ways keep the file's own timestamps, so that nothing can drift; only the origin is moved.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.filter import Graph
from av.packet import Packet

from reenact.errors import ReenactError
from reenact.media.source import FrameSource
from reenact.media.video import open_container

COPIED = {
    "mp4": {"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac"},
    "mov": {"aac", "mp3", "ac3", "eac3", "alac", "pcm_s16le", "pcm_s16be", "pcm_s24le"},
    "matroska": {"aac", "mp3", "ac3", "eac3", "opus", "vorbis", "flac", "pcm_s16le", "pcm_s24le"},
    "webm": {"opus", "vorbis"},
}
"""Sound codecs that each container holds."""

LONGEST_GAP = Fraction(1)
"""Seconds of silence that are filled in at a time."""

_RATES = (1_000, 1_000_000)
"""Samples a second that sound may have. With fewer a packet lasts for minutes, and is resampled whole."""

_SEEK_MARGIN = Fraction(1, 2)
_OPUS_RATE = 48_000
_AAC_RATES = (48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000)


@dataclass(frozen=True)
class AudioTrack:
    """The sound of a file, from `start` seconds on the file's own clock (`MediaInfo.start_time`)."""

    path: Path
    start: Fraction = Fraction(0)


def audio_of(source: FrameSource) -> AudioTrack | None:
    """The sound that goes with the frames of `source`, None where there is none."""
    return AudioTrack(source.path, source.info.start_time) if source.info.has_audio else None


class AudioFeed:
    """Puts a track into an output container, a stretch at a time, beside the frames.

    Made before the first frame is written. A track that cannot be read is left out, with a note.
    """

    def __init__(self, track: AudioTrack, output: OutputContainer, container: str) -> None:
        self.notes: list[str] = []
        self._start = track.start
        self._name = track.path.name
        self._output = output
        self._input = open_container(track.path, "sound")
        self._stream: AudioStream = self._input.streams.audio[0]
        if self._stream.codec_context is None:
            self._input.close()
            raise ReenactError(f"the kind of sound in {self._name} is not known")
        if not _RATES[0] <= (self._stream.rate or 0) <= _RATES[1]:
            self._input.close()
            raise ReenactError(f"the sound of {self._name} declares {self._stream.rate or 0} samples a second")
        self._tick: Fraction = self._stream.time_base or Fraction(1, 48_000)
        self._negative = container in ("mp4", "mov")
        codec = self._stream.codec.canonical_name
        self._encoder: _Encoder | None = None
        if codec in COPIED[container]:
            self._out: Any = output.add_stream_from_template(self._stream)
            self._packets = self._copied()
        else:
            self._encoder = _Encoder(self._stream, output, container)
            self._packets = self._encoder.packets(self._frames())
            self.notes.append(
                f"sound was encoded anew ({codec} to {self._encoder.name}): {container} cannot hold it"
            )
        self._next: Packet | None = None

    def feed(self, until: Fraction) -> None:
        """Writes the sound that begins before `until` seconds of the output."""
        self._write(until, until)

    def finish(self, end: Fraction) -> None:
        """Writes the rest up to `end` seconds: copied to the nearest packet, else to the sample."""
        if self._encoder is not None:
            self._encoder.stop(end)
        self._write(end, end if self._encoder is None else None)

    def close(self) -> None:
        """Lets go of the input."""
        self._input.close()

    def _write(self, until: Fraction, middle: Fraction | None) -> None:
        while (packet := self._peek()) is not None:
            begin = (packet.pts or 0) * packet.time_base
            half = (packet.duration or 0) * packet.time_base / 2
            if begin >= until or (middle is not None and begin + half >= middle):
                return
            self._next = None
            self._output.mux(packet)

    def _peek(self) -> Packet | None:
        if self._next is None:
            try:
                self._next = next(self._packets, None)
            except av.error.FFmpegError as error:
                self.notes.append(f"sound of {self._name} breaks off ({error})")
        return self._next

    def _seek(self) -> None:
        first = (self._stream.start_time or 0) * self._tick
        if self._start - _SEEK_MARGIN > first:
            with suppress(av.error.FFmpegError):
                self._input.seek(int((self._start - _SEEK_MARGIN) / self._tick), stream=self._stream)

    def _copied(self) -> Iterator[Packet]:
        """Packets with the origin moved; one before it, hidden by the edit list, primes the decoder."""
        self._seek()
        offset = round(self._start / self._tick)
        before: Packet | None = None
        last: int | None = None
        for packet in self._input.demux(self._stream):
            if packet.pts is None or not packet.size:
                continue
            stamp = packet.pts - offset
            packet.pts = packet.dts = stamp
            if not self._wanted(stamp, packet.duration or 0):
                before = packet
                continue
            if before is not None and self._negative:
                before.stream = self._out
                yield before
            before = None
            if last is None or stamp > last:
                last = stamp
                packet.stream = self._out
                yield packet

    def _wanted(self, stamp: int, duration: int) -> bool:
        """Whether a packet reaches past the origin; Matroska holds nothing before it but Opus's own delay."""
        if self._negative:
            return stamp + duration > 0
        slack = Fraction(1, 50) if self._stream.codec.canonical_name == "opus" else Fraction(1, 2000)
        return stamp * self._tick >= -slack

    def _frames(self) -> Iterator[AudioFrame]:
        self._seek()
        offset, end = round(self._start / self._tick), Fraction(0)
        for packet in self._input.demux(self._stream):
            try:
                frames = self._stream.codec_context.decode(packet if packet.size else None)
            except av.error.FFmpegError:
                continue  # the resampler fills the gap with silence
            for frame in frames:
                if frame.pts is not None and _RATES[0] <= frame.sample_rate <= _RATES[1]:
                    frame.pts = round(frame.pts * (frame.time_base or self._tick) / self._tick) - offset
                    frame.time_base = self._tick
                    begin = frame.pts * self._tick
                    yield from self._bridge(end, begin, frame)
                    end = begin + Fraction(frame.samples, frame.sample_rate)
                    yield frame

    def _bridge(self, end: Fraction, begin: Fraction, like: AudioFrame) -> Iterator[AudioFrame]:
        """A little silence every second of a long gap from `end` to `begin`, in seconds, in frames like `like`.

        The resampler fills a gap in one piece: a wrong time of some hours would take all memory. Between these
        it fills a second each, and only as far as the video goes.
        """
        while begin - end > LONGEST_GAP:
            end += LONGEST_GAP
            silence = AudioFrame(like.format.name, like.layout.name, like.sample_rate // 50)
            silence.sample_rate, silence.time_base = like.sample_rate, self._tick
            silence.pts = round(end / self._tick)
            for plane in silence.planes:
                plane.update(bytes([128 if "u8" in like.format.name else 0]) * plane.buffer_size)
            yield silence


class _Encoder:
    """Decoded sound to AAC or Opus: silence in gaps, cut at 0 and at the end to the sample."""

    def __init__(self, stream: AudioStream, output: OutputContainer, container: str) -> None:
        self.name = "opus" if container == "webm" else "aac"
        context: Any = stream.codec_context
        rate = _OPUS_RATE if self.name == "opus" or context.rate not in _AAC_RATES else context.rate
        self._layout = "mono" if context.layout.nb_channels == 1 else "stereo"
        codec = "libopus" if self.name == "opus" else "aac"
        self._out: Any = output.add_stream(codec, rate=rate)
        encoder: Any = self._out.codec_context
        encoder.layout, encoder.bit_rate = self._layout, 160_000
        self._rate = rate
        self._format = "flt" if self.name == "opus" else "fltp"
        encoder.format = self._format
        self._stream = stream
        self._end: int | None = None

    def stop(self, end: Fraction) -> None:
        """Cut what is still to come at `end` seconds."""
        self._end = round(end * self._rate)

    def packets(self, frames: Iterator[AudioFrame]) -> Iterator[Packet]:
        """Encoded packets of all frames, times in the output's clock."""
        graph: Graph | None = None
        for frame in frames:
            graph = graph or self._graph(frame)
            graph.push(frame)
            yield from self._drain(graph)
            if self._end is not None and (frame.time or 0) * self._rate >= self._end:
                break
        if graph is not None:
            graph.push(None)
            yield from self._drain(graph)
            yield from self._out.encode(None)

    def _graph(self, frame: AudioFrame) -> Graph:
        graph = Graph()
        source = graph.add_abuffer(
            sample_rate=frame.sample_rate,
            format=frame.format.name,
            layout=frame.layout.name,
            time_base=frame.time_base,
        )
        resample = graph.add("aresample", f"{self._rate}:async=1:first_pts=0")
        shape = graph.add(
            "aformat", f"sample_fmts={self._format}:sample_rates={self._rate}:channel_layouts={self._layout}"
        )
        graph.link_nodes(source, resample, shape, graph.add("abuffersink")).configure()
        return graph

    def _drain(self, graph: Graph) -> Iterator[Packet]:
        while True:
            try:
                frame = graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            if (part := self._within(frame)) is not None:
                yield from self._out.encode(part)

    def _within(self, frame: Any) -> AudioFrame | None:
        """The frame, or its part before the end."""
        if self._end is None or frame.pts + frame.samples <= self._end:
            return frame
        keep = self._end - frame.pts
        if keep <= 0:
            return None
        channels = len(frame.layout.channels)
        samples = frame.to_ndarray()[..., : keep * (1 if frame.format.is_planar else channels)]
        part = AudioFrame.from_ndarray(samples.copy(), format=frame.format.name, layout=frame.layout.name)
        part.sample_rate, part.pts, part.time_base = frame.sample_rate, frame.pts, frame.time_base
        return part
