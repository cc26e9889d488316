"""FIPLS' stages: terms and switches, the schedule, golden steps, the tiny presets learning."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from fipls_bench import posed, sequences  # noqa: E402
from stage_bench import Steps, without_gradient  # noqa: E402

from reenact.systems.fipls import FIPLS_TRAINING, presets  # noqa: E402
from reenact.systems.fipls.lsg import to_pixels, to_unit, upsample  # noqa: E402
from reenact.systems.fipls.train import LsgStage, ReenactmentStage  # noqa: E402

GOLDEN = Path(__file__).parents[2] / "golden" / "fipls_stages.json"
LSG, REENACTMENT = presets.LSG["tiny"], presets.REENACTMENT["tiny"]
LSG_OFF = dict.fromkeys(
    ("weight_real", "weight_same", "weight_output_label", "weight_hidden_label", "weight_shift"), 0.0
)
TERMS = {
    "weight_real": {"real_d", "real_g"},
    "weight_same": {"same_d", "same_g"},
    "weight_output_label": {"output_label_d", "output_label_g"},
    "weight_hidden_label": {"hidden_label_d", "hidden_label_g"},
    "weight_shift": {"shift"},
    "weight_truth": {"truth"},
}
PICTURE_TERMS = {
    "weight_adversarial": {"adversarial_d", "adversarial_g"},
    "weight_identity": {"identity"},
    "weight_mask": {"mask"},
    "weight_boundary": {"boundary"},
    "weight_perceptual": {"perceptual"},
}


def test_presets_of_every_stage() -> None:
    for stage in FIPLS_TRAINING.stages:
        assert {"paper", "small", "tiny"} <= set(stage.presets)
        assert len({type(settings) for settings in stage.presets.values()}) == 1


def test_a_gradient_for_every_parameter() -> None:
    for missing in (
        without_gradient(LsgStage(LSG), sequences(4)),
        without_gradient(ReenactmentStage(REENACTMENT), posed(2, 64)),
    ):
        assert missing and not any(missing.values()), missing


@pytest.mark.parametrize("name", TERMS)
def test_each_term_of_2_can_be_switched_off(name: str) -> None:
    everything = set().union(*TERMS.values())
    terms = Steps(LsgStage(replace(LSG, **{name: 0.0}))).run(sequences(4))
    assert set(terms) == everything - TERMS[name]


def test_the_first_step_in_figures() -> None:
    """Terms of (2) to (4) recomputed from the networks as they were before the step."""
    batch = sequences(4)
    terms = Steps(LsgStage(LSG)).run(batch)
    before = LsgStage(LSG)
    ends = to_unit(batch["ends"], 256)
    with torch.no_grad():
        made, hidden = before.generator(ends)
        real = before.real(to_unit(batch["real"], 256).flatten(0, 1)).sigmoid()
        fake = before.real(made.flatten(0, 1)).sigmoid()
        label = before.hidden_label(hidden).log_softmax(1).gather(1, batch["person"][:, None])
    critic = -real.log().mean() - (1 - fake).log().mean()
    assert terms["real_d"] == pytest.approx(float(critic), rel=1e-4)
    assert terms["hidden_label_d"] == pytest.approx(float(-label.mean()), rel=1e-5)
    truth = (made - to_unit(batch["truth"], 256)).abs().mean()
    assert terms["truth"] == pytest.approx(float(truth), rel=1e-5)
    assert terms["shift"] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("off", "left"),
    [
        ((), {"identity", "mask", "boundary"}),
        (("boundary",), {"identity", "mask"}),
        (("boundary", "mask"), {"identity"}),
        (("boundary", "mask", "identity"), set()),
    ],
    ids=["+boundary", "+mask", "+identity", "vanilla"],
)
def test_columns_of_figure_6_are_settings(off: tuple[str, ...], left: set[str]) -> None:
    on = {f"weight_{name}": 1.0 for name in ("identity", "boundary", "perceptual")}
    settings = replace(replace(REENACTMENT, **on), **{f"weight_{name}": 0.0 for name in off})
    terms = Steps(ReenactmentStage(settings)).run(posed(1, 64))
    assert set(terms) == {"adversarial_d", "adversarial_g", "perceptual", *left}


@pytest.mark.parametrize("gan", ["least_squares", "log"])
def test_feature_matching_and_the_form_of_the_adversarial_loss_are_switches(gan: str) -> None:
    settings = replace(REENACTMENT, weight_features=10.0, gan=gan)
    terms = Steps(ReenactmentStage(settings)).run(posed(1, 64))
    assert set(terms) == {"adversarial_d", "adversarial_g", "features", "mask"}


def test_small_s_own_terms_are_switches_and_the_judges_may_see_a_part_of_the_batch() -> None:
    settings = replace(REENACTMENT, keep=True, weight_pixels=1.0, weight_drawn=1.0, weight_perceptual=1.0)
    whole, part = (Steps(ReenactmentStage(replace(settings, judged=n))).run(posed(3, 64)) for n in (0, 1))
    first = Steps(ReenactmentStage(settings)).run({name: v[:1] for name, v in posed(3, 64).items()})
    own = {"mask", "pixels", "drawn", "perceptual"}
    assert set(whole) == set(part) == {"adversarial_d", "adversarial_g", *own}
    assert part["pixels"] == pytest.approx(whole["pixels"], rel=1e-4)
    assert part["perceptual"] == pytest.approx(first["perceptual"], rel=1e-4)
    assert abs(whole["perceptual"] - part["perceptual"]) > 1e-3
    # Half of the source is laid over what was drawn, so the two are not one picture.
    assert abs(whole["drawn"] - whole["pixels"]) > 1e-3


def test_judges_have_a_rate_and_a_view_of_their_own() -> None:
    stage = LsgStage(replace(LSG, rate=1e-3, judge_rate=2e-4, whiten=True))
    rates = {name: stage.optimiser(name).param_groups[0]["lr"] for name in stage.networks}
    assert rates.pop("generator") == 1e-3 and set(rates.values()) == {2e-4}
    stage.begin(sequences(600))
    fine, coarse = stage.generator.view.whitening, stage.real.view.whitening
    assert float(fine.abs().max()) > 5 * float(coarse.abs().max()) > 5 * 0.5
    plain = LsgStage(LSG)
    plain.begin(sequences(4))
    torch.testing.assert_close(plain.generator.view.whitening, torch.eye(196))


def test_gradients_of_identity_and_boundary_reach_the_generator() -> None:
    off = {"weight_adversarial": 0.0, "weight_mask": 0.0}
    for name in ("identity", "boundary", "perceptual"):
        stage = ReenactmentStage(replace(REENACTMENT, **off, **{f"weight_{name}": 1.0}))
        seen: dict[str, float] = {}

        def update(network: str, terms: Mapping[str, torch.Tensor], weights: Mapping[str, float]) -> None:
            weight = stage.generator.last[1].weight  # noqa: B023
            seen[network] = float(torch.autograd.grad(terms[name], weight)[0].abs().max())  # noqa: B023

        stage.step(posed(1, 64), update)
        assert set(seen) == {"generator"} and seen["generator"] > 0, name


def test_45_epochs_of_which_the_last_15_fall_to_zero() -> None:
    for stage in (
        LsgStage(replace(LSG, epochs=45, constant_epochs=30)),
        ReenactmentStage(replace(REENACTMENT, epochs=45, constant_epochs=30)),
    ):
        assert [stage.factor("generator", e) for e in (0, 30, 37.5, 45)] == pytest.approx([1, 1, 0.5, 0])
    for table in (presets.LSG, presets.REENACTMENT):
        paper = table["paper"]
        assert (paper.epochs, paper.constant_epochs, paper.rate) == (45, 30, 2e-4)
        assert (paper.beta1, paper.beta2) == (0.5, 0.999)
    assert presets.REENACTMENT["paper"].each == 10


def test_figures_and_sheets() -> None:
    for stage, batch in (
        (LsgStage(LSG), sequences(3)),
        (ReenactmentStage(REENACTMENT), posed(3, 64)),
    ):
        with torch.no_grad():
            figures = stage.validate(batch, stage.networks)
            columns = stage.sheet(batch, stage.networks)
        assert stage.best in {"", *figures}  # '' takes the last
        assert all(value.shape == (3,) for value in figures.values())
        assert {column.shape[:2] for column in columns.values()} == {(3, 3)}
        assert set(stage.averaged) <= set(stage.networks) == set(stage.examples(1))


def test_lsg_begins_at_li_in_the_figures_too() -> None:
    batch = sequences(3)
    stage = LsgStage(LSG)
    with torch.no_grad():
        figures = stage.validate(batch, stage.networks)
    torch.testing.assert_close(figures["ace_px"], figures["ace_px_li"])
    line = to_pixels(upsample(to_unit(batch["ends"], 256), LSG.frames), 256)
    assert float(figures["ace_px"][0]) == pytest.approx(
        float((line - batch["truth"])[0].abs().mean()), rel=1e-4
    )


def test_tiny_lsg_learns_eight_sequences() -> None:
    """Better than linear interpolation of the same ends by two fifths."""
    batch = sequences(8)
    names = ("real", "same", "output_label", "hidden_label")
    weights = {f"weight_{name}": 0.0 if name == "output_label" else 0.01 for name in names}
    stage = LsgStage(replace(LSG, hidden=64, beta1=0.9, **weights))
    Steps(stage).run(batch, 160)
    with torch.no_grad():
        values = stage.validate(batch, stage.networks)
    figures = {name: float(value.mean()) for name, value in values.items()}
    assert figures["ace_px"] < 0.6 * figures["ace_px_li"], figures


def test_tiny_reenactment_learns_eight_pairs() -> None:
    """Without the source's colour the error would stay above 0.3."""
    batch = posed(8, 32)
    stage = ReenactmentStage(
        replace(REENACTMENT, size=32, width=8, rate=3e-3, weight_adversarial=0.1, critic_scales=1)
    )
    batch["mask"][:] = 1
    Steps(stage).run(batch, 100)
    with torch.no_grad():
        done = float(stage.validate(batch, stage.networks)["l1"].mean())
    assert done < 0.18, done


def golden_steps() -> dict[str, list[dict[str, float]]]:
    found = {}
    for name, steps, batch in (
        ("lsg", Steps(LsgStage(LSG)), sequences(4)),
        ("reenactment", Steps(ReenactmentStage(REENACTMENT)), posed(4, 64)),
    ):
        found[name] = [{key: round(v, 6) for key, v in steps.run(batch).items()} for _ in range(3)]
    return found


def test_three_steps_as_before() -> None:
    """Against `tests/golden`; where a change of the numbers is meant, running this file writes them anew."""
    wanted = json.loads(GOLDEN.read_text())
    for name, made in golden_steps().items():
        for one, golden in zip(made, wanted[name], strict=True):
            assert one == pytest.approx(golden, rel=2e-2, abs=1e-3)


if __name__ == "__main__":
    torch.set_num_threads(1)
    GOLDEN.write_text(json.dumps(golden_steps(), indent=1) + "\n")
