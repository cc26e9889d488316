"""CelebV (Wu et al. 2018, ReenactGAN): five people, about 40,000 pictures of each from one video:
`Donald_Trump/Image/NAME`, listed with 98 landmarks in `Donald_Trump/all_98pt.txt`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Literal

from reenact.data.items import (
    EMPTY,
    MISSING,
    NAME_ODD,
    PICTURE_SUFFIXES,
    DataSet,
    Item,
    Listing,
    Pair,
    Skipped,
    by_identity,
    checked,
)
from reenact.errors import ReenactError

PEOPLE = ("Donald_Trump", "Emmanuel_Macron", "Jack_Ma", "Kathleen", "Theresa_May")
NUMBERS = 98 * 2
"""Numbers before the name in a line of the list: x and y of 98 points (WFLW's) in the 256 px picture."""
TEST_SHARE = 0.25
"""Of each person's pictures, the last quarter is for testing where the split lists are not there (ReenactGAN
trains on 30,000 of about 40,000)."""


def read(root: Path) -> Listing:
    """The pictures of the five people below `root`. Order and names come from `all_98pt.txt`, or from the
    folder where that is missing; splits from `test_98pt.txt`, else from the order. Lines that do not read and
    pictures that are not there are skipped by name."""
    folders = [
        (person, path)
        for person in PEOPLE
        for path in (root / person, root / "CelebV" / person)
        if path.is_dir()
    ]
    if not folders:
        raise ReenactError(
            f"{root}: none of CelebV's people there ({', '.join(PEOPLE)}); give the folder they lie in"
        )
    items: list[Item] = []
    skipped: list[Skipped] = []
    for person, folder in folders:
        names, odd = _names(folder)
        skipped += odd
        items += _person(person, folder, names, skipped)
    return checked(Listing("celebv", root, tuple(items), tuple(skipped)))


def _person(person: str, folder: Path, names: list[str], skipped: list[Skipped]) -> list[Item]:
    test = set(_listed(folder / "test_98pt.txt")[0])
    first_test = round(len(names) * (1 - TEST_SHARE))
    items = []
    for number, name in enumerate(names):
        path = folder / "Image" / name
        if not path.is_file():
            skipped.append(Skipped(f"{person}/Image/{name}", MISSING))
        elif path.stat().st_size == 0:
            skipped.append(Skipped(f"{person}/Image/{name}", EMPTY))
        else:
            held = name in test if test else number >= first_test
            split = "test" if held else "train"
            items.append(Item(path, f"{person}/{number:06d}", person, person, number, split=split))
    return items


def _names(folder: Path) -> tuple[list[str], list[Skipped]]:
    """Names of the pictures in their order, and lines of the list that do not read."""
    if (folder / "all_98pt.txt").is_file():
        return _listed(folder / "all_98pt.txt")
    pictures = folder / "Image"
    found = sorted(p.name for p in pictures.iterdir()) if pictures.is_dir() else []
    return [name for name in found if Path(name).suffix.lower() in PICTURE_SUFFIXES], []


def _listed(path: Path) -> tuple[list[str], list[Skipped]]:
    names: list[str] = []
    odd: list[Skipped] = []
    lines = path.read_text("utf-8", "replace").splitlines() if path.is_file() else []
    for number, line in enumerate(lines, 1):
        words = line.split()
        if len(words) == NUMBERS + 1 and "/" not in words[-1]:
            names.append(words[-1])
        elif words:
            odd.append(Skipped(f"{path.parent.name}/{path.name}:{number}", NAME_ODD))
    return names, odd


def pairs(
    items: Sequence[Item],
    *,
    scenario: Literal["unseen", "known"] = "unseen",
    per_person: int = 2000,
    seed: int = 0,
) -> list[Pair]:
    """GLG's cross-reenactment test (section IV-A): 2,000 pairs for each of the five people, who is the source;
    the driving one is another of them.

    scenario: 'unseen', the systems were trained on VoxCeleb1 alone: all pictures serve. 'known', they were
    trained on CelebV: the pictures of its test split serve.
    """
    kept = [item for item in items if scenario == "unseen" or item.split == "test"]
    people = by_identity(kept)
    found = []
    for person, own in people.items():
        draw = Random(f"celebv {seed} {person}")
        others = [item for item in kept if item.identity != person]
        found += [Pair(draw.choice(own), draw.choice(others)) for _ in range(per_person if others else 0)]
    return found


CELEBV = DataSet(
    "celebv",
    "CelebV",
    ("[CelebV/]Donald_Trump/Image/NAME.jpg", "[CelebV/]Donald_Trump/all_98pt.txt"),
    read,
)
