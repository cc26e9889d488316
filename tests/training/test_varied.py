"""Varied pairs: both pictures and all points are mirrored and recoloured as one, by the row alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch")

from reenact.geometry.schemes import flip_points  # noqa: E402
from reenact.training.sources import Data  # noqa: E402
from reenact.training.varied import Varied, varied  # noqa: E402

SIDE = 32
POINTS = np.random.default_rng(0).uniform(0, SIDE, (68, 2)).astype(np.float32)


MESH = np.random.default_rng(1).uniform(0, SIDE, (478, 3)).astype(np.float32)


class Ramps:
    """Pairs of one picture, dark on the left and bright on the right."""

    size = 5

    def draw(self, rng: np.random.Generator, count: int) -> NDArray[Any]:
        return rng.integers(0, self.size, (count, 2))

    def load(self, rows: NDArray[Any]) -> dict[str, NDArray[Any]]:
        ramp = np.linspace(40, 200, SIDE).astype(np.uint8)[None, :, None]
        pictures = np.broadcast_to(ramp, (len(rows), SIDE, SIDE, 3))
        points = np.broadcast_to(POINTS, (len(rows), 68, 2))
        names = {"source": pictures, "target": pictures, "source_landmarks": points, "landmarks": points}
        mesh = np.broadcast_to(MESH, (len(rows), *MESH.shape))
        names |= {"source_points": mesh, "points": mesh}
        return {name: values.copy() for name, values in names.items()}


def test_pictures_and_points_are_varied_together() -> None:
    source = Varied(Ramps())
    batch = source.load(source.draw(np.random.default_rng(1), 24))
    ways = {False: POINTS, True: flip_points(POINTS, "ibug68", SIDE)}
    meshes = {False: MESH, True: flip_points(MESH, "mesh478", SIDE)}
    seen = set()
    for number in range(24):
        one, other = batch["source"][number], batch["target"][number]
        np.testing.assert_array_equal(one, other)
        mirrored = bool(one[0, 0, 0] > one[0, -1, 0])
        for name in ("source_landmarks", "landmarks"):
            np.testing.assert_allclose(batch[name][number], ways[mirrored], atol=1e-4)
        for name in ("source_points", "points"):
            np.testing.assert_allclose(batch[name][number], meshes[mirrored], atol=1e-4)
        seen.add(mirrored)
    assert seen == {False, True}
    assert len({int(picture[0, 16].sum()) for picture in batch["target"]}) > 10


def test_rows_give_the_same_batch_again() -> None:
    source = Varied(Ramps())
    rows = source.draw(np.random.default_rng(3), 6)
    assert rows.shape == (6, 3)
    one, other = source.load(rows), source.load(rows)
    for name, values in one.items():
        np.testing.assert_array_equal(values, other[name])
    assert {len(values) for values in source.load(rows[:0]).values()} == {0}


def test_what_is_looked_at_stays_and_the_epoch_can_be_set() -> None:
    pairs = Ramps()
    data = varied(Data(pairs, pairs, "ramps"), 100)
    assert data.held_out is pairs and data.train.size == 100 and Varied(pairs).size == 5
    assert data.note == "ramps; mirrored and recoloured"
