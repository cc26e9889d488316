"""RaFD by its names, and its 6,700 pairs."""

from __future__ import annotations

from pathlib import Path

from reenact.data.items import NAME_ODD, Item
from reenact.data.rafd import ANGLES, EXPRESSIONS, GAZES, HR_NET_ANGLES, action, pairs, read


def test_names_become_attributes_and_odd_ones_are_skipped(tree) -> None:
    good = ["Rafd090_01_Caucasian_female_angry_frontal.jpg", "Rafd180_11_Kid_female_disgusted_right.jpg"]
    odd = [
        "Rafd060_01_Caucasian_female_angry_frontal.jpg",
        "Rafd090_01_Caucasian_female_bored_left.jpg",
        "notes.jpg",
    ]
    listing = read(tree(*good, *odd, "readme.txt"))
    assert [item.identity for item in listing.items] == ["rafd01", "rafd11"]
    assert listing.items[1].attributes == {
        "angle": "180",
        "group": "Kid",
        "gender": "female",
        "expression": "disgusted",
        "gaze": "right",
    }
    assert [(s.name, s.reason) for s in listing.skipped] == [(name, NAME_ODD) for name in sorted(odd)]


def whole(people: int = 67) -> list[Item]:
    return [
        Item(Path("x"), f"{a}{p}{e}{g}", f"rafd{p:02d}", attributes={"angle": a, "expression": e, "gaze": g})
        for p in range(people)
        for a in ANGLES
        for e in EXPRESSIONS
        for g in GAZES
    ]


def test_the_whole_set_gives_6700_pairs_with_their_truth() -> None:
    items = whole()
    assert len(items) == 8040
    drawn = pairs(items, seed=1)
    assert len(drawn) == 6700 and drawn == pairs(items, seed=1) != pairs(items, seed=2)
    for pair in drawn[::97]:
        assert pair.source.identity != pair.driving.identity and action(pair.source) == (
            "090",
            "neutral",
            "frontal",
        )
        assert pair.truth is not None and pair.truth.identity == pair.source.identity
        assert action(pair.truth) == action(pair.driving)


def test_hr_net_uses_three_angles() -> None:
    drawn = pairs(whole(8), angles=HR_NET_ANGLES)
    assert {pair.driving.attributes["angle"] for pair in drawn} == set(HR_NET_ANGLES)
    assert len({p.driving.key for p in drawn if p.source.identity == "rafd00"}) == 100


def test_a_missing_truth_is_none() -> None:
    items = [
        item for item in whole(2) if not (item.identity == "rafd00" and item.attributes["expression"] == "sad")
    ]
    drawn = [
        p for p in pairs(items) if p.source.identity == "rafd00" and p.driving.attributes["expression"] == "sad"
    ]
    assert drawn and all(pair.truth is None for pair in drawn)
