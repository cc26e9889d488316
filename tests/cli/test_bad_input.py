"""Bad input: one clear line, exit code 2, nothing half-written, and never a lost file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import PIL.Image
import pytest
from cli_command import Command, Result, write_clip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where outputs go; a test of bad input ends with nothing in it."""
    path = tmp_path / "results"
    path.mkdir()
    return path


def refused(result: Result, *parts: object) -> None:
    assert result.code == 2 and result.out == ""
    line = result.line()
    for part in parts:
        assert str(part) in line


def test_missing_files(reenact: Command, portrait: Path, clip: Path, folder: Path) -> None:
    refused(reenact("video", "none.png", clip, "-o", folder / "o.mp4"), "none.png")
    refused(reenact("video", portrait, "none.mp4", "-o", folder / "o.mp4"), "none.mp4")
    refused(reenact("track", "none.mp4", "-o", folder / "o.motion"), "none.mp4")
    assert not any(folder.iterdir())


@pytest.mark.parametrize("content", [b"", b"this is a text\n" * 100, bytes(5000)])
def test_what_is_no_video(
    reenact: Command, portrait: Path, tmp_path: Path, folder: Path, content: bytes
) -> None:
    fake = tmp_path / "fake.mp4"
    fake.write_bytes(content)
    refused(reenact("video", portrait, fake, "-o", folder / "o.mp4"), fake)
    refused(reenact("track", fake, "-o", folder / "o.motion"), fake)
    assert not any(folder.iterdir())


@pytest.mark.parametrize("content", [b"", b"this is a text\n" * 100])
def test_what_is_no_picture(reenact: Command, clip: Path, tmp_path: Path, folder: Path, content: bytes) -> None:
    fake = tmp_path / "fake.jpg"
    fake.write_bytes(content)
    refused(reenact("video", fake, clip, "-o", folder / "o.mp4"), fake)
    refused(reenact("image", fake, fake, "-o", folder / "o.png"), fake)
    assert not any(folder.iterdir())


def test_truncated_picture(reenact: Command, portrait: Path, clip: Path, tmp_path: Path, folder: Path) -> None:
    half = tmp_path / "half.png"
    half.write_bytes(portrait.read_bytes()[: portrait.stat().st_size // 2])
    refused(reenact("video", half, clip, "-o", folder / "o.mp4"), half)
    assert not any(folder.iterdir())


def test_motion_file_with_a_changed_byte(
    reenact: Command, portrait: Path, clip: Path, tmp_path: Path, folder: Path
) -> None:
    motion = tmp_path / "clip.motion"
    assert reenact("track", clip, "-o", motion).code == 0
    data = bytearray(motion.read_bytes())
    data[4] ^= 255
    motion.write_bytes(data)
    refused(reenact("video", portrait, motion, "-o", folder / "o.mp4"), motion)
    assert not any(folder.iterdir())


def test_no_face(reenact: Command, portrait: Path, clip: Path, tmp_path: Path, folder: Path) -> None:
    blank, wall = tmp_path / "blank.png", tmp_path / "wall.mp4"
    PIL.Image.new("RGB", (256, 256), "grey").save(blank)
    write_clip(wall, blank, 4)
    refused(reenact("video", blank, clip, "-o", folder / "o.mp4"), "no face", blank)
    refused(reenact("video", portrait, wall, "-o", folder / "o.mp4"), "no face", wall)
    refused(reenact("image", portrait, blank, "-o", folder / "o.png"), "no face", blank)
    refused(reenact("track", wall, "-o", folder / "o.motion"), "no face", wall)
    assert not any(folder.iterdir())


def test_face_that_is_too_small(
    reenact: Command, portrait: Path, clip: Path, tmp_path: Path, folder: Path
) -> None:
    small = tmp_path / "small.png"
    scene = PIL.Image.new("RGB", (400, 300), "grey")
    scene.paste(PIL.Image.open(portrait).resize((48, 48)), (200, 100))
    scene.save(small)
    refused(reenact("video", small, clip, "-o", folder / "o.mp4"), small)
    assert not any(folder.iterdir())


def test_face_that_is_not_there(reenact: Command, portrait: Path, clip: Path, folder: Path) -> None:
    refused(reenact("video", portrait, clip, "-o", folder / "o.mp4", "--source-face", "3"), portrait)
    assert not any(folder.iterdir())


def test_video_without_frames(reenact: Command, portrait: Path, tmp_path: Path, folder: Path) -> None:
    silent = tmp_path / "silent.mp4"
    with av.open(str(silent), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        sound.sample_rate = 44100
        container.mux(stream.encode(sound))
        container.mux(stream.encode())
    refused(reenact("video", portrait, silent, "-o", folder / "o.mp4"), silent)
    assert not any(folder.iterdir())


def test_video_that_breaks_off(reenact: Command, portrait: Path, tmp_path: Path, folder: Path) -> None:
    whole = write_clip(tmp_path / "whole.mp4", portrait, 30, movflags="faststart")
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * 0.6)])
    refused(reenact("video", portrait, broken, "-o", folder / "o.mp4"), broken, "--keep-partial")
    assert not any(folder.iterdir())
    kept = reenact("video", portrait, broken, "-o", folder / "o.mp4", "--keep-partial", "--json")
    assert kept.code == 0 and 1 <= kept.json["frames"] < 30 and kept.json["notes"]
    assert "c2pa" in kept.json["marks"]


def test_output_folder_is_missing(reenact: Command, portrait: Path, clip: Path, folder: Path) -> None:
    refused(reenact("video", portrait, clip, "-o", folder / "no" / "o.mp4"), folder / "no")
    refused(reenact("video", portrait, clip, "--out-dir", folder / "no" / "out"), folder / "no")
    refused(reenact("track", clip, "-o", folder / "no" / "o.motion"), folder / "no")
    assert not any(folder.iterdir())


def test_a_codec_beside_what_has_none(reenact: Command, portrait: Path, clip: Path, folder: Path) -> None:
    for output in (
        ["-o", folder / "o.gif"],
        ["-o", folder / "o"],
        ["--out-dir", folder / "x", "--format", "gif"],
    ):
        refused(reenact("video", portrait, clip, *output, "--codec", "h265"), "--codec h265", output[1])
    assert not any(folder.iterdir())


def test_a_video_of_a_single_picture(reenact: Command, portrait: Path, folder: Path) -> None:
    refused(reenact("video", portrait, portrait, "-o", folder / "o.mp4"), portrait, "'reenact image'")
    assert not any(folder.iterdir())


@pytest.mark.parametrize("name", ["o.mp4", "o.motion", "o.png"])
def test_output_exists(reenact: Command, portrait: Path, clip: Path, folder: Path, name: str) -> None:
    mine = folder / name
    mine.write_bytes(b"mine")
    words = {
        "o.mp4": ["video", portrait, clip],
        "o.motion": ["track", clip],
        "o.png": ["image", portrait, portrait],
    }[name]
    refused(reenact(*words, "-o", mine), mine, "--overwrite")
    assert mine.read_bytes() == b"mine"
    assert reenact(*words, "-o", mine, "--overwrite").code == 0
    assert mine.read_bytes() != b"mine" and len(list(folder.iterdir())) == 1


def test_output_is_an_input(reenact: Command, portrait: Path, clip: Path) -> None:
    before = portrait.read_bytes()
    refused(reenact("image", portrait, portrait, "-o", portrait, "--overwrite"), portrait)
    assert portrait.read_bytes() == before


@pytest.mark.parametrize("name", ["o.txt", "o.docx"])
def test_format_that_is_not_known(
    reenact: Command, portrait: Path, clip: Path, folder: Path, name: str
) -> None:
    refused(reenact("video", portrait, clip, "-o", folder / name), name)
    refused(reenact("image", portrait, portrait, "-o", folder / name), name)
    assert not any(folder.iterdir())


def test_a_name_that_says_another_kind_of_file(
    reenact: Command, portrait: Path, clip: Path, folder: Path
) -> None:
    refused(
        reenact("image", portrait, portrait, "-o", folder / "o"), f"without ending: {folder / 'o'}; use .png"
    )
    refused(reenact("track", clip, "-o", folder / "o.mp4"), "end it in .motion")
    refused(reenact("track", clip, "-o", folder / "nowhere" / "o.motion"), "nowhere")
    assert not any(folder.iterdir())


@pytest.mark.parametrize("option", ["--strength", "--smooth", "--lips"])
@pytest.mark.parametrize("value", ["inf", "nan", "-1", "1e9"])
def test_a_gain_out_of_bounds(
    reenact: Command, portrait: Path, clip: Path, folder: Path, option: str, value: str
) -> None:
    refused(reenact("video", portrait, clip, "-o", folder / "o.mp4", option, value), option)
    assert not any(folder.iterdir())


def test_nothing_at_all_shows_the_help(reenact: Command) -> None:
    result = reenact()
    assert result.code == 2 and "Usage" in result.out and result.err == ""


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--system", "wrap"], "wrap"),
        (["--anchor", "999"], "999"),
        (["--start", "60"], "60"),
    ],
)
def test_options_that_do_not_fit(
    reenact: Command, portrait: Path, clip: Path, folder: Path, words: list[str], part: str
) -> None:
    refused(reenact("video", portrait, clip, "-o", folder / "o.mp4", *words), part)
    assert not any(folder.iterdir())


def test_certificate_that_is_none(reenact: Command, portrait: Path, tmp_path: Path, folder: Path) -> None:
    pem = tmp_path / "mine.pem"
    pem.write_text("no certificate")
    refused(reenact("image", portrait, portrait, "-o", folder / "o.png", "--sign-with", pem), pem)
    assert not any(folder.iterdir())


def test_no_space_left(portrait: Path, clip: Path, folder: Path) -> None:
    """A limit on the size of files stands for a full disk: the write fails half way in the same manner."""
    limit = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)); "
    run = limit + "from reenact.cli import main; sys.exit(main(sys.argv[1:]))"
    words = ["video", str(portrait), str(clip), "-o", str(folder / "o.mp4")]
    done = subprocess.run([sys.executable, "-c", run, *words], capture_output=True, text=True, check=False)
    refused(Result(done.returncode, done.stdout, done.stderr), folder / "o.mp4")
    assert not any(folder.iterdir())


def begin(portrait: Path, clip: Path, folder: Path, *words: str) -> subprocess.Popen[str]:
    """Start a long run and come back once it is writing."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "reenact",
            "video",
            str(portrait),
            str(clip),
            "-o",
            str(folder / "o.mp4"),
            *words,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for _ in range(6000):
        if any(path.stat().st_size for path in folder.iterdir()):
            return process
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    raise AssertionError("the run did not begin to write")


def test_interrupt_leaves_nothing(portrait: Path, long_clip: Path, folder: Path) -> None:
    process = begin(portrait, long_clip, folder)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=300)
    assert (process.returncode, out, err) == (130, "", "interrupted\n")
    assert not any(folder.iterdir())


def test_interrupt_keeps_a_playable_file_where_asked(portrait: Path, long_clip: Path, folder: Path) -> None:
    process = begin(portrait, long_clip, folder, "--keep-partial")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 130 and "Traceback" not in err
    assert [path.name for path in folder.iterdir()] == ["o.mp4"]
    with av.open(str(folder / "o.mp4")) as container:
        assert 1 <= sum(1 for _ in container.decode(video=0)) < 240
    assert (
        subprocess.run(
            [sys.executable, "-m", "reenact", "verify", str(folder / "o.mp4")], check=False
        ).returncode
        == 0
    )


def test_kill_leaves_no_file_under_the_final_name(portrait: Path, long_clip: Path, folder: Path) -> None:
    process = begin(portrait, long_clip, folder)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=300)
    assert all(".partial" in path.name for path in folder.iterdir())
