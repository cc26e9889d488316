"""DG's stages: terms of (7) and (15), the tables' rows as settings, the phases, and the tiny presets learning.

`python tests/systems/dg/test_train.py` writes the golden steps anew; say why in the commit.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from dg_bench import TINY_IDSG, TINY_RFG, pictures, shapes  # noqa: E402
from stage_bench import Steps, without_gradient  # noqa: E402

from reenact.systems.dg.idsg import to_unit  # noqa: E402
from reenact.systems.dg.presets import IDSG, RFG  # noqa: E402
from reenact.systems.dg.train import IdsgStage, RfgStage  # noqa: E402

GOLDEN = Path(__file__).parents[2] / "golden" / "dg.json"
WHOLE = replace(TINY_RFG, weight_identity=10.0, weight_landmark=1.0, weight_shape_adversarial=1.0)
ADVERSARIAL = {"adversarial_d", "adversarial_g", "subject_c", "subject_g"}
FACE = {"face_d", "face_g", "attribute"}


@pytest.mark.parametrize(
    ("off", "terms"),
    [
        (("shape", "action", "localization"), ADVERSARIAL),
        (("shape", "action"), ADVERSARIAL | {"localization"}),
        (("shape",), ADVERSARIAL | {"localization", "action"}),
        ((), ADVERSARIAL | {"localization", "action", "shape"}),
    ],
    ids=["BL", "+ L_l", "+ L_a", "DG"],
)
def test_rows_of_table_1_are_settings(off: tuple[str, ...], terms: set[str]) -> None:
    changes = {f"weight_{name}": 0.0 for name in off}
    assert set(Steps(IdsgStage(replace(TINY_IDSG, **changes))).run(shapes(4))) == terms


def test_rows_of_table_2_are_settings() -> None:
    """Each loss that is added in turn, from the baseline on; the last row needs (15)'s missing term."""
    steps = {"identity": {"identity"}, "style": {"style"}, "landmark": {"landmark"}}
    steps["shape_adversarial"] = {"shape_d", "shape_g"}
    settings = replace(WHOLE, **{f"weight_{name}": 0.0 for name in steps})
    terms, batch = set(FACE), pictures(1, 64)
    for name, added in steps.items():
        assert set(Steps(RfgStage(settings)).run(batch)) == terms
        settings, terms = replace(settings, **{f"weight_{name}": 1.0}), terms | added
    assert set(Steps(RfgStage(settings)).run(batch)) == terms


def test_the_dear_terms_begin_at_their_epoch() -> None:
    stage = RfgStage(replace(WHOLE, aided_from=3))
    assert set(Steps(stage).run(pictures(1, 64))) == {"attribute"}
    stage.factor("generator", 2.99)
    assert set(Steps(stage).run(pictures(1, 64))) == {"attribute"}
    stage.factor("generator", 3.0)
    assert {"identity", "landmark", "shape_g", "face_d"} < set(Steps(stage).run(pictures(1, 64)))


def test_components_are_learned_by_coder_and_classifier() -> None:
    batch = shapes(64)
    stage = IdsgStage(replace(TINY_IDSG, whiten=True))
    stage.begin(batch)
    assert torch.equal(stage.generator.seen.whitening, stage.classifier.seen.whitening)
    assert float((stage.generator.seen.whitening - torch.eye(204)).abs().max()) > 1


def test_a_gradient_for_every_parameter() -> None:
    missing = without_gradient(IdsgStage(TINY_IDSG), shapes(4))
    assert set(missing) == {"generator", "discriminator", "classifier"} and not any(missing.values())
    missing = without_gradient(RfgStage(WHOLE), pictures(1, 64))
    assert len(missing) == 3 and not any(missing.values())


def test_the_first_step_in_figures() -> None:
    """Terms of (7) recomputed from the networks as they were before the step."""
    batch = shapes(8)
    terms = Steps(IdsgStage(TINY_IDSG)).run(batch)
    before = IdsgStage(TINY_IDSG)
    driving, truth = to_unit(batch["driving"], 256), to_unit(batch["target"], 256)
    with torch.no_grad():
        target = before.generator(driving, batch["source_code"])
        reference = before.generator(driving, batch["driving_code"])
        real, fake = before.discriminator(driving).sigmoid(), before.discriminator(target).sigmoid()
        chances = before.classifier(driving).softmax(1)
        codes = before.generator.action(target) - before.generator.action(driving)
    localised = (target - truth).abs().sum(1).mean() + (reference - driving).abs().sum(1).mean()
    assert terms["localization"] == pytest.approx(float(localised), rel=1e-4)
    assert terms["action"] == pytest.approx(float(codes.abs().sum(1).mean()), rel=1e-4)
    assert terms["adversarial_d"] == pytest.approx(
        float(-real.log().mean() - (1 - fake).log().mean()), rel=1e-3
    )
    named = chances[torch.arange(8), batch["driving_person"]].log().mean()
    assert terms["subject_c"] == pytest.approx(float(-named), rel=1e-4)


def test_self_reenactment_has_no_shape_loss_unless_asked_for() -> None:
    """Source and driving face are one person then: their shapes should not differ."""
    batch = shapes(4, others=False)
    assert Steps(IdsgStage(TINY_IDSG)).run(batch)["shape"] == 0
    assert Steps(IdsgStage(replace(TINY_IDSG, shape_on="all"))).run(batch)["shape"] > 0


def test_without_a_true_picture_nothing_is_compared_with_one() -> None:
    assert Steps(RfgStage(TINY_RFG)).run(pictures(2, 64, known=False))["attribute"] == 0


def test_adam_and_rates_are_the_papers() -> None:
    for stage, rate in ((IdsgStage(IDSG["paper"]), 1e-5), (RfgStage(replace(TINY_RFG, rate=1e-4)), 1e-4)):
        adam = stage.optimiser("generator").param_groups[0]
        assert adam["lr"] == rate and stage.factor("generator", 3.0) == 1
    assert adam["lr"] == RFG["paper"].rate and IDSG["paper"].batch == RFG["paper"].batch == 4
    assert {(s.beta1, s.beta2) for s in (IDSG["paper"], RFG["paper"])} == {(0.01, 0.99)}


def test_figures_and_sheets() -> None:
    idsg, rfg = IdsgStage(TINY_IDSG), RfgStage(TINY_RFG)
    faces = pictures(2, 64)
    faces |= {
        "driving": faces["target"],
        "driving_points": faces["points"],
        "driven_points": faces["source_points"],
    }
    with torch.no_grad():
        for stage, batch in ((idsg, shapes(2)), (rfg, faces)):
            assert {v.shape for v in stage.validate(batch, stage.networks).values()} == {(2,)}
            assert {c.shape[:2] for c in stage.sheet(batch, stage.networks).values()} == {(2, 3)}
            assert set(stage.examples(1)) == set(stage.networks)


def test_tiny_idsg_learns_eight_faces() -> None:
    """With a small subject loss: C_l soon knows eight people by heart, and then outweighs all else."""
    batch = shapes(8)
    quick = {"rate": 5e-3, "beta1": 0.9, "residual": True}
    stage = IdsgStage(replace(TINY_IDSG, **quick, weight_adversarial=0.1, weight_subject=0.1, weight_shape=0.0))
    Steps(stage).run(batch, 100)
    with torch.no_grad():
        values = stage.validate(batch, stage.networks)
    figures = {name: float(value.mean()) for name, value in values.items()}
    assert figures["ace_px"] < 0.7 < 1.3 < figures["ace_px_copy"]


def test_tiny_rfg_learns_eight_pairs() -> None:
    batch = pictures(8, 32)
    quick = {"size": 32, "rate": 6e-3, "beta1": 0.9}
    stage = RfgStage(replace(TINY_RFG, **quick, weight_adversarial=0.0, weight_style=0.0))
    with torch.no_grad():
        begun = float(stage.validate(batch, stage.networks)["l1"].mean())
    Steps(stage).run(batch, 60)
    with torch.no_grad():
        done = float(stage.validate(batch, stage.networks)["l1"].mean())
    assert done < 0.33 < 0.6 < begun


def golden_steps() -> dict[str, list[dict[str, float]]]:
    stages = {"idsg": (IdsgStage(TINY_IDSG), shapes(4)), "rfg": (RfgStage(TINY_RFG), pictures(4, 64))}
    runs = {name: (Steps(stage), batch) for name, (stage, batch) in stages.items()}
    return {
        name: [{term: round(value, 6) for term, value in steps.run(batch).items()} for _ in range(3)]
        for name, (steps, batch) in runs.items()
    }


def test_three_steps_as_before() -> None:
    wanted = json.loads(GOLDEN.read_text())
    for name, steps in golden_steps().items():
        for made, golden in zip(steps, wanted[name], strict=True):
            assert made == pytest.approx(golden, rel=2e-2, abs=1e-3)


if __name__ == "__main__":
    torch.set_num_threads(1)
    GOLDEN.write_text(json.dumps(golden_steps(), indent=1) + "\n")
