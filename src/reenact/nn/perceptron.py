"""Stacks of fully connected layers for landmark networks, and what they are shown of landmarks."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn


def perceptron(widths: tuple[int, ...], slope: float, *, open_end: bool) -> nn.Sequential:
    """Fully connected layers (B, widths[0]) to (B, widths[-1]), each with LeakyReLU; the last one without where
    the end is open.

    PyTorch's own start shrinks the signal in each layer; He's (2015) keeps it.
    """
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        linear = nn.Linear(inputs, outputs)
        nn.init.kaiming_normal_(linear.weight, a=slope)
        nn.init.zeros_(linear.bias)
        layers += [linear, nn.LeakyReLU(slope)]
    return nn.Sequential(*(layers[:-1] if open_end else layers))


@torch.no_grad()
def whitening(rows: Tensor, floor: float) -> tuple[Tensor, Tensor]:
    """Centre (D,) and matrix (D, D): `(x - centre) @ matrix` are the principal components of `rows` (B, D),
    each at unit variance, those whose deviation is below `floor` less. B in the thousands."""
    centre = rows.mean(0)
    offsets = (rows - centre).double()
    variance, axes = torch.linalg.eigh(offsets.T @ offsets / len(offsets))
    return centre, (axes / variance.clamp(min=floor**2).sqrt()).to(rows.dtype)
