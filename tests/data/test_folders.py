"""Plain folders of clips and stills, on trees made on the spot."""

from __future__ import annotations

from pathlib import Path

import pytest

from reenact.data.folders import open_folders
from reenact.errors import ReenactError


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def test_splits_and_stills(tmp_path: Path) -> None:
    names = (
        "clips/val/b.mp4",
        "clips/val/a.MOV",
        "clips/val/.c.mp4",
        "clips/val/notes.txt",
        "clips/train/d.mp4",
    )
    data = open_folders(touch(tmp_path, *names, "stills/x.jpg", "portraits/grey/y.png", "portraits/list.json"))
    assert [path.name for path in data.split("val")] == ["a.MOV", "b.mp4"]
    assert [path.name for path in data.split("train")] == ["d.mp4"]
    assert [path.name for path in data.stills] == ["x.jpg", "y.png"]
    assert data.unseen_stills() == data.stills


def test_clips_without_splits_are_any_split(tmp_path: Path) -> None:
    data = open_folders(touch(tmp_path, "clips/a.mp4"))
    assert [path.name for path in data.split("val")] == ["a.mp4"]


def test_held_out_stills_come_alone(tmp_path: Path) -> None:
    import json
    from importlib.resources import files

    held = json.loads((files("reenact") / "data" / "holdout.json").read_text())["stills"][0]
    data = open_folders(touch(tmp_path, f"portraits/{held}", "portraits/colour/seen.jpg"))
    assert [str(path.relative_to(tmp_path / "portraits")) for path in data.unseen_stills()] == [held]


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReenactError, match="no such folder"):
        open_folders(tmp_path / "missing")
    with pytest.raises(ReenactError, match="neither clips nor stills"):
        open_folders(tmp_path)
    with pytest.raises(ReenactError, match="there are: train"):
        open_folders(touch(tmp_path, "clips/train/a.mp4")).split("val")
