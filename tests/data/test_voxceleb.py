"""VoxCeleb's three forms, its splits, and the draws of HR-Net, DG, FIPLS and GLG."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from reenact.data.items import EMPTY, LOST, NAME_ODD, Item, Skipped
from reenact.data.voxceleb import hold_out, hold_out_pairs, marionette_pairs, read, x2face_split
from reenact.errors import ReenactError


def test_folders_of_the_release(tree) -> None:
    root = tree(
        "dev/mp4/id00012/21Uxsk56VDQ/00001.mp4", "test/mp4/id00017/01dfn2spqyE/00001.mp4", "vox2_meta.csv"
    )
    listing = read(root)
    assert [item.key for item in listing.items] == ["id00012/21Uxsk56VDQ/00001", "id00017/01dfn2spqyE/00001"]
    assert [(item.identity, item.split, item.is_video) for item in listing.items] == [
        ("id00012", "train", True),
        ("id00017", "test", True),
    ]
    assert not listing.skipped


def test_cut_clips_as_files_and_as_folders_of_frames(tree) -> None:
    cut = "train/id10001#7w0IBEWc9Qw#000993#001143.mp4"
    frames = [f"test/id10280#NXjT3732Ekg#001093#001192.mp4/{n:07d}.png" for n in (0, 25)]
    listing = read(tree(cut, *frames))
    clip = next(item for item in listing.items if item.is_video)
    assert (clip.clip, clip.frame, clip.split) == ("id10001/7w0IBEWc9Qw/000993-001143", None, "train")
    still = [item for item in listing.items if not item.is_video]
    assert [(item.frame, item.time) for item in still] == [(0, Fraction(0)), (25, Fraction(1))]
    assert {item.clip for item in still} == {"id10280/NXjT3732Ekg/001093-001192"}


def test_test_people_of_voxceleb1_are_known_by_number(tree) -> None:
    listing = read(
        tree("id10269/aaaaaaaaaaa/00001.mp4", "id10270/aaaaaaaaaaa/00001.mp4", "id10309/bbbbbbbbbbb/00002.mp4")
    )
    assert [item.split for item in listing.items] == ["train", "test", "test"]


def test_face_crops_at_one_frame_a_second(tree) -> None:
    listing = read(tree("unzippedFaces/Ada_Example/1.6/7w0IBEWc9Qw/0000050.jpg"))
    (item,) = listing.items
    assert (item.identity, item.clip, item.time) == ("Ada_Example", "Ada_Example/7w0IBEWc9Qw", Fraction(2))


def test_odd_and_empty_files_are_named(tree) -> None:
    root = tree("id10001/aaaaaaaaaaa/00001.mp4", "id10001/holiday.mp4", "id10001/aaaaaaaaaaa/00002.mp4")
    (root / "id10001/aaaaaaaaaaa/00002.mp4").write_bytes(b"")
    listing = read(root)
    assert len(listing.items) == 1
    assert {(s.name, s.reason) for s in listing.skipped} == {
        ("id10001/holiday.mp4", NAME_ODD),
        ("id10001/aaaaaaaaaaa/00002.mp4", EMPTY),
    }
    assert listing.skip_counts() == {EMPTY: 1, NAME_ODD: 1}


def test_a_broken_link_is_named(tree) -> None:
    root = tree("id10001/aaaaaaaaaaa/00001.mp4")
    (root / "id10001/aaaaaaaaaaa/00002.mp4").symlink_to(root / "gone.mp4")
    assert read(root).skipped == (Skipped("id10001/aaaaaaaaaaa/00002.mp4", LOST),)


def test_a_folder_without_voxceleb_says_so(tree, tmp_path: Path) -> None:
    with pytest.raises(
        ReenactError, match=r"no files of voxceleb there \(1 files skipped, the first: cat.jpg\)"
    ):
        read(tree("cat.jpg"))
    with pytest.raises(ReenactError, match="no such folder"):
        read(tmp_path / "nowhere")


def test_x2face_split_parts_people_75_15_10() -> None:
    people = [f"id{n}" for n in range(10001, 10201)]
    split = x2face_split(people, seed=3)
    assert sorted(split) == people and split == x2face_split(people[::-1], seed=3)
    assert {name: list(split.values()).count(name) for name in ("train", "val", "test")} == {
        "train": 150,
        "val": 30,
        "test": 20,
    }
    assert split != x2face_split(people, seed=4)


def frames(people: int, clips: int, length: int) -> list[Item]:
    return [
        Item(Path("x"), f"id{p}/v{c}/{n:03d}", f"id{p}", f"id{p}/v{c}", n)
        for p in range(people)
        for c in range(clips)
        for n in range(length)
    ]


def test_hold_out_takes_8_to_tune_and_32_to_test_of_50_videos() -> None:
    held = hold_out(frames(20, 3, 45), videos=50, tune=8, test=32)
    assert len(held) == 50
    for tune, test in held:
        assert (len(tune), len(test)) == (8, 32) and not {t.key for t in tune} & {t.key for t in test}
        assert len({item.clip for item in tune + test}) == 1
    pairs = hold_out_pairs(held)
    assert len(pairs) == 1600 and all(pair.truth is pair.driving for pair in pairs)


def test_hold_out_of_people_takes_one_video_each_and_leaves_short_ones_out() -> None:
    held = hold_out([*frames(5, 3, 40), *frames(9, 1, 20)[100:]], videos=50, tune=1, test=32, per_person=True)
    assert [tune[0].identity for tune, _ in held] == ["id0", "id1", "id2", "id3", "id4"]


def test_marionette_pairs_are_2083_of_100_videos() -> None:
    pairs = marionette_pairs(frames(40, 3, 10))
    videos = [pair.source.clip for pair in pairs]
    assert len(pairs) == 2083 and len(set(videos)) == 100
    assert {videos.count(video) for video in set(videos)} == {20, 21}
    assert all(p.source.clip == p.driving.clip and p.source.key != p.driving.key for p in pairs)
