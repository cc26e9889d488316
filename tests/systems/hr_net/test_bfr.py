"""The boundary-guided face reenactment: shapes at several sizes, the paper's blocks, the drawing (III-B)."""

from __future__ import annotations

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from stage_bench import triples  # noqa: E402

from reenact.systems.hr_net import bfr, presets  # noqa: E402

TINY = presets.BFR["tiny"]


@pytest.mark.parametrize("size", [32, 64, 128])
def test_shapes(size: int) -> None:
    torch.manual_seed(0)
    settings = replace(TINY, size=size, downs=3 if size == 32 else 4)
    generator, critic = bfr.Generator(settings), bfr.Discriminator(settings)
    boundary, source = torch.randn(2, 2, 3, size, size)
    picture = generator(boundary, source)
    assert picture.shape == (2, 3, size, size) and float(picture.detach().abs().max()) <= 1
    side = size // 8 - 2
    assert critic(picture, boundary).shape == (2, 1, side, side)


def test_ends_of_stride_two_and_a_smaller_style_picture() -> None:
    """As `small` has them: the maps between are of half the side, and E_s sees the source averaged down."""
    torch.manual_seed(0)
    generator = bfr.Generator(replace(TINY, stride=2, downs=3, style_size=32))
    boundary, source = torch.randn(2, 1, 3, 64, 64)
    assert generator(boundary, source).shape == (1, 3, 64, 64)
    assert generator.transformer.first(boundary).shape[-1] == 32
    coarse = source.view(1, 3, 32, 2, 32, 2).mean((3, 5))
    torch.testing.assert_close(generator.style(source), generator.style(coarse))


def test_the_style_is_of_the_source_alone() -> None:
    """So that it is computed once a source; the boundary image reaches the picture by T_f."""
    torch.manual_seed(0)
    generator = bfr.Generator(TINY)
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
    lines, dots = (bfr.boundaries(points, replace(TINY, boundary=kind)) for kind in ("lines", "dots"))
    assert lines.shape == dots.shape == (2, 3, 64, 64)
    assert float(dots.max()) > 0.9 and float((dots > -1).float().mean()) < float((lines > -1).float().mean())
