"""Which arithmetic a training takes by itself, and that a run keeps it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")

from reenact.systems import TRAINING  # noqa: E402
from reenact.training import precision  # noqa: E402
from reenact.training.runs import Order, describe, train  # noqa: E402

LIC = TRAINING["hr_net"].stage("lic")


def order(out: Path, *changes: str, resume: bool = False) -> Order:
    quick = ("validate_samples=4", "sheet_every=0", "threads=1")
    return Order("hr_net", "tiny", "synthetic", out, "lic", (*quick, *changes), resume, "cpu")


@pytest.mark.parametrize(
    ("capabilities", "native"),
    [
        ({"avx2": True, "avx512_bf16": False, "amx_bf16": False}, False),
        ({"avx2": True, "avx512_bf16": True, "amx_bf16": False}, True),
        ({"avx2": True, "avx512_bf16": False, "amx_bf16": True}, True),
        ({"avx512_f": True, "amx_tile": True}, False),
        ({}, False),
    ],
)
def test_the_processor_decides(capabilities: dict[str, object], native: bool) -> None:
    assert precision.cpu_has_bf16(capabilities) is native


def test_this_processor_is_asked() -> None:
    flags = Path("/proc/cpuinfo")
    if not flags.exists():
        pytest.skip("no /proc/cpuinfo to compare with")
    words = set(flags.read_text(encoding="utf-8").split())
    assert precision.cpu_has_bf16() is bool(words & {"avx512_bf16", "amx_bf16"})


@pytest.mark.parametrize(("native", "chosen"), [(True, "bf16"), (False, "32")])
def test_auto_becomes_what_the_device_has(monkeypatch: pytest.MonkeyPatch, native: bool, chosen: str) -> None:
    auto = LIC.presets["small"]
    assert auto.precision == "auto"
    monkeypatch.setattr(precision, "cpu_has_bf16", lambda: native)
    assert precision.resolve(auto, "cpu").precision == chosen
    monkeypatch.setattr(precision, "cpu_has_bf16", lambda: False)
    monkeypatch.setattr(precision, "gpu_has_bf16", lambda: native)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert precision.resolve(auto, "cpu").precision == "32"
    assert precision.resolve(auto).precision == precision.resolve(auto, "cuda").precision == chosen


def test_what_was_asked_for_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(precision, "cpu_has_bf16", lambda: True)
    assert describe(order(tmp_path, "precision=32"))[0]["settings"]["precision"] == "32"
    assert describe(order(tmp_path, "precision=auto"))[0]["settings"]["precision"] == "bf16"


def test_a_run_says_what_it_took_and_keeps_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def kept() -> str:
        return str(json.loads((tmp_path / "run.json").read_text())["settings"]["precision"])

    said: list[str] = []
    monkeypatch.setattr(precision, "cpu_has_bf16", lambda: False)
    train(order(tmp_path, "precision=auto", "steps=1"), report=said.append)
    assert kept() == "32" and any(
        line.endswith("fp32, since this processor has no bf16 units") for line in said
    )
    monkeypatch.setattr(precision, "cpu_has_bf16", lambda: True)  # resumed on another machine
    train(order(tmp_path, "steps=2", resume=True), report=said.append)
    assert kept() == "32" and any(line.endswith("; fp32") for line in said)
    train(order(tmp_path, "steps=3", "precision=auto", resume=True), report=said.append)
    assert kept() == "bf16" and any(
        line.endswith("bf16 autocast, since this processor has bf16 units") for line in said
    )
