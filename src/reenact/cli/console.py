"""What a run shows: a progress bar, a line at the end, or JSON.

Results go to standard output, everything else to standard error. The bar is drawn only on a terminal.
"""

from __future__ import annotations

import json
import sys
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from reenact.types import Summary

LAW = (
    "--no-mark: the output carries no mark. Article 50 of the EU AI Act (Regulation (EU) 2024/1689) asks that "
    "whoever provides software that generates or manipulates pictures has its output marked in a "
    "machine-readable way, and that whoever publishes a deep fake says clearly that it was generated or "
    "manipulated by AI; both are yours to see to now."
)


class Bar:
    """A progress bar on standard error: stage, frames done, frames a second, time left.

    Call it as `bar(stage, done, total)`; total is None where it is not known; stages may overlap. unit: what
    is counted. With `show` False, or where standard error is no terminal, it does nothing.
    """

    def __init__(self, show: bool = True, title: str = "", unit: str = "frames") -> None:
        self._show = show and sys.stderr.isatty()
        self._unit = unit
        self._title = f"{title} " if title else ""
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Bar:
        if self._show:
            self._progress = _progress(self._unit)
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress is not None:
            self._progress.stop()

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Show that `done` of `total` frames went through `stage`."""
        if self._progress is None:
            return
        if stage not in self._tasks:
            self._tasks[stage] = self._progress.add_task(self._title + stage, total=total)
        self._progress.update(self._tasks[stage], completed=done, total=total)


def _progress(unit: str) -> Progress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Any) -> Text:
            speed = task.finished_speed or task.speed
            return Text(f"{speed:.1f} {unit}/s" if speed else "")

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )


def show_json(value: Any) -> None:
    """Print one JSON document on standard output."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def summary_as_json(summary: Summary) -> dict[str, Any]:
    """A summary's fields as JSON has them: seconds as numbers, the frame rate as a number and as a fraction."""
    return {
        "output": str(summary.output),
        "system": summary.system,
        "frames": summary.frames,
        "width": summary.width,
        "height": summary.height,
        "fps": _number(summary.fps),
        "fps_exact": None if summary.fps is None else str(summary.fps),
        "duration": _number(summary.duration),
        "held": summary.held,
        "seconds": round(summary.seconds, 3),
        "marks": list(summary.marks),
        "notes": list(summary.notes),
    }


def summary_line(summary: Summary) -> str:
    """A summary in one line: the file, its size and length, how long it took, and its marks."""
    parts = [f"{summary.width}x{summary.height}"]
    if summary.fps is not None and summary.duration is not None:
        parts = [f"{summary.frames} frames", *parts, f"{float(summary.fps):.5g} frames/s"]
        parts.append(f"{float(summary.duration):.2f} s")
    took = f"{summary.seconds:.1f} s"
    if summary.frames > 1 and summary.seconds > 0:
        took += f", {summary.frames / summary.seconds:.0f} frames/s"
    marks = ", ".join(summary.marks) if summary.marks else "none"
    held = f"; {summary.held} frames without a face, motion held" if summary.held else ""
    return f"{summary.output}: {', '.join(parts)} (took {took}); marks: {marks}{held}"


def show_summary(summary: Summary, *, json: bool, quiet: bool) -> int:
    """Print what a run did, and return exit code 0."""
    if json:
        show_json(summary_as_json(summary))
    elif not quiet:
        print(summary_line(summary))
    return 0


def _number(value: Fraction | None) -> float | None:
    return None if value is None else round(float(value), 6)


def shown(path: Path | str) -> str:
    """A path as one would type it in a shell here."""
    import shlex

    return shlex.quote(str(path))
