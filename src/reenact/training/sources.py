"""Where batches come from: a source draws rows cheaply and loads them where they are needed.

A step's rows depend on the seed and the step alone, so that a resumed run sees what an unbroken one would, and
several processes share one batch: each loads its part of the same rows.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info


class Source(Protocol):
    """Samples to train on. size: how many make an epoch."""

    size: int

    def draw(self, rng: np.random.Generator, count: int) -> NDArray[Any]:
        """(count, ...) rows: what is needed to load that many samples, chosen at random."""

    def load(self, rows: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """The samples of some rows by name, each (B, ...): float32, or uint8 for pictures."""


@runtime_checkable
class Phased(Protocol):
    """A source that is another one later in training."""

    def at(self, step: int) -> Source:
        """The source of a step."""


@dataclass(frozen=True)
class Data:
    """What a run trains on, and what it is looked at on. note: one line about where it is from."""

    train: Source
    held_out: Source
    note: str


@dataclass(frozen=True)
class Share:
    """Which part of each batch a process loads: every `world`-th row from `rank` on."""

    rank: int = 0
    world: int = 1


class Batches(IterableDataset[dict[str, Tensor]]):
    """The batches of all steps from `start` on, without end; workers take the steps in turn."""

    def __init__(self, source: Source, batch: int, seed: int, start: int, share: Share) -> None:
        self._source, self._batch, self._seed, self._start, self._share = source, batch, seed, start, share

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        worker = get_worker_info()
        step, stride = self._start, 1
        if worker is not None:
            step, stride = self._start + worker.id, worker.num_workers
        while True:
            yield batch_of_step(self._source, self._batch, self._seed, step, self._share)
            step += stride


def batch_of_step(source: Source, batch: int, seed: int, step: int, share: Share) -> dict[str, Tensor]:
    """One process's part of the batch of one step, as tensors."""
    source = source.at(step) if isinstance(source, Phased) else source
    rows = source.draw(np.random.default_rng((seed, step)), batch)[share.rank :: share.world]
    return {name: torch.from_numpy(np.ascontiguousarray(v)) for name, v in source.load(rows).items()}


def stream(
    source: Source, batch: int, seed: int, start: int, share: Share, workers: int
) -> Iterator[dict[str, Tensor]]:
    """Batches from step `start` on, loaded ahead by `workers` processes (0: in this one)."""
    batches = Batches(source, batch, seed, start, share)
    # A generator of its own: else starting to load would draw from the one that a checkpoint keeps.
    loader = DataLoader(
        batches,
        batch_size=None,
        num_workers=workers,
        generator=torch.Generator(),
        worker_init_fn=_outlive_signals if workers else None,
    )
    return iter(loader)


def _outlive_signals(number: int) -> None:
    """Ctrl-C and a stopped job reach the workers too; when to end is their run's to say, which has yet to take
    its last step and to save."""
    for wanted in (signal.SIGINT, signal.SIGTERM):
        signal.signal(wanted, signal.SIG_IGN)
