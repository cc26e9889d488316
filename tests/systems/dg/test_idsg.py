"""The ID-preserving shape generator: units, layers, what goes where (section 3.1)."""

from __future__ import annotations

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from dg_bench import TINY_IDSG  # noqa: E402

from reenact.systems.dg import idsg, presets  # noqa: E402
from reenact.systems.dg.face_code import repeated  # noqa: E402

LINEAR = torch.nn.Linear


def test_units_go_there_and_back() -> None:
    points = torch.rand(4, 68, 3) * 256
    unit = idsg.to_unit(points, 256)
    back = idsg.to_pixels(unit, 256)
    torch.testing.assert_close(back[..., :2], points[..., :2])
    torch.testing.assert_close(back[..., 2], points[..., 2] - points[..., 2].mean(1, keepdim=True))
    assert unit.shape == (4, 204) and float(unit.view(4, 68, 3)[..., :2].max()) <= 1


@pytest.mark.parametrize("count", [1, 3])
def test_five_layers_each_and_their_mirror(count: int) -> None:
    settings = replace(presets.IDSG["paper"], widths=(40, 30, 20, 10, 6), code_length=12)
    generator, critic = idsg.Generator(settings), idsg.Discriminator(settings)
    namer = idsg.Classifier(settings)
    points, code = torch.randn(count, 204), torch.randn(count, 12)
    assert generator(points, code).shape == (count, 204) and generator.action(points).shape == (count, 6)
    assert critic(points).shape == (count,) and namer(points).shape == (count, 67)
    parts = (generator.encoder, generator.decoder, critic.layers, namer.layers)
    sizes = [[m.out_features for m in part if isinstance(m, LINEAR)] for part in parts]
    assert sizes == [[40, 30, 20, 10, 6], [10, 20, 30, 40, 204], [40, 30, 20, 10, 1], [40, 30, 20, 10, 67]]


def test_the_papers_face_code_has_2048_numbers() -> None:
    with torch.device("meta"):
        generator = idsg.Generator(presets.IDSG["paper"])
    first = generator.decoder[0]
    assert isinstance(first, LINEAR) and first.in_features == 128 + 2048


def test_the_code_decides_the_face_and_a_residual_one_begins_at_the_driving_points() -> None:
    torch.manual_seed(0)
    points, codes = torch.randn(1, 204), torch.randn(2, 32)
    plain = idsg.Generator(TINY_IDSG)
    assert float((plain(points, codes[:1]) - plain(points, codes[1:])).detach().abs().max()) > 1e-3
    residual = idsg.Generator(replace(TINY_IDSG, residual=True))
    assert torch.equal(residual(points, codes[:1]), points)


def test_codes_are_repeated_to_their_length() -> None:
    assert repeated(torch.tensor([[1.0, 2.0, 3.0]]), 7).tolist() == [[1, 2, 3, 1, 2, 3, 1]]
    assert repeated(torch.tensor([[1.0, 2.0, 3.0]]), 2).tolist() == [[1, 2]]
