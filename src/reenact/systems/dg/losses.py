"""DG's losses in the order of their equations. (1), (2) and (8) to (10) are in `losses.adversarial`; the sums
(7) and (15) stand in the steps of `train.py`.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from reenact.geometry.schemes import DG_REGIONS

# --------------------------------------------------------------------------------------------------------------
# The IDSG: landmarks (B, 204) in the unit of `idsg.to_unit`


def visible_local_shape(
    target: Tensor,
    reference: Tensor,
    driving: Tensor,
    visible: Tensor,
    margins: tuple[float, ...],
    *,
    form: Literal["hinge", "printed"],
    on: Tensor,
) -> Tensor:
    """(3), summed over the five regions and averaged over the samples that it is asked of.

    target, reference: (B, 204), the estimates l_t and l_r; driving: the landmarks l_r themselves. visible:
    (B, 68) bool or 0 and 1, of the driving face. on: (B,) bool, which samples count. The norms are sums over
    the visible points' coordinates. differs from paper: (3) is printed without a lower bound, so that l_t
    would be driven away from l_r for ever; 'hinge' is 0 where the margin is kept.
    """
    near, far = ((one - driving).abs().view(len(one), 68, 3).sum(2) * visible for one in (reference, target))
    parts = []
    for region, margin in zip(DG_REGIONS.values(), margins, strict=True):
        value = (near - far)[:, list(region)].sum(1) + margin
        parts.append(functional.relu(value) if form == "hinge" else value)
    total = torch.stack(parts).sum(0)
    return (total * on).sum() / on.sum().clamp(min=1)


def action_distance(target: Tensor, driving: Tensor) -> Tensor:
    """(4): the L1 norm of the difference of two action codes (B, A), averaged over B."""
    return (target - driving).abs().sum(1).mean()


def subject_class(logits: Tensor, subject: Tensor) -> Tensor:
    """(5): -log P(subject), averaged over B. logits: (B, subjects). subject: (B,) int64."""
    return functional.cross_entropy(logits.float(), subject)


def localisation(target: Tensor, truth: Tensor, known: Tensor, reference: Tensor, driving: Tensor) -> Tensor:
    """(6): the L1 norms of `target - truth`, where the truth is known (B,), and of `reference - driving`, each
    averaged over its samples."""
    first = ((target - truth).abs().sum(1) * known).sum() / known.sum().clamp(min=1)
    return first + (reference - driving).abs().sum(1).mean()


# --------------------------------------------------------------------------------------------------------------
# The RFG: pictures (B, 3, H, W) in [-1, 1]


def attribute(result: Tensor, truth: Tensor, known: Tensor) -> Tensor:
    """(11), averaged over all values of the samples whose true picture is known (B,)."""
    return ((result - truth).abs().mean((1, 2, 3)) * known).sum() / known.sum().clamp(min=1)


def identity(result: Tensor, source: Tensor) -> Tensor:
    """(12): 1 - cos of face codes (B, C), averaged over B."""
    return 1 - functional.cosine_similarity(result.float(), source.float(), dim=1).mean()


def style_consistency(result: Tensor, source: Tensor) -> Tensor:
    """(13): the mean absolute difference of style codes (B, S)."""
    return (result - source).abs().mean()


def landmark(detected: Tensor, target: Tensor, size: int) -> Tensor:
    """(14): the L1 norm of the difference of points in pixels, (B, 68, 2 or more), as shares of the picture's
    side, averaged over B; x and y alone, since a detector's depth has no origin."""
    return (detected[..., :2] - target[..., :2]).abs().sum((1, 2)).mean() / size
