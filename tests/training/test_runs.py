"""Runs from their words: folders, data, dry runs, and wrong words."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")

from safetensors.torch import load_file  # noqa: E402

from reenact.cli import train as verb  # noqa: E402
from reenact.errors import ReenactError  # noqa: E402
from reenact.systems import TRAINING  # noqa: E402
from reenact.systems.spec import StageSpec  # noqa: E402
from reenact.training.dry_run import describe_stage, lines  # noqa: E402
from reenact.training.runs import DATA, Order, train  # noqa: E402

STAGES = [(system.name, stage) for system in TRAINING.values() for stage in system.stages]


def quiet(line: str) -> None: ...


def test_every_system_has_its_verb() -> None:
    assert set(verb.SYSTEMS) == set(TRAINING)
    for name, (_, words) in verb.SYSTEMS.items():
        assert all(stage.name in words for stage in TRAINING[name].stages)


def test_every_stage_names_a_kind_of_data() -> None:
    assert {stage.data for _, stage in STAGES} <= set(DATA)


def test_a_run_is_not_written_over(tmp_path: Path) -> None:
    order = Order(
        "hr_net", "tiny", "synthetic", tmp_path, "lic", ("steps=1", "validate_samples=4"), device="cpu"
    )
    train(order, report=quiet)
    written = json.loads((tmp_path / "run.json").read_text())
    assert written["preset"] == "tiny" and written["settings"]["steps"] == 1
    with pytest.raises(ReenactError, match="holds a run already"):
        train(order, report=quiet)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"system": "hrnet"}, "no system that can be trained"),
        ({"stage": "lig"}, "choose one of: lic, bfr"),
        ({"preset": "large"}, "choose one of: paper"),
        ({"data": "faces"}, "use --data synthetic"),
        ({"stage": "bfr"}, "give a folder of clips"),
        ({"stage": "bfr", "data": "nowhere"}, "no prepared faces"),
        ({"resume": True}, "no run to resume"),
        ({"changes": ("speed=1",)}, "no such setting"),
    ],
)
def test_wrong_words_are_one_line(tmp_path: Path, changed: dict[str, object], words: str) -> None:
    plain = {
        "system": "hr_net",
        "preset": "tiny",
        "data": "synthetic",
        "out": tmp_path,
        "stage": "lic",
        "device": "cpu",
    }
    with pytest.raises(ReenactError, match=words):
        train(Order(**{**plain, **changed}), report=quiet)  # type: ignore[arg-type]


def test_a_dry_run_leaves_nothing_without_numbers_behind() -> None:
    """A dry run imports a stage's modules under the device 'meta': none may keep a tensor made there."""
    code = (
        "import importlib, sys, torch\n"
        "from reenact.systems import TRAINING\n"
        "with torch.device('meta'):\n"
        "    for name in TRAINING:\n"
        "        importlib.import_module(f'reenact.systems.{name}.train')\n"
        "held = [(m, n) for m, module in sys.modules.items() if m.startswith('reenact')\n"
        "        for n, value in vars(module).items() if isinstance(value, torch.Tensor) and value.is_meta]\n"
        "assert 'reenact.systems.osfr.shape' in sys.modules and not held, held\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("system", "stage"), STAGES, ids=[f"{name} {stage.name}" for name, stage in STAGES])
def test_a_dry_run_counts_what_a_stage_has(system: str, stage: StageSpec) -> None:
    settings = stage.presets["tiny"]
    record = describe_stage(stage, settings)
    built = stage.build(settings)
    for name, network in built.networks.items():
        assert record["networks"][name]["parameters"] == sum(p.numel() for p in network.parameters())
        assert record["networks"][name]["gflops"] > 0
        assert name in "\n".join(lines(record))


def test_gflops_and_memory_of_a_layer_by_hand() -> None:
    """Five layers of G_L's two encoders and decoder: two operations a weight."""
    stage = TRAINING["hr_net"].stage("lic")
    one = describe_stage(stage, stage.presets["paper"])["networks"]["converter"]
    widths = [136, 512, 512, 256, 256, 128]
    phi = sum(a * b for a, b in pairwise(widths))
    psi = sum(a * b for a, b in zip([256, 256, 256, 512, 512], [256, 256, 512, 512, 136], strict=True))
    whitening = 2 * 136 * 136
    assert one["gflops"] == pytest.approx(2 * (2 * phi + psi + whitening) / 1e9, abs=1e-4)
    assert one["parameters"] == 2 * (phi + sum(widths[1:])) + psi + sum([256, 256, 512, 512, 136])
    assert one["memory_mb"] > 16 * one["parameters"] / 1e6


def test_a_run_begins_with_weights(tmp_path: Path) -> None:
    """Those of a file, with what its networks took from their own data (principal components); its own first
    step is seen from them, not from a random start."""

    def run(out: str, steps: int, *changes: str, resume: bool = False) -> dict[str, torch.Tensor]:
        settings = (f"steps={steps}", "rate=0", "mean=0", "whiten=true", "validate_samples=4", *changes)
        order = Order("hr_net", "tiny", "synthetic", tmp_path / out, "lic", settings, resume, "cpu")
        train(order, report=quiet)
        return load_file(tmp_path / out / "weights.safetensors")

    first, other = run("first", 1), run("other", 1, "seed=2")
    file = tmp_path / "first" / "weights.safetensors"
    second = run("second", 1, "seed=2", f"weights={file}")
    assert sum(not torch.equal(other[name], value) for name, value in first.items()) > 3
    assert all(torch.equal(second[name], value.half().float()) for name, value in first.items())
    file.unlink()  # a run that is gone on with has its own
    run("second", 2, resume=True)
    with pytest.raises(ReenactError, match="cannot be read"):
        run("third", 1, f"weights={file}")
    with pytest.raises(ReenactError, match="holds none of this stage's networks"):
        run("fourth", 1, "weights=live_refine")
    with pytest.raises(ReenactError, match="does not fit network"):
        run("fifth", 1, "weights=hr_net_lic")
