"""Samples that are rendered once before training: made by several processes, kept as shards of arrays.

A shard is a folder of `NAME.npy`, which is there only when it is complete.
"""

from __future__ import annotations

import multiprocessing
import shutil
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Shard = dict[str, NDArray[Any]]


def write_shard(folder: Path, arrays: Iterable[tuple[str, NDArray[Any]]]) -> None:
    """All arrays into `folder`, whole or not at all; one after the other, so that they need not be in memory
    together."""
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for name, array in arrays:
        np.save(partial / f"{name}.npy", array)
    partial.rename(folder)


def read_shards(folder: Path, names: Sequence[str]) -> dict[str, Shard]:
    """The complete shards below `folder` that have these arrays, by name; read from the disk as they are
    used."""
    found: dict[str, Shard] = {}
    for path in sorted(folder.glob("*")):
        files = {name: path / f"{name}.npy" for name in names}
        if path.suffix != ".partial" and all(file.is_file() for file in files.values()):
            found[path.name] = {name: np.load(file, mmap_mode="r") for name, file in files.items()}
    return found


def in_processes(count: int, task: Callable[..., None], jobs: Iterable[tuple[Any, ...]]) -> None:
    """Do `task(*job)` for all jobs, in `count` processes at a time; one process is this one. Raises what the
    first that failed raised."""
    with _pool(count) as pool:
        for done in [pool.submit(task, *job) for job in jobs]:
            done.result()


def _pool(count: int) -> Executor:
    """Processes that begin empty: a copy of one that has run a detector would hang."""
    if count == 1:
        return ThreadPoolExecutor(1)
    return ProcessPoolExecutor(count, multiprocessing.get_context("spawn"))
