"""The image generator and its style branch (III-C)."""

from __future__ import annotations

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from torch.nn import functional  # noqa: E402

from reenact.systems.glg import presets  # noqa: E402
from reenact.systems.glg.generator import Discriminator, Generator, Layer, Style, UNet  # noqa: E402

TINY = presets.IMAGE["tiny"]


def seen(size: int = 64) -> tuple[torch.Tensor, ...]:
    torch.manual_seed(0)
    at = size * (0.5 + 0.1 * torch.randn(2, 68, 2))
    return *torch.randn(2, 2, 3, size, size), torch.rand(2, 1, size, size), at, at + 2


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"flow": "resnet34"},
        {"flow": "points"},
        {"flow": "none"},
        {"style": False},
        {"style_regions": True},
        {"parts": False},
        {"size": 96},
    ],
    ids=str,
)
def test_every_part_can_be_left_out(changes: dict[str, object]) -> None:
    settings = replace(TINY, **changes)  # type: ignore[arg-type]
    network, inputs = Generator(settings), seen(settings.size)
    made = network.drawn(*inputs)
    assert made.picture.shape == inputs[0].shape and float(made.picture.detach().abs().max()) <= 1
    assert (made.flow is None) == (settings.flow == "none") and bool(made.parts) == settings.parts
    assert (made.source_points is None) == (settings.flow != "vit")
    maps, logits = Discriminator(settings).features(made.picture)
    torch.testing.assert_close(Discriminator(settings)(made.picture).shape, logits.shape)
    assert len(maps) == 4


def test_feature_maps_of_the_paper_are_58_x_58() -> None:
    with torch.device("meta"):
        network = UNet(presets.IMAGE["paper"])
        assert network.down(torch.zeros(1, 3, 224, 224)).shape[-2:] == (58, 58)


def test_a_modulated_layer_is_style_gan_2s() -> None:
    """Equations 1 and 3, times the size of the weights without a style."""
    torch.manual_seed(0)
    layer, x, code = Layer(4, 5, 3), torch.randn(2, 4, 6, 6), torch.randn(2, 3)
    for i in range(2):
        scaled = layer.conv.weight * (1 + layer.affine(code))[i, None, :, None, None]
        size = layer.conv.weight.square().sum((1, 2, 3)).sqrt()
        weights = scaled * (size / scaled.square().sum((1, 2, 3)).sqrt())[:, None, None, None]
        wanted = functional.leaky_relu(
            functional.conv2d(x[i : i + 1], weights, layer.conv.bias, padding=1), 0.2
        )
        torch.testing.assert_close(layer(x, Style(code, None))[i : i + 1], wanted, atol=1e-5, rtol=1e-4)


def test_partial_style_leaves_the_rest_alone() -> None:
    torch.manual_seed(0)
    layer, x, code = Layer(4, 5, 3), torch.randn(1, 4, 8, 8), torch.randn(1, 3)
    region = torch.zeros(1, 1, 8, 8)
    region[..., :4] = 1
    plain, styled = layer(x, Style(None, None)), layer(x, Style(code, None))
    mixed = layer(x, Style(code, region))
    torch.testing.assert_close(mixed[..., :4], styled[..., :4])
    torch.testing.assert_close(mixed[..., 4:], plain[..., 4:])
    assert not torch.allclose(plain, styled)
