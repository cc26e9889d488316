"""Sound: no drift, exact cuts, copied where it can be."""

from __future__ import annotations

import re
import resource
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from media_samples import coded, flashes, onsets, write_clicks, write_video

from reenact.media.audio import audio_of
from reenact.media.reader import open_frames
from reenact.media.writer import open_writer

NTSC = Fraction(30000, 1001)
WHITE = np.full((48, 64, 3), 255, np.uint8)
BLACK = np.zeros((48, 64, 3), np.uint8)


def rewrite(
    source: Path, target: Path, start: Fraction | None = None, end: Fraction | None = None
) -> list[str]:
    """A whole pass through reader and writer, as a run makes it."""
    with open_frames(source, start=start, end=end) as frames:
        info = frames.info
        assert info.fps is not None
        sink = open_writer(
            target, width=info.width, height=info.height, fps=info.fps, audio=audio_of(frames), threads=1
        )
        with sink:
            for frame in frames:
                sink.write(frame.image, frame.time)
            sink.close(frames.end)
    return sink.notes


def with_flashes(path: Path, rate: Fraction, seconds: int, every: int, sound: str, codec: str) -> list[float]:
    """A video that flashes, with a burst at each flash; returns the times."""
    count = int(seconds * rate)
    lit = [index for index in range(count) if index % every == every // 2]
    at = [float(index / rate) for index in lit]
    clicks = write_clicks(path.with_name("clicks" + sound), float(count / rate), at, codec, 16_000)
    images = (WHITE if index % every == every // 2 else BLACK for index in range(count))
    write_video(path, images, rate=rate, sound=clicks, options={"preset": "ultrafast"})
    return at


def skews(path: Path) -> list[float]:
    lights, sounds = flashes(path), onsets(path)
    assert len(lights) == len(sounds) > 0
    return [sound - light for light, sound in zip(lights, sounds, strict=True)]


@pytest.mark.parametrize(
    ("sound", "codec", "suffix", "seconds"),
    # Encoding Opus is the slow one; a drift would show in three minutes too.
    [(".m4a", "aac", ".mp4", 600), (".m4a", "aac", ".webm", 180), (".wav", "pcm_s16le", ".mp4", 600)],
)
def test_ten_minutes_do_not_drift(tmp_path: Path, sound: str, codec: str, suffix: str, seconds: int) -> None:
    # Every thirtieth picture of a 29.97 grid, so that ten minutes stay quick.
    source = tmp_path / ("in.mp4" if codec == "aac" else "in.mkv")
    with_flashes(source, NTSC / 30, seconds, 40, sound, codec)
    rewrite(source, tmp_path / f"out{suffix}")
    before, after = skews(source), skews(tmp_path / f"out{suffix}")
    # The product's bound is one frame; what the code does is exact to the coarser clock's tick.
    assert max(abs(a - b) for a, b in zip(after, before, strict=True)) < 0.004
    assert max(abs(skew) for skew in after) < float(1 / NTSC)
    with av.open(str(tmp_path / f"out{suffix}")) as result:
        assert result.streams.video[0].average_rate == pytest.approx(NTSC / 30)
        assert result.duration is not None
        assert result.duration / 1e6 == pytest.approx(int(seconds * NTSC / 30) / float(NTSC / 30), abs=0.03)


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as source:
        return [bytes(packet) for packet in source.demux(audio=0) if packet.size]


def test_sound_is_copied_byte_by_byte(tmp_path: Path) -> None:
    with_flashes(tmp_path / "in.mp4", Fraction(25), 4, 20, ".m4a", "aac")
    notes = rewrite(tmp_path / "in.mp4", tmp_path / "out.mp4")
    assert notes == []
    copied, original = packets(tmp_path / "out.mp4"), packets(tmp_path / "in.mp4")
    # The encoder's last packet of padding may lie beyond the last frame.
    assert copied == original[: len(copied)]
    assert len(original) - len(copied) <= 1


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".mkv", ".mov"])
def test_a_cut_keeps_picture_and_sound_together(tmp_path: Path, suffix: str) -> None:
    with_flashes(tmp_path / "in.mp4", NTSC, 8, 20, ".m4a", "aac")
    rewrite(tmp_path / "in.mp4", tmp_path / f"out{suffix}", Fraction("2.5"), Fraction("6.1"))
    assert max(abs(skew) for skew in skews(tmp_path / f"out{suffix}")) < 0.005
    with open_frames(tmp_path / f"out{suffix}") as frames:
        count = sum(1 for _ in frames)
        # Frame 74 is on screen at 2.5 s; frame 182 is the last that appears before 6.1 s.
        assert count == 182 - 74 + 1
        assert frames.end == count / NTSC


def test_sound_that_begins_late_stays_late(tmp_path: Path) -> None:
    late = write_clicks(tmp_path / "late.m4a", 2.0, [0.5], rate=16_000, delay=8_000)
    write_video(tmp_path / "in.mp4", (BLACK for _ in range(75)), sound=late)
    rewrite(tmp_path / "in.mp4", tmp_path / "out.mp4")
    rewrite(tmp_path / "in.mp4", tmp_path / "out.webm")
    [expected] = onsets(tmp_path / "in.mp4")
    assert expected == pytest.approx(1.0, abs=0.002)
    assert onsets(tmp_path / "out.mp4") == pytest.approx([expected], abs=0.002)
    assert onsets(tmp_path / "out.webm") == pytest.approx([expected], abs=0.004)


def test_encoded_sound_ends_with_the_picture(tmp_path: Path) -> None:
    clicks = write_clicks(tmp_path / "clicks.wav", 5.0, [1.0], "pcm_s16le")
    write_video(tmp_path / "in.mkv", (coded(index) for index in range(50)), sound=clicks)
    notes = rewrite(tmp_path / "in.mkv", tmp_path / "out.mp4")
    assert any("encoded anew" in note for note in notes)
    with av.open(str(tmp_path / "out.mp4")) as result:
        samples = sum(frame.samples for frame in result.decode(audio=0))
        assert samples == pytest.approx(2.0 * 44_100, abs=1024)


def test_an_interrupted_file_has_sound_to_its_last_frame_only(tmp_path: Path) -> None:
    with_flashes(tmp_path / "in.mp4", Fraction(25), 4, 20, ".m4a", "aac")
    with open_frames(tmp_path / "in.mp4") as frames:
        sink = open_writer(
            tmp_path / "out.mp4", width=64, height=48, fps=Fraction(25), audio=audio_of(frames), threads=1
        )
        for index, frame in enumerate(frames):
            if index == 50:
                break
            sink.write(frame.image, frame.time)
        sink.close()
    with av.open(str(tmp_path / "out.mp4")) as result:
        assert result.duration == pytest.approx(2_000_000, abs=25_000)


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_a_gap_in_the_sound_is_silence_and_one_of_days_takes_no_memory(tmp_path: Path, suffix: str) -> None:
    """A wrong time of 25 days, as in damaged recordings, was filled with silence in one piece of 3 GB."""
    output = av.open(str(tmp_path / "in.mkv"), "w")
    video = output.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
    video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
    sound = output.add_stream("pcm_s16le", rate=8_000, layout="mono")
    for index in range(200):
        output.mux(video.encode(av.VideoFrame.from_ndarray(coded(index))))
    output.mux(video.encode(None))
    tone = (20_000 * np.sin(np.arange(800) * 0.8)).astype(np.int16)[None]
    for seconds in (0.5, 5.25, 25 * 86_400.0):
        frame = av.AudioFrame.from_ndarray(tone, "s16", "mono")
        frame.sample_rate, frame.pts, frame.time_base = 8_000, round(seconds * 8_000), Fraction(1, 8_000)
        output.mux(sound.encode(frame))
    output.close()
    before = _peak()
    rewrite(tmp_path / "in.mkv", tmp_path / f"out{suffix}")
    assert _peak() - before < 300 << 20
    assert onsets(tmp_path / f"out{suffix}") == pytest.approx([0.5, 5.25], abs=0.01)
    with av.open(str(tmp_path / f"out{suffix}")) as result:
        assert result.duration == pytest.approx(8_000_000, abs=100_000)


def _peak() -> int:
    """Bytes of memory that this process has taken at the most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


def test_sound_of_an_unknown_kind_is_left_out_with_a_note(tmp_path: Path) -> None:
    with_flashes(tmp_path / "in.mkv", Fraction(25), 1, 20, ".m4a", "aac")
    data = (tmp_path / "in.mkv").read_bytes()
    (tmp_path / "in.mkv").write_bytes(data.replace(b"A_AAC", b"A_XXX"))
    notes = rewrite(tmp_path / "in.mkv", tmp_path / "out.mp4")
    assert any("sound left out" in note and "not known" in note for note in notes)


def test_sound_of_an_impossible_rate_is_left_out_with_a_note(tmp_path: Path) -> None:
    """Found by the fuzzer: at 27 samples a second a packet lasts six minutes, which took 22 s and 500 MB."""
    with_flashes(tmp_path / "in.mkv", Fraction(25), 1, 20, ".wav", "pcm_s16le")
    data = (tmp_path / "in.mkv").read_bytes()
    head = re.search(rb"\xb5\x88.{8}|\xb5\x84.{4}", data, re.DOTALL)  # Matroska's SamplingFrequency
    assert head is not None
    low = head[0][:2] + struct.pack(">d" if len(head[0]) == 10 else ">f", 27.0)
    (tmp_path / "in.mkv").write_bytes(data.replace(head[0], low))
    notes = rewrite(tmp_path / "in.mkv", tmp_path / "out.mp4")
    assert any("sound left out" in note and "27 samples a second" in note for note in notes)
