"""Blocks against their definitions, and the patch that a discriminator sees."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from reenact.nn.blocks import AdaIN, PatchDiscriminator, ResidualBlock, StyledBlock  # noqa: E402


def test_adain_gives_a_map_the_statistics_of_the_code() -> None:
    torch.manual_seed(0)
    norm, style = AdaIN(4, 6), torch.randn(3, 6)
    out = norm(5 * torch.randn(3, 4, 40, 40) + 2, style)
    gain, shift = norm.affine(style).chunk(2, 1)
    torch.testing.assert_close(out.mean((2, 3)), shift, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(out.std((2, 3), correction=0), (1 + gain).abs(), atol=1e-3, rtol=1e-3)


def test_blocks_halve_double_and_keep() -> None:
    x, style = torch.randn(2, 8, 16, 12), torch.randn(2, 5)
    assert ResidualBlock(8, 12, down=True)(x).shape == (2, 12, 8, 6)
    assert ResidualBlock(8, 8)(x).shape == x.shape
    assert StyledBlock(8, 4, 5, up=True)(x, style).shape == (2, 4, 32, 24)
    assert StyledBlock(8, 8, 5)(x, style).shape == x.shape


def test_one_logit_sees_70_pixels() -> None:
    """Instance norm looks at the whole map, so it is left out to find the field of the convolutions."""
    net = PatchDiscriminator(1, width=2)
    layers = [layer for layer in net.layers if not isinstance(layer, torch.nn.InstanceNorm2d)]
    image = torch.zeros(1, 1, 256, 256, requires_grad=True)
    logits = torch.nn.Sequential(*layers)(image)
    assert logits.shape == (1, 1, 30, 30)  # pix2pix's
    logits[0, 0, 15, 15].backward()
    seen = image.grad[0, 0].abs().sum(0).nonzero()
    assert int(seen.max() - seen.min()) + 1 == 70


def test_every_parameter_learns() -> None:
    torch.manual_seed(0)
    down, up, patches = ResidualBlock(3, 6, down=True), StyledBlock(6, 3, 4, up=True), PatchDiscriminator(3, 4)
    out = patches(up(down(torch.randn(2, 3, 64, 64)), torch.randn(2, 4))).square().mean()
    out.backward()
    for net in (down, up, patches):
        assert all(
            p.grad is not None and p.grad.abs().sum() > 0
            for name, p in net.named_parameters()
            if "bias" not in name
        )
