"""A pose in words: `reenact image --action-units AU12=1 --pose yaw=20`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from cli_command import Command

from reenact.cli.image import read_pose
from reenact.pipeline.pose import Pose


def test_words_become_a_pose() -> None:
    pose = read_pose("AU12=1, au25=0.5,26=0", "yaw=20,roll=-3.5")
    assert pose == Pose(yaw=20, roll=-3.5, units={12: 5.0, 25: 2.5, 26: 0.0})
    assert read_pose(None, None) == Pose()


def test_a_portrait_is_posed_without_a_driving_face(reenact: Command, portrait: Path, tmp_path: Path) -> None:
    """A strong smile moves the mouth's corners, and the rest of the folder stays as it was."""
    still, smile = tmp_path / "still.png", tmp_path / "smile.png"
    assert reenact("image", portrait, "--pose", "yaw=0", "-o", still, "--no-mark").code == 0
    words = ("--action-units", "AU12=0.8,AU25=0.5", "--pose", "yaw=10,pitch=5")
    result = reenact("image", portrait, *words, "-o", smile, "--json")
    assert (result.code, result.err) == (0, "") and "c2pa" in result.json["marks"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["smile.png", "still.png"]
    before, after = (np.asarray(PIL.Image.open(path).convert("RGB"), int) for path in (still, smile))
    assert np.abs(after - before).max() > 60
    source = np.asarray(PIL.Image.open(portrait).convert("RGB"), int)
    assert np.abs(before - source).mean() < 1.5


def test_several_portraits(reenact: Command, portrait: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = reenact("image", portrait, "--pose", "roll=5", "--out-dir", out, "--quiet")
    assert result.code == 0 and [path.name for path in out.iterdir()] == ["portrait__pose.png"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--action-units", "AU12"), "'AU12' is not NAME=NUMBER"),
        (("--action-units", "smile=1"), "'smile' is no action unit"),
        (("--action-units", "AU12=5"), "0 to 1"),
        (("--action-units", "AU3=1"), "no action unit 3; choose from: 1, 2, 4"),
        (("--action-units", "AU12=1,AU12=0"), "twice"),
        (("--action-units", ""), "not NAME=NUMBER"),
        (("--pose", "yaw=nan"), "yaw"),
        (("--pose", "yaw=90"), "at most 40"),
        (("--pose", "turn=3"), "'turn' is none of yaw, pitch, roll"),
        (("--pose", "yaw=3", "--driving", "x.png"), "leave out --driving"),
    ],
)
def test_words_that_say_nothing(
    reenact: Command, portrait: Path, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    result = reenact("image", portrait, *words, "-o", tmp_path / "out.png")
    assert result.code == 2 and said in result.line() and not list(tmp_path.iterdir())
