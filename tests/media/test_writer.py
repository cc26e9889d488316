"""Writing: exact time, every container and codec, odd sizes, transparency, and failures that leave nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import PIL.Image
import pytest
from media_samples import coded, number_of, write_clicks, write_video

from reenact.errors import ReenactError
from reenact.media.audio import AudioTrack
from reenact.media.encoders import check_codec, crf, is_available
from reenact.media.files import atomic_output
from reenact.media.reader import open_frames
from reenact.media.writer import FrameSink, open_writer

NTSC = Fraction(30000, 1001)


def write(
    path: Path, count: int = 30, fps: Fraction = NTSC, size: tuple[int, int] = (64, 48), **options: Any
) -> FrameSink:
    width, height = size
    with open_writer(path, width=width, height=height, fps=fps, threads=1, **options) as sink:
        for index in range(count):
            sink.write(coded(index, width, height), index / fps)
    return sink


TARGETS = [
    (".mp4", "auto", "h264"),
    (".mp4", "h265", "h265"),
    (".mp4", "av1", "av1"),
    (".mov", "auto", "h264"),
    (".mkv", "vp9", "vp9"),
    (".webm", "auto", "vp9"),
    (".webm", "av1", "av1"),
]


@pytest.mark.parametrize(("suffix", "codec", "expected"), TARGETS)
def test_every_container_keeps_every_frame_and_the_exact_rate(
    tmp_path: Path, suffix: str, codec: str, expected: str
) -> None:
    if codec == "av1" and not is_available("libsvtav1"):
        pytest.skip("this build of FFmpeg has no AV1 encoder")
    path = tmp_path / f"out{suffix}"
    assert write(path, codec=codec).notes == []
    with open_frames(path) as source:
        frames = list(source)
    assert [number_of(frame.image) for frame in frames] == list(range(30))
    assert [frame.time for frame in frames] == [index / NTSC for index in range(30)]
    assert source.end == 30 / NTSC
    assert source.info.fps == NTSC
    assert source.info.codec == expected


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_the_index_comes_first(tmp_path: Path, suffix: str) -> None:
    write(tmp_path / f"out{suffix}")
    data = (tmp_path / f"out{suffix}").read_bytes()
    assert data.find(b"moov") < data.find(b"mdat")


@pytest.mark.parametrize(
    ("suffix", "codec", "tick"),
    [
        (".mp4", "h264", Fraction(1, 90_000)),
        (".mp4", "h265", Fraction(1, 90_000)),
        (".mp4", "av1", Fraction(1, 90_000)),
        (".mkv", "vp9", Fraction(1, 1000)),
    ],
)
def test_variable_times_and_the_last_duration(tmp_path: Path, suffix: str, codec: str, tick: Fraction) -> None:
    times = [Fraction(0), Fraction(1, 30), Fraction(1, 3), Fraction("0.35"), Fraction(2), Fraction("2.001")]
    end = Fraction("3.25")
    path = tmp_path / f"out{suffix}"
    with open_writer(
        path, width=64, height=48, fps=Fraction(25), variable=True, codec=codec, threads=1
    ) as sink:
        for index, time in enumerate(times):
            sink.write(coded(index), time)
        sink.close(end)
    with open_frames(path) as source:
        frames = list(source)
    assert len(frames) == len(times)
    for frame, time in zip(frames, times, strict=True):
        assert abs(frame.time - time) <= tick
    assert abs(source.end - end) <= 2 * tick
    assert abs((source.info.duration or 0) - end) <= 2 * tick


def test_a_missing_frame_leaves_a_gap_not_a_shift(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    with open_writer(path, width=64, height=48, fps=NTSC, threads=1) as sink:
        for index in (0, 1, 2, 5, 6):
            sink.write(coded(index), index / NTSC)
    with open_frames(path) as source:
        assert [(number_of(frame.image), frame.time) for frame in source] == [
            (index, index / NTSC) for index in (0, 1, 2, 5, 6)
        ]


def test_an_hour_of_times_stay_exact(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    late = [0, 1, 107_892]
    with open_writer(path, width=64, height=48, fps=NTSC, threads=1) as sink:
        for place in late:
            sink.write(coded(place % 256), place / NTSC)
    with open_frames(path) as source:
        assert [frame.time for frame in source] == [place / NTSC for place in late]


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_odd_sizes_are_padded_and_say_so(tmp_path: Path, suffix: str) -> None:
    sink = write(tmp_path / f"out{suffix}", 3, size=(61, 47), quality=95)
    assert any("padded from 61 x 47 to 62 x 48" in note for note in sink.notes)
    with open_frames(tmp_path / f"out{suffix}") as source:
        image = list(source)[2].image
    assert image.shape == (48, 62, 3)
    assert np.abs(image[:, 61].astype(int) - image[:, 60]).mean() < 6


def test_colours_come_back(tmp_path: Path) -> None:
    patches = np.random.default_rng(2).integers(20, 235, (6, 8, 3)).astype(np.uint8)
    image = np.ascontiguousarray(patches.repeat(16, 0).repeat(16, 1))
    for name in ("out.mp4", "out.webm", "out.mov"):
        with open_writer(
            tmp_path / name, width=128, height=96, fps=Fraction(25), quality=100, threads=1
        ) as sink:
            sink.write(image, Fraction(0))
        with open_frames(tmp_path / name) as source:
            got = next(iter(source)).image
        assert np.abs(got[8::16, 8::16].astype(int) - patches).max() <= 4, name
        with av.open(str(tmp_path / name)) as result:
            context = result.streams.video[0].codec_context
            assert (context.colorspace, context.color_primaries, context.color_trc, context.color_range) == (
                1,
                1,
                1,
                1,
            )


@pytest.mark.parametrize("name", ["out.webm", "out.mov", "out.gif", "folder"])
def test_transparency_is_kept(tmp_path: Path, name: str) -> None:
    image = np.dstack([coded(5), np.full((48, 64), 255, np.uint8)])
    image[30:, :20, 3] = 0
    with open_writer(tmp_path / name, width=64, height=48, fps=Fraction(10), alpha=True, threads=1) as sink:
        for index in range(3):
            sink.write(image, Fraction(index, 10))
    assert sink.notes == []
    with open_frames(tmp_path / name) as source:
        got = list(source)[-1].image
    assert source.info.has_alpha
    assert got[34:, :16, 3].max() < 8
    assert got[:26, :, 3].min() > 247
    assert number_of(got) == 5


def test_transparency_that_cannot_be_kept_says_so(tmp_path: Path) -> None:
    image = np.zeros((48, 64, 4), np.uint8)
    with open_writer(
        tmp_path / "out.mp4", width=64, height=48, fps=Fraction(25), alpha=True, threads=1
    ) as sink:
        sink.write(image, Fraction(0))
    assert any("no transparency" in note for note in sink.notes)
    with open_frames(tmp_path / "out.mp4") as source:
        assert next(iter(source)).image.min() > 245


def test_gif_times_add_up(tmp_path: Path) -> None:
    path = tmp_path / "out.gif"
    with open_writer(path, width=64, height=48, fps=NTSC) as sink:
        for index in range(20):
            sink.write(coded(index), index / NTSC)
        sink.close(Fraction("1.5"))
    with open_frames(path) as source:
        frames = list(source)
    assert [number_of(frame.image) for frame in frames] == list(range(20))
    assert [frame.time for frame in frames] == [Fraction(round(index / NTSC * 100), 100) for index in range(20)]
    assert source.end == Fraction("1.5")
    with PIL.Image.open(path) as picture:
        assert picture.info["loop"] == 0


def test_gif_leaves_out_what_browsers_would_slow_down(tmp_path: Path) -> None:
    path = tmp_path / "out.gif"
    with open_writer(path, width=64, height=48, fps=Fraction(100)) as sink:
        for index in range(40):
            sink.write(coded(index), Fraction(index, 100))
    assert any("left out" in note for note in sink.notes)
    with open_frames(path) as source:
        assert [number_of(frame.image) for frame in source] == list(range(0, 40, 2))
        assert source.end == Fraction(40, 100)


def test_gif_memory_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from reenact.media import gif

    monkeypatch.setattr(gif, "BUFFER_BYTES", 64 * 48 * 4 * 5)
    with open_writer(tmp_path / "out.gif", width=64, height=48, fps=Fraction(25)) as sink:
        for index in range(30):
            sink.write(coded(index), Fraction(index, 25))
            assert len(sink._waiting) <= 5  # type: ignore[attr-defined]
    with open_frames(tmp_path / "out.gif") as source:
        assert [number_of(frame.image) for frame in source] == list(range(30))


def test_a_folder_of_pictures(tmp_path: Path) -> None:
    with atomic_output(tmp_path / "frames", folder=True) as partial:
        write(partial, 12)
    assert [path.name for path in sorted((tmp_path / "frames").iterdir())][:2] == [
        "frame_000000.png",
        "frame_000001.png",
    ]
    with open_frames(tmp_path / "frames") as source:
        for index, frame in enumerate(source):
            assert np.array_equal(frame.image, coded(index))


# Failures -------------------------------------------------------------------------------------------------


def test_wrong_suffix_and_codec_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ReenactError, match="cannot write a video as"):
        write(tmp_path / "out.xyz")
    with pytest.raises(ReenactError, match="cannot hold h264"):
        write(tmp_path / "out.webm", codec="h264")
    with pytest.raises(ReenactError, match="cannot write"):
        write(tmp_path / "none" / "out.mp4")


@pytest.mark.parametrize("name, kind", [("out.GIF", "a GIF"), ("frames", "a folder of PNG files")])
def test_what_has_no_codec_takes_none(tmp_path: Path, name: str, kind: str) -> None:
    check_codec(tmp_path / name, "auto")
    with pytest.raises(ReenactError, match=f"--codec vp9: {kind} has no video codec"):
        check_codec(tmp_path / name, "vp9")


def test_no_frame_is_an_error(tmp_path: Path) -> None:
    for name in ("out.mp4", "out.gif", "frames"):
        folder = name == "frames"
        with (
            pytest.raises(ReenactError, match="no frame"),
            atomic_output(tmp_path / name, folder=folder) as partial,
        ):
            write(partial, 0)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_frame_size_is_a_mistake_of_the_caller(tmp_path: Path) -> None:
    sink = open_writer(tmp_path / "out.mp4", width=64, height=48, fps=Fraction(25))
    with pytest.raises(ValueError, match="sink is 64 x 48"), sink:
        sink.write(coded(0, 32, 32), Fraction(0))


def test_an_interrupted_file_is_playable_when_closed(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    sink = open_writer(path, width=64, height=48, fps=Fraction(25), threads=1)
    try:
        for index in range(30):
            if index == 20:
                raise KeyboardInterrupt
            sink.write(coded(index), Fraction(index, 25))
    except KeyboardInterrupt:
        sink.close()
    with open_frames(path) as source:
        assert len(list(source)) == 20
        assert source.end == Fraction(20, 25)


def test_sound_that_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "sound.m4a").write_text("no sound")
    sink = write(tmp_path / "out.mp4", 3, audio=AudioTrack(tmp_path / "sound.m4a"))
    assert any("sound left out" in note for note in sink.notes)
    assert len(list(open_frames(tmp_path / "out.mp4"))) == 3


@pytest.mark.parametrize("name", ["out.mp4", "out.webm", "out.gif", "frames"])
def test_a_disk_that_fills_up_is_one_line_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    # A limit on the size of files makes the system itself refuse, as a full disk does.
    code = textwrap.dedent(
        """
        import resource, sys
        from fractions import Fraction
        from pathlib import Path
        import numpy as np
        from reenact.errors import ReenactError
        from reenact.media.files import atomic_output
        from reenact.media.writer import open_writer
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        path, random = Path(sys.argv[1]), np.random.default_rng(0)
        try:
            with atomic_output(path, folder=not path.suffix) as partial:
                with open_writer(partial, width=256, height=256, fps=Fraction(25), threads=1) as sink:
                    for index in range(60):
                        image = random.integers(0, 255, (256, 256, 3)).astype(np.uint8)
                        sink.write(image, Fraction(index, 25))
        except ReenactError as error:
            print(error)
            sys.exit(2)
        """
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / name)], capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert "cannot write" in done.stdout
    assert list(tmp_path.iterdir()) == []


# Settings -------------------------------------------------------------------------------------------------


def test_quality_runs_the_right_way(tmp_path: Path) -> None:
    assert [crf(quality, 44, 12) for quality in (-5, 0, 75, 100, 200)] == ["44", "44", "20", "12", "12"]
    random = np.random.default_rng(0)
    images = [random.integers(0, 255, (96, 128, 3)).astype(np.uint8) for _ in range(5)]
    for name in ("out.mp4", "out.webm"):
        sizes = []
        for quality in (10, 75, 100):
            with open_writer(
                tmp_path / name, width=128, height=96, fps=Fraction(25), quality=quality, threads=1
            ) as sink:
                for index, image in enumerate(images):
                    sink.write(image, Fraction(index, 25))
            sizes.append((tmp_path / name).stat().st_size)
        assert sizes == sorted(set(sizes)), name


def test_memory_does_not_grow_with_length(tmp_path: Path) -> None:
    code = textwrap.dedent(
        """
        import resource, sys
        from pathlib import Path
        from reenact.media.audio import audio_of
        from reenact.media.reader import open_frames
        from reenact.media.writer import open_writer
        with open_frames(Path(sys.argv[1]), threads=1) as source:
            info = source.info
            with open_writer(Path(sys.argv[2]), width=info.width, height=info.height, fps=info.fps,
                             audio=audio_of(source), threads=1) as sink:
                for frame in source:
                    sink.write(frame.image, frame.time)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        """
    )
    peaks = []
    for seconds in (10, 80):
        clicks = write_clicks(tmp_path / "clicks.m4a", seconds, [1.0], rate=16_000)
        images = (coded(index % 256, 256, 192) for index in range(seconds * 25))
        path = write_video(tmp_path / f"in{seconds}.mp4", images, sound=clicks, options={"preset": "ultrafast"})
        done = subprocess.run(
            [sys.executable, "-c", code, str(path), str(tmp_path / f"out{seconds}.mp4")],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        peaks.append(int(done.stdout))
    # In KiB; holding the longer one's frames would take 290 MiB more.
    assert peaks[1] - peaks[0] < 30_000


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are listed on Linux alone")
@pytest.mark.skipif(not is_available("libsvtav1"), reason="this PyAV has no AV1 encoder")
def test_encoding_makes_no_thread_urgent(tmp_path):
    """As root the AV1 encoder would make the whole process a real-time one, and keep it so."""
    frame = np.zeros((96, 128, 3), np.uint8)
    with open_writer(tmp_path / "out.mp4", width=128, height=96, fps=Fraction(25), codec="av1") as sink:
        for n in range(4):
            sink.write(frame, Fraction(n, 25))
        policies = {os.sched_getscheduler(int(task.name)) for task in Path("/proc/self/task").iterdir()}
    policies.add(os.sched_getscheduler(0))
    assert not policies & {os.SCHED_FIFO, os.SCHED_RR}
