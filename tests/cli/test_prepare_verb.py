"""`reenact prepare` from the command line: its list, its report, and what it says to wrong input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_command import Command


@pytest.fixture(scope="module")
def stills(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = pytest.importorskip("skimage.data")
    import PIL.Image

    folder = tmp_path_factory.mktemp("stills")
    PIL.Image.fromarray(data.astronaut()[:320, 64:384]).save(folder / "one.png")
    PIL.Image.new("RGB", (100, 100), "grey").save(folder / "nobody.png")
    return folder


def test_the_list_shows_each_data_set_with_its_layout(reenact: Command) -> None:
    result = reenact("prepare", "--list")
    assert result.code == 0 and result.err == ""
    name = "    Rafd090_01_Caucasian_female_angry_frontal.jpg"
    for line in ("voxceleb1: VoxCeleb1, 1 frames/s", "rafd: Radboud", name):
        assert line in result.out


def test_a_run_reports_what_it_made_and_what_it_left(reenact: Command, stills: Path, tmp_path: Path) -> None:
    result = reenact("prepare", "folders", stills, tmp_path / "out", "--size", "64", "--json")
    assert result.code == 0, result.err
    assert result.json["faces"] == 1 and result.json["skipped_files"] == {"no face found": 1}
    again = reenact("prepare", "folders", stills, tmp_path / "out", "--size", "64")
    assert "1 faces of 1 people" in again.out and "complete already" in again.out
    assert "no face found: nobody" in again.err
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["recipe"]["size"] == 64


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nothing", "{in}", "{out}"), "no data set 'nothing'"),
        (("folders", "{in}/nowhere", "{out}"), "no such folder"),
        (("rafd", "{in}", "{out}"), "no files of rafd there"),
        (("folders", "{in}", "{out}", "--recipe", "none"), "no recipe 'none'"),
        (("folders", "{in}", "{out}", "--rate", "often"), "--rate often is no number of frames a second"),
    ],
)
def test_wrong_input_gets_one_line(reenact: Command, stills: Path, tmp_path: Path, words, said) -> None:
    places = {"in": stills, "out": tmp_path / "out"}
    result = reenact("prepare", *(word.format(**places) for word in words))
    assert result.code == 2 and said in result.line()
