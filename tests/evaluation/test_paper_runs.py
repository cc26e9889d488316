"""Tables of papers: what is said without data, and what stands in them once something was run."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from reenact import systems
from reenact.cli import main
from reenact.errors import ReenactError
from reenact.evaluation.paper_report import as_csv, markdown
from reenact.evaluation.paper_runs import CONVERTER_ACE, Order, fill
from reenact.evaluation.papers import PAPER_TABLES, making
from reenact.evaluation.papers.making import configuration, fault
from reenact.systems.warp import WARP
from reenact.training.settings import as_json


@pytest.mark.parametrize("name", PAPER_TABLES)
def test_without_data_nothing_is_run_and_all_that_is_missing_is_said(name: str) -> None:
    filled = fill(Order(name))
    rows = [row for block in filled.blocks for row in block.rows]
    assert all(row.status == "published" or row.status.startswith("not run: ") for row in rows)
    assert [row.published for row in rows] == [row.published for row in PAPER_TABLES[name].rows]
    assert any(line.startswith("data: ") for line in filled.missing)
    text = markdown(filled)
    assert all(printed in text for row in rows for printed in row.published)
    assert as_csv(filled).count("\n") == 1 + sum(len(row.published) for row in rows)


@pytest.fixture(scope="module")
def done(truth_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("table")
    fill(Order("hr_net/IV", "synthetic", {"": truth_set}, out, pairs=4))
    return out


def test_on_a_known_truth_the_baselines_have_their_figures(done: Path) -> None:
    record = json.loads((done / "table.json").read_text())
    (block,) = record["blocks"]
    rows = {row["name"]: row for row in block["rows"]}
    assert rows["copy"]["status"] == rows["warp"]["status"] == "baseline"
    assert rows["warp"]["here"]["ACE"] < rows["copy"]["here"]["ACE"]
    assert rows["warp"]["here"]["SSIM"] > rows["copy"]["here"]["SSIM"]
    assert rows["+L_tri"]["published"][0] == "1.742" and rows["+L_tri"]["status"].startswith("not run")
    assert "FID" not in block["heads"] and "LPIPS" not in block["heads"]  # never under another's name
    assert block["heads"]["ACE"][0] == "ACE px, found in the picture"
    lines = list(csv.DictReader((done / "table.csv").open()))
    ace = next(line for line in lines if line["row"] == "warp" and line["metric"] == "ACE")
    assert float(ace["here"]) == pytest.approx(rows["warp"]["here"]["ACE"]) and ace["published"] == ""
    assert "| 1.742 |" in (done / "table.md").read_text()


def test_a_row_runs_as_soon_as_its_system_is_there(
    truth_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(systems.SYSTEMS, "dg", replace(WARP, name="dg"))
    monkeypatch.setattr(making, "installed", lambda name: False)  # whatever is shipped or was fetched
    filled = fill(Order("dg/4", "synthetic", {"": truth_set}, tmp_path, pairs=2))
    row = next(row for row in filled.blocks[1].rows if row.name == "DG")
    warp = next(row for row in filled.blocks[1].rows if row.name == "warp")
    assert row.status == "run" and row.here == warp.here and row.published == ("0.726", "4.79", "0.862")
    # Its ablations need weights that were trained so.
    table = PAPER_TABLES["dg/2"]
    assert "trained with rfg.weight_identity=0" in fault(table, table.rows[0])
    assert "trained with the full system" in fault(table, table.rows[-1])


def test_on_clips_self_and_few_shot(data: Path, people: Path, tmp_path: Path) -> None:
    filled = fill(Order("glg/1", "clips", {"": data}, tmp_path / "a"))
    here = {row.name: row.here for row in filled.blocks[0].rows}
    assert here["warp"]["PRMSE"] < here["copy"]["PRMSE"] and here["warp"]["PSNR"] > 10
    shots = fill(Order("osfr/4.3", "clips", {"": people}, tmp_path / "b", pairs=2))
    assert [("k = " in block.ran_on, len(block.rows)) for block in shots.blocks] == [(True, 3)] * 3


def test_the_source_itself_is_osfr_s_reference(truth_set: Path, tmp_path: Path) -> None:
    filled = fill(Order("osfr/4.1", "synthetic", {"": truth_set}, tmp_path, pairs=2))
    rows = {row.name: row for row in filled.blocks[0].rows}
    assert rows["Reference"].status == "run" and "copy" not in rows and rows["Reference"].here["Pose"] > 0


def test_a_histogram_is_written(truth_set: Path, tmp_path: Path) -> None:
    fill(Order("fipls/figure-8", "synthetic", {"": truth_set}, tmp_path, pairs=2))
    rows = list(csv.DictReader((tmp_path / "histogram.csv").open()))
    assert len(rows) == 100 and float(rows[0]["from"]) == -1
    assert {"from", "copy", "warp"} <= set(rows[0])  # and the paper's rows, where the weights are installed


def test_a_run_s_own_ace_fills_the_row_that_it_was_trained_for(tmp_path: Path) -> None:
    stage = systems.TRAINING["hr_net"].stage("lic")
    for name, changes, ace in (("full", {}, "1.5"), ("plain", {"weight_triplet": 0.0}, "2.5")):
        folder = tmp_path / name
        folder.mkdir()
        values = {**as_json(stage.presets["paper"]), **changes}
        record = {"system": "hr_net", "stage": "lic", "preset": "paper", "settings": values}
        (folder / "run.json").write_text(json.dumps(record))
        (folder / "validation.csv").write_text(f"step,ace_px\n10,9.0\n20,{ace}\n")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.json").write_text("{")
    rows = {row.name: row for row in fill(Order("hr_net/IV", runs=tmp_path)).blocks[0].rows}
    assert rows["+L_tri"].here == {CONVERTER_ACE: 1.5} and rows["+L_idt"].here == {CONVERTER_ACE: 2.5}
    assert rows["+L_tri"].status == "run: the converter alone, preset paper" and not rows["BL: L_1"].here
    assert CONVERTER_ACE in markdown(fill(Order("hr_net/IV", runs=tmp_path)))


def test_refinement_of_noisy_landmarks_is_read_from_a_run(tmp_path: Path) -> None:
    """FIPLS figure 7: both rows out of one run's held-out sequences; runs of other systems do not count."""
    for system, stage, figures in (
        ("fipls", "lsg", "step,ace_px,ace_px_li\n10,1.9,1.4\n20,0.7,1.4\n"),
        ("hr_net", "lic", "step,ace_px,ace_px_li\n10,0.1,0.1\n"),
    ):
        folder = tmp_path / system
        folder.mkdir()
        values = as_json(systems.TRAINING[system].stage(stage).presets["small"])
        record = {"system": system, "stage": stage, "preset": "small", "settings": values}
        (folder / "run.json").write_text(json.dumps(record))
        (folder / "validation.csv").write_text(figures)
    rows = fill(Order("fipls/figure-7", runs=tmp_path)).blocks[0].rows
    assert [row.here for row in rows] == [{CONVERTER_ACE: 1.4}, {CONVERTER_ACE: 0.7}]


def test_a_row_says_how_it_is_trained() -> None:
    rows = {row.name: row for row in PAPER_TABLES["hr_net/IV"].rows}
    assert configuration(rows["+L_idt"]) == (
        "`reenact train hr_net --stage lic --preset paper --set weight_triplet=0`, then `--system hr_net`"
    )
    other_data = PAPER_TABLES["dg/figure-6"].rows[1]
    assert "`reenact train dg --stage rfg --preset paper --data VOXCELEB1`" in configuration(other_data)


def test_driving_pictures_of_another_data_set_are_asked_for(tmp_path: Path) -> None:
    filled = fill(Order("dg/figure-6", data={"voxceleb1": tmp_path}, out=tmp_path / "out"))
    assert any(
        line == "data: driving pictures (CMU Multi-PIE); give the folder with --guides DIR"
        for line in filled.missing
    )
    assert not any(row.here for row in filled.blocks[0].rows)


def test_bad_orders(truth_set: Path, data: Path, tmp_path: Path) -> None:
    with pytest.raises(ReenactError, match="--out DIR"):
        fill(Order("dg/4", "synthetic", {"": truth_set}))
    with pytest.raises(ReenactError, match="--data DIR"):
        fill(Order("dg/4", "clips", out=tmp_path))
    with pytest.raises(ReenactError, match="no set with a known truth"):
        fill(Order("dg/4", "synthetic", {"": data}, tmp_path))


def test_the_verb(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["table", "--list"]) == 0
    assert "osfr/figure-5.1" in capsys.readouterr().out
    assert main(["table", "--list", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 27
    assert main(["table", "dg/1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["blocks"][0]["rows"][0]["published"] == ["8.07 ± 2.59"]
    for words, said in (
        ([], "name a table"),
        (["hr_net/9"], "hr_net/VI"),
        (["dg/1", "--on", "moon"], "--on moon"),
        (["dg/1", "--data", f"rafd={tmp_path / 'none'}"], "no such folder"),
    ):
        assert main(["table", *words]) == 2
        error = capsys.readouterr().err
        assert said in error and "Traceback" not in error
