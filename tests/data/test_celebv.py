"""CelebV by its lists, and GLG's two scenarios."""

from __future__ import annotations

from pathlib import Path

import pytest

from reenact.data.celebv import PEOPLE, pairs, read
from reenact.data.items import MISSING, NAME_ODD, Item
from reenact.errors import ReenactError

LINE = " ".join(["1.5"] * 196)


def test_lists_give_order_split_and_what_is_missing(tree) -> None:
    root = tree(
        *(f"CelebV/Kathleen/Image/{n}.jpg" for n in (1, 2, 4)),
        "CelebV/Kathleen/all_98pt.txt",
        "CelebV/Kathleen/test_98pt.txt",
        all_98pt_txt=f"{LINE} 2.jpg\n{LINE} 1.jpg\n1 2 3 4.jpg\n{LINE} 3.jpg\n{LINE} 4.jpg\n",
        test_98pt_txt=f"{LINE} 4.jpg\n",
    )
    listing = read(root)
    assert [(i.path.name, i.frame, i.split) for i in listing.items] == [
        ("2.jpg", 0, "train"),
        ("1.jpg", 1, "train"),
        ("4.jpg", 3, "test"),
    ]
    assert {i.clip for i in listing.items} == {"Kathleen"}
    assert {(s.name, s.reason) for s in listing.skipped} == {
        ("Kathleen/all_98pt.txt:3", NAME_ODD),
        ("Kathleen/Image/3.jpg", MISSING),
    }


def test_without_lists_the_folder_counts_and_the_last_quarter_tests(tree) -> None:
    listing = read(tree(*(f"Jack_Ma/Image/{n:05d}.jpg" for n in range(8))))
    assert [item.split for item in listing.items] == ["train"] * 6 + ["test"] * 2


def test_a_folder_without_the_five_people_says_so(tree) -> None:
    with pytest.raises(ReenactError, match="none of CelebV's people"):
        read(tree("somebody/Image/1.jpg"))


def test_2000_pairs_a_person_from_others_and_the_known_scenario_tests_on_held_pictures() -> None:
    items = [
        Item(Path("x"), f"{p}/{n}", p, p, n, split="test" if n >= 30 else "train")
        for p in PEOPLE
        for n in range(40)
    ]
    unseen, known = pairs(items), pairs(items, scenario="known", per_person=50)
    assert len(unseen) == 10_000 and len(known) == 250
    assert {p.source.identity for p in unseen} == set(PEOPLE)
    assert all(p.source.identity != p.driving.identity for p in unseen)
    assert all(p.source.split == p.driving.split == "test" for p in known)
