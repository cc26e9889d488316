"""The adversarial losses of the five papers, on logits of any shape."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """-log D(real) - log(1 - D(fake)), D the sigmoid of these logits, each the mean over all of them
    (Goodfellow et al. 2014, equation 1); 2 log 2 where D knows nothing."""
    return functional.softplus(-real).mean() + functional.softplus(fake).mean()


def generator_loss(fake: Tensor) -> Tensor:
    """-log D(fake), the form that does not saturate (Goodfellow et al. 2014, section 3)."""
    return functional.softplus(-fake).mean()


def least_squares_discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """((D(real) - 1)^2 + D(fake)^2) / 2, each the mean over all logits (LSGAN, Mao et al. 2017, equation 9)."""
    return 0.5 * ((real - 1).square().mean() + fake.square().mean())


def least_squares_generator_loss(fake: Tensor) -> Tensor:
    """(D(fake) - 1)^2 / 2, the mean over all logits (the same)."""
    return 0.5 * (fake - 1).square().mean()
