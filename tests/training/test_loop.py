"""The loop: resumed to the bit, stopped by SIGTERM, ended by NaN, shared by two processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")

from safetensors.torch import load_file  # noqa: E402

from reenact.errors import ReenactError  # noqa: E402
from reenact.systems.spec import Settings  # noqa: E402
from reenact.training import checkpoint, loop  # noqa: E402
from reenact.training.runs import Order, train  # noqa: E402
from reenact.training.sources import Data  # noqa: E402

QUICK = ("sheet_every=0", "validate_samples=8", "threads=1")
CODE = """
import os, signal, sys
from pathlib import Path
from reenact.systems.hr_net.train import LicStage
from reenact.training.runs import Order, train

count, plain = 0, LicStage.step
def step(self, batch, update):
    global count
    count += 1
    if count == int(sys.argv[2]):
        (os.killpg if "workers=1" in sys.argv else os.kill)(os.getpid(), int(sys.argv[3]))
    plain(self, batch, update)

LicStage.step = step
out, changes = Path(sys.argv[1]), tuple(sys.argv[4:])
order = Order("hr_net", "tiny", "synthetic", out, "lic", changes, (out / "run.json").exists(), "cpu")
done = train(order)
print("STEP", done[0]["step"], done[0]["stopped"])
"""


def order(out: Path, *changes: str, resume: bool = False) -> Order:
    return Order("hr_net", "tiny", "synthetic", out, "lic", (*QUICK, *changes), resume, "cpu")


def tensors(out: Path, step: int = 20) -> dict[str, Any]:
    return load_file(checkpoint.path_of(out / "checkpoints", step) / "tensors.safetensors")


def same(first: Mapping[str, Any], second: Mapping[str, Any]) -> bool:
    return set(first) == set(second) and all(torch.equal(first[name], second[name]) for name in first)


def interrupted(out: Path, at: int, number: int, *changes: str) -> subprocess.CompletedProcess[str]:
    """A run of its own, gone on with where it was begun, that sends itself a signal at its step `at`, and to
    its workers where it has one."""
    command = [sys.executable, "-c", CODE, str(out), str(at), str(number), *QUICK, *changes]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=900, check=False, start_new_session=True
    )


def test_a_killed_run_goes_on_to_the_bit(tmp_path: Path) -> None:
    """20 steps in one go, against 10, kill -9 at the 14th, and 10 more from the checkpoint; each in a process
    of its own, since what ran before in this one may lay arrays out otherwise, and sums round by that."""
    never = 10**6
    assert interrupted(tmp_path / "whole", never, signal.SIGKILL).returncode == 0
    done = interrupted(tmp_path / "killed", 14, signal.SIGKILL)
    assert done.returncode == -signal.SIGKILL
    assert checkpoint.steps(tmp_path / "killed" / "checkpoints") == [10]
    assert interrupted(tmp_path / "killed", never, signal.SIGKILL).returncode == 0
    assert same(tensors(tmp_path / "whole"), tensors(tmp_path / "killed"))
    losses = [(tmp_path / name / "losses.csv").read_text().splitlines() for name in ("whole", "killed")]
    assert [line.split(",")[:6] for line in losses[0]] == [line.split(",")[:6] for line in losses[1]]


@pytest.mark.parametrize("workers", [0, 1])
def test_sigterm_saves_and_stops(tmp_path: Path, workers: int) -> None:
    done = interrupted(tmp_path, 7, signal.SIGTERM, f"workers={workers}")
    assert done.returncode == 0 and f"STEP 7 {int(signal.SIGTERM)}" in done.stdout
    assert checkpoint.steps(tmp_path / "checkpoints") == [7]
    assert not (tmp_path / "weights.safetensors").exists()
    assert train(order(tmp_path, resume=True), report=lambda line: None)[0]["step"] == 20


class Line:
    """A stage that learns a line, and whose loss can be made to fail."""

    averaged: tuple[str, ...] = ("line",)
    best = "error"
    begin_with = 0

    def __init__(self, nan_at: int = 0) -> None:
        torch.manual_seed(0)
        self.networks = {"line": torch.nn.Linear(2, 1), "other": torch.nn.Linear(1, 1)}
        self.nan_at, self.count = nan_at, 0

    def begin(self, batch: Mapping[str, Any]) -> None: ...

    def optimiser(self, name: str) -> Any:
        return torch.optim.SGD(self.networks[name].parameters(), 0.1)

    def factor(self, name: str, epoch: float) -> float:
        return 1.0 if name == "line" else 0.0

    def step(self, batch: Mapping[str, Any], update: Any) -> None:
        self.count += 1
        guess = self.networks["line"](batch["x"]).squeeze(1)
        fit = (guess - batch["y"]).square().mean()
        through = self.networks["other"](guess[:, None]).mean() * (
            float("nan") if self.count == self.nan_at else 1
        )
        update("line", {"fit": fit, "through": through}, {"fit": 1.0, "through": 1e-6})

    def validate(self, batch: Mapping[str, Any], networks: Mapping[str, Any]) -> dict[str, Any]:
        return {"error": (networks["line"](batch["x"]).squeeze(1) - batch["y"]).abs()}

    def sheet(self, batch: Mapping[str, Any], networks: Mapping[str, Any]) -> dict[str, Any]:
        return {"x": batch["x"][:, :1, None, None].expand(-1, 3, 8, 8)}

    def examples(self, count: int) -> dict[str, tuple[Any, ...]]:
        return {"line": (torch.zeros(count, 2),), "other": (torch.zeros(count, 1),)}


class Points:
    """y = 3 a - 2 b + 1."""

    size = 64

    def draw(self, rng: np.random.Generator, count: int) -> Any:
        return rng.standard_normal((count, 2))

    def load(self, rows: Any) -> dict[str, Any]:
        return {"x": rows.astype(np.float32), "y": (rows @ [3.0, -2.0] + 1).astype(np.float32)}


def settings(**changes: Any) -> Settings:
    plain = Settings(
        epochs=1, batch=16, steps=40, log_every=10, validate_every=10, save_every=10, sheet_every=40
    )
    return replace(plain, validate_samples=40, **changes)


def run_line(folder: Path, stage: Line, **changes: Any) -> loop.Outcome:
    folder.mkdir(exist_ok=True)
    data = Data(Points(), Points(), "a line")
    fabric = loop.setup("cpu", "32", 1)
    return loop.main(fabric, stage, settings(**changes), data, folder, report=lambda line: None)  # type: ignore[arg-type]


def test_it_learns_looks_and_ships_the_running_mean(tmp_path: Path) -> None:
    before = [p.clone() for p in Line().networks["other"].parameters()]
    stage = Line()
    done = run_line(tmp_path, stage, mean=0.5)
    assert done.step == 40 and done.figures["error"] < 0.05
    shipped = load_file(tmp_path / "weights.safetensors")
    torch.testing.assert_close(shipped["line.weight"].float(), torch.tensor([[3.0, -2.0]]), atol=0.05, rtol=0)
    assert set(shipped) == {"line.weight", "line.bias"} and shipped["line.bias"].dtype == torch.float16
    assert (tmp_path / "sheets" / "step-00000040.png").is_file()
    # A network that another's loss passes through does not move with it.
    assert all(map(torch.equal, before, stage.networks["other"].parameters()))


def test_a_part_of_an_epoch_is_a_part_of_its_steps(tmp_path: Path) -> None:
    whole = -(-Points.size // 16)
    for number, (epochs, steps) in enumerate([(0.5, round(whole / 2)), (1.25, round(1.25 * whole)), (1e-6, 1)]):
        done = run_line(tmp_path / str(number), Line(), epochs=epochs, steps=0, batch=16)
        assert done.step == done.steps == steps


def test_nan_ends_the_run_by_name_and_keeps_the_last_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(ReenactError, match=r"step 23: the loss 'through' became nan; step 20 is kept"):
        run_line(tmp_path, Line(nan_at=23))
    assert checkpoint.steps(tmp_path / "checkpoints") == [10, 20]


def test_clipping_bounds_the_step(tmp_path: Path) -> None:
    stage = Line()
    before = torch.cat([p.detach().flatten().clone() for p in stage.networks["line"].parameters()])
    run_line(tmp_path, stage, steps=1, clip=0.01)
    after = torch.cat([p.detach().flatten() for p in stage.networks["line"].parameters()])
    assert float((after - before).norm()) == pytest.approx(0.1 * 0.01, rel=1e-3)


def test_bf16_trains_too(tmp_path: Path) -> None:
    train(order(tmp_path, "precision=bf16", "steps=3"), report=lambda line: None)
    assert all(value.isfinite().all() for value in tensors(tmp_path, 3).values() if value.is_floating_point())


def test_other_networks_are_refused_on_resume(tmp_path: Path) -> None:
    train(order(tmp_path, "steps=2"), report=lambda line: None)
    with pytest.raises(ReenactError, match="does not fit these networks"):
        train(order(tmp_path, "steps=4", "widths=32,32,16,16,8", resume=True), report=lambda line: None)


def test_two_processes_do_what_one_does(tmp_path: Path) -> None:
    """torchrun with gloo on the CPU: each takes half of every batch, and the mean gradient is the batch's."""
    words = ["hr_net", "--preset", "tiny", "--stage", "lic", "--device", "cpu", "--quiet", "--out"]
    changes = [f"--set={change}" for change in (*QUICK, "steps=4", "save_every=4", "mean=0")]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", "0"]
    torchrun += ["--rdzv-backend", "c10d", "--rdzv-endpoint", "localhost:0", "-m", "reenact", "train"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*torchrun, *words, str(tmp_path / "two"), *changes],
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    train(order(tmp_path / "one", "steps=4", "save_every=4", "mean=0"), report=lambda line: None)
    one, two = tensors(tmp_path / "one", 4), tensors(tmp_path / "two", 4)
    for name, value in one.items():
        if name.startswith("networks."):
            torch.testing.assert_close(two[name], value, atol=2e-5, rtol=1e-3)
    assert json.loads((tmp_path / "two" / "run.json").read_text())["settings"]["batch"] == 8
