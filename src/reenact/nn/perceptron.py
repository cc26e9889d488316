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


class Whitened(nn.Module):
    """How a network sees landmarks (..., C): as they are or, once `whiten_by` was called, as principal
    components of unit variance."""

    centre: Tensor
    whitening: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("centre", torch.zeros(size))
        self.register_buffer("whitening", torch.eye(size))

    @torch.no_grad()
    def whiten_by(self, rows: Tensor, floor: float) -> None:
        """From now on show the principal components of `rows` (B, C), B in the thousands; those whose deviation
        is below `floor` count less."""
        centre, matrix = whitening(rows, floor)
        self.centre.copy_(centre)
        self.whitening.copy_(matrix)

    def forward(self, rows: Tensor) -> Tensor:
        # In doubles, which autocast leaves alone: in bf16 points are rounded to a quarter of a pixel or more.
        return ((rows - self.centre).double() @ self.whitening.double()).float()
