"""Whole evaluations on a made clip: what the figures say, what is written, and what is done again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from reenact.errors import ReenactError
from reenact.evaluation.report import Plan, Report, evaluate
from reenact.evaluation.scenes import compared_frames


@pytest.fixture(scope="module")
def done(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Report]:
    plan = Plan(["warp"], data, "self", tmp_path_factory.mktemp("out"))
    return plan, evaluate(plan)


def test_the_figures_of_a_moving_head(done: tuple[Plan, Report]) -> None:
    copy, warp = (done[1].table.rows[name] for name in ("copy", "warp"))
    assert copy["nme"] > 5 and warp["nme"] < 0.4 * copy["nme"]
    assert warp["face_l1"] < 0.6 * copy["face_l1"]
    assert warp["pose_mae"] < copy["pose_mae"]
    assert copy["lost"] == warp["lost"] == 0
    assert list(done[1].table.rows) == ["copy", "warp"]


def test_no_embedder_is_said_and_no_identity_is_shown(done: tuple[Plan, Report]) -> None:
    assert "csim" not in done[1].table.columns
    assert "identity was not measured" in done[1].notes[0]


def test_what_is_written(done: tuple[Plan, Report]) -> None:
    plan, report = done
    text = (plan.out / "table-self.md").read_text()
    assert report.table.markdown() in text and "| tilt: warp |" in text
    content = json.loads((plan.out / "table-self.json").read_text())
    assert content["systems"] == report.table.rows and content["seed"] == 0
    assert content["versions"]["numpy"] == np.__version__ and "code" in content["versions"]
    pair = json.loads((plan.out / "pairs/self/tilt/warp.json").read_text())
    assert [row["frame"] for row in pair["rows"]] == [10, 20, 30]
    with PIL.Image.open(plan.out / "sheets/self-tilt.png") as sheet:
        assert sheet.width > 3 * 160 and sheet.height >= 3 * 160
    assert not list(plan.out.rglob("*.partial*"))


def test_a_second_run_measures_only_what_is_missing_or_damaged(done: tuple[Plan, Report]) -> None:
    plan, first = done
    assert (first.measured, first.kept) == (2, 0)
    (plan.out / "pairs/self/tilt/warp.json").write_text("{")
    again = evaluate(plan)
    assert (again.measured, again.kept) == (1, 1)
    assert again.table.rows == first.table.rows
    last = evaluate(plan)
    assert (last.measured, last.kept) == (0, 2)


def test_cross_reenactment_leaves_out_what_has_no_face(data: Path, tmp_path: Path) -> None:
    report = evaluate(Plan(["warp"], data, "cross", tmp_path))
    assert list(report.cases.rows) == ["face--tilt: copy", "face--tilt: warp"]
    assert any("coffee--tilt was left out" in note for note in report.notes)
    copy, warp = (report.table.rows[name] for name in ("copy", "warp"))
    assert warp["pose_mae"] < 0.6 * copy["pose_mae"]
    assert warp["expression"] < 4


def test_what_cannot_be_evaluated_is_named(data: Path, tmp_path: Path) -> None:
    plan = Plan(["warp"], data, "self", tmp_path)
    with pytest.raises(ReenactError, match="no protocol 'other'"):
        evaluate(replace(plan, protocol="other"))
    with pytest.raises(ReenactError, match="no system 'nothing'"):
        evaluate(replace(plan, systems=["nothing"]))
    with pytest.raises(ReenactError, match="there are: val"):
        evaluate(replace(plan, clips="train"))
    assert not list(tmp_path.iterdir())


def test_every_tenth_frame_or_fewer() -> None:
    assert compared_frames(31).tolist() == [10, 20, 30]
    assert compared_frames(10).tolist() == []
    long = compared_frames(361)
    assert len(long) == 12 and long[0] == 30 and set(np.diff(long)) == {30}
    assert compared_frames(100, most=2).tolist() == [50]


def test_stills_made_anew_from_changed_ones(data: Path, tmp_path: Path) -> None:
    plan = Plan(["warp"], data, "changed", tmp_path / "out", pairs=2, seed=1)
    first = evaluate(plan)
    copy, warp = (first.table.rows[name] for name in ("copy", "warp"))
    assert copy["nme"] > 2 and warp["nme"] < 0.4 * copy["nme"]
    assert "changes by clips of split 'val', seed 1" in (tmp_path / "out/table-changed.md").read_text()
    other = evaluate(replace(plan, out=tmp_path / "other", seed=5))
    assert other.table.rows["copy"]["nme"] != copy["nme"], "another change"
    assert evaluate(plan).measured == 0
