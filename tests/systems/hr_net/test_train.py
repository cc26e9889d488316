"""HR-Net's stages: terms of (5) and (11), the tables' rows as settings, and the tiny presets learning."""

from __future__ import annotations

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from stage_bench import Steps, pairs, triples  # noqa: E402

from reenact.systems.hr_net import presets  # noqa: E402
from reenact.systems.hr_net.lic import to_unit  # noqa: E402
from reenact.systems.hr_net.train import BfrStage, LicStage  # noqa: E402

TINY_LIC, TINY_BFR = presets.LIC["tiny"], presets.BFR["tiny"]


@pytest.mark.parametrize(
    ("changes", "terms"),
    [
        ({}, {"l1", "adversarial_d", "adversarial_g", "identity", "triplet"}),
        ({"weight_triplet": 0.0}, {"l1", "adversarial_d", "adversarial_g", "identity"}),
        ({"weight_triplet": 0.0, "weight_identity": 0.0}, {"l1", "adversarial_d", "adversarial_g"}),
        ({"weight_triplet": 0.0, "weight_identity": 0.0, "weight_adversarial": 0.0}, {"l1"}),
    ],
    ids=["all", "no triplet", "adversarial", "BL"],
)
def test_rows_of_table_iv_are_settings(changes: dict[str, float], terms: set[str]) -> None:
    assert set(Steps(LicStage(replace(TINY_LIC, **changes))).run(triples(8))) == terms


def test_the_first_step_in_figures() -> None:
    """Each term of (5) recomputed from the networks as they were before the step."""
    settings, batch = TINY_LIC, triples(8)
    terms = Steps(LicStage(settings)).run(batch)
    before = LicStage(settings)
    before.converter.requires_grad_(False)
    before.discriminator.requires_grad_(False)
    driving, source, target = (to_unit(batch[name], 256) for name in ("driving", "source", "target"))
    made = before.converter(driving, source)
    distance = [((made - other) ** 2).sum(1).sqrt() for other in (target, driving)]
    assert terms["l1"] == pytest.approx(float((made - target).abs().mean()), rel=1e-5)
    expected = (distance[0] - distance[1] + 1).clamp(min=0).mean()
    assert terms["triplet"] == pytest.approx(float(expected), rel=1e-5)
    same = (before.converter(source, source) - source).abs().mean()
    assert terms["identity"] == pytest.approx(float(same), rel=1e-5)
    real, fake = before.discriminator(target).sigmoid(), before.discriminator(made).sigmoid()
    critic = -real.log().mean() - (1 - fake).log().mean()
    assert terms["adversarial_d"] == pytest.approx(float(critic), rel=1e-4)


def test_equation_3_as_printed_is_a_switch() -> None:
    """With the source's landmarks as goal, or the target's."""
    batch, before = triples(8), LicStage(TINY_LIC)
    before.converter.requires_grad_(False)
    source = to_unit(batch["source"], 256)
    same = before.converter(source, source)
    for goal in ("source", "target"):
        terms = Steps(LicStage(replace(TINY_LIC, identity_of=goal))).run(batch)
        wanted = float((same - to_unit(batch[goal], 256)).abs().mean())
        assert terms["identity"] == pytest.approx(wanted, rel=1e-5)


def test_the_rate_falls_by_forty_per_cent_every_600_epochs() -> None:
    stage = LicStage(presets.LIC["paper"])
    factors = [stage.factor("converter", epoch) for epoch in (0, 599, 600, 1200, 1800)]
    assert factors == pytest.approx([1, 1, 0.6, 0.36, 0.216])
    adam = stage.optimiser("converter")
    assert adam.param_groups[0]["lr"] == 2e-4 and adam.param_groups[0]["betas"] == (0.99, 0.999)


def test_tiny_lic_learns_eight_triples() -> None:
    batch = triples(8)
    stage = LicStage(replace(TINY_LIC, widths=(64, 64, 64, 64, 32), beta1=0.9, weight_triplet=0.0))
    Steps(stage).run(batch, 300)
    with torch.no_grad():
        values = stage.validate(batch, stage.networks)
    figures = {name: float(value.mean()) for name, value in values.items()}
    assert figures["ace_px"] < 1.2 < 1.8 < figures["ace_px_copy"]


@pytest.mark.parametrize("name", ["weight_adversarial", "weight_perceptual"])
def test_terms_of_11_can_be_switched_off(name: str) -> None:
    """Table VI's first row among them."""
    terms = Steps(BfrStage(replace(TINY_BFR, block="relu3_3", **{name: 0.0}))).run(pairs(2, 64))
    assert ("adversarial_g" in terms) == (name != "weight_adversarial")
    assert ("perceptual" in terms) == (name != "weight_perceptual")


def test_the_adversary_can_come_later() -> None:
    stage = BfrStage(replace(TINY_BFR, epochs=10, adversarial_from=8))
    steps, batch = Steps(stage), pairs(2, 64)
    for epoch, critic in ((0.0, False), (7.9, False), (8.0, True)):
        stage.factor("generator", epoch)
        assert ({"adversarial_d", "adversarial_g"} <= set(steps.run(batch))) == critic


def test_the_perceptual_loss_of_a_part_of_the_batch() -> None:
    batch, settings = pairs(4, 64), replace(TINY_BFR, block="relu3_3", weight_adversarial=0.0)
    whole, half = (Steps(BfrStage(replace(settings, perceptual_share=share))) for share in (1.0, 0.5))
    part = {name: value[:2] for name, value in batch.items()}
    assert half.run(batch)["perceptual"] == pytest.approx(whole.run(part)["perceptual"], rel=1e-4)


def test_the_rate_is_constant_then_falls_to_zero() -> None:
    """'constant at its initial value for the first 150 epochs and then decreases linearly to zero'."""
    stage = BfrStage(replace(presets.BFR["tiny"], epochs=300, constant_epochs=150))
    factors = [stage.factor("generator", epoch) for epoch in (0, 150, 225, 300)]
    assert factors == pytest.approx([1, 1, 0.5, 0])


def test_tiny_bfr_learns_eight_pairs() -> None:
    """Without the source's colour the error would stay above 0.3."""
    batch = pairs(8, 32)
    small = replace(TINY_BFR, size=32, downs=3, middles=1, style_blocks=4, rate=2e-3, weight_adversarial=0.1)
    stage = BfrStage(small)
    with torch.no_grad():
        begun = float(stage.validate(batch, stage.networks)["l1"].mean())
    Steps(stage).run(batch, 100)
    with torch.no_grad():
        done = float(stage.validate(batch, stage.networks)["l1"].mean())
    assert done < 0.18 < 0.4 < begun
