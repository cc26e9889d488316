"""What a user reads when something is wrong: one line and an exit code, never a traceback."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_command import Command, spawn

from reenact.cli import failures
from reenact.errors import ReenactError


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["vidio", "a", "b"], ["no verb 'vidio'", "did you mean video?"]),
        (["video", "a", "b", "--modion", "pose"], ["no option --modion", "did you mean --motion?"]),
        (["image", "a", "b", "--fps", "30"], ["no option --fps", "reenact image --help"]),
        (["video", "a", "b", "--motion", "slow"], ["--motion", "slow", "relative"]),
        (["video", "a", "b", "--strength", "much"], ["--strength", "number"]),
        (["video", "a", "b", "--strength", "-1"], ["--strength", "greater than or equal to 0"]),
        (["video", "a", "b", "--quality", "101"], ["--quality", "less than or equal to 100"]),
        (["video", "a", "b", "-o"], ["-o", "argument"]),
        (["track", "a.mp4"], ["--output"]),
        (["weights", "fetch"], ["NAME"]),
    ],
)
def test_wrong_words_get_one_line(reenact: Command, words: list[str], parts: list[str]) -> None:
    result = reenact(*words)
    assert result.code == 2 and result.out == ""
    for part in parts:
        assert part in result.line()


def test_nothing_typed_shows_the_help(reenact: Command) -> None:
    result = reenact()
    assert "Usage: reenact" in result.out + result.err and "Traceback" not in result.err


@pytest.mark.parametrize(
    ("exception", "code", "part"),
    [
        (ReenactError("a\nb"), 2, "a b"),
        (OSError(errno.ENOSPC, "x", "out.mp4"), 2, "out.mp4: no space left"),
        (PermissionError(errno.EACCES, "x", "f"), 2, "f: no permission"),
        (MemoryError(), 2, "not enough memory"),
        (ImportError("libGL.so.1: cannot open shared object file"), 2, "libgl1"),
        (ValueError("odd"), 1, "unexpected ValueError"),
        (ImportError("cannot import name 'x'"), 1, "report"),
    ],
)
def test_line_and_code_of_an_exception(exception: Exception, code: int, part: str) -> None:
    line, found = failures.line_of(exception)
    assert found == code and part in line


def test_fault_says_what_to_report_and_debug_shows_where(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        raise KeyError("frame")
    except KeyError as error:
        monkeypatch.delenv("REENACT_DEBUG", raising=False)
        assert failures.report(error) == 1
        quiet = capsys.readouterr().err
        monkeypatch.setenv("REENACT_DEBUG", "1")
        assert failures.report(error) == 1
        loud = capsys.readouterr().err
    assert quiet.count("\n") == 1 and "test_failures.py" in quiet and "REENACT_DEBUG=1" in quiet
    assert "Traceback" in loud and quiet in loud


def test_reader_that_goes_away_is_no_error() -> None:
    script = f"{sys.executable} -m reenact video --help | head -c 1 >/dev/null; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=300, check=False)
    assert "Traceback" not in done.stderr and "BrokenPipe" not in done.stderr


def test_interrupt_is_one_line_and_130(tmp_path: Path) -> None:
    """The options file is a pipe that nobody writes to, so the command waits until it is interrupted."""
    pipe = tmp_path / "options.toml"
    os.mkfifo(pipe)
    process = subprocess.Popen(
        [sys.executable, "-m", "reenact", "video", "--config", str(pipe)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    handle = _wait_for_reader(pipe)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=300)
    os.close(handle)
    assert (process.returncode, out, err) == (130, "", "interrupted\n")


def _wait_for_reader(pipe: Path) -> int:
    """Open the pipe for writing as soon as somebody reads it."""
    for _ in range(6000):
        try:
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the command did not open its options file")


def test_missing_files_in_a_process_of_its_own(tmp_path: Path) -> None:
    result = spawn(["video", "none.jpg", "none.mp4", "-o", "out.mp4"], cwd=tmp_path)
    assert result.code == 2 and "none.jpg: no such file" in result.line()
    assert list(tmp_path.iterdir()) == []
