"""CelebA-HQ (Karras et al. 2018): 30,000 portraits, `CelebA-HQ-img/0.jpg` (CelebAMask-HQ's form) or
`imgHQ00000.png`; with `CelebA-HQ-to-CelebA-mapping.txt` and CelebA's `identity_CelebA.txt` beside them, the
people are known."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from reenact.data.draws import cross_pairs, one_a_person
from reenact.data.items import DataSet, Item, Listing, Pair, list_by_name

TRAIN = 28_000
"""OSFR trains on 28k of the 30k pictures (section 4.1.1)."""
_FORMS = (
    ("mask", r"(?:.*/)?(?:CelebA-HQ-img|celeba[_-]?hq)/(?:.*/)?(?P<number>\d{1,5})\.(?:jpg|png)"),
    ("hq", r"(?:.*/)?imgHQ(?P<number>\d{5})\.(?:png|jpg)"),
    ("flat", r"(?P<number>\d{1,5})\.(?:jpg|png)"),
)


def read(root: Path) -> Listing:
    """The portraits below `root`; numbers up to 27,999 are 'train', the rest 'test'. Where the people are
    known, a test picture of somebody who is in training is of no split: OSFR tests on unseen identities."""
    listing = list_by_name(root, "celeba-hq", _FORMS, _item)
    known = _identities(root)
    items = [
        replace(item, identity=known.get(int(item.attributes["number"]), item.identity))
        for item in listing.items
    ]
    seen = {item.identity for item in items if item.split == "train"}
    parted = [
        replace(item, split="") if item.split == "test" and item.identity in seen else item for item in items
    ]
    return Listing(listing.dataset, root, tuple(parted), listing.skipped)


def _item(path: Path, name: str, form: str, groups: Mapping[str, str]) -> Item:
    number = int(groups["number"])
    split = "train" if number < TRAIN else "test"
    return Item(path, f"{number:05d}", f"hq{number:05d}", split=split, attributes={"number": str(number)})


def _identities(root: Path) -> dict[int, str]:
    """Number of the picture -> person, empty where the two lists are not there or do not read."""
    mapping, people = (
        _words(root, name) for name in ("CelebA-HQ-to-CelebA-mapping.txt", "identity_CelebA.txt")
    )
    person_of = {row[0]: row[1] for row in people if len(row) >= 2}
    rows = (row for row in mapping if len(row) >= 3 and re.fullmatch(r"\d+", row[0]))
    return {int(row[0]): f"celeba{person_of[row[2]]}" for row in rows if row[2] in person_of}


def _words(root: Path, name: str) -> list[list[str]]:
    found = sorted(root.rglob(name))
    return [line.split() for line in found[0].read_text("utf-8", "replace").splitlines()] if found else []


def one_of_each(items: Sequence[Item], *, number: int = 500, seed: int = 0) -> list[Item]:
    """OSFR's test sources: 500 portraits of as many people (section 4.1.2), of the test split where there is
    one. It serves CelebA-HQ ('same source'), FFHQ ('different source') and RAF-DB ('in the wild') alike."""
    test = [item for item in items if item.split == "test"] or list(items)
    return one_a_person(test, number, seed)


def guided_pairs(
    sources: Sequence[Item], guides: Sequence[Item], *, each: int = 100, seed: int = 0
) -> list[Pair]:
    """Each source with 100 pose guides (OSFR, section 4.1.2), of other people."""
    return cross_pairs(sources, guides, each, seed)


CELEBA_HQ = DataSet(
    "celeba-hq",
    "CelebA-HQ",
    (
        "CelebA-HQ-img/0.jpg",
        "imgHQ00000.png",
        "CelebA-HQ-to-CelebA-mapping.txt, identity_CelebA.txt (optional)",
    ),
    read,
)
