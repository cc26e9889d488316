"""Pairs of pictures: a set with a known truth, test pairs of the papers, and few-shot."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reenact import systems
from reenact.errors import ReenactError
from reenact.evaluation.pictures import few_shot_cases, set_cases
from reenact.evaluation.report import Plan, Report, evaluate
from reenact.systems.spec import ConverterSpec, TargetShape


@pytest.fixture(scope="module")
def done(truth_set: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Report]:
    plan = Plan(["warp"], truth_set, "cross", tmp_path_factory.mktemp("out"), pairs=8)
    return plan, evaluate(plan)


def test_the_truth_of_two_people_is_measured_against(done: tuple[Plan, Report]) -> None:
    copy, warp = (done[1].table.rows[name] for name in ("copy", "warp"))
    assert warp["ace"] < 0.5 * copy["ace"] and warp["nme"] < 0.5 * copy["nme"]
    assert warp["face_l1"] < 0.8 * copy["face_l1"]
    assert warp["pose_mae"] < 0.6 * copy["pose_mae"]
    assert warp["aucon"] > copy["aucon"]
    assert "8 pairs in 2 cases" in done[1].table.caption


def test_columns_without_a_value_are_left_out(done: tuple[Plan, Report]) -> None:
    assert not {"csim", "id", "frechet", "fid", "lpips"} & set(done[1].table.columns)
    assert sum("was not measured" in note for note in done[1].notes) == 3


def test_each_pair_is_kept_with_what_it_is_of(done: tuple[Plan, Report]) -> None:
    plan, report = done
    first = json.loads((plan.out / "pairs/cross-truth/rafd01/copy.json").read_text())["rows"]
    assert len(first) == 4 and all("Rafd090_01_Synthetic_unknown_neutral_frontal <- " in r["of"] for r in first)
    rest = [
        row for row in first if "_02_Synthetic_unknown_neutral_frontal" in row["of"] and "090_02" in row["of"]
    ]
    assert rest and all(row["ace"] < 4 for row in rest)  # the source is the truth; the detector is not exact
    assert json.loads((plan.out / "table-cross-truth.json").read_text())["pairs"] == 8
    again = evaluate(plan)
    assert (again.measured, again.kept) == (0, 4) and again.table.rows == report.table.rows


def test_another_converter_sees_the_driving_face_as_it_is(
    truth_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    class Probe:
        def convert(self, driving: TargetShape) -> TargetShape:
            seen.append(driving.state.identity)
            return driving

    spec = ConverterSpec("probe", "a probe", "mesh478", lambda source: Probe())
    monkeypatch.setitem(systems.CONVERTERS, "probe", spec)
    report = evaluate(Plan(["probe+warp"], truth_set, "cross", tmp_path, pairs=2))
    assert "probe+warp" in report.table.rows and len(seen) == 2
    assert min(np.linalg.norm(identity) for identity in seen) > 0.5
    assert np.linalg.norm(seen[0] - seen[1]) > 0.1


def test_a_paper_s_pairs_go_by_its_name(truth_set: Path, tmp_path: Path) -> None:
    report = evaluate(Plan([], truth_set, "hr_net/rafd", tmp_path, pairs=2, seed=3))
    assert (tmp_path / "table-hr_net-rafd.csv").is_file()
    assert report.measured == 4
    with pytest.raises(ReenactError, match="no files of multipie"):
        evaluate(Plan([], truth_set, "dg/multipie", tmp_path))


def test_the_source_nearest_in_pose_is_taken(people: Path, tmp_path: Path) -> None:
    plan = Plan([], people, "few-shot", tmp_path, pairs=5, shots=7)
    report = evaluate(plan)
    rows = json.loads((tmp_path / "pairs/few-shot-7/ann/copy.json").read_text())["rows"]
    for row in rows:
        chosen, driving = (int(name.split("/")[1]) for name in row["of"].split(" <- "))
        assert abs(chosen - driving) <= 6
    assert list(report.cases.rows) == ["ann: copy", "ann: warp"]  # bob has too few pictures
    assert (
        report.table.rows["copy"]["pose_mae"] < evaluate(replace(plan, shots=1)).table.rows["copy"]["pose_mae"]
    )


def test_more_shots_add_sources_and_change_nothing_else(people: Path) -> None:
    one, three = (few_shot_cases(people, "val", k, None, 0)[0].trials for k in (1, 3))
    assert [t.driving for t in one] == [t.driving for t in three]
    assert all(t.sources[:1] == u.sources for t, u in zip(three, one, strict=True))
    assert {len(t.sources) for t in three} == {3}


def test_few_shot_out_of_clips(data: Path) -> None:
    with pytest.raises(ReenactError, match="7 pictures of one"):
        few_shot_cases(data, "val", 1, None, 0)
    with pytest.raises(ReenactError, match="--shots 8"):
        few_shot_cases(data, "val", 8, None, 0)


def test_a_broken_record_of_a_set_is_named(tmp_path: Path) -> None:
    (tmp_path / "truth.json").write_text('{"kind": "other"}')
    with pytest.raises(ReenactError, match=r"truth\.json"):
        set_cases(tmp_path, None, 0)


def test_identities_and_their_distance(truth_set: Path, tmp_path: Path) -> None:
    """With an embedder that reads the mean colour, which the relatives differ by."""

    class Colour:
        name, threshold = "colour", 0.999

        def embed(self, image, landmarks):  # type: ignore[no-untyped-def]
            x, y = landmarks.points[:468, :2].astype(int).T
            inside = image[y.clip(0, len(image) - 1), x.clip(0, image.shape[1] - 1)]
            return inside.mean(0).astype(np.float32)

        def similarity(self, one, other):  # type: ignore[no-untyped-def]
            return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))

        def same_person(self, one, other):  # type: ignore[no-untyped-def]
            return self.similarity(one, other) > self.threshold

    report = evaluate(Plan([], truth_set, "cross", tmp_path, pairs=6), Colour())
    copy, warp = (report.table.rows[name] for name in ("copy", "warp"))
    assert copy["csim"] == pytest.approx(1, abs=1e-4) and copy["id"] == 100
    assert warp["csim_truth"] > 0.99
    assert report.table.columns["frechet"].label == "Fréchet (colour)"
    assert copy["frechet"] is not None and copy["frechet"] >= 0
