"""The landmark sequence generator (figure 4, left bottom): G_l, a Bi-LSTM auto-encoder; its discriminators
D_1 and D_2; its classifiers S_1 and S_2.

Shape letters: B samples, K frames, C = 196 coordinates (98 points in the unit of `to_unit`, flattened).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from reenact.nn.perceptron import Whitened, perceptron
from reenact.systems.fipls.presets import LsgSettings

POINTS = 98
COORDINATES = 2 * POINTS
FLOOR = 0.3
"""Pixels of a 256 px crop: the deviation below which a whitened G_l sees a principal component as less than it
is. differs from paper: in plain coordinates head pose drowns both the noise and the person."""


def to_unit(points: Tensor, side: float) -> Tensor:
    """Points (..., 98, 2) in pixels of a crop to the networks' (..., 196): its borders are -1 and 1."""
    return (points / (side / 2) - 1).flatten(-2)


def to_pixels(unit: Tensor, side: float) -> Tensor:
    """The inverse of `to_unit`."""
    return (unit.unflatten(-1, (POINTS, 2)) + 1) * (side / 2)


def upsample(ends: Tensor, frames: int) -> Tensor:
    """f_up of (1): two ends (B, 2, C) and what lies on the straight line between them, (B, K, C).

    This is also LI, the baseline of table 1.
    """
    share = torch.linspace(0, 1, frames, device=ends.device, dtype=ends.dtype)[:, None]
    return ends[:, :1] + share * (ends[:, 1:] - ends[:, :1])


# --------------------------------------------------------------------------------------------------------------
# G_l


class SequenceGenerator(nn.Module):
    """G_l of (1): ends (B, 2, 196) to landmarks (B, K, 196) and the hidden state (B, K, 2 * hidden).

    The paper names a 'Bi-LSTM auto-encoder' and nothing of its sizes: an embedding, a Bi-LSTM that encodes, one
    that decodes, a linear layer to the shifts. It begins at linear interpolation, shifts of 0. Any K will do.
    """

    def __init__(self, settings: LsgSettings) -> None:
        super().__init__()
        s = settings
        self.frames = s.frames
        self.view = Whitened(COORDINATES)
        self.embed = nn.Sequential(nn.Linear(COORDINATES, s.embedding), nn.LeakyReLU(s.slope))
        self.encoder = nn.LSTM(s.embedding, s.hidden, s.layers, batch_first=True, bidirectional=True)
        self.decoder = nn.LSTM(2 * s.hidden, s.hidden, s.layers, batch_first=True, bidirectional=True)
        self.shift = nn.Linear(2 * s.hidden, COORDINATES)
        nn.init.zeros_(self.shift.weight)
        nn.init.zeros_(self.shift.bias)

    def forward(self, ends: Tensor, frames: int = 0) -> tuple[Tensor, Tensor]:
        line = upsample(ends, frames or self.frames)
        hidden = self.encoder(self.embed(self.view(line)))[0]
        return line + self.shift(self.decoder(hidden)[0]).float(), hidden


# --------------------------------------------------------------------------------------------------------------
# D_1, D_2, S_1, S_2


class FrameDiscriminator(nn.Module):
    """D_1: landmarks (B, 196), 'one landmark each time', to a logit (B,) of being a real face's."""

    def __init__(self, settings: LsgSettings) -> None:
        super().__init__()
        self.view = Whitened(COORDINATES)
        self.layers = perceptron((COORDINATES, *settings.critic, 1), settings.slope, open_end=True)

    def forward(self, landmarks: Tensor) -> Tensor:
        return self.layers(self.view(landmarks)).squeeze(1)


class PairDiscriminator(nn.Module):
    """D_2: two landmark sets (B, 196) to a logit (B,) of 'the possibility that they belong to the same
    identity'."""

    def __init__(self, settings: LsgSettings) -> None:
        super().__init__()
        self.view = Whitened(COORDINATES)
        self.layers = perceptron((2 * COORDINATES, *settings.critic, 1), settings.slope, open_end=True)

    def forward(self, one: Tensor, other: Tensor) -> Tensor:
        return self.layers(torch.cat([self.view(one), self.view(other)], 1)).squeeze(1)


class OutputClassifier(nn.Module):
    """S_1 of (4): landmarks (B, 196) to logits (B, people)."""

    def __init__(self, settings: LsgSettings) -> None:
        super().__init__()
        self.view = Whitened(COORDINATES)
        widths = (COORDINATES, *settings.critic, settings.people)
        self.layers = perceptron(widths, settings.slope, open_end=True)

    def forward(self, landmarks: Tensor) -> Tensor:
        return self.layers(self.view(landmarks))


class HiddenClassifier(nn.Module):
    """S_2 of (3): the hidden state (B, K, 2 * hidden), its mean over the frames, to logits (B, people)."""

    def __init__(self, settings: LsgSettings) -> None:
        super().__init__()
        widths = (2 * settings.hidden, *settings.critic, settings.people)
        self.layers = perceptron(widths, settings.slope, open_end=True)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.layers(hidden.mean(1))
