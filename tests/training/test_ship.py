"""A run becomes weights that a system uses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")

from reenact.errors import ReenactError  # noqa: E402
from reenact.runtime.weights import installed, shipped  # noqa: E402
from reenact.systems.hr_net import presets  # noqa: E402
from reenact.systems.hr_net.lic import Converter  # noqa: E402
from reenact.systems.trained import open_trained  # noqa: E402
from reenact.training.runs import Order, train  # noqa: E402
from reenact.training.ship import ship  # noqa: E402

SMALL = ("steps=2", "validate_every=1", "validate_samples=4", "widths=16,16,8,8,8")


def test_a_run_is_shipped_and_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REENACT_HOME", str(tmp_path / "home"))
    run = tmp_path / "run"
    train(Order("hr_net", "tiny", "synthetic", run, "lic", SMALL, device="cpu"), report=lambda line: None)
    record = ship(run, tmp_path / "home" / "weights", "made-up triples", figures={"ace": 1.0}, note="a test")
    values = json.loads(record.read_text())
    assert values["samples"] == values["steps"] * 8 and values["data"] == "made-up triples"
    assert {"ace_px", "ace_px_copy", "ace"} <= set(values["figures"]) and str(
        tmp_path
    ) not in record.read_text()
    assert installed("hr_net_lic") and shipped("hr_net_lic", record.parent).licence == "Apache-2.0"
    network, settings = open_trained(
        "hr_net_lic", presets.LIC, lambda s: Converter(s.widths, s.slope, s.residual), "converter"
    )
    assert settings.widths == (16, 16, 8, 8, 8)
    numbers = sum(p.numel() for p in network.state_dict().values())
    assert values["parameters"] == numbers


def test_what_is_no_finished_run_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ReenactError, match="not a run"):
        ship(tmp_path, tmp_path, "nothing")
    (tmp_path / "run.json").write_text('{"system": "hr_net", "stage": "lic", "preset": "tiny", "settings": {}}')
    with pytest.raises(ReenactError, match="not finished"):
        ship(tmp_path, tmp_path, "nothing")
