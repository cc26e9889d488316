"""What is shown at the end of a run, and while it lasts."""

from __future__ import annotations

import json
import os
import pty
import sys
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import pytest

from reenact.cli import console
from reenact.types import Summary


def summary(**changes: object) -> Summary:
    values: dict[str, object] = {
        "output": Path("out.mp4"),
        "system": "warp",
        "frames": 120,
        "width": 512,
        "height": 640,
        "fps": Fraction(30000, 1001),
        "duration": Fraction(120 * 1001, 30000),
        "held": 0,
        "seconds": 2.0,
        "marks": ("c2pa",),
    }
    return Summary(**{**values, **changes})  # type: ignore[arg-type]


def test_line_of_a_video() -> None:
    line = console.summary_line(summary(held=3))
    assert line == (
        "out.mp4: 120 frames, 512x640, 29.97 frames/s, 4.00 s (took 2.0 s, 60 frames/s); marks: c2pa; "
        "3 frames without a face, motion held"
    )


def test_line_of_a_picture() -> None:
    line = console.summary_line(summary(frames=1, fps=None, duration=None, marks=()))
    assert line == "out.mp4: 512x640 (took 2.0 s); marks: none"


def test_json_keeps_the_exact_rate() -> None:
    value = json.loads(json.dumps(console.summary_as_json(summary(notes=("a",)))))
    assert value["fps_exact"] == "30000/1001" and value["fps"] == pytest.approx(29.97003, abs=1e-5)
    assert (value["output"], value["marks"], value["notes"]) == ("out.mp4", ["c2pa"], ["a"])


def test_bar_is_silent_where_standard_error_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with console.Bar() as bar:
        bar("animate", 1, 2)
    assert capsys.readouterr() == ("", "")


def _all_of(terminal: int) -> str:
    """What was written to a terminal whose other end is closed; a single read may give a part of it."""
    parts = []
    with suppress(OSError):  # EIO, when nothing is left
        while part := os.read(terminal, 1 << 16):
            parts.append(part)
    os.close(terminal)
    return b"".join(parts).decode()


def test_bar_on_a_terminal_shows_stage_rate_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        with console.Bar(title="[1/2] a") as bar:
            for done in range(1, 50):
                bar("animate", done, 100)
    shown = _all_of(ours)
    assert "[1/2] a animate" in shown and "49/100" in shown and "frames/s" in shown
