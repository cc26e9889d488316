"""Batches depend on seed and step alone, whoever loads them."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from reenact.training.sources import Share, batch_of_step, stream  # noqa: E402


class Counting:
    """Rows are random numbers, samples their doubles."""

    size = 100

    def draw(self, rng: np.random.Generator, count: int) -> Any:
        return rng.integers(0, 10_000, count)

    def load(self, rows: Any) -> dict[str, Any]:
        return {"x": (2 * rows).astype(np.float32)}


def values(start: int, workers: int = 0) -> list[list[float]]:
    return [b["x"].tolist() for b in islice(stream(Counting(), 6, 5, start, Share(), workers), 4)]


def test_a_stream_can_start_anywhere() -> None:
    assert values(0)[2:] == values(2)[:2]
    assert values(0)[0] != values(0)[1]


def test_workers_keep_the_order() -> None:
    assert values(3, workers=2) == values(3)


def test_processes_share_one_batch() -> None:
    whole = batch_of_step(Counting(), 6, 5, 1, Share())["x"]
    parts = [batch_of_step(Counting(), 6, 5, 1, Share(rank, 2))["x"] for rank in range(2)]
    assert torch.equal(torch.stack(parts, 1).flatten(), whole)
