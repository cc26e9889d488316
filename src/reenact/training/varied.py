"""Pairs of two pictures of one person, mirrored and recoloured at random, the same for both."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reenact.geometry.schemes import flip_points
from reenact.training.recolour import recoloured
from reenact.training.sources import Data, Source
from reenact.types import Scheme

_POINTS = {"source_landmarks", "landmarks", "source_points", "points"}
_SCHEMES: dict[int, Scheme] = {68: "ibug68", 478: "mesh478"}


class Varied:
    """The batches of a source of pairs (`reenact.training.pairs`, `phases`), varied. size: pairs an epoch; 0:
    its own."""

    def __init__(self, pairs: Source, size: int = 0) -> None:
        self._pairs, self.size = pairs, size or pairs.size

    def draw(self, rng: np.random.Generator, count: int) -> NDArray[Any]:
        """(count, 1 + D): the seed of what is random in a pair, and the source's row."""
        rows = self._pairs.draw(rng, count)
        return np.column_stack([rng.integers(0, 1 << 31, count), rows]).astype(np.int64)

    def load(self, rows: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """The pairs of these rows."""
        batch = self._pairs.load(rows[:, 1:])
        for place, seed in enumerate(rows[:, 0].tolist()):
            random = np.random.default_rng(seed)
            mirrored = random.random() < 0.5
            pictures = [batch[name][place] for name in ("source", "target")]
            for name, picture in zip(("source", "target"), recoloured(pictures, random), strict=True):
                batch[name][place] = picture[:, ::-1] if mirrored else picture
            for name in _POINTS & batch.keys() if mirrored else ():
                width = batch["target"].shape[2]
                batch[name][place] = flip_points(batch[name][place], _SCHEMES[batch[name].shape[1]], width)
        return batch


def varied(data: Data, size: int = 0) -> Data:
    """Data whose training pairs are varied; what is looked at stays as it is. size: as of `Varied`."""
    return replace(data, train=Varied(data.train, size), note=f"{data.note}; mirrored and recoloured")
