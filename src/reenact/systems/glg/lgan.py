"""The landmark conditional GAN (section III-B-2, figure 5): from who it is, where the head points and which
action units show, to 68 points.

Shape letters: B samples. Landmarks are (B, 136): x and y of the 68 points by turns, in the unit of `to_unit`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from reenact.nn.perceptron import perceptron
from reenact.perception.action_units import GLG_UNITS, MOST, PRESENT
from reenact.systems.glg.presets import LganSettings

COORDINATES = 2 * 68
_DEGREES = 30.0


def to_unit(points: Tensor, side: int) -> Tensor:
    """Points (B, 68, 2) in pixels of a crop as (B, 136), -1 and 1 at its borders."""
    return points.flatten(1) / (side / 2) - 1


def to_pixels(unit: Tensor, side: int) -> Tensor:
    """The inverse of `to_unit`."""
    return ((unit + 1) * (side / 2)).unflatten(1, (68, 2))


class Condition(nn.Module):
    """The three embeddings, side by side: identity, head pose, and the sum of the action units' (B, 3 * width).

    identity: (B,) numbers of known people, or (B, code). pose: (B, 3) yaw, pitch and roll in degrees. units:
    (B, 18) intensities, 0 to 5.
    """

    def __init__(self, settings: LganSettings) -> None:
        super().__init__()
        width = settings.width
        self.identity: nn.Module = (
            nn.Embedding(settings.people, width)
            if settings.identity == "known"
            else nn.Linear(settings.code, width)
        )
        self.pose = nn.Linear(3, width)
        self.units = nn.Parameter(torch.randn(len(GLG_UNITS), width) / len(GLG_UNITS) ** 0.5)
        self._present = settings.strengths == "presence"

    def forward(self, identity: Tensor, pose: Tensor, units: Tensor) -> Tensor:
        shown = (units >= PRESENT).to(pose.dtype) if self._present else units / MOST
        return torch.cat([self.identity(identity), self.pose(pose / _DEGREES), shown @ self.units], 1)


class Generator(nn.Module):
    """The condition to landmarks (B, 136), as a change from the mean face.

    mean: (136,), of the training faces. known: (people, 32), identity coefficients of the people it knows, by
    which a portrait's nearest one is found. Both are taken from the data before training begins.
    """

    mean: Tensor
    known: Tensor

    def __init__(self, settings: LganSettings, known: int = 32) -> None:
        super().__init__()
        self.condition = Condition(settings)
        widths = (3 * settings.width, *settings.layers, COORDINATES)
        self.layers = perceptron(widths, settings.slope, open_end=True)
        last = self.layers[-1]
        assert isinstance(last, nn.Linear)
        nn.init.normal_(last.weight, std=0.01)  # it begins near the mean face
        self.register_buffer("mean", torch.zeros(COORDINATES))
        rows = settings.people if settings.identity == "known" else 0
        self.register_buffer("known", torch.zeros(rows, known))

    def forward(self, identity: Tensor, pose: Tensor, units: Tensor) -> Tensor:
        return self.mean + self.layers(self.condition(identity, pose, units))

    def nearest(self, coefficients: Tensor) -> Tensor:
        """(B,) numbers of the known people that are nearest to identity coefficients (B, 32)."""
        return torch.cdist(coefficients, self.known).argmin(1)


class Discriminator(nn.Module):
    """Landmarks (B, 136) and the same condition to logits (B,)."""

    def __init__(self, settings: LganSettings) -> None:
        super().__init__()
        self.condition = Condition(settings)
        widths = (COORDINATES + 3 * settings.width, *reversed(settings.layers), 1)
        self.layers = perceptron(widths, settings.slope, open_end=True)

    def forward(self, landmarks: Tensor, identity: Tensor, pose: Tensor, units: Tensor) -> Tensor:
        told = self.condition(identity, pose, units)
        return self.layers(torch.cat([landmarks, told], 1)).squeeze(1)
