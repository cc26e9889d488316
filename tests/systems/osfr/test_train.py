"""OSFR's step: terms of (3.15), the tables' rows as settings, rates, masks, and the tiny preset learning."""

from __future__ import annotations

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from stage_bench import Steps, stills  # noqa: E402

from reenact.systems.osfr import OSFR_TRAINING, presets  # noqa: E402
from reenact.systems.osfr.train import OsfrStage  # noqa: E402

TINY = presets.MAIN["tiny"]
BOTH = {"adversarial", "adversarial_d"}


@pytest.mark.parametrize(
    ("changes", "gone"),
    [
        ({}, set()),
        ({"weight_identity": 0.0}, {"identity"}),
        ({"weight_perceptual": 0.0}, {"perceptual"}),
        ({"weight_adversarial": 0.0}, BOTH),
    ],
    ids=["all", "no identity", "no perceptual", "not adversarial"],
)
def test_terms_can_be_switched_off(changes: dict[str, float], gone: set[str]) -> None:
    settings = replace(TINY, **{"weight_identity": 1.0, "weight_perceptual": 1.0, **changes})
    terms = set(Steps(OsfrStage(settings)).run(stills(2, 32)))
    assert terms == {"appearance", "reconstruction", "identity", "perceptual", *BOTH} - gone


def test_the_first_step_in_figures() -> None:
    """Terms of (3.15) recomputed from the networks as they were before the step."""
    batch = stills(4, 32)
    terms = Steps(OsfrStage(TINY)).run(batch)
    before = OsfrStage(TINY)
    with torch.no_grad():
        seen = before._seen(batch)
        made, rebuilt = before.generator(seen.reference, seen.parsing)
        real, fake = before.discriminator(seen.driving), before.discriminator(made)
    assert terms["appearance"] == pytest.approx(float((rebuilt - seen.reference).abs().mean()), rel=1e-4)
    assert terms["reconstruction"] == pytest.approx(float((made - seen.driving).abs().mean()), rel=1e-4)
    critic = sum(float(((r - 1) ** 2).mean() + (f**2).mean()) / 2 for r, f in zip(real, fake, strict=True))
    assert terms["adversarial_d"] == pytest.approx(critic, rel=1e-4)


def test_the_papers_values() -> None:
    """Section 4.1.3 and (3.15)."""
    main, finetune = presets.MAIN["paper"], presets.FINETUNE["paper"]
    weights = ("appearance", "reconstruction", "identity", "perceptual", "adversarial")
    assert [getattr(main, f"weight_{name}") for name in weights] == [25, 25, 1, 1, 1]
    assert (main.batch, main.beta1, main.beta2, main.size) == (16, 0.5, 0.999, 256)
    assert (main.epochs, main.rate, main.rate_discriminator, main.masked) == (45, 1e-4, 5e-5, True)
    assert (finetune.epochs, finetune.masked) == (2, False)
    assert (finetune.rate, finetune.rate_discriminator) == pytest.approx((2e-5, 1e-5))
    assert [(stage.name, stage.after) for stage in OSFR_TRAINING.stages] == [("main", ""), ("finetune", "main")]


def test_each_network_has_its_rate_and_keeps_it() -> None:
    stage = OsfrStage(TINY)
    rates = {name: stage.optimiser(name).param_groups[0]["lr"] for name in stage.networks}
    assert rates == {"generator": 2e-3, "discriminator": 1e-3}
    assert stage.factor("generator", 0) == stage.factor("generator", 44.9) == 1


def test_rows_of_table_4_2_are_settings() -> None:
    """'No concat', and four values of lambda."""
    batch = stills(2, 32)
    for changes in ({"concat": False}, *({"weight_appearance": value} for value in (3.0, 10.0, 50.0))):
        assert "appearance" in Steps(OsfrStage(replace(TINY, **changes))).run(batch)


def test_main_sees_faces_alone_and_finetune_whole_pictures() -> None:
    batch = stills(2, 32)
    inside = batch["source_mask"].expand(-1, 3, -1, -1) > 0
    main, whole = (OsfrStage(one["tiny"])._seen(batch).reference for one in (presets.MAIN, presets.FINETUNE))
    torch.testing.assert_close(whole, batch["source"])
    torch.testing.assert_close(main[inside], whole[inside])
    assert (main[~inside] == -1).all()


def test_tiny_learns_eight_stills() -> None:
    """Better than the still itself; without the source's colour the error would stay above 0.2."""
    batch = stills(8, 32)
    stage = OsfrStage(TINY)

    def figures() -> dict[str, float]:
        with torch.no_grad():
            values = stage.validate(batch, stage.networks)
        return {name: float(value.mean()) for name, value in values.items()}

    begun = figures()
    Steps(stage).run(batch, 60)
    done = figures()
    assert done["l1"] < 0.085 < done["l1_copy"] < 0.5 < begun["l1"]
    assert done["l1_appearance"] < 0.3 < begun["l1_appearance"]
