"""The ID-preserving shape generator: G_l of E_l and R_l, the discriminator D_l and the subject classifier C_l
(section 3.1).

Shape letters: B samples, C length of the face code. Landmarks are 68 points in 3D in the unit of `to_unit`,
flattened to 204.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from reenact.nn.perceptron import Whitened, perceptron
from reenact.systems.dg.presets import IdsgSettings

POINTS = 68
COORDINATES = 3 * POINTS
FLOOR = 0.3 / 256
"""Deviation, in units, below which E_l and C_l see a principal component as less than it is, once whitened.
differs from paper: in plain coordinates head pose drowns what tells two people apart."""
_CHANGE = 0.01
"""Of the order of the change from one person to another, in units."""


def to_unit(points: Tensor, side: int) -> Tensor:
    """Points (B, 68, 3) in pixels of a crop of `side` to the networks' (B, 204): shares of the crop's side,
    depth from the points' mean depth, since a detected face's depth has no origin."""
    unit = points / side
    depth = unit[..., 2:] - unit[..., 2:].mean(1, keepdim=True)
    return torch.cat([unit[..., :2], depth], 2).flatten(1)


def to_pixels(unit: Tensor, side: int) -> Tensor:
    """(B, 204) back to (B, 68, 3) in pixels; depth stays from its mean."""
    return unit.view(-1, POINTS, 3) * side


class Generator(nn.Module):
    """G_l = [E_l, R_l]: the driving face's landmarks (B, 204) and a face code (B, C) to landmarks (B, 204) with
    that identity.

    'Five fully connected (fc) layers and a leaky ReLU' after each; R_l is 'the mirror of E_l' on the action
    code and the face code. differs from paper: R_l's last layer has no LeakyReLU, since depths have both signs.
    residual: differs from paper: R_l gives the change from the driving landmarks, 0 at first.
    """

    def __init__(self, settings: IdsgSettings) -> None:
        super().__init__()
        s = settings
        self.residual = s.residual
        self.encoder = perceptron((COORDINATES, *s.widths), s.slope, open_end=False)  # E_l
        mirror = (s.widths[-1] + s.code_length, *reversed(s.widths[:-1]), COORDINATES)
        self.decoder = perceptron(mirror, s.slope, open_end=True)  # R_l
        self.seen = Whitened(COORDINATES)
        if s.residual:
            nn.init.zeros_(self.decoder[-1].weight)  # type: ignore[arg-type]

    def action(self, landmarks: Tensor) -> Tensor:
        """E_l: the action code gamma (B, widths[-1]) of landmarks."""
        return self.encoder(self.seen(landmarks))

    def forward(self, driving: Tensor, code: Tensor) -> Tensor:
        return self.decode(self.action(driving), code, driving)

    def decode(self, action: Tensor, code: Tensor, driving: Tensor) -> Tensor:
        """R_l on [gamma, r]; `driving` is what a residual one changes."""
        result = self.decoder(torch.cat([action, code], 1)).float()
        return driving + _CHANGE * result if self.residual else result


class Discriminator(nn.Module):
    """D_l: landmarks (B, 204) to a logit (B,), 'structured in the same way as the landmark encoder'."""

    def __init__(self, settings: IdsgSettings) -> None:
        super().__init__()
        self.layers = perceptron((COORDINATES, *settings.widths[:-1], 1), settings.slope, open_end=True)

    def forward(self, landmarks: Tensor) -> Tensor:
        return self.layers(landmarks).squeeze(1)


class Classifier(nn.Module):
    """C_l: landmarks (B, 204) to logits (B, subjects), 'structured in the same way'."""

    def __init__(self, settings: IdsgSettings) -> None:
        super().__init__()
        widths = (COORDINATES, *settings.widths[:-1], settings.subjects)
        self.seen = Whitened(COORDINATES)
        self.layers = perceptron(widths, settings.slope, open_end=True)

    def forward(self, landmarks: Tensor) -> Tensor:
        return self.layers(self.seen(landmarks))
