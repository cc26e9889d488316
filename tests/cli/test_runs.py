"""`image`, `video` and `track` as a user runs them, on files made here."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import PIL.Image
import pytest
from cli_command import Command

FRAMES = 8


def frames_of(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def test_image(reenact: Command, portrait: Path, tmp_path: Path) -> None:
    result = reenact("image", portrait, portrait, "-o", tmp_path / "out.png")
    assert (result.code, result.err) == (0, "")
    assert result.out.count("\n") == 1 and "256x256" in result.out
    assert PIL.Image.open(tmp_path / "out.png").size == (256, 256)


def test_video_with_json(reenact: Command, portrait: Path, clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    result = reenact("video", portrait, clip, "-o", out, "--json")
    assert (result.code, result.err) == (0, "")
    assert result.json["output"] == str(out) and result.json["frames"] == FRAMES == frames_of(out)
    assert result.json["fps_exact"] == "30000/1001" and "c2pa" in result.json["marks"]
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


def test_quiet_says_nothing(reenact: Command, portrait: Path, clip: Path, tmp_path: Path) -> None:
    result = reenact("video", portrait, clip, "-o", tmp_path / "out.mp4", "--quiet")
    assert (result.code, result.out, result.err) == (0, "", "")


def test_motion_file_drives_others_like_its_video(
    reenact: Command, portrait: Path, clip: Path, tmp_path: Path
) -> None:
    """A face half as broad again is another person's, whom no detail of the skin is carried over to."""
    broad = tmp_path / "broad.png"
    with PIL.Image.open(portrait) as picture:
        picture.resize((picture.width * 3 // 2, picture.height)).save(broad)
    motion = tmp_path / "clip.motion"
    tracked = reenact("track", clip, "-o", motion, "--json")
    assert tracked.code == 0 and tracked.json["frames"] == FRAMES and tracked.json["held"] == 0
    assert tracked.json["bytes"] == motion.stat().st_size < 2048 * FRAMES
    for driving, name in ((clip, "video"), (motion, "motion")):
        folder = tmp_path / name
        assert reenact("video", broad, driving, "-o", folder, "--no-mark").code == 0
    for mine, other in zip(
        sorted((tmp_path / "video").iterdir()), sorted((tmp_path / "motion").iterdir()), strict=True
    ):
        difference = np.abs(np.asarray(PIL.Image.open(mine), int) - np.asarray(PIL.Image.open(other), int))
        assert difference.mean() < 0.5


def test_no_mark_says_what_the_law_asks(reenact: Command, portrait: Path, tmp_path: Path) -> None:
    result = reenact("image", portrait, portrait, "-o", tmp_path / "out.png", "--no-mark", "--json")
    assert result.code == 0 and result.json["marks"] == []
    assert "Article 50" in result.err and result.err.count("\n") == 1


def test_options_file_reaches_the_run(reenact: Command, portrait: Path, clip: Path, tmp_path: Path) -> None:
    options = tmp_path / "options.toml"
    options.write_text('end = 0.1\nsize = 128\nlabel = "AI"\n')
    out = tmp_path / "out.mp4"
    result = reenact("video", portrait, clip, "-o", out, "--config", options, "--size", "160", "--json")
    assert result.code == 0 and result.json["frames"] == 3 and result.json["width"] == 160
    assert "label" in result.json["marks"]


def test_every_pair_is_run_and_one_failure_does_not_stop_the_others(
    reenact: Command, portrait: Path, clip: Path, tmp_path: Path
) -> None:
    faces = tmp_path / "faces"
    faces.mkdir()
    (faces / "b.png").write_bytes(portrait.read_bytes())
    PIL.Image.new("RGB", (64, 64), "grey").save(faces / "a.png")
    result = reenact("video", faces, clip, "--out-dir", tmp_path / "out")
    assert result.code == 2
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b__clip.mp4"]
    first, last = result.err.strip().splitlines()
    assert first.startswith("error: a__clip.mp4: ") and last == "error: 1 of 2 failed: a__clip.mp4"
    assert "1 of 2 done" in result.out


def test_batch_as_json(reenact: Command, portrait: Path, tmp_path: Path) -> None:
    words = ["--source", portrait, portrait, "--out-dir", tmp_path / "out", "--json"]
    assert reenact("image", *words).json["done"] == 1
    again = reenact("image", *words)
    assert again.code == 2 and (again.json["done"], again.json["failed"]) == (0, 1)
    assert "exist" in again.json["results"][0]["error"]


@pytest.mark.parametrize(("form", "name"), [("gif", "portrait__clip.gif"), ("png", "portrait__clip")])
def test_format_of_a_batch(
    reenact: Command, portrait: Path, clip: Path, tmp_path: Path, form: str, name: str
) -> None:
    words = ["--out-dir", tmp_path, "--format", form, "--end", "0.1"]
    assert reenact("video", portrait, clip, *words).code == 0
    assert (tmp_path / name).exists()


def test_systems_are_listed(reenact: Command) -> None:
    assert "warp" in reenact("systems", "--quiet").out.split()
    rows = reenact("systems", "--json").json["systems"]
    assert {"name", "status", "title", "paper", "caveats"} == set(rows[0])


def test_doctor_finds_everything_that_is_needed(reenact: Command) -> None:
    result = reenact("doctor", "--json")
    assert result.code == 0 and result.json["works"], result.out
    assert {"face detector", "h264"} <= {item["name"] for item in result.json["findings"]}
