"""CMU Multi-PIE (Gross et al. 2010): 337 people, up to 4 sessions, 15 cameras, 20 lights; pictures named
SUBJECT_SESSION_RECORDING_CAMERA_LIGHT, as `001_01_02_051_07.png`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from reenact.data.draws import cross_pairs
from reenact.data.items import DataSet, Item, Listing, Pair, list_by_name

CAMERAS = {
    "110": 90, "120": 75, "090": 60, "080": 45, "130": 30, "140": 15, "051": 0, "050": -15, "041": -30,
    "190": -45, "200": -60, "010": -75, "240": -90, "081": 45, "191": -45,
}  # fmt: skip
"""Yaw of the head as each camera sees it, degrees; 081 and 191 look down from above."""
_RECORDINGS = {
    "01": ("neutral", "smile"),
    "02": ("neutral", "surprise", "squint"),
    "03": ("neutral", "smile", "disgust"),
    "04": ("neutral", "scream", "neutral"),
}
"""The expression of each recording, 01 first, of each session."""
TRAIN_PEOPLE = 200
TRAIN_EXPRESSIONS = ("neutral", "smile", "surprise", "squint")
TRAIN_LIGHTS = ("00", "04", "07", "10", "13")
"""DG trains on 4 expressions and 5 lights (section 4.1) and does not say which; these are ours."""
NEAR, FAR = 30, 60
"""The large-pose protocol: source yaw under, driving yaw over, degrees."""


def read(root: Path) -> Listing:
    """The multiview pictures below `root`. The first 200 people by number are 'train', the other 137 'test'
    (DG, section 4.1). Cameras and recordings that Multi-PIE does not have are skipped by name."""
    sessions = "|".join(
        f"{session}_(?:{'|'.join(f'{n:02d}' for n in range(1, len(of) + 1))})"
        for session, of in _RECORDINGS.items()
    )
    pattern = (
        rf"(?:.*/)?(?P<person>\d{{3}})_(?P<take>{sessions})_(?P<camera>{'|'.join(CAMERAS)})_(?P<light>[01]\d)"
        r"\.(?:png|jpg)"
    )
    listing = list_by_name(root, "multipie", [("multipie", pattern)], _item)
    train = set(listing.people[:TRAIN_PEOPLE])
    items = (_with_split(item, "train" if item.identity in train else "test") for item in listing.items)
    return Listing(listing.dataset, root, tuple(items), listing.skipped)


def _item(path: Path, name: str, form: str, groups: Mapping[str, str]) -> Item:
    session, recording = groups["take"].split("_")
    attributes = {
        "session": session,
        "recording": recording,
        "camera": groups["camera"],
        "light": groups["light"],
        "expression": _RECORDINGS[session][int(recording) - 1],
        "yaw": str(CAMERAS[groups["camera"]]),
    }
    return Item(path, path.stem, f"pie{groups['person']}", attributes=attributes)


def _with_split(item: Item, split: str) -> Item:
    return Item(item.path, item.key, item.identity, split=split, attributes=item.attributes)


def training(items: Sequence[Item]) -> list[Item]:
    """DG's training pictures: the 200 people, all cameras, 5 lights and 4 expressions."""
    return [
        item
        for item in items
        if item.split == "train"
        and item.attributes["expression"] in TRAIN_EXPRESSIONS
        and item.attributes["light"] in TRAIN_LIGHTS
    ]


def pairs(
    items: Sequence[Item], *, large_pose: bool = False, per_person: int = 100, seed: int = 0
) -> list[Pair]:
    """100 driving pictures of other people for each test person; with large_pose, source yaw under 30 and
    driving yaw over 60 degrees (DG, section 4.1). The truth shares expression, camera and light with the
    driving picture. Of a set with nobody to test on, all people are taken."""
    test = _tested(items)
    sources = [item for item in test if not large_pose or _turned(item) < NEAR]
    driving = turned_far(test) if large_pose else test
    truths = {(item.identity, *action(item)): item for item in test}
    drawn = cross_pairs(sources, driving, per_person, seed, source_of=_front)
    return [Pair(p.source, p.driving, truths.get((p.source.identity, *action(p.driving)))) for p in drawn]


def turned_far(items: Sequence[Item]) -> list[Item]:
    """The test people's pictures with a yaw over 60 degrees: large pose's driving pictures."""
    return [item for item in _tested(items) if _turned(item) > FAR]


def _tested(items: Sequence[Item]) -> list[Item]:
    """Those of the test people, or all of a set with nobody to test on."""
    return [item for item in items if item.split == "test"] or list(items)


def action(item: Item) -> tuple[str, ...]:
    """What two pictures must share to show the same pose and expression in the same light."""
    return tuple(item.attributes[key] for key in ("expression", "camera", "light"))


def _turned(item: Item) -> int:
    return abs(int(item.attributes["yaw"]))


def _front(item: Item) -> bool:
    return item.attributes["expression"] == "neutral" and item.attributes["camera"] == "051"


MULTIPIE = DataSet(
    "multipie",
    "CMU Multi-PIE",
    ("[Multi-Pie/data/]session01/multiview/001/01/05_1/001_01_01_051_07.png",),
    read,
)
