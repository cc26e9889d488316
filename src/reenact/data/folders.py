"""Plain folders of clips and stills: the data set that anyone can make.

    DIR/clips/train/*.mp4   DIR/clips/val/*.mp4     (or DIR/clips/*.mp4: one split named 'all')
    DIR/stills/**/*.jpg     (or DIR/portraits/...)

Every clip shows one person throughout; every still is one person's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from reenact.errors import ReenactError

CLIP_SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".gif")
STILL_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".heic")
_STILL_FOLDERS = ("stills", "portraits")
_ONLY = "all"


@dataclass(frozen=True)
class FolderData:
    """root: the folder. clips: files of each split, in the order of their names. stills: likewise; each named
    by its path below the folder of stills."""

    root: Path
    clips: dict[str, tuple[Path, ...]]
    stills: tuple[Path, ...]

    def split(self, name: str) -> tuple[Path, ...]:
        """The clips of a split; a ReenactError names the splits there are."""
        if name in self.clips:
            return self.clips[name]
        if list(self.clips) == [_ONLY]:
            return self.clips[_ONLY]
        there = ", ".join(self.clips) or "none"
        raise ReenactError(f"{self.root / 'clips'}: no clips of a split {name!r}; there are: {there}")

    def unseen_stills(self) -> tuple[Path, ...]:
        """The stills that nothing shipped was trained on: those of `holdout.json`; all where none is here."""
        held = [path for path in self.stills if "/".join(path.parts[-2:]) in _held_out()]
        return tuple(held) or self.stills


def open_folders(root: Path) -> FolderData:
    """What lies in a folder of clips and stills. Raises ReenactError where there is neither."""
    root = Path(root)
    if not root.is_dir():
        raise ReenactError(f"{root}: no such folder; give one with clips/ and stills/ in it")
    clips = _clips(root / "clips")
    stills: list[Path] = []
    for name in _STILL_FOLDERS:
        stills += _files(root / name, STILL_SUFFIXES, deep=True)
    if not clips and not stills:
        raise ReenactError(f"{root}: neither clips nor stills there; put videos into {root / 'clips' / 'val'}")
    return FolderData(root, clips, tuple(stills))


def _clips(folder: Path) -> dict[str, tuple[Path, ...]]:
    if not folder.is_dir():
        return {}
    found = {sub.name: _files(sub, CLIP_SUFFIXES) for sub in sorted(folder.iterdir()) if sub.is_dir()}
    found[_ONLY] = _files(folder, CLIP_SUFFIXES)
    return {name: tuple(paths) for name, paths in found.items() if paths}


def _files(folder: Path, suffixes: tuple[str, ...], *, deep: bool = False) -> list[Path]:
    if not folder.is_dir():
        return []
    paths = folder.rglob("*") if deep else folder.iterdir()
    visible = (path for path in paths if path.suffix.lower() in suffixes and not path.name.startswith("."))
    return sorted(path for path in visible if path.is_file())


@lru_cache(maxsize=1)
def _held_out() -> frozenset[str]:
    return frozenset(json.loads((files("reenact") / "data" / "holdout.json").read_text("utf-8"))["stills"])
