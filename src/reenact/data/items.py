"""What every data set becomes: a list of files with what their names say, and what was passed over."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from reenact.errors import ReenactError

VIDEO_SUFFIXES = frozenset({".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".gif"})
PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".heic"})


@dataclass(frozen=True)
class Item:
    """One file of a data set: a picture, or a whole video, or (with `frame`) one frame of a video.

    key: its name, unique in the data set, parts parted by '/'. identity: the person, '' where not known.
    clip: the recording that it is a frame of, '' for a picture that stands alone. frame: its number in the
    clip. time: exact seconds from the clip's start. split: 'train', 'val', 'test' or ''. attributes: what
    else the name says (angle, expression, gaze, camera, ...).
    """

    path: Path
    key: str
    identity: str = ""
    clip: str = ""
    frame: int | None = None
    time: Fraction | None = None
    split: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_video(self) -> bool:
        """Whether the file is a video (its frames are read by decoding)."""
        return self.path.suffix.lower() in VIDEO_SUFFIXES


@dataclass(frozen=True)
class Skipped:
    """A file that was passed over. name: below the data set's folder. reason: the same words for the same
    reason, so that they can be counted. detail: what was wrong with this one."""

    name: str
    reason: str
    detail: str = ""


@dataclass(frozen=True)
class Listing:
    """What a data set's folder holds: items in the order of their keys, and what was skipped."""

    dataset: str
    root: Path
    items: tuple[Item, ...]
    skipped: tuple[Skipped, ...] = ()

    @property
    def people(self) -> list[str]:
        """The identities, sorted."""
        return sorted({item.identity for item in self.items})

    def of(self, split: str) -> tuple[Item, ...]:
        """The items of one split; a ReenactError names the splits there are."""
        found = tuple(item for item in self.items if item.split == split)
        if not found:
            there = ", ".join(sorted({item.split or "(none)" for item in self.items}))
            raise ReenactError(f"{self.root}: nothing of a split {split!r}; there are: {there}")
        return found

    def skip_counts(self) -> dict[str, int]:
        """How many files were skipped for each reason."""
        return dict(sorted(Counter(skipped.reason for skipped in self.skipped).items()))


@dataclass(frozen=True)
class DataSet:
    """An adapter. name: as on the command line. title: for people. layout: how its files lie below the folder
    that is given, one example a form. read: lists such a folder. rate: frames a second that the papers take
    of its videos, None for all. videos: whether it is made of clips."""

    name: str
    title: str
    layout: tuple[str, ...]
    read: Callable[[Path], Listing]
    rate: Fraction | None = None
    videos: bool = False


@dataclass(frozen=True)
class Pair:
    """source: gives identity and appearance. driving: gives pose and expression. truth: the source's person as
    the driving one is, where the data set has that picture; in self-reenactment it is `driving` itself."""

    source: Item
    driving: Item
    truth: Item | None = None


NAME_ODD = "name does not fit the data set"
EMPTY = "file is empty"
MISSING = "listed but missing"
LOST = "cannot be opened (a broken link, or no permission)"


def files_below(root: Path, dataset: str) -> Iterator[tuple[Path, str]]:
    """All files below `root` in the order of their names, with their '/'-parted name below it. Hidden files and
    folders are left out. Raises ReenactError where there is no such folder."""
    if not root.is_dir():
        raise ReenactError(f"{root}: no such folder; give the one that {dataset} lies in")
    for folder, subfolders, names in os.walk(root, followlinks=True):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                path = Path(folder) / name
                yield path, path.relative_to(root).as_posix()


Named = tuple[str, Mapping[str, str]]
"""What `match_names` found: the pattern's name, and its groups."""


def list_by_name(
    root: Path,
    dataset: str,
    patterns: Iterable[tuple[str, str]],
    make: Callable[[Path, str, str, Mapping[str, str]], Item | None],
    *,
    suffixes: frozenset[str] = PICTURE_SUFFIXES | VIDEO_SUFFIXES,
) -> Listing:
    """The listing of a data set whose files say in their names what they are.

    patterns: pairs of a form's name and a regular expression for the whole name below `root`; the first that
    fits counts. make: from path, name, form and groups to an item, None for a file that the data set has but
    that is of no use here. Files with other suffixes (lists, sounds) are none of its business; pictures and
    videos that fit no pattern, and empty ones, are skipped by name. Raises ReenactError where nothing fits.
    """
    compiled = [(form, re.compile(pattern)) for form, pattern in patterns]
    items, skipped = [], []
    for path, name in files_below(root, dataset):
        if path.suffix.lower() not in suffixes:
            continue
        form, groups = _first_match(compiled, name)
        if groups is None:
            skipped.append(Skipped(name, NAME_ODD))
        elif fault := file_fault(path):
            skipped.append(Skipped(name, fault))
        elif (item := make(path, name, form, groups)) is not None:
            items.append(item)
    return checked(Listing(dataset, root, tuple(items), tuple(skipped)))


def file_fault(path: Path) -> str:
    """Why a file cannot be used, as far as can be told without reading it; '' if nothing is wrong."""
    try:
        return "" if path.stat().st_size else EMPTY
    except OSError:
        return LOST


def checked(listing: Listing) -> Listing:
    """The listing in the order of its keys; a ReenactError where it holds no item."""
    if not listing.items:
        odd = ""
        if listing.skipped:
            odd = f" ({len(listing.skipped)} files skipped, the first: {listing.skipped[0].name})"
        raise ReenactError(
            f"{listing.root}: no files of {listing.dataset} there{odd}; "
            "'reenact prepare --list' shows how they should lie"
        )
    return Listing(
        listing.dataset, listing.root, tuple(sorted(listing.items, key=lambda item: item.key)), listing.skipped
    )


def _first_match(
    compiled: Iterable[tuple[str, re.Pattern[str]]], name: str
) -> tuple[str, Mapping[str, str] | None]:
    for form, pattern in compiled:
        found = pattern.fullmatch(name)
        if found:
            return form, {key: value for key, value in found.groupdict().items() if value is not None}
    return "", None


def split_in(parts: Iterable[str]) -> str:
    """The split that a folder's name in a path says: 'train' (also 'dev'), 'val', 'test', or ''."""
    names = {
        "train": "train",
        "dev": "train",
        "training": "train",
        "val": "val",
        "valid": "val",
        "test": "test",
    }
    return next((names[part.lower()] for part in parts if part.lower() in names), "")


def by_clip(items: Iterable[Item]) -> dict[str, list[Item]]:
    """Items with a clip, by clip, each in the order of its frames."""
    found: dict[str, list[Item]] = {}
    for item in items:
        if item.clip:
            found.setdefault(item.clip, []).append(item)
    return {clip: sorted(of, key=lambda item: item.frame or 0) for clip, of in sorted(found.items())}


def by_identity(items: Iterable[Item]) -> dict[str, list[Item]]:
    """Items by person, in the order of the people's names."""
    found: dict[str, list[Item]] = {}
    for item in items:
        found.setdefault(item.identity, []).append(item)
    return dict(sorted(found.items()))
