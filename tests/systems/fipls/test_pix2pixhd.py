"""The image generator: shapes at several sizes, pix2pixHD's layers, six channels in."""

from __future__ import annotations

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from fipls_bench import posed  # noqa: E402

from reenact.systems.fipls import presets  # noqa: E402
from reenact.systems.fipls.pix2pixhd import Block, Discriminators, Generator, sketches  # noqa: E402

TINY, PAPER = presets.REENACTMENT["tiny"], presets.REENACTMENT["paper"]


@pytest.mark.parametrize("enhancer", [True, False])
@pytest.mark.parametrize("size", [48, 64])
def test_shapes(size: int, enhancer: bool) -> None:
    settings = replace(TINY, size=size, enhancer=enhancer)
    source, sketch = torch.randn(2, 2, 3, size, size)
    picture = Generator(settings)(source, sketch)
    assert picture.shape == (2, 3, size, size) and float(picture.detach().abs().max()) <= 1
    found = Discriminators(settings)(source, sketch, picture)
    assert [len(scale) for scale in found] == [5, 5]
    assert found[0][0].shape[-1] == 2 * found[1][0].shape[-1] == size // 2
    assert all(scale[-1].shape[1] == 1 for scale in found)


def test_the_papers_layers_are_pix2pixhds() -> None:
    with torch.device("meta"):
        generator, critics = Generator(PAPER), Discriminators(PAPER)
    assert sum(isinstance(layer, Block) for layer in generator.coarse.layers) == 9
    assert sum(isinstance(layer, Block) for layer in generator.second) == 3
    assert generator.coarse.layers[1].in_channels == generator.first[1].in_channels == 3 + 3
    assert generator.coarse.layers[1].out_channels == 64
    assert max(p.shape[0] for p in generator.coarse.parameters()) == 1024
    assert len(critics.scales) == 3


def test_weights_begin_normal() -> None:
    torch.manual_seed(0)
    weight = Generator(replace(TINY, width=32)).coarse.layers[1].weight.detach()
    assert float(weight.std()) == pytest.approx(0.02, rel=0.1)


def test_without_the_enhancer_the_global_generator_stands_alone() -> None:
    names = [name for name, _ in Generator(replace(TINY, enhancer=False)).named_parameters()]
    assert {name.split(".")[0] for name in names} == {"coarse", "last"}


def test_folded_layers_see_four_pixels_at_once() -> None:
    settings = replace(TINY, enhancer=False, fold=2, keep=True)
    generator = Generator(settings)
    assert generator.coarse.layers[0].in_channels == 4 * 6 and generator.last[0].out_channels == 4 * 4
    source, sketch = torch.randn(2, 2, 3, 64, 64).clamp(-1, 1)
    assert generator(source, sketch).shape == source.shape
    with pytest.raises(ValueError, match="without enhancer"):
        Generator(replace(settings, enhancer=True))


def test_a_fourth_channel_keeps_the_source() -> None:
    generator = Generator(replace(TINY, keep=True))
    source, sketch = torch.randn(2, 2, 3, 64, 64).clamp(-1, 1)
    bias = generator.last[-1].bias
    with torch.no_grad():
        bias.copy_(torch.tensor([0.0, 0, 0, 20]))
        torch.testing.assert_close(generator(source, sketch), source, atol=1e-4, rtol=0)
        bias.copy_(torch.tensor([0.0, 0, 0, -20]))
        drawn = generator(source, sketch)
    assert float((drawn - source).abs().mean()) > 0.1 and float(drawn.abs().max()) <= 1


def test_the_sketch_follows_the_landmarks() -> None:
    landmarks = posed(2, 64)["landmarks"]
    drawn = sketches(landmarks, TINY)
    assert drawn.shape == (2, 3, 64, 64) and float(drawn.min()) == -1 and float(drawn.max()) > 0.5
    assert float((sketches(landmarks + 5, TINY) - drawn).abs().max()) > 0.5
