"""HR-Net: its networks, its losses by hand, and the tiny presets learning a handful of samples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from reenact.geometry.face_model import default_face_model  # noqa: E402
from reenact.geometry.schemes import convert_points  # noqa: E402
from reenact.systems.hr_net import bfr, presets  # noqa: E402
from reenact.systems.hr_net.lic import Converter, Discriminator, to_pixels, to_unit  # noqa: E402
from reenact.systems.hr_net.losses import landmark_l1, local_perceptual, picture_l1  # noqa: E402
from reenact.systems.hr_net.train import BfrStage, LicStage  # noqa: E402


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Small networks gain nothing from more, and lose much where they wait for one another."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


TINY_LIC, TINY_BFR = presets.LIC["tiny"], presets.BFR["tiny"]


class Steps:
    """What the loop does for a stage, without the loop: one optimiser a network."""

    def __init__(self, stage: Any) -> None:
        self.stage = stage
        self.optimisers = {name: stage.optimiser(name) for name in stage.networks}
        self.terms: dict[str, float] = {}

    def __call__(self, name: str, terms: Any, weights: Any) -> None:
        self.terms |= {term: float(value.detach()) for term, value in terms.items()}
        total = sum(weights[term] * value for term, value in terms.items())
        self.optimisers[name].zero_grad()
        total.backward(inputs=list(self.stage.networks[name].parameters()))
        self.optimisers[name].step()


def triples(count: int) -> dict[str, Any]:
    """Faces that are a mean and a few shifts of it: the target has the driving shift and the source's size."""
    rng = np.random.default_rng(5)
    face = convert_points(default_face_model().mean, "ibug68")[:, :2] * 60 + 128
    size, shift = rng.uniform(0.9, 1.1, (2, count, 1, 1)), rng.uniform(-8, 8, (2, count, 1, 2))
    made = {
        "driving": (face - 128) * size[0] + 128 + shift[0],
        "source": (face - 128) * size[1] + 128 + shift[1],
        "target": (face - 128) * size[1] + 128 + shift[0],
    }
    return {name: torch.from_numpy(points.astype(np.float32)) for name, points in made.items()}


def pairs(count: int, size: int) -> dict[str, Any]:
    """Pictures whose colour is the source's and whose dark shape is the landmarks'."""
    rng = np.random.default_rng(6)
    colour = torch.from_numpy(rng.uniform(-0.6, 0.9, (count, 3, 1, 1)).astype(np.float32))
    points = (triples(count)["target"] / 256 * size, triples(count)["source"] / 256 * size)
    stage = BfrStage(replace(TINY_BFR, size=size))
    shapes = [(stage.shape(one) + 1) / 2 for one in points]
    pictures = [colour * (1 - shape) - shape for shape in shapes]
    return {"target": pictures[0], "source": pictures[1], "landmarks": points[0]}


# --- the converter (III-A)


def test_units_go_there_and_back() -> None:
    points = torch.tensor([[[0.0, 0.0], [128.0, 128.0], [256.0, 64.0]]]).repeat(1, 1, 1)
    unit = to_unit(points, 256)
    torch.testing.assert_close(unit, torch.tensor([[-1.0, -1, 0, 0, 1, -0.5]]))
    many = torch.rand(4, 68, 2) * 256
    torch.testing.assert_close(to_pixels(to_unit(many, 256), 256), many)


@pytest.mark.parametrize("count", [1, 3])
def test_five_layers_each_and_their_mirror(count: int) -> None:
    widths = presets.LIC["paper"].widths
    converter, critic = Converter(widths), Discriminator(widths)
    driving, source = torch.randn(2, count, 136)
    assert converter(driving, source).shape == (count, 136) and critic(driving).shape == (count,)
    for part in (converter.action, converter.identity, converter.decoder, critic.layers):
        assert sum(isinstance(layer, torch.nn.Linear) for layer in part) == 5
    sizes = [tuple(layer.weight.shape) for layer in converter.decoder if isinstance(layer, torch.nn.Linear)]
    assert sizes == [(256, 256), (256, 256), (512, 256), (512, 512), (136, 512)]


def test_action_comes_from_the_driving_face_and_identity_from_the_source() -> None:
    torch.manual_seed(0)
    converter = Converter((8, 8, 8, 8, 8))
    driving, source = torch.randn(2, 1, 136)
    code = torch.cat([converter.action(driving), converter.identity(source)], 1)
    torch.testing.assert_close(converter(driving, source), converter.decoder(code))


def test_a_residual_converter_begins_at_the_driving_face() -> None:
    driving, source = torch.randn(2, 5, 136)
    assert torch.equal(Converter((8, 8, 8, 8, 8), residual=True)(driving, source), driving)


def test_whitening_gives_unit_variance_where_there_is_any() -> None:
    torch.manual_seed(0)
    converter = Converter((8, 8, 8, 8, 8))
    faces = torch.randn(4000, 3) @ torch.randn(3, 136) * 0.05 + torch.randn(136)
    converter.whiten_by(faces)
    seen = (faces - converter.centre) @ converter.whitening
    variance = seen.var(0).sort(descending=True).values
    torch.testing.assert_close(variance[:3], torch.ones(3), atol=1e-2, rtol=0)
    assert float(variance[3:].max()) < 1e-3


# --- losses


def test_losses_by_hand() -> None:
    result, truth = torch.tensor([[1.0, 2.0], [0.0, 0.0]]), torch.tensor([[0.0, 4.0], [1.0, 0.0]])
    assert float(landmark_l1(result, truth, mean=True)) == pytest.approx(4 / 4)
    assert float(landmark_l1(result, truth, mean=False)) == pytest.approx((3 + 1) / 2)
    assert float(picture_l1(result, truth)) == pytest.approx(1.0)
    maps = torch.zeros(1, 2, 1, 2), torch.tensor([[[[1.0, 2.0]], [[3.0, 0.0]]]])
    assert float(local_perceptual(*maps)) == pytest.approx(((1 + 9) + 4) / 2)


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
    stage = LicStage(replace(TINY_LIC, **changes))
    steps = Steps(stage)
    stage.step(triples(8), steps)
    assert set(steps.terms) == terms


def test_the_first_step_in_figures() -> None:
    """Each term of (5) recomputed from the networks as they were before the step."""
    settings, batch = TINY_LIC, triples(8)
    stage, before = LicStage(settings), LicStage(settings)
    steps = Steps(stage)
    stage.step(batch, steps)
    driving, source, target = (to_unit(batch[name], 256) for name in ("driving", "source", "target"))
    before.converter.requires_grad_(False)
    before.discriminator.requires_grad_(False)
    made = before.converter(driving, source)
    distance = [((made - other) ** 2).sum(1).sqrt() for other in (target, driving)]
    assert steps.terms["l1"] == pytest.approx(float((made - target).abs().mean()), rel=1e-5)
    triplet = (distance[0] - distance[1] + 1).clamp(min=0).mean()
    assert steps.terms["triplet"] == pytest.approx(float(triplet), rel=1e-5)
    same = (before.converter(source, source) - source).abs().mean()
    assert steps.terms["identity"] == pytest.approx(float(same), rel=1e-5)
    real, fake = before.discriminator(target).sigmoid(), before.discriminator(made).sigmoid()
    critic = -real.log().mean() - (1 - fake).log().mean()
    assert steps.terms["adversarial_d"] == pytest.approx(float(critic), rel=1e-4)


def test_equation_3_as_printed_is_a_switch() -> None:
    batch = triples(8)
    values = []
    for goal in ("source", "target"):
        stage = LicStage(replace(TINY_LIC, identity_of=goal))
        steps = Steps(stage)
        stage.step(batch, steps)
        values.append(steps.terms["identity"])
    assert values[0] != values[1]


def test_tiny_lic_learns_eight_triples() -> None:
    batch = triples(8)
    stage = LicStage(replace(TINY_LIC, widths=(64, 64, 64, 64, 32), beta1=0.9, weight_triplet=0.0))
    steps = Steps(stage)
    for _ in range(300):
        stage.step(batch, steps)
    figures = {name: float(value.mean()) for name, value in stage.validate(batch, stage.networks).items()}
    assert figures["ace_px"] < 1.2 < 1.8 < figures["ace_px_copy"]


# --- the generator (III-B)


@pytest.mark.parametrize("size", [64, 128])
def test_shapes_at_two_sizes_and_a_gradient_for_every_parameter(size: int) -> None:
    torch.manual_seed(0)
    settings = replace(TINY_BFR, size=size)
    generator, critic = bfr.Generator(settings), bfr.Discriminator(settings)
    boundary, source = torch.randn(2, 2, 3, size, size)
    picture = generator(boundary, source)
    assert picture.shape == (2, 3, size, size) and float(picture.detach().abs().max()) <= 1
    (critic(picture, boundary).square().mean() + picture.square().mean()).backward()
    for net in (generator, critic):
        missing = [name for name, p in net.named_parameters() if p.grad is None]
        assert not missing


def test_the_style_is_of_the_source_alone() -> None:
    """So that it is computed once a source; the boundary image reaches the picture by T_f."""
    torch.manual_seed(0)
    generator = bfr.Generator(TINY_BFR)
    boundary, source = torch.randn(2, 1, 3, 64, 64)
    torch.testing.assert_close(
        generator(boundary, source), generator.transformer(boundary, generator.style(source))
    )


def test_the_papers_blocks_are_there() -> None:
    with torch.device("meta"):
        generator = bfr.Generator(presets.BFR["paper"])
    transformer = generator.transformer
    assert (len(transformer.down), len(transformer.middle), len(transformer.up)) == (4, 4, 4)
    assert len(generator.style.blocks) == 6
    assert isinstance(transformer.last, torch.nn.ConvTranspose2d)


def test_landmarks_can_take_the_place_of_boundaries() -> None:
    points = triples(2)["target"] / 4
    lines, dots = (BfrStage(replace(TINY_BFR, boundary=kind)).shape(points) for kind in ("lines", "dots"))
    assert lines.shape == dots.shape == (2, 3, 64, 64)
    assert float(dots.max()) > 0.9 and float((dots > -1).float().mean()) < float((lines > -1).float().mean())


@pytest.mark.parametrize("name", ["weight_adversarial", "weight_perceptual"])
def test_terms_of_11_can_be_switched_off(name: str) -> None:
    stage = BfrStage(replace(TINY_BFR, **{name: 0.0}))
    steps = Steps(stage)
    stage.step(pairs(2, 64), steps)
    assert ("adversarial_g" in steps.terms) == (
        name != "weight_adversarial"
    ) and "perceptual" not in steps.terms


def test_tiny_bfr_learns_eight_pairs() -> None:
    """Without the source's colour the error would stay above 0.3."""
    torch.manual_seed(0)
    batch = pairs(8, 32)
    small = replace(TINY_BFR, size=32, downs=3, middles=1, style_blocks=4, rate=2e-3, weight_adversarial=0.1)
    stage = BfrStage(small)
    steps = Steps(stage)
    begun = float(stage.validate(batch, stage.networks)["l1"].mean())
    for _ in range(100):
        stage.step(batch, steps)
    done = float(stage.validate(batch, stage.networks)["l1"].mean())
    assert done < 0.18 < 0.4 < begun
