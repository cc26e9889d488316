"""What a run writes down: CSV always, TensorBoard where its writer is installed, and a line now and then."""

from __future__ import annotations

import csv
import io
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reenact.media.files import atomic_output
from reenact.types import Image


class Table:
    """A CSV file with a row a step. It grows by a column when a figure first appears; rows of steps after the
    one that a run is resumed from are dropped."""

    def __init__(self, path: Path, resumed_from: int) -> None:
        self._path = path
        kept = [row for row in _read(path) if int(row["step"]) <= resumed_from]
        self._columns = list(kept[0]) if kept else []
        if path.is_file():
            self._rewrite(kept)

    def add(self, step: int, figures: Mapping[str, float]) -> None:
        """Append one row."""
        row = {"step": str(step), **{name: f"{value:.6g}" for name, value in figures.items()}}
        if new := [name for name in row if name not in self._columns]:
            kept = _read(self._path)
            self._columns += new
            self._rewrite([*kept, row])
            return
        with self._path.open("a", encoding="utf-8", newline="") as file:
            csv.DictWriter(file, self._columns, lineterminator="\n").writerow(row)

    def _rewrite(self, rows: list[dict[str, str]]) -> None:
        text = io.StringIO()
        writer = csv.DictWriter(text, self._columns or ["step"], restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        with atomic_output(self._path, overwrite=True) as partial:
            partial.write_text(text.getvalue(), encoding="utf-8")


def _read(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        # A run that was killed while writing can leave half a row.
        return [row for row in csv.DictReader(file) if None not in row.values() and row["step"].isdigit()]


class Log:
    """The figures of one run, in its folder: `losses.csv`, `validation.csv`, and events for TensorBoard."""

    def __init__(self, folder: Path, resumed_from: int) -> None:
        self._losses = Table(folder / "losses.csv", resumed_from)
        self._validation = Table(folder / "validation.csv", resumed_from)
        self._events = _event_writer(folder / "events", resumed_from)

    def losses(self, step: int, figures: Mapping[str, float]) -> None:
        """Losses, rates and speeds, averaged since the row before."""
        self._losses.add(step, figures)
        self._scalars(step, "train", figures)

    def validation(self, step: int, figures: Mapping[str, float]) -> None:
        """Figures on held-out samples."""
        self._validation.add(step, figures)
        self._scalars(step, "validation", figures)

    def picture(self, step: int, image: Image) -> None:
        """The sheet (H, W, 3)."""
        if self._events is not None:
            self._events.add_image("sheet", image, step, dataformats="HWC")

    def close(self) -> None:
        """Flush the events."""
        if self._events is not None:
            self._events.close()

    def _scalars(self, step: int, group: str, figures: Mapping[str, float]) -> None:
        if self._events is not None:
            for name, value in figures.items():
                self._events.add_scalar(f"{group}/{name}", value, step)


def _event_writer(folder: Path, resumed_from: int) -> Any:
    try:
        from tensorboardX import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder), purge_step=resumed_from + 1 if resumed_from else None)


class Clock:
    """Where the time goes: seconds by part ('data', 'forward', 'backward', 'update', 'other'), since `reset`.

    Each loss is read before its backward pass, so that on a GPU too the forward pass has ended by then.
    """

    PARTS = ("data", "forward", "backward", "update", "other")

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start a new window."""
        self.start = time.monotonic()
        self._spent: dict[str, float] = defaultdict(float)
        self._inner = 0.0

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count the block under `name`; a part inside another is not counted twice."""
        outer, self._inner = self._inner, 0.0
        start = time.monotonic()
        try:
            yield
        finally:
            took = time.monotonic() - start
            self._spent[name] += took - self._inner
            self._inner = outer + took

    @property
    def seconds(self) -> float:
        """Length of the window so far."""
        return time.monotonic() - self.start

    def shares(self) -> dict[str, float]:
        """Part -> share of the window in [0, 1]; what no part counted is 'other'."""
        whole = max(self.seconds, 1e-9)
        shares = {name: self._spent[name] / whole for name in self.PARTS}
        shares["other"] = max(0.0, 1 - sum(shares.values()) + shares["other"])
        return shares


class Means:
    """Means of figures since `take`."""

    def __init__(self) -> None:
        self._sums: dict[str, float] = defaultdict(float)
        self._counts: dict[str, int] = defaultdict(int)

    def add(self, figures: Mapping[str, float]) -> None:
        """Count one value of each figure."""
        for name, value in figures.items():
            self._sums[name] += value
            self._counts[name] += 1

    def take(self) -> dict[str, float]:
        """The means, and start anew."""
        means = {name: value / self._counts[name] for name, value in self._sums.items()}
        self._sums.clear()
        self._counts.clear()
        return means


def duration(seconds: float) -> str:
    """Time left, for people: '45 s', '12 min', '3 h 05 min'."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
