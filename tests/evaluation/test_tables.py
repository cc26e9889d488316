"""Tables on rows made by hand."""

from __future__ import annotations

import csv
import io
import json

import pytest

from reenact.evaluation.tables import COLUMNS, Column, Table, mean_of, summarise

FIGURES = {
    "l1": Column(("l1",), "L1", 4),
    "turn": Column(("yaw", "roll"), "PRMSE °", 2, "rms"),
    "lost": Column(("lost",), "lost %", 1, "percent"),
}


def test_frames_make_a_case() -> None:
    rows = [{"l1": 0.1, "yaw": 3.0, "roll": 4.0, "lost": 0}, {"l1": 0.3, "yaw": None, "roll": None, "lost": 1}]
    assert summarise(rows, FIGURES) == pytest.approx({"l1": 0.2, "turn": 12.5**0.5, "lost": 50})


def test_what_no_frame_has_stays_empty() -> None:
    assert summarise([{"lost": 1}], FIGURES) == {"l1": None, "turn": None, "lost": 100}
    assert summarise([{"l1": float("inf"), "lost": 0}], FIGURES)["l1"] is None


def test_cases_weigh_the_same_and_empty_ones_nothing() -> None:
    cases = [{"l1": 0.1, "turn": None, "lost": 0.0}, {"l1": 0.3, "turn": 2.0, "lost": 0.0}]
    assert mean_of(cases, FIGURES) == pytest.approx({"l1": 0.2, "turn": 2.0, "lost": 0.0})


def test_the_three_forms_say_the_same() -> None:
    table = Table(FIGURES, {"copy": {"l1": 0.02716, "turn": None, "lost": 0.0}}, "Made up.")
    lines = table.markdown().splitlines()
    assert lines[0] == "Made up."
    assert lines[2] == "|  | L1 | PRMSE ° | lost % |"
    assert lines[4] == "| copy | 0.0272 | - | 0.0 |"
    (row,) = csv.DictReader(io.StringIO(table.csv()))
    assert row == {"name": "copy", "l1": "0.02716", "turn": "", "lost": "0.0"}
    content = json.loads(table.json())
    assert content["rows"]["copy"] == {"l1": 0.02716, "turn": None, "lost": 0.0}
    assert content["columns"]["l1"]["label"] == "L1"


@pytest.mark.parametrize("protocol", COLUMNS)
def test_labels_are_unique(protocol: str) -> None:
    labels = [column.label for column in COLUMNS[protocol].values()]
    assert len(set(labels)) == len(labels)
