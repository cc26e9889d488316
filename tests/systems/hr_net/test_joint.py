"""Both modules trained together: what learns from what, and with which weights it begins."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import save_file  # noqa: E402
from stage_bench import Steps, crossed  # noqa: E402

from reenact.errors import ReenactError  # noqa: E402
from reenact.systems.hr_net import presets  # noqa: E402
from reenact.systems.hr_net.joint import JointStage  # noqa: E402

TINY = presets.JOINT["tiny"]


def test_pictures_alone_teach_the_converter() -> None:
    """Through the generator and the drawing: without a landmark loss its landmarks still move."""
    stage, batch = JointStage(replace(TINY, weight_landmarks=0.0)), crossed(2, 64)
    before = {name: value.clone() for name, value in stage.converter.state_dict().items()}
    terms = Steps(stage).run(batch)
    assert {"l1", "adversarial_g", "adversarial_d", "landmarks"} == set(terms)
    changed = [
        name for name, value in stage.converter.state_dict().items() if not torch.equal(value, before[name])
    ]
    assert any(name.startswith("action") for name in changed)
    assert any(name.startswith("identity") for name in changed)


def test_it_begins_with_the_runs_before_it(tmp_path: Path) -> None:
    made = JointStage(replace(TINY, seed=7))
    for stage, name in (("lic", "converter"), ("bfr", "generator")):
        (tmp_path / stage).mkdir()
        state = made.networks[name].state_dict()
        save_file(
            {f"{name}.{key}": value for key, value in state.items()}, tmp_path / stage / "weights.safetensors"
        )
    stage = JointStage(replace(TINY, start=str(tmp_path)))
    for name in ("converter", "generator"):
        for key, value in stage.networks[name].state_dict().items():
            assert torch.equal(value, made.networks[name].state_dict()[key])
    with pytest.raises(ReenactError, match="train that stage first"):
        JointStage(replace(TINY, start=str(tmp_path / "nowhere")))
