"""Recipes: each does what its help names, with settings that its stage has."""

from __future__ import annotations

import importlib.util
import re
from collections import defaultdict
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytest.importorskip("torch")

from reenact.systems import find_training
from reenact.training.runs import Order
from reenact.training.settings import override, preset

FOLDER = Path(__file__).parent.parent / "recipes"
OF_SYSTEMS = ("dg", "fipls", "glg", "hr_net")


def recipes_of(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(FOLDER)
    spec = importlib.util.spec_from_file_location(f"recipes_{name}", FOLDER / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("system", OF_SYSTEMS)
def test_the_help_names_every_recipe(system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = recipes_of(system, monkeypatch)
    assert re.findall(r"^    (\w+)  ", module.__doc__ or "", re.M) == list(module.RECIPES)


@pytest.mark.parametrize("steps", [0, 7])
@pytest.mark.parametrize("system", OF_SYSTEMS)
def test_every_run_has_settings_of_its_stage(
    system: str, steps: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, orders = recipes_of(system, monkeypatch), list[Order]()

    def train(order: Order, **more: Any) -> list[dict[str, Any]]:
        orders.append(order)
        return [{"figures": defaultdict(float)}]

    monkeypatch.setattr(module, "train", train)
    monkeypatch.setattr(module, "figures_of", lambda run: [], raising=False)
    if hasattr(module, "held_out"):
        monkeypatch.setattr(module.held_out, "print_rows", lambda runs, prepared: None)
        monkeypatch.setattr(module.held_out, "steps_done", lambda run: 0)
    (tmp_path / "image").mkdir()  # what a recipe goes on with
    (tmp_path / "image" / "weights.safetensors").touch()
    for recipe in module.RECIPES.values():
        recipe(tmp_path, "faces", steps)
    assert len(orders) >= len(module.RECIPES) and len({order.out for order in orders}) == len(orders)
    for order in orders:
        assert order.system == system and order.stage
        stage = find_training(system).stage(order.stage)
        settings = override(preset(stage, order.preset), order.changes)
        assert settings.steps == steps or not steps


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "common"))
def test_help_is_the_docstring(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = recipes_of(name, monkeypatch)
    monkeypatch.setattr("sys.argv", [name, "--help"])
    with pytest.raises(SystemExit, match="0"):
        module.main()
    assert (module.__doc__ or "-").strip() in capsys.readouterr().out
