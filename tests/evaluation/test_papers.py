"""The published figures: one configuration has the same figures wherever the papers print it, and every row is
one that can be asked for."""

from __future__ import annotations

from dataclasses import fields

import pytest

from reenact.data import DATASETS
from reenact.data.protocols import PAIR_PROTOCOLS
from reenact.errors import ReenactError
from reenact.evaluation.papers import PAPER_TABLES, PAPERS, find_table, listed
from reenact.evaluation.papers.layout import PaperRow, leading_number
from reenact.evaluation.tables import COLUMNS
from reenact.systems import TRAINING

ROWS = [(name, row) for name, table in PAPER_TABLES.items() for row in table.rows]


def figures(table: str, row: str, block: int = 0) -> dict[str, str]:
    found = PAPER_TABLES[table]
    one = next(r for r in found.blocks[block].rows if r.name == row)
    return dict(zip([m.name for m in found.metrics], one.published, strict=True))


def numbers(table: str, metric: str, rows: list[PaperRow] | None = None) -> list[float]:
    at = [m.name for m in PAPER_TABLES[table].metrics].index(metric)
    return [leading_number(row.published[at]) or 0.0 for row in rows or PAPER_TABLES[table].rows]


def test_every_table_of_the_papers_is_there() -> None:
    counted = {name: len(tables) for name, (_, tables) in PAPERS.items()}
    assert counted == {"hr_net": 6, "fipls": 6, "dg": 6, "osfr": 4, "glg": 5}
    assert [name for name, _, _ in listed()] == list(PAPER_TABLES) and len(PAPER_TABLES) == 27


@pytest.mark.parametrize(("table", "row"), ROWS, ids=[f"{table} {row.name}" for table, row in ROWS])
def test_a_row_has_a_figure_for_each_metric(table: str, row: PaperRow) -> None:
    assert len(row.published) == len(PAPER_TABLES[table].metrics)
    for printed in row.published:
        value = leading_number(printed)
        assert value is not None or printed in ("", "-", "n.a.", "more in 0.80 to 0.97")
        assert value is None or 0 <= value < 200
    assert row.published.count("") in (0, len(row.published))
    assert row.system or not row.changes


def test_metrics_data_and_protocols_exist() -> None:
    for table in PAPER_TABLES.values():
        for metric in table.metrics:
            for kind in ("self", "cross", "pictures"):
                assert set(metric.keys(kind)) <= {key for columns in COLUMNS.values() for key in columns}
            assert set(metric.pairs) & set(COLUMNS["pictures"]), (table.name, metric.name)
        for block in table.blocks:
            assert block.protocol in ("", *PAIR_PROTOCOLS)
            assert not block.protocol or block.data in PAIR_PROTOCOLS[block.protocol].datasets
            assert not block.protocol or block.data in DATASETS


def test_settings_are_those_of_the_systems_that_are_there() -> None:
    """A row of a system that can be trained here changes settings that it has."""
    for table, row in ROWS:
        training = TRAINING.get(row.system.rpartition("+")[2])
        for change in row.changes:
            place, _, value = change.partition("=")
            stage, _, setting = place.partition(".")
            assert stage and setting and value, change
            if training is not None and setting != "data":  # what it was trained on is no setting
                known = {field.name for field in fields(training.stage(stage).presets["paper"])}
                assert setting in known, (
                    f"{table}, {row.name}: {training.name} {stage} has no setting {setting}"
                )


def test_hr_net_repeats_its_own_figures() -> None:
    three, rafd = figures("hr_net/I", "Ours"), figures("hr_net/IV", "+L_tri")
    assert rafd.pop("ACE") == "1.742"
    assert rafd == figures("hr_net/V", "b_t input") == figures("hr_net/VI", "L_per^3-3")
    assert three.items() <= rafd.items()
    clips = figures("hr_net/III", "with LIC module")
    assert clips == figures("hr_net/V", "b_t input", 1)
    assert figures("hr_net/II", "Ours").items() <= clips.items()
    assert numbers("hr_net/IV", "ACE") == sorted(numbers("hr_net/IV", "ACE"), reverse=True)
    assert numbers("hr_net/IV", "SSIM") == sorted(numbers("hr_net/IV", "SSIM"))
    assert min(numbers("hr_net/VI", "FID")) == 4.633


def test_papers_quote_each_other_rightly() -> None:
    dg = figures("dg/4", "DG", 1)
    assert dg == {"SSIM": "0.726", "FID": "4.79", "CSIM": "0.862"} == {**figures("hr_net/I", "DualGAN")}
    assert figures("hr_net/II", "FIPLS") == figures("fipls/2", "Ours")
    assert figures("hr_net/II", "FOMM") == figures("dg/3", "FOM")
    for name, other in (("X2Face", "X2Face"), ("Pix2Pix-HD", "Pix2pixHD"), ("Few-Shot", "Few-Shot")):
        one, two = figures("hr_net/II", name), figures("fipls/2", other)
        assert {k: float(v) for k, v in one.items()} == {k: float(v) for k, v in two.items()}
    first = figures("glg/I", "FirstOrder")
    assert (first["SSIM"], first["CSIM"]) == (figures("dg/3", "FOM")["SSIM"], figures("dg/3", "FOM")["CSIM"])


def test_losses_added_in_turn_help() -> None:
    for table, metric, better in (
        ("dg/1", "ACE", -1),
        ("dg/2", "FID", -1),
        ("dg/2", "SSIM", 1),
        ("dg/2", "CSIM", 1),
    ):
        values = [better * value for value in numbers(table, metric)]
        assert values == sorted(values), (table, metric)


def test_osfr_and_glg_repeat_their_figures() -> None:
    assert figures("osfr/4.1", "Ours w/o Fusion")["Id%"] == figures("osfr/4.2", "λ = 25")["Id%"]
    assert max(numbers("osfr/4.2", "Id%")) == 89.1
    assert numbers("osfr/4.3", "Id%") == [97.2, 99.3, 99.4]
    # GANimation does not move the head.
    for block in range(3):
        here = (figures("osfr/4.1", name, block)["Pose"] for name in ("Reference", "GANimation"))
        one, other = map(float, here)
        assert one == pytest.approx(other, abs=0.011)
    for row in ("ViT", "ResNet"):
        assert figures("glg/III", row) == figures("glg/IV", row) == figures("glg/V", row)
    assert min(numbers("glg/I", "PRMSE")) == 1.58 and max(numbers("glg/II", "CSIM")) == 0.635


def test_names_are_found_in_either_numbering() -> None:
    assert find_table("hr_net/4") is find_table("HR_NET/iv") is PAPER_TABLES["hr_net/IV"]
    assert find_table("fipls/Figure-6").name == "fipls/figure-6"
    with pytest.raises(ReenactError, match=r"choose one of: dg/1, dg/2"):
        find_table("dg/9")
    with pytest.raises(ReenactError, match=r"hr_net/I, .*glg/V"):
        find_table("other")
