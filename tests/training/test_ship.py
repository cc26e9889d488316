"""A run becomes weights that a system uses."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
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


def test_a_network_can_become_another_stages_weights(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    values = asdict(replace(presets.JOINT["tiny"], widths=(8, 8, 8, 8, 8)))
    order = {"system": "hr_net", "stage": "joint", "preset": "tiny", "settings": values}
    (tmp_path / "run.json").write_text(json.dumps(order))
    (tmp_path / "validation.csv").write_text("step,l1\n3,0.5\n")
    tensors = {name: torch.ones(2, dtype=torch.float16) for name in ("converter.a", "generator.a")}
    save_file(tensors, tmp_path / "weights.safetensors", metadata={"step": "3"})
    record = ship(tmp_path, tmp_path / "out", "pairs", part=("converter", "lic"))
    assert record.name == "hr_net_lic.json"
    assert set(load_file(tmp_path / "out" / "hr_net_lic.safetensors")) == {"converter.a"}
    assert json.loads(record.read_text())["settings"]["widths"] == [8, 8, 8, 8, 8]
    with pytest.raises(ReenactError, match="no network 'painter'"):
        ship(tmp_path, tmp_path, "pairs", part=("painter", "lic"))


def test_what_is_no_finished_run_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ReenactError, match="not a run"):
        ship(tmp_path, tmp_path, "nothing")
    (tmp_path / "run.json").write_text('{"system": "hr_net", "stage": "lic", "preset": "tiny", "settings": {}}')
    with pytest.raises(ReenactError, match="not finished"):
        ship(tmp_path, tmp_path, "nothing")
