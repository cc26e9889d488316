"""One's own pictures and videos: `clips/` and `stills/` as `folders.py` has them, or any folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from reenact.data.folders import open_folders
from reenact.data.items import (
    PICTURE_SUFFIXES,
    VIDEO_SUFFIXES,
    DataSet,
    Item,
    Listing,
    Skipped,
    checked,
    file_fault,
    files_below,
    split_in,
)


def read(root: Path) -> Listing:
    """Every video is a clip of one person, every picture one person's; the file's name below `root` names both.

    With `clips/` and `stills/` (or `portraits/`) below it, those are read, and what the hold-out list of the
    package names is 'test'; otherwise all pictures and videos at any depth. Splits come from folders' names.
    """
    items, skipped = [], []
    for path in _media(root):
        name = path.relative_to(root).as_posix()
        if fault := file_fault(path):
            skipped.append(Skipped(name, fault))
        else:
            items.append(_item(path, name))
    return checked(Listing("folders", root, tuple(items), tuple(skipped)))


def _media(root: Path) -> Iterator[Path]:
    if any((root / name).is_dir() for name in ("clips", "stills", "portraits")):
        found = open_folders(root)
        yield from sorted({*found.stills, *(path for paths in found.clips.values() for path in paths)})
        return
    for path, _ in files_below(root, "a folder of clips and stills"):
        if path.suffix.lower() in PICTURE_SUFFIXES | VIDEO_SUFFIXES:
            yield path


def _item(path: Path, name: str) -> Item:
    key = str(Path(name).with_suffix("")).replace("\\", "/")
    video = path.suffix.lower() in VIDEO_SUFFIXES
    held = path.stem in _held("clips") if video else "/".join(path.parts[-2:]) in _held("stills")
    split = "test" if held else split_in(Path(name).parts[:-1])
    return Item(path, key, key, key if video else "", split=split)


def _held(kind: str) -> frozenset[str]:
    global _HELD
    if _HELD is None:
        _HELD = json.loads((files("reenact") / "data" / "holdout.json").read_text("utf-8"))
    return frozenset(_HELD[kind])


_HELD: dict[str, list[str]] | None = None
FOLDERS = DataSet(
    "folders",
    "plain folders of clips and stills",
    ("clips/train/*.mp4, clips/val/*.mp4, stills/**/*.jpg", "any folder of pictures and videos"),
    read,
    videos=True,
)
