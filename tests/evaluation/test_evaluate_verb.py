"""`reenact evaluate` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reenact.cli import main


def test_json_tells_the_figures(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["evaluate", "--data", str(data), "--out", str(tmp_path), "--pairs", "1", "--json"]
    assert main(words) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told["systems"]) == {"copy", "warp"}
    assert told["measured"] == 2 and told["kept"] == 0
    assert (tmp_path / "table-self.csv").is_file()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--protocol", "other"], "no protocol"),
        (["--system", "nothing"], "no system"),
        (["--pairs", "0"], "--pairs"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    words: list[str], said: str, data: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "--data", str(data), "--out", str(tmp_path), *words]) == 2
    error = capfd.readouterr().err
    assert said in error and "Traceback" not in error
