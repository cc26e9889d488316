"""Settings from presets and `--set`, and back from a run's file."""

from __future__ import annotations

import json

import pytest

from reenact.errors import ReenactError
from reenact.systems import TRAINING
from reenact.systems.spec import Settings, StageSpec

pytest.importorskip("torch")

from reenact.training.settings import as_json, override, preset

STAGES = [stage for system in TRAINING.values() for stage in system.stages]
LIC = TRAINING["hr_net"].stage("lic")


def test_values_are_read_by_their_type() -> None:
    changed = override(
        preset(LIC, "paper"), ["rate=1e-3", "widths=8,8,4,4,2", "whiten=true", "identity_of=target"]
    )
    assert changed.rate == 1e-3 and changed.widths == (8, 8, 4, 4, 2)  # type: ignore[attr-defined]
    assert changed.whiten is True and changed.identity_of == "target"  # type: ignore[attr-defined]
    assert changed.batch == preset(LIC, "paper").batch


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        ("rates=1", "did you mean rate"),
        ("rate", "write it as name=value"),
        ("rate=fast", "not a number"),
        ("rate=nan", "finite"),
        ("batch=2.5", "not a number of type int"),
        ("batch=0", "at least 1"),
        ("epochs=0", "more than 0"),
        ("mean=1", "below 1"),
        ("whiten=perhaps", "choose one of: true, false"),
        ("precision=16", "choose one of: 32, bf16, auto"),
    ],
)
def test_a_wrong_setting_is_one_line(pair: str, words: str) -> None:
    with pytest.raises(ReenactError, match=words):
        override(preset(LIC, "paper"), [pair])


def test_an_unknown_preset_names_the_known_ones() -> None:
    with pytest.raises(ReenactError, match="tiny"):
        preset(LIC, "huge")


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_every_preset_survives_a_file(stage: StageSpec) -> None:
    assert {"tiny", "small", "paper"} <= set(stage.presets)
    for settings in stage.presets.values():
        default: Settings = stage.presets["tiny"]
        assert default.with_values(json.loads(json.dumps(as_json(settings)))) == settings
