"""CSV tables that survive kills and new columns, clocks and words."""

from __future__ import annotations

import csv
import time
from pathlib import Path

import pytest

pytest.importorskip("torch")

from reenact.training.log import Clock, Log, Means, Table, duration


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_resumed_table_drops_what_comes_after(tmp_path: Path) -> None:
    path = tmp_path / "losses.csv"
    table = Table(path, 0)
    for step in (10, 20, 30):
        table.add(step, {"l1": step / 100})
    path.write_text(path.read_text() + "40,0.")  # killed while writing
    table = Table(path, 20)
    table.add(25, {"l1": 0.5})
    assert [(row["step"], row["l1"]) for row in rows(path)] == [("10", "0.1"), ("20", "0.2"), ("25", "0.5")]


def test_a_figure_that_appears_later_gets_a_column(tmp_path: Path) -> None:
    table = Table(tmp_path / "losses.csv", 0)
    table.add(1, {"l1": 1.0})
    table.add(2, {"l1": 2.0, "triplet": 3.0})
    table.add(3, {"triplet": 4.0})
    assert [(row["l1"], row["triplet"]) for row in rows(tmp_path / "losses.csv")] == [
        ("1", ""),
        ("2", "3"),
        ("", "4"),
    ]


def test_events_are_written_for_tensorboard(tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    log = Log(tmp_path, 0)
    log.losses(1, {"l1": 0.5})
    log.validation(1, {"ace_px": 1.5})
    log.close()
    events = next((tmp_path / "events").iterdir()).read_bytes()
    assert b"train/l1" in events and b"validation/ace_px" in events


def test_nested_parts_are_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    clock = Clock()
    with clock.part("forward"):
        now += 2
        with clock.part("backward"):
            now += 5
    now += 3
    assert clock.seconds == 10
    assert clock.shares() == pytest.approx(
        {"data": 0, "forward": 0.2, "backward": 0.5, "update": 0, "other": 0.3}
    )


def test_means_start_anew_after_each_row() -> None:
    means = Means()
    means.add({"l1": 1.0})
    means.add({"l1": 3.0, "rare": 5.0})
    assert means.take() == {"l1": 2.0, "rare": 5.0}
    assert means.take() == {}


@pytest.mark.parametrize(
    ("seconds", "words"), [(12.4, "12 s"), (89, "89 s"), (150, "2 min"), (3600 * 3 + 300, "3 h 05 min")]
)
def test_time_left_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words
