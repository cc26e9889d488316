"""GLG's stages: terms, switches, the tables' rows as settings, goldens, and the tiny presets learning."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from stage_bench import Steps, crossed, without_gradient  # noqa: E402

from reenact.systems.glg import GLG_TRAINING, presets  # noqa: E402
from reenact.systems.glg.train import ImageStage, LganStage, driving_input  # noqa: E402
from reenact.training.controls import open_controls  # noqa: E402
from reenact.training.settings import as_json  # noqa: E402

TINY, TINY_LGAN, TINY_SHAPE = presets.IMAGE["tiny"], presets.LGAN["tiny"], presets.LGAN_SHAPE["tiny"]
GOLDEN = Path(__file__).parents[2] / "golden" / "glg_lgan.json"


def controls(settings: presets.LganSettings, count: int) -> dict[str, torch.Tensor]:
    source = open_controls("synthetic", as_json(settings)).train
    rows = source.draw(np.random.default_rng(3), count)
    return {name: torch.from_numpy(np.ascontiguousarray(v)) for name, v in source.load(rows).items()}


@pytest.fixture(scope="module")
def faces() -> dict[str, torch.Tensor]:
    return controls(TINY_LGAN, 8)


@pytest.mark.parametrize("settings", [TINY_LGAN, TINY_SHAPE])
def test_lgan_a_gradient_for_every_parameter_and_its_figures(
    faces: dict[str, torch.Tensor], settings: presets.LganSettings
) -> None:
    stage = LganStage(settings)
    stage.begin(faces)
    assert not any(without_gradient(stage, faces).values())
    with torch.no_grad():
        figures, columns = stage.validate(faces, stage.networks), stage.sheet(faces, stage.networks)
    assert {name: value.shape for name, value in figures.items()} == {"ace_px": (8,), "ace_px_mean": (8,)}
    assert {column.shape for column in columns.values()} == {(8, 3, 256, 256)}


def test_lgan_takes_its_people_from_the_data(faces: dict[str, torch.Tensor]) -> None:
    """Somebody whom no sample shows is never the nearest."""
    stage = LganStage(replace(TINY_LGAN, people=9))
    stage.begin(faces)
    found = stage.generator.nearest(faces["code"])
    assert found.tolist() == faces["person"].tolist()


def test_lgan_without_its_adversary(faces: dict[str, torch.Tensor]) -> None:
    assert set(Steps(LganStage(replace(TINY_LGAN, weight_adversarial=0.0))).run(faces)) == {"l1"}
    assert set(Steps(LganStage(TINY_LGAN)).run(faces)) == {"l1", "adversarial_d", "adversarial_g"}


def test_tiny_lgan_learns_eight_faces(faces: dict[str, torch.Tensor]) -> None:
    stage = LganStage(replace(TINY_LGAN, layers=(64, 64), beta1=0.9, weight_adversarial=0.1))
    stage.begin(faces)
    Steps(stage).run(faces, 150)
    with torch.no_grad():
        values = stage.validate(faces, stage.networks)
    assert float(values["ace_px"].mean()) < 2 < 4 < float(values["ace_px_mean"].mean())


def test_lgan_three_steps_as_before(faces: dict[str, torch.Tensor]) -> None:
    """Against `tests/golden`; `python tests/systems/glg/test_train.py` writes them anew."""
    for made, golden in zip(golden_steps(faces), json.loads(GOLDEN.read_text()), strict=True):
        assert made == pytest.approx(golden, rel=2e-2, abs=1e-3)


def golden_steps(batch: dict[str, torch.Tensor]) -> list[dict[str, float]]:
    steps = Steps(LganStage(TINY_LGAN))
    return [{name: round(value, 6) for name, value in steps.run(batch).items()} for _ in range(3)]


ALL = {"l1", "parts", "adversarial_d", "adversarial_g", "matching", "landmarks"}


@pytest.mark.parametrize(
    ("changes", "left_out"),
    [
        ({}, set()),
        ({"weight_matching": 0.0}, {"matching"}),
        ({"weight_matching": 0.0, "weight_adversarial": 0.0}, {"matching", "adversarial_g", "adversarial_d"}),
        ({"weight_parts": 0.0}, {"parts"}),
        ({"weight_landmarks": 0.0}, {"landmarks"}),
        ({"flow": "resnet34", "style": False}, {"landmarks"}),
        ({"flow": "none"}, {"landmarks"}),
        ({"parts": False}, {"parts"}),
        ({"flow": "points"}, {"landmarks"}),
        ({"flow": "none", "weight_flow": 1.0}, {"landmarks"}),
    ],
)
def test_terms_and_parts_are_switches(changes: dict[str, Any], left_out: set[str]) -> None:
    """Among them the rows of tables I to V."""
    assert set(Steps(ImageStage(replace(TINY, **changes))).run(crossed(2, 64))) == ALL - left_out


def test_the_flow_is_told_where_landmarks_come_from() -> None:
    assert "flow" in Steps(ImageStage(replace(TINY, weight_flow=1.0))).run(crossed(2, 64))


def test_without_a_term_of_pictures_the_flow_learns_alone() -> None:
    none = dict.fromkeys(("weight_l1", "weight_parts", "weight_adversarial", "weight_matching"), 0.0)
    stage = ImageStage(replace(TINY, weight_flow=1.0, **none))
    before = {name: value.clone() for name, value in stage.generator.state_dict().items()}
    assert set(Steps(stage).run(crossed(2, 64))) == {"flow", "landmarks"}
    moved = {
        name.split(".")[0]
        for name, value in stage.generator.state_dict().items()
        if not torch.equal(value, before[name])
    }
    assert moved == {"extractor", "head"}


def test_weights_are_the_papers() -> None:
    """Section III-D."""
    weights = ImageStage(replace(TINY, weight_perceptual=presets.IMAGE["paper"].weight_perceptual)).weights
    assert weights == {
        "l1": 20.0, "parts": 5.0, "adversarial_g": 1.0, "matching": 1.0, "perceptual": 10.0, "landmarks": 1.0,
        "flow": 0.0,
    }  # fmt: skip


def test_the_extractor_sees_a_picture_or_a_heatmap() -> None:
    picture, heatmap = torch.zeros(1, 3, 8, 8), torch.rand(1, 1, 8, 8)
    assert driving_input(picture, heatmap, TINY) is picture
    drawn = driving_input(picture, heatmap, replace(TINY, driving="heatmap"))
    assert drawn.shape == picture.shape and torch.equal(drawn[:, 1:2], heatmap * 2 - 1)


def test_the_rate_is_constant_then_falls_to_zero() -> None:
    stage = ImageStage(replace(TINY, epochs=100, constant_epochs=50))
    assert [stage.factor("generator", epoch) for epoch in (0, 50, 75, 100)] == pytest.approx([1, 1, 0.5, 0])


def test_tiny_image_learns_eight_pairs() -> None:
    batch = crossed(8, 32)
    stage = ImageStage(replace(TINY, size=32, rate=2e-3, beta1=0.9, weight_adversarial=0.1))
    with torch.no_grad():
        begun = float(stage.validate(batch, stage.networks)["l1"].mean())
    Steps(stage).run(batch, 60)
    with torch.no_grad():
        done = float(stage.validate(batch, stage.networks)["l1"].mean())
    assert done < 0.2 < 0.35 < begun


def test_stages_of_the_paper_come_first_and_the_others_when_named() -> None:
    assert [(stage.name, stage.extra) for stage in GLG_TRAINING.stages] == [
        ("lgan", False), ("lgan_face", True), ("lgan_shape", True), ("image", False),
    ]  # fmt: skip
    assert {"paper", "small", "tiny"} == set(GLG_TRAINING.stage("lgan").presets)


if __name__ == "__main__":
    torch.set_num_threads(1)
    GOLDEN.write_text(json.dumps(golden_steps(controls(TINY_LGAN, 8)), indent=1) + "\n")
