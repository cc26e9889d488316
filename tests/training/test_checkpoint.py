"""Checkpoints: whole or not there, nothing pickled, everything back as it was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reenact.errors import ReenactError

torch = pytest.importorskip("torch")

from reenact.training import checkpoint  # noqa: E402


def state(value: float = 1.0) -> dict[str, object]:
    shared = torch.full((2, 3), value)
    return {
        "step": 7,
        "best": None,
        "networks": {"g": {"weight": shared, "same.memory": shared}},
        "optimisers": {
            "g": {"state": {0: {"step": torch.tensor(3.0)}}, "param_groups": [{"betas": (0.5, 0.9)}]}
        },
        "random": torch.get_rng_state(),
        "tall": torch.arange(24.0).view(1, 2, 3, 4).contiguous(memory_format=torch.channels_last),
    }


def test_everything_comes_back(tmp_path: Path) -> None:
    path = checkpoint.save(tmp_path, 7, state(2.5))
    back = checkpoint.load(path)
    assert back["step"] == 7 and back["best"] is None
    assert torch.equal(back["networks"]["g"]["same.memory"], torch.full((2, 3), 2.5))
    assert back["optimisers"]["g"]["state"][0]["step"] == 3
    assert back["optimisers"]["g"]["param_groups"] == [{"betas": [0.5, 0.9]}]
    assert torch.equal(back["random"], torch.get_rng_state())
    assert torch.equal(back["tall"], torch.arange(24.0).view(1, 2, 3, 4))


def test_an_optimiser_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    def train(steps: int, stop: int | None) -> object:
        torch.manual_seed(0)
        net = torch.nn.Linear(3, 2)
        adam = torch.optim.Adam(net.parameters(), 0.1, (0.5, 0.9))
        for step in range(steps):
            if step == stop:
                path = checkpoint.save(tmp_path, step, {"net": net.state_dict(), "adam": adam.state_dict()})
                net, loaded = torch.nn.Linear(3, 2), checkpoint.load(path)
                adam = torch.optim.Adam(net.parameters(), 0.7)
                net.load_state_dict(loaded["net"])
                adam.load_state_dict(loaded["adam"])
            adam.zero_grad()
            (net(torch.ones(1, 3)) * torch.tensor([1.0, -2.0])).square().sum().backward()
            adam.step()
        return net.weight

    assert torch.equal(train(9, stop=4), train(9, stop=None))


def test_the_last_two_and_the_best_are_kept(tmp_path: Path) -> None:
    for step in (10, 20, 30, 40):
        checkpoint.save(tmp_path, step, {"step": step})
        if step == 20:
            checkpoint.mark_best(tmp_path, step, "l1", 0.5)
        checkpoint.prune(tmp_path)
    assert checkpoint.steps(tmp_path) == [20, 30, 40]
    assert checkpoint.latest(tmp_path) == checkpoint.path_of(tmp_path, 40)
    assert checkpoint.best(tmp_path) == 20


def test_a_half_written_checkpoint_is_none(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, 10, {"step": 10})
    torn = tmp_path / ".step-00000020.partial"
    torn.mkdir()
    (torn / "tensors.safetensors").write_bytes(b"half")
    assert checkpoint.steps(tmp_path) == [10]
    checkpoint.save(tmp_path, 20, {"step": 20})
    assert checkpoint.steps(tmp_path) == [10, 20] and not torn.exists()


def test_nothing_is_pickled(tmp_path: Path) -> None:
    path = checkpoint.save(tmp_path, 1, state())
    assert {file.name for file in path.iterdir()} == {"tensors.safetensors", "state.json"}
    json.loads((path / "state.json").read_text())


def test_whoever_reads_the_state_can_read_the_tensors(tmp_path: Path) -> None:
    path = checkpoint.save(tmp_path, 1, state())
    modes = {(path / name).stat().st_mode for name in ("tensors.safetensors", "state.json")}
    assert len(modes) == 1


@pytest.mark.parametrize("name", ["tensors.safetensors", "state.json"])
def test_a_damaged_checkpoint_is_one_line(tmp_path: Path, name: str) -> None:
    path = checkpoint.save(tmp_path, 1, state())
    (path / name).write_bytes(b"{torn")
    with pytest.raises(ReenactError, match="not a whole checkpoint"):
        checkpoint.load(path)
