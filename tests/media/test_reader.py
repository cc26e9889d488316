"""Reading: every codec, exact times, upright and square pictures, right colours, clear refusals."""

from __future__ import annotations

import os
import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import PIL.Image
import pytest
from media_samples import coded, number_of, patch_box, tkhd_matrix, write_clicks, write_video

from reenact.errors import ReenactError
from reenact.media import limits
from reenact.media.reader import BrokenMedia, is_still, open_frames
from reenact.types import Frame

NTSC = Fraction(30000, 1001)


def read(path: Path, **options: Any) -> list[Frame]:
    with open_frames(path, **options) as source:
        return list(source)


def clip(path: Path, count: int = 30, **options: Any) -> Path:
    return write_video(path, (coded(index) for index in range(count)), **options)


CODECS = [
    ("h264", "libx264", ".mp4", "yuv420p"),
    ("h264", "libx264", ".mov", "yuv420p10le"),
    ("h265", "libx265", ".mp4", "yuv420p"),
    ("h265", "libx265", ".mkv", "yuv420p10le"),
    ("vp9", "libvpx-vp9", ".webm", "yuv420p"),
    ("av1", "libsvtav1", ".mp4", "yuv420p10le"),
    ("mjpeg", "mjpeg", ".avi", "yuvj420p"),
    ("mpeg4", "mpeg4", ".avi", "yuv420p"),
    ("mpeg2video", "mpeg2video", ".mpg", "yuv420p"),
    ("h264", "libx264", ".ts", "yuv420p"),
]


@pytest.mark.parametrize(("name", "encoder", "suffix", "pixels"), CODECS)
def test_every_codec_gives_every_frame_in_order(
    tmp_path: Path, name: str, encoder: str, suffix: str, pixels: str
) -> None:
    path = clip(tmp_path / f"in{suffix}", codec=encoder, pixels=pixels)
    with open_frames(path) as source:
        frames = list(source)
    assert [number_of(frame.image) for frame in frames] == list(range(30))
    assert [frame.time for frame in frames] == [Fraction(index, 25) for index in range(30)]
    assert source.end == Fraction(30, 25)
    assert source.info.fps == 25
    assert (source.info.codec, source.info.kind) == (name, "video")
    assert frames[0].image.shape == (48, 64, 3)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
def test_ntsc_stays_ntsc(tmp_path: Path, suffix: str) -> None:
    codec = "libvpx-vp9" if suffix == ".webm" else "libx264"
    with open_frames(clip(tmp_path / f"in{suffix}", codec=codec, rate=NTSC)) as source:
        times = [frame.time for frame in source]
    assert source.info.fps == NTSC
    assert times == [index / NTSC for index in range(30)]
    assert source.end == 30 / NTSC


def test_variable_rate_keeps_each_time(tmp_path: Path) -> None:
    stamps = [0, 100, 150, 700, 710, 1500]
    path = clip(tmp_path / "in.mp4", 6, stamps=stamps, tick=Fraction(1, 600))
    assert [frame.time for frame in read(path)] == [Fraction(stamp, 600) for stamp in stamps]


def test_times_count_from_the_first_frame(tmp_path: Path) -> None:
    stamps = [*range(100, 130)]
    with open_frames(clip(tmp_path / "in.ts", stamps=stamps)) as source:
        assert next(iter(source)).time == 0
        assert source.info.start_time > 3


@pytest.mark.parametrize(
    ("matrix", "turned"),
    [
        ((0, 1, -1, 0), lambda image: np.rot90(image, -1)),
        ((-1, 0, 0, -1), lambda image: np.rot90(image, 2)),
        ((0, -1, 1, 0), lambda image: np.rot90(image, 1)),
        ((-1, 0, 0, 1), lambda image: image[:, ::-1]),
    ],
    ids=["90", "180", "270", "mirrored"],
)
def test_rotation_metadata_is_applied(tmp_path: Path, matrix: tuple[int, int, int, int], turned: Any) -> None:
    path = clip(tmp_path / "in.mp4", 3, options={"crf": "5"})
    plain = read(path)[2].image
    patch_box(path, b"tkhd", 40, tkhd_matrix(*matrix))
    with open_frames(path) as source:
        frames = list(source)
    expected = turned(plain)
    assert (source.info.height, source.info.width) == expected.shape[:2]
    assert np.array_equal(frames[2].image, expected)


def test_odd_sizes(tmp_path: Path) -> None:
    images = (coded(index, 61, 47) for index in range(5))
    path = write_video(tmp_path / "in.mkv", images, codec="ffv1", pixels="yuv444p")
    frames = read(path)
    assert frames[4].image.shape == (47, 61, 3)
    assert number_of(frames[4].image) == 4


def test_pixels_become_square(tmp_path: Path) -> None:
    path = clip(tmp_path / "in.mp4", 3, sar=Fraction(3, 2))
    with open_frames(path) as source:
        assert (source.info.width, source.info.height) == (96, 48)
        assert number_of(list(source)[2].image) == 2


def yuv_frame(rgb: np.ndarray, kr: float, kb: float, full: bool) -> av.VideoFrame:
    """Flat patches of `rgb` in 0 to 1, converted by the standards' own formula."""
    luma = rgb @ [kr, 1 - kr - kb, kb]
    blue, red = (rgb[:, 2] - luma) / (2 * (1 - kb)), (rgb[:, 0] - luma) / (2 * (1 - kr))
    scale, base, chroma = (255, 0, 255) if full else (219, 16, 224)
    planes = (base + scale * luma, 128 + chroma * blue, 128 + chroma * red)
    frame = av.VideoFrame(16 * len(rgb), 64, "yuv420p")
    for plane, values, step in zip(frame.planes, planes, (16, 8, 8), strict=True):
        rows = np.zeros((plane.height, plane.line_size), np.uint8)
        rows[:, : step * len(rgb)] = np.repeat(np.clip(np.rint(values), 0, 255), step)
        plane.update(rows.tobytes())
    return frame


@pytest.mark.parametrize("full", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize(
    ("code", "kr", "kb"), [(1, 0.2126, 0.0722), (6, 0.299, 0.114), (9, 0.2627, 0.0593), (2, 0.299, 0.114)]
)
def test_colours_follow_matrix_and_range(tmp_path: Path, code: int, kr: float, kb: float, full: bool) -> None:
    rgb = np.random.default_rng(3).random((12, 3)) * 0.8 + 0.1
    frame = yuv_frame(rgb, kr, kb, full)
    output: Any = av.open(str(tmp_path / "in.mp4"), "w")
    stream: Any = output.add_stream("libx264", rate=25, options={"crf": "0", "preset": "ultrafast"})
    stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, "yuv420p"
    stream.codec_context.colorspace = code
    stream.codec_context.color_range = 2 if full else 1
    frame.pts = 0
    frame.colorspace, frame.color_range = code, 2 if full else 1
    output.mux(stream.encode(frame))
    output.mux(stream.encode(None))
    output.close()
    got = read(tmp_path / "in.mp4")[0].image[32, 8::16].astype(float)
    assert np.abs(got - rgb * 255).max() < 2.5


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".avi"])
def test_start_and_end_are_exact(tmp_path: Path, suffix: str) -> None:
    codec = {".mp4": "libx264", ".webm": "libvpx-vp9", ".avi": "mpeg4"}[suffix]
    path = clip(tmp_path / f"in{suffix}", 200, codec=codec, options={"g": "50"})
    with open_frames(path, start=Fraction("3.05"), end=Fraction(5)) as source:
        frames = list(source)
    assert [number_of(frame.image) for frame in frames] == list(range(76, 125))
    assert [frame.time for frame in frames] == [Fraction(index, 25) for index in range(49)]
    assert source.end == source.info.duration == Fraction(49, 25)
    assert source.info.frames == 49
    assert [number_of(frame.image) for frame in read(path, start=Fraction("7.96"))] == [199]


@pytest.mark.parametrize(("start", "end"), [(-1, None), (3, 2), (2, 2), (1000, None)])
def test_impossible_spans_are_refused(tmp_path: Path, start: int, end: int | None) -> None:
    path = clip(tmp_path / "in.mp4", 5)
    with pytest.raises(ReenactError, match="--start"):
        read(path, start=Fraction(start), end=None if end is None else Fraction(end))


def test_scaling_while_decoding(tmp_path: Path) -> None:
    images = (coded(index, 640, 360) for index in range(3))
    frames = read(write_video(tmp_path / "in.mp4", images), longest=160)
    assert frames[2].image.shape == (90, 160, 3)
    assert number_of(frames[2].image) == 2


# What breaks off ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suffix", "codec", "container"),
    [(".mp4", "libx264", {"movflags": "+faststart"}), (".mkv", "libx264", {}), (".webm", "libvpx-vp9", {}),
     (".avi", "mjpeg", {}), (".mp4", "libx264", {"movflags": "+frag_keyframe+empty_moov"})],
)  # fmt: skip
def test_a_video_that_breaks_off_gives_what_it_has(
    tmp_path: Path, suffix: str, codec: str, container: dict[str, str]
) -> None:
    pixels = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    path = clip(
        tmp_path / f"in{suffix}", 120, codec=codec, container=container, pixels=pixels, options={"g": "10"}
    )
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    numbers = []
    with open_frames(path) as source:
        assert source.info.broken
        with pytest.raises(BrokenMedia, match="breaks off"):
            for frame in source:
                numbers.append(number_of(frame.image))
    # Of the last group, frames that were to come between two others may be missing.
    assert numbers[:-2] == list(range(len(numbers) - 2))
    assert 30 < len(numbers) < 119


def test_the_part_before_the_break_can_be_asked_for(tmp_path: Path) -> None:
    path = clip(tmp_path / "in.mp4", 120, container={"movflags": "+faststart"}, options={"g": "10"})
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    assert len(read(path, end=Fraction(1))) == 25


def test_a_video_without_its_index_is_refused(tmp_path: Path) -> None:
    path = clip(tmp_path / "in.mp4", 60)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(ReenactError, match="cut off"):
        open_frames(path)


def test_damage_in_the_middle_does_not_stop_the_job(tmp_path: Path) -> None:
    path = clip(tmp_path / "in.mp4", 120, options={"g": "10"})
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 40] = b"\xff" * 40
    path.write_bytes(bytes(data))
    frames = read(path)
    assert len(frames) > 100
    assert frames[-1].time == Fraction(119, 25)


# What is refused ------------------------------------------------------------------------------------------


def refused(path: Path, match: str) -> None:
    with pytest.raises(ReenactError, match=match) as caught:
        read(path)
    assert "\n" not in str(caught.value)


def test_bad_inputs_are_one_clear_line(tmp_path: Path) -> None:
    refused(tmp_path / "none.mp4", "not found")
    (tmp_path / "empty.mp4").touch()
    refused(tmp_path / "empty.mp4", "empty")
    (tmp_path / "text.mp4").write_text("dear diary, " * 300)
    refused(tmp_path / "text.mp4", "not a video")
    (tmp_path / "folder").mkdir()
    refused(tmp_path / "folder", "no pictures")
    refused(write_clicks(tmp_path / "sound.m4a", 1, [0.5]), "sound only")
    os.mkfifo(tmp_path / "pipe.mp4")
    refused(tmp_path / "pipe.mp4", "not a regular file")


@pytest.mark.parametrize(
    "text", ["#EXTM3U\n#EXTINF:1,\n{0}\n#EXT-X-ENDLIST\n", "ffconcat version 1.0\nfile '{0}'\n"]
)
def test_playlists_cannot_name_other_files(tmp_path: Path, text: str) -> None:
    clip(tmp_path / "secret.ts")
    (tmp_path / "list.mp4").write_text(text.format("secret.ts"))
    refused(tmp_path / "list.mp4", "not a video")


@pytest.mark.parametrize("head", [b"RIFF", b"RIFF\0\0", b"GIF8", b"\x1a\x45\xdf\xa3", b"\0\0\0\x18ftyp"])
def test_a_file_that_ends_within_its_header_is_refused(tmp_path: Path, head: bytes) -> None:
    (tmp_path / "in.webp").write_bytes(head)
    refused(tmp_path / "in.webp", "not a video|cut off|no readable frame|not a picture")


def test_a_huge_frame_is_refused_before_decoding(tmp_path: Path) -> None:
    (tmp_path / "huge.y4m").write_bytes(b"YUV4MPEG2 W100000 H100000 F25:1 C420\nFRAME\n" + bytes(1000))
    refused(tmp_path / "huge.y4m", "too large|not a video")


def test_a_billion_frames_are_refused(tmp_path: Path) -> None:
    path = clip(tmp_path / "in.mp4", 25)
    patch_box(path, b"stts", 8, struct.pack(">I", 10**9))
    refused(path, "too long")


def test_too_many_frames_while_reading_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_FRAMES", 10)
    with pytest.raises(ReenactError, match="too long"):
        read(clip(tmp_path / "in.mkv", 25))


def test_mutated_files_never_escape_as_other_errors(tmp_path: Path) -> None:
    random = np.random.default_rng(11)
    clip(tmp_path / "a.mp4", 8)
    clip(tmp_path / "b.webm", 8, codec="libvpx-vp9")
    clip(tmp_path / "c.mkv", 8)
    images = [PIL.Image.fromarray(coded(index)) for index in range(5)]
    for name in ("d.gif", "e.webp", "f.png"):
        images[0].save(tmp_path / name, save_all=True, append_images=images[1:], duration=100)
    for original in list(tmp_path.iterdir()):
        base = np.frombuffer(original.read_bytes(), np.uint8)
        path = tmp_path / f"mutated{original.suffix}"
        for _ in range(25):
            data = base.copy()
            places = random.integers(0, len(data), 10)
            data[places] = random.integers(0, 256, 10)
            path.write_bytes(data[: random.integers(len(data) // 2, len(data) + 1)].tobytes())
            try:
                frames = read(path, threads=1)
            except ReenactError:
                continue
            assert all(frame.image.dtype == np.uint8 for frame in frames)


# Pictures in motion ---------------------------------------------------------------------------------------


def test_gif_durations_are_kept(tmp_path: Path) -> None:
    images = [PIL.Image.fromarray(coded(index)) for index in range(4)]
    path = tmp_path / "in.gif"
    images[0].save(path, save_all=True, append_images=images[1:], duration=[100, 50, 200, 370], loop=0)
    with open_frames(path) as source:
        frames = list(source)
    assert [frame.time for frame in frames] == [Fraction(t, 100) for t in (0, 10, 15, 35)]
    assert source.end == Fraction(72, 100)
    assert source.info.kind == "gif"
    assert [number_of(frame.image) for frame in frames] == [0, 1, 2, 3]


def test_webp_and_png_animations(tmp_path: Path) -> None:
    images = [PIL.Image.fromarray(coded(index)) for index in range(4)]
    for name in ("in.webp", "in.png"):
        path = tmp_path / name
        images[0].save(path, save_all=True, append_images=images[1:], duration=[100, 50, 200, 370], quality=95)
        assert not is_still(path)
        with open_frames(path) as source:
            frames = list(source)
        assert [frame.time for frame in frames] == [Fraction(t, 100) for t in (0, 10, 15, 35)], name
        assert source.end == Fraction(72, 100)
        assert [number_of(frame.image) for frame in frames] == [0, 1, 2, 3]
        assert [number_of(frame.image) for frame in read(path, start=Fraction("0.2"))] == [2, 3]


def test_a_cut_gif_is_noticed(tmp_path: Path) -> None:
    images = [PIL.Image.fromarray(coded(index)) for index in range(10)]
    path = tmp_path / "in.gif"
    images[0].save(path, save_all=True, append_images=images[1:], duration=100)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(BrokenMedia, match="breaks off"):
        read(path)


def test_a_folder_is_read_in_natural_order(tmp_path: Path) -> None:
    for index in range(12):
        PIL.Image.fromarray(coded(index)).save(tmp_path / f"f{index}.png")
    (tmp_path / "notes.txt").write_text("not a picture")
    with open_frames(tmp_path) as source:
        frames = list(source)
    assert [number_of(frame.image) for frame in frames] == list(range(12))
    assert frames[11].time == Fraction(11, 25)
    assert source.end == Fraction(12, 25)
    assert (source.info.kind, source.info.frames) == ("folder", 12)
    part = read(tmp_path, start=Fraction("0.1"), end=Fraction("0.3"), rate=Fraction(20))
    assert [number_of(frame.image) for frame in part] == [2, 3, 4, 5]


def test_links_in_a_folder_are_refused(tmp_path: Path) -> None:
    PIL.Image.fromarray(coded(1)).save(tmp_path / "secret.png")
    (tmp_path / "frames").mkdir()
    (tmp_path / "frames" / "a.png").symlink_to(tmp_path / "secret.png")
    refused(tmp_path / "frames", "link")


def test_a_still_is_one_frame(tmp_path: Path) -> None:
    PIL.Image.fromarray(coded(7)).save(tmp_path / "in.png")
    assert is_still(tmp_path / "in.png")
    with open_frames(tmp_path / "in.png") as source:
        [frame] = list(source)
    assert (source.info.kind, source.info.fps, source.info.frames) == ("still", None, 1)
    assert np.array_equal(frame.image, coded(7))


def test_the_last_frame_stays_as_long_as_its_packet_says(tmp_path: Path) -> None:
    output: Any = av.open(str(tmp_path / "in.mp4"), "w")
    stream: Any = output.add_stream("libx264", rate=25)
    stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
    packets = []
    for index in range(5):
        frame = av.VideoFrame.from_ndarray(coded(index))
        frame.pts = index
        packets += stream.encode(frame)
    packets += stream.encode(None)
    for packet in packets:
        packet.duration = 10 if packet.pts == 4 else 1
        output.mux(packet)
    output.close()
    with open_frames(tmp_path / "in.mp4") as source:
        assert len(list(source)) == 5
    assert source.end == source.info.duration == Fraction(14, 25)
