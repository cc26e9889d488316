"""Pairs of two pictures of one person, and the target's pose and expression on somebody else, to train a
converter and a generator together.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reenact.geometry.face_model import default_face_model
from reenact.geometry.schemes import convert_points
from reenact.training.pairs import PairSource, open_pairs
from reenact.training.sources import Data
from reenact.types import Floats


class CrossedPairs(PairSource):
    """Batches as of `PairSource`, and `driving` (B, 68, 2), in pixels of the pictures: the target's face with
    the identity coefficients of a third face."""

    @classmethod
    def of(cls, pairs: PairSource) -> CrossedPairs:
        """The same faces, crossed."""
        return cls(pairs._store, pairs._side)

    def draw(self, rng: np.random.Generator, count: int) -> NDArray[Any]:
        """(count, 3) numbers of source, target and lender of the driving identity."""
        return np.column_stack([super().draw(rng, count), rng.integers(0, len(self._store), count)])

    def load(self, rows: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """The pairs of these rows."""
        driving = [self._driving(target, lender) for target, lender in rows[:, 1:].tolist()]
        none = np.zeros((0, 68, 2), np.float32)
        return {**super().load(rows[:, :2]), "driving": np.stack(driving) if driving else none}

    def _driving(self, target: int, lender: int) -> Floats:
        face = self._store.read(target)
        state = replace(face.state, identity=self._store.read(lender).state.identity)
        points = convert_points(default_face_model().project(state), "ibug68")[:, :2]
        return (points * (self._side / face.image.shape[0])).astype(np.float32)


def open_crossed(folder: Path, side: int) -> Data:
    """As `open_pairs`, crossed."""
    data = open_pairs(folder, side)
    assert isinstance(data.train, PairSource) and isinstance(data.held_out, PairSource)
    return Data(CrossedPairs.of(data.train), CrossedPairs.of(data.held_out), data.note)
