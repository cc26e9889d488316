"""Multi-PIE by its names, the 200/137 split, and the large-pose protocol."""

from __future__ import annotations

from reenact.data.items import NAME_ODD
from reenact.data.multipie import CAMERAS, pairs, read, training


def names(
    people: range, cameras: tuple[str, ...] = ("051", "110", "240"), takes=("01_01", "01_02")
) -> list[str]:
    return [
        f"session01/multiview/{p:03d}/01/{c[:2]}_{c[2]}/{p:03d}_{take}_{c}_07.png"
        for p in people
        for c in cameras
        for take in takes
    ]


def test_names_become_session_expression_and_yaw(tree) -> None:
    odd = ["001_05_01_051_07.png", "001_01_03_051_07.png", "001_01_01_099_07.png"]
    listing = read(tree("001_03_03_240_12.png", "002_02_02_081_00.png", *odd))
    assert [(i.attributes["expression"], i.attributes["yaw"]) for i in listing.items] == [
        ("disgust", "-90"),
        ("surprise", "45"),
    ]
    assert [s.name for s in listing.skipped] == sorted(odd) and listing.skip_counts() == {NAME_ODD: 3}


def test_fifteen_cameras_are_symmetric() -> None:
    assert len(CAMERAS) == 15 and sorted(CAMERAS.values()) == sorted(-yaw for yaw in CAMERAS.values())


def test_first_200_people_train_and_137_test(tree) -> None:
    # Numbers have gaps in the data set, as here: 337 people up to 346.
    people = [n for n in range(1, 347) if n % 38]
    listing = read(tree(*(f"{n:03d}_01_01_051_07.png" for n in people)))
    count = {split: sum(item.split == split for item in listing.items) for split in ("train", "test")}
    assert len(people) == 337 and count == {"train": 200, "test": 137}
    assert max(i.identity for i in listing.of("train")) < min(i.identity for i in listing.of("test"))
    assert len(training(listing.items)) == 200


def test_large_pose_keeps_source_under_30_and_driving_over_60(tree) -> None:
    listing = read(
        tree(*(f"{n:03d}_01_01_051_07.png" for n in range(1, 201)), *names(range(201, 207), tuple(CAMERAS)))
    )
    drawn = pairs(listing.items, large_pose=True, per_person=20)
    assert len(drawn) == 6 * 20
    for pair in drawn:
        assert abs(int(pair.source.attributes["yaw"])) < 30 < 60 < abs(int(pair.driving.attributes["yaw"]))
        assert pair.source.identity != pair.driving.identity
        assert pair.truth is not None and pair.truth.identity == pair.source.identity
        assert pair.truth.attributes["camera"] == pair.driving.attributes["camera"]
        assert pair.truth.attributes["expression"] == pair.driving.attributes["expression"]
    anywhere = pairs(listing.items, per_person=20)
    assert {abs(int(p.driving.attributes["yaw"])) for p in anywhere} >= {0, 15, 90}
