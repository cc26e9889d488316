"""The landmark identity conversion: G_L, two encoders and a decoder, and its discriminator D_L (section III-A).

Shape letters: B samples. Landmarks are 68 points in the unit of `to_unit`, flattened to 136.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from reenact.nn.perceptron import perceptron, whitening

POINTS = 68
COORDINATES = 2 * POINTS
_FLOOR = 0.3 / 128
_CHANGE = 0.02
"""Of the order of the change from one person to another, in units."""


def to_unit(points: Tensor, side: int) -> Tensor:
    """Points (B, 68, 2) in pixels of a crop of `side` to the networks' (B, 136): -1 and 1 are its borders."""
    return (points / (side / 2) - 1).flatten(1)


def to_pixels(unit: Tensor, side: int) -> Tensor:
    """The inverse of `to_unit`."""
    return (unit.view(-1, POINTS, 2) + 1) * (side / 2)


# --------------------------------------------------------------------------------------------------------------
# phi: 'five fully-connected layers, each layer followed by' LeakyReLU; psi: 'a mirror of the encoder'


def encoder(widths: tuple[int, ...], slope: float) -> nn.Sequential:
    """phi: (B, 136) to a code (B, widths[-1])."""
    return perceptron((COORDINATES, *widths), slope, open_end=False)


def mirror(inputs: int, widths: tuple[int, ...], outputs: int, slope: float) -> nn.Sequential:
    """psi, and D_L: the encoder's widths backwards. The last layer has no LeakyReLU: coordinates have both
    signs, and D_L's output goes through a sigmoid."""
    return perceptron((inputs, *reversed(widths[:-1]), outputs), slope, open_end=True)


# --------------------------------------------------------------------------------------------------------------
# G_L and D_L (figure 2, upper part)


class Converter(nn.Module):
    """G_L: the driving face's action, the source face's identity, (B, 136) each, to target landmarks (B, 136).

    `psi_1(phi_1(driving), phi_2(source))`; the paper's l_s is the driving face, its l_r the source. residual:
    differs from paper: the decoder gives the change from the driving landmarks, 0 at first, so that training
    begins at `copy driving` instead of at noise. Until `whiten_by` is called, the encoders see the landmarks as
    they are.
    """

    centre: Tensor
    whitening: Tensor

    def __init__(self, widths: tuple[int, ...], slope: float = 0.2, residual: bool = False) -> None:
        super().__init__()
        self.residual = residual
        self.action = encoder(widths, slope)  # phi_1
        self.identity = encoder(widths, slope)  # phi_2
        self.decoder = mirror(2 * widths[-1], widths, COORDINATES, slope)  # psi_1
        self.register_buffer("centre", torch.zeros(COORDINATES))
        self.register_buffer("whitening", torch.eye(COORDINATES))
        if residual:
            nn.init.zeros_(self.decoder[-1].weight)  # type: ignore[arg-type]

    @torch.no_grad()
    def whiten_by(self, landmarks: Tensor) -> None:
        """From now on show the encoders the landmarks' principal components, each at unit variance, those below
        0.3 px of a 256 px crop less. differs from paper: in plain coordinates head pose drowns what tells two
        people apart. landmarks: (B, 136), B in the thousands."""
        centre, matrix = whitening(landmarks, _FLOOR)
        self.centre.copy_(centre)
        self.whitening.copy_(matrix)

    def forward(self, driving: Tensor, source: Tensor) -> Tensor:
        # In doubles, which autocast leaves alone: in bf16 points are rounded to a quarter of a pixel.
        centre, whitening = self.centre.double(), self.whitening.double()
        seen = [((points - centre) @ whitening).float() for points in (driving, source)]
        action, identity = (phi(points) for phi, points in zip((self.action, self.identity), seen, strict=True))
        result = self.decoder(torch.cat([action, identity], 1)).float()
        return driving + _CHANGE * result if self.residual else result


class Discriminator(nn.Module):
    """D_L: landmarks (B, 136) to a logit (B,); its sigmoid is the paper's number in [0, 1]."""

    def __init__(self, widths: tuple[int, ...], slope: float = 0.2) -> None:
        super().__init__()
        self.layers = mirror(COORDINATES, widths, 1, slope)

    def forward(self, landmarks: Tensor) -> Tensor:
        return self.layers(landmarks).squeeze(1)
