"""Landmark coordinate style transfer of people of whom there are many pictures (section III-B-1).

The converter `lst` is the same for one picture of each, with statistics over the points of the face.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reenact.errors import ReenactError
from reenact.geometry.align import apply, crop_matrix, invert
from reenact.systems.crop import state_square
from reenact.systems.spec import TargetShape
from reenact.types import Floats, Points

SIDE = 256
"""Of the crops, of mean place and size, in which people's statistics are taken."""
_LEAST = 1e-6


@dataclass(frozen=True)
class Person:
    """mu and sigma of (3): mean and standard deviation of each coordinate, (N, 2), over a person's pictures."""

    mean: Floats
    deviation: Floats

    @classmethod
    def of(cls, faces: Floats) -> Person:
        """From landmarks (F, N, 2) in pixels of one crop; raises ReenactError for fewer than two pictures."""
        if len(faces) < 2:
            raise ReenactError(
                "the style of a person's landmarks takes at least two pictures; use `lst` for one"
            )
        return cls(faces.mean(0).astype(np.float32), faces.std(0).astype(np.float32))


def style_transfer(landmarks: Points, driving: Person, source: Person) -> Points:
    """(3): driving landmarks (N, 2) with the source's mean and variance, their centre the driving face's."""
    moved = (landmarks - driving.mean) / np.maximum(driving.deviation, _LEAST) * source.deviation + source.mean
    moved += landmarks.mean(0) - moved.mean(0)
    return moved.astype(np.float32)


class KnownStyle:
    """LSt between two known people, as a `Converter`. Their statistics are of 68 points in crops of mean place
    and size (`crop.state_square`) of 256 pixels."""

    def __init__(self, driving: Person, source: Person) -> None:
        self._driving, self._source = driving, source

    def convert(self, driving: TargetShape) -> TargetShape:
        """The target landmarks (68, 2) in the region's pixels."""
        matrix = crop_matrix(state_square(driving.state), SIDE)
        seen = apply(matrix, driving.in_scheme("ibug68")[:, :2]).astype(np.float32)
        made = apply(invert(matrix), style_transfer(seen, self._driving, self._source))
        return TargetShape(made.astype(np.float32), driving.state, "ibug68")
