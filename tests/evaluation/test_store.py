"""What an evaluation keeps: files that are whole or not there, and the same when they are read again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reenact.errors import ReenactError
from reenact.evaluation import store


def test_files_are_replaced_whole(tmp_path: Path) -> None:
    folder = tmp_path / "pairs" / "a"
    for value in (1, 2):
        store.write_text(folder / "warp.json", f'{{"rows": [{value}]}}')
        store.write_features(folder / "warp.npz", {"identity": np.full((2, 3), value, np.float32)})
        store.write_picture(folder / "warp.png", np.full((8, 8, 3), value, np.uint8))
    assert store.rows_of(folder, "warp") == [2]
    assert (store.features_of(folder, "warp")["identity"] == 2).all()
    assert sorted(path.name for path in folder.iterdir()) == ["warp.json", "warp.npz", "warp.png"]


def test_a_folder_that_cannot_be_made_is_a_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ReenactError, match="choose another --out"):
        store.write_text(tmp_path / "file" / "table.md", "text")
