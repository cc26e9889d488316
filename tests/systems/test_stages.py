"""What holds for every stage of every system: its presets, a step of `tiny`, and what that step gave before.

A stage with a kind of data of its own (not in `stage_bench.KINDS`) keeps these in its system's tests.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from stage_bench import KINDS, Steps, batch_for, without_gradient  # noqa: E402

from reenact.systems import TRAINING  # noqa: E402
from reenact.systems.spec import StageSpec  # noqa: E402

GOLDEN = Path(__file__).parent.parent / "golden"
STAGES = [
    pytest.param(system, stage, id=f"{system.name}-{stage.name}")
    for system in TRAINING.values()
    for stage in system.stages
    if stage.data in KINDS
]


@pytest.mark.parametrize(("system", "stage"), STAGES)
def test_presets_of_every_stage(system, stage: StageSpec) -> None:
    assert {"paper", "small", "tiny"} <= set(stage.presets)
    assert len({type(settings) for settings in stage.presets.values()}) == 1


@pytest.mark.parametrize(("system", "stage"), STAGES)
def test_a_gradient_for_every_parameter(system, stage: StageSpec) -> None:
    settings = stage.presets["tiny"]
    missing = without_gradient(stage.build(settings), batch_for(stage, settings, 2))
    assert missing and not any(missing.values()), missing


@pytest.mark.parametrize(("system", "stage"), STAGES)
def test_figures_and_sheet(system, stage: StageSpec) -> None:
    settings = stage.presets["tiny"]
    built, batch = stage.build(settings), batch_for(stage, settings, 2)
    with torch.no_grad():
        figures = built.validate(batch, built.networks)
        columns = built.sheet(batch, built.networks)
    assert built.best in figures and all(value.shape == (2,) for value in figures.values())
    assert {column.shape[:2] for column in columns.values()} == {(2, 3)}
    assert set(built.averaged) <= set(built.networks) == set(built.examples(1))


@pytest.mark.parametrize(("system", "stage"), STAGES)
def test_three_steps_as_before(system, stage: StageSpec) -> None:
    """Every loss of the first three steps of `tiny`, against `tests/golden`. Where a change of the numbers is
    meant, run `python tests/systems/test_stages.py`, which writes them anew, and say why in the commit."""
    wanted = json.loads((GOLDEN / f"{system.name}.json").read_text())[stage.name]
    for made, golden in zip(golden_steps(stage), wanted, strict=True):
        assert made == pytest.approx(golden, rel=2e-2, abs=1e-3)  # processors differ


def golden_steps(stage: StageSpec) -> list[dict[str, float]]:
    settings = replace(stage.presets["tiny"], seed=1)
    batch = batch_for(stage, settings, 4)
    steps = Steps(stage.build(settings))
    return [{name: round(value, 6) for name, value in steps.run(batch).items()} for _ in range(3)]


if __name__ == "__main__":
    torch.set_num_threads(1)
    for one in TRAINING.values():
        values = {stage.name: golden_steps(stage) for stage in one.stages if stage.data in KINDS}
        (GOLDEN / f"{one.name}.json").write_text(json.dumps(values, indent=1) + "\n")
