"""Options from a TOML file, read through the real parser of `reenact video`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from reenact.cli.app import make_app
from reenact.errors import ReenactError


def parse(tmp_path: Path, text: str, *words: str) -> dict[str, Any]:
    """The values of `reenact video` with an options file, before anything is run."""
    file = tmp_path / "options.toml"
    file.write_text(text)
    command = get_command(make_app()).commands["video"]  # type: ignore[attr-defined]
    return dict(command.make_context("video", ["--config", str(file), *words]).params)


def test_values_of_every_kind(tmp_path: Path) -> None:
    values = parse(
        tmp_path,
        'motion = "pose"\nstrength = 2\nsmooth = 0.5\nout-dir = "out"\nsource = ["a.jpg", "b.jpg"]\n'
        "compare = true\npaste = false\nstart = 2.5\nsize = 512\nkeep_partial = true\n",
    )
    assert (values["motion"], values["strength"], values["smooth"]) == ("pose", 2.0, 0.5)
    assert values["out_dir"] == Path("out") and values["source"] == [Path("a.jpg"), Path("b.jpg")]
    assert values["compare"] is True and values["paste"] is False and values["keep_partial"] is True
    assert values["start"] == "2.5" and values["size"] == "512"


def test_command_line_wins(tmp_path: Path) -> None:
    values = parse(tmp_path, "strength = 2\nlips = 3\npaste = false\n", "--strength", "0.5", "--paste")
    assert (values["strength"], values["lips"], values["paste"]) == (0.5, 3.0, True)


def test_negative_names_work_too(tmp_path: Path) -> None:
    assert parse(tmp_path, "no-mark = true\n")["mark"] is False


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("strenght = 1", "no option 'strenght'; did you mean strength?"),
        ('config = "other.toml"', "no option 'config'"),
        ("help = true", "no option 'help'"),
        ("no-strength = true", "no option 'no-strength'"),
        ("compare = 1", "compare = 1 should be true or false"),
        ("strength = true", "strength = True should be a number or text"),
        ("strength = [1]", "should be a number or text"),
        ("[motion]\nmode = 1", "should be a number or text"),
        ("strength = ", "not a TOML file"),
        ("\0", "not a TOML file"),
        ("strength = " + "[" * 5000, "nested too deeply"),
        ("strength = " + "9" * 5000, "not a TOML file"),
    ],
)
def test_faults_are_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ReenactError) as caught:
        parse(tmp_path, text)
    assert message in str(caught.value) and "options.toml" in str(caught.value)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    command = get_command(make_app()).commands["video"]  # type: ignore[attr-defined]
    for path, message in ((tmp_path / "none.toml", "no such options file"), (tmp_path, "cannot be read")):
        with pytest.raises(ReenactError, match=message):
            command.make_context("video", ["--config", str(path)])


def test_value_out_of_range_is_refused_as_on_the_command_line(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="less than or equal to 100"):
        parse(tmp_path, "quality = 101")
