"""Adversarial losses against their formulas, written out."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")

from torch.nn import functional  # noqa: E402

from reenact.losses.adversarial import (  # noqa: E402
    discriminator_loss,
    generator_loss,
    least_squares_discriminator_loss,
    least_squares_generator_loss,
)


def test_by_hand() -> None:
    real, fake = torch.tensor([0.0, 2.0]), torch.tensor([-1.0, 0.0, 1.0])
    d = [1 / (1 + math.exp(-v)) for v in (0, 2)], [1 / (1 + math.exp(-v)) for v in (-1, 0, 1)]
    wanted = -sum(math.log(v) for v in d[0]) / 2 - sum(math.log(1 - v) for v in d[1]) / 3
    assert float(discriminator_loss(real, fake)) == pytest.approx(wanted, rel=1e-6)
    assert float(generator_loss(fake)) == pytest.approx(-sum(math.log(v) for v in d[1]) / 3, rel=1e-6)


def test_torchs_cross_entropy_is_the_same() -> None:
    torch.manual_seed(0)
    real, fake = torch.randn(2, 1, 5, 5), 30 * torch.randn(2, 1, 5, 5)
    entropy = functional.binary_cross_entropy_with_logits
    wanted = entropy(real, torch.ones_like(real)) + entropy(fake, torch.zeros_like(fake))
    torch.testing.assert_close(discriminator_loss(real, fake), wanted)
    torch.testing.assert_close(generator_loss(fake), entropy(fake, torch.ones_like(fake)))


def test_a_saturated_discriminator_still_teaches() -> None:
    fake = torch.tensor([-80.0], requires_grad=True)
    generator_loss(fake).backward()
    assert fake.grad is not None and float(fake.grad) == pytest.approx(-1)


def test_least_squares_by_hand() -> None:
    real, fake = torch.tensor([1.0, 0.5]), torch.tensor([0.0, 2.0, -1.0])
    assert float(least_squares_discriminator_loss(real, fake)) == pytest.approx((0.25 / 2 + 5 / 3) / 2)
    assert float(least_squares_generator_loss(fake)) == pytest.approx((1 + 1 + 4) / 3 / 2)
