"""The reenacted face generator: shapes at several sizes, the paper's blocks, the landmark map (section 3.2)."""

from __future__ import annotations

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from dg_bench import TINY_RFG, pictures  # noqa: E402

from reenact.nn.blocks import StyledBlock  # noqa: E402
from reenact.systems.dg import presets, rfg  # noqa: E402
from reenact.systems.dg.train import in_68  # noqa: E402


@pytest.mark.parametrize("size", [32, 64])
def test_shapes(size: int) -> None:
    torch.manual_seed(0)
    settings = replace(TINY_RFG, size=size)
    generator = rfg.Generator(settings)
    landmarks, source = torch.randn(2, 1, size, size), torch.randn(2, 3, size, size)
    picture = generator(landmarks, source)
    assert picture.shape == (2, 3, size, size) and generator.style(source).shape == (2, 8)
    torch.testing.assert_close(picture, generator.transformer(landmarks, generator.style(source)))
    assert rfg.Discriminator(3, settings)(picture).shape == (2,)
    assert rfg.Discriminator(1, settings)(landmarks).shape == (2,)


def test_networks_on_patches_have_the_same_shapes() -> None:
    settings = replace(TINY_RFG, size=64, patch=2, style_blocks=3)
    picture = rfg.Generator(settings)(torch.randn(2, 1, 64, 64), torch.randn(2, 3, 64, 64))
    assert picture.shape == (2, 3, 64, 64) and rfg.Discriminator(3, settings)(picture).shape == (2,)


def test_the_papers_blocks_are_there() -> None:
    """4 down, 4 intermediate, 4 up; the style enters the last two intermediate and all up blocks."""
    with torch.device("meta"):
        generator = rfg.Generator(presets.RFG["paper"])
        critic = rfg.Discriminator(3, presets.RFG["paper"])
    g = generator.transformer
    assert (len(g.down), len(g.plain), len(g.styled), len(g.up)) == (4, 2, 2, 4)
    assert all(isinstance(block, StyledBlock) for block in (*g.styled, *g.up))
    assert len(generator.style.blocks) == len(critic.encoder.blocks) == 6


def test_the_map_is_binary_and_its_soft_form_leads_back_to_the_points() -> None:
    points = in_68(pictures(2, 64)["points"]).requires_grad_()
    hard = rfg.drawn(points, TINY_RFG)
    assert hard.shape == (2, 1, 64, 64) and set(hard.unique().tolist()) == {-1.0, 1.0}
    soft = rfg.drawn(points, TINY_RFG, soft=True)
    soft.square().sum().backward()
    assert points.grad is not None and float(points.grad.abs().max()) > 0
    assert float(((soft.detach() > 0) == (hard > 0)).float().mean()) > 0.98
