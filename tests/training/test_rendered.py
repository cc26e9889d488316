"""Rendered samples: shards are whole or not there, and processes do all jobs or say what failed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from reenact.training.rendered import in_processes, read_shards, write_shard


def test_shards_come_back_by_name(tmp_path: Path) -> None:
    for name in ("b", "a"):
        write_shard(tmp_path / name, [("x", np.full(3, ord(name))), ("y", np.arange(2))])
    (tmp_path / "c.partial").mkdir()
    (tmp_path / "other").mkdir()
    shards = read_shards(tmp_path, ("x", "y"))
    assert list(shards) == ["a", "b"]
    assert shards["b"]["x"].tolist() == [98, 98, 98] and shards["a"]["y"].tolist() == [0, 1]
    assert read_shards(tmp_path, ("x", "z")) == {}


def test_a_shard_that_breaks_off_is_none_and_may_be_written_again(tmp_path: Path) -> None:
    def arrays(whole: bool) -> Iterator[tuple[str, np.ndarray]]:
        yield "x", np.zeros(3)
        if not whole:
            raise KeyboardInterrupt
        yield "y", np.ones(3)

    with pytest.raises(KeyboardInterrupt):
        write_shard(tmp_path / "a", arrays(False))
    assert read_shards(tmp_path, ("x",)) == {}
    write_shard(tmp_path / "a", arrays(True))
    assert list(read_shards(tmp_path, ("x", "y"))) == ["a"] and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("count", [1, 2])
def test_all_jobs_are_done_and_a_failure_is_raised(tmp_path: Path, count: int) -> None:
    in_processes(count, os.mkdir, [(str(tmp_path / name),) for name in "abc"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "c"]
    with pytest.raises(FileExistsError):
        in_processes(count, os.mkdir, [(str(tmp_path / "a"),)])
