"""The way from one face to another of the same person, as target shapes: FIPLS' use of landmarks on its own.

Linear interpolation (LI) is the baseline of its table 1 and needs no weights; LSG refines it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from reenact.errors import ReenactError
from reenact.systems.spec import TargetShape
from reenact.types import FaceState


class Sequence(Protocol):
    """Makes the frames between two faces."""

    def between(self, first: TargetShape, last: TargetShape, frames: int) -> list[TargetShape]:
        """So many shapes, at least 2, the ends among them; both faces are meshes in one picture's pixels."""


@dataclass(frozen=True)
class SequenceSpec:
    """One way of making them. weights: files that it cannot do without."""

    name: str
    title: str
    load: Callable[[], Sequence]
    weights: tuple[str, ...] = ()


class LinearSequence:
    """LI: each point goes in a straight line. The ends are left as they are."""

    def between(self, first: TargetShape, last: TargetShape, frames: int) -> list[TargetShape]:
        """The shapes, in the scheme of the first."""
        return [at_share(first, last, share) for share in shares(frames).tolist()]


def at_share(first: TargetShape, last: TargetShape, share: float) -> TargetShape:
    """The shape at `share` of the straight way, in the scheme of the first."""
    goal = last.in_scheme(first.scheme)
    points = (first.points + share * (goal - first.points)).astype(np.float32)
    return TargetShape(points, _state_between(first.state, last.state, share), first.scheme)


def shares(frames: int) -> np.ndarray:
    """(frames,) from 0 to 1, evenly. A ReenactError for fewer than 2."""
    if frames < 2:
        raise ReenactError(f"{frames} frames cannot lead from one face to another; at least 2")
    return np.linspace(0, 1, frames)


def _state_between(first: FaceState, last: FaceState, share: float) -> FaceState:
    """The coefficients at `share` of the way; the rotation vector goes straight, which is close to the shortest
    turn for heads that are seen from the front."""

    def mixed(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return np.asarray(one + share * (other - one), np.float32)

    return FaceState(
        mixed(first.rotation, last.rotation),
        first.scale + share * (last.scale - first.scale),
        mixed(first.translation, last.translation),
        mixed(first.identity, last.identity),
        mixed(first.expression, last.expression),
    )


def _lsg() -> Sequence:
    from reenact.systems.trained import need_torch

    need_torch("lsg")
    from reenact.systems.fipls.animate import load_sequence

    return load_sequence()


SEQUENCES: dict[str, SequenceSpec] = {
    spec.name: spec
    for spec in (
        SequenceSpec("li", "linear interpolation", LinearSequence),
        SequenceSpec("lsg", "FIPLS' landmark sequence generator", _lsg, ("fipls_lsg",)),
    )
}
