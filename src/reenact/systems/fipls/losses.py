"""FIPLS' losses in the order of their equations. The two forms of L_GAN are in `losses.adversarial`; the sums
stand in the steps of `train.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from reenact.losses import adversarial

# --------------------------------------------------------------------------------------------------------------
# The landmark sequence generator


def labels_of_outputs(logits: Tensor, person: Tensor, frames: int) -> Tensor:
    """(4): cross entropy of S_1's logits (B * K, people) with the label (B,) of each sample, over all frames.

    The paper prints L_S2 on its left; L_S1 is meant.
    """
    return functional.cross_entropy(logits, person.repeat_interleave(frames))


def label_of_hidden(logits: Tensor, person: Tensor) -> Tensor:
    """(3): cross entropy of S_2's logits (B, people) with the labels (B,)."""
    return functional.cross_entropy(logits, person)


def pair_discriminator_loss(same: Tensor, different: Tensor, made: Tensor) -> Tensor:
    """L_D2 as D_2 learns it, on logits (N,): two real landmark sets of one person are the same; of two people,
    and an input with a made one, are not; these two count half each."""
    others = functional.softplus(different).mean() + functional.softplus(made).mean()
    return functional.softplus(-same).mean() + 0.5 * others


# --------------------------------------------------------------------------------------------------------------
# The image generator: pictures (B, 3, H, W) in [-1, 1]


def discriminators_loss(real: Sequence[Tensor], fake: Sequence[Tensor], form: str) -> Tensor:
    """(5) as D_1 ... D_n learn it: the sum over their logits. form: 'least_squares' or 'log'."""
    one = adversarial.discriminator_loss if form == "log" else adversarial.least_squares_discriminator_loss
    return torch.stack([one(yes, no) for yes, no in zip(real, fake, strict=True)]).sum()


def generator_loss(fake: Sequence[Tensor], form: str) -> Tensor:
    """(5) as G learns it."""
    one = adversarial.generator_loss if form == "log" else adversarial.least_squares_generator_loss
    return torch.stack([one(logits) for logits in fake]).sum()


def identity_loss(result: Tensor, source: Tensor) -> Tensor:
    """(6): 1 - cosine of theta(G(x)) and theta(F_s), embeddings (B, D), mean over B.

    The paper prints theta(x), x being six channels; the source in it is meant.
    """
    return (1 - functional.cosine_similarity(result, source.detach(), dim=1)).mean()


def mask_loss(result: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
    """(7): L1 within the mask (B, 1, H, W) in [0, 1], averaged over the values within, so that it depends
    neither on the picture's size nor on the face's."""
    inside = ((result - truth) * mask).abs().sum()
    return inside / (result.shape[1] * mask.sum()).clamp(min=1)


def boundary_loss(result: Tensor, truth: Tensor) -> Tensor:
    """(8): smooth L1 (quadratic below 1) of landmarks (B, 98, 2) in pixels of a 256 px crop, mean over all."""
    return functional.smooth_l1_loss(result, truth.detach())


def feature_matching(real: Sequence[Sequence[Tensor]], fake: Sequence[Sequence[Tensor]]) -> Tensor:
    """pix2pixHD's (4): L1 of the discriminators' features, each map's mean, then the mean over all layers;
    not this paper's."""
    parts = [
        (made - wanted.detach()).abs().mean()
        for wants, makes in zip(real, fake, strict=True)
        for wanted, made in zip(wants, makes, strict=True)
    ]
    return torch.stack(parts).mean()
