"""CelebA-HQ, FFHQ, RAF-DB and plain folders by their names; OSFR's test sets."""

from __future__ import annotations

import pytest

from reenact.data import DATASETS, find_dataset, plain
from reenact.data.celeba_hq import guided_pairs, one_of_each, read
from reenact.data.draws import k_shot
from reenact.data.ffhq import read as read_ffhq
from reenact.data.items import EMPTY, MISSING, NAME_ODD
from reenact.data.raf_db import read as read_raf
from reenact.errors import ReenactError


def test_celeba_hq_parts_at_28000(tree) -> None:
    listing = read(
        tree("CelebA-HQ-img/0.jpg", "CelebA-HQ-img/27999.jpg", "CelebA-HQ-img/28000.jpg", "imgHQ29999.png")
    )
    assert [(item.key, item.split) for item in listing.items] == [
        ("00000", "train"),
        ("27999", "train"),
        ("28000", "test"),
        ("29999", "test"),
    ]


def test_celeba_hq_keeps_people_of_training_out_of_the_test(tree) -> None:
    root = tree(
        "CelebA-HQ-img/0.jpg",
        "CelebA-HQ-img/28000.jpg",
        "CelebA-HQ-img/28001.jpg",
        "CelebA-HQ-to-CelebA-mapping.txt",
        "identity_CelebA.txt",
        CelebA_HQ_to_CelebA_mapping_txt="idx orig_idx orig_file\n"
        "0 9 000009.jpg\n28000 3 000003.jpg\n28001 4 000004.jpg\n",
        identity_CelebA_txt="000003.jpg 2880\n000004.jpg 17\n000009.jpg 2880\n",
    )
    found = {item.key: (item.identity, item.split) for item in read(root).items}
    assert found == {
        "00000": ("celeba2880", "train"),
        "28000": ("celeba2880", ""),
        "28001": ("celeba17", "test"),
    }


def test_ffhq_parts_at_60000_and_leaves_the_wild_pictures(tree) -> None:
    root = tree(
        "images1024x1024/00000/00000.png",
        "images1024x1024/69000/69999.png",
        "in-the-wild-images/00000/00000.png",
        "x.png",
    )
    listing = read_ffhq(root)
    assert [(item.key, item.split) for item in listing.items] == [("00000", "train"), ("69999", "val")]
    assert [s.name for s in listing.skipped] == ["x.png"]


def test_raf_db_follows_its_list(tree) -> None:
    listed = "train_00001.jpg 5\ntest_0001.jpg 1\ntest_0002.jpg 9\ntrain_00002.jpg 4\n\ntrain_00003.jpg 7\n"
    root = tree(
        "basic/Image/aligned/train_00001_aligned.jpg",
        "basic/Image/aligned/test_0001_aligned.jpg",
        "basic/Image/aligned/train_00003_aligned.jpg",
        "basic/EmoLabel/list_patition_label.txt",
        list_patition_label_txt=listed,
    )
    (root / "basic/Image/aligned/train_00003_aligned.jpg").write_bytes(b"")
    listing = read_raf(root)
    assert [(i.key, i.split, i.attributes["expression"]) for i in listing.items] == [
        ("test_0001", "test", "surprise"),
        ("train_00001", "train", "sadness"),
    ]
    assert {(s.name, s.reason) for s in listing.skipped} == {
        ("list_patition_label.txt:3", NAME_ODD),
        ("train_00002.jpg", MISSING),
        ("train_00003.jpg", EMPTY),
    }


def test_raf_db_without_its_list_says_so(tree) -> None:
    with pytest.raises(ReenactError, match="no list_patition_label"):
        read_raf(tree("basic/Image/aligned/train_00001_aligned.jpg"))


def test_osfr_takes_500_sources_of_as_many_people_with_100_guides_each(tree) -> None:
    listing = read(tree(*(f"CelebA-HQ-img/{n}.jpg" for n in range(27990, 28040))))
    sources = one_of_each(listing.items, number=30)
    assert len(sources) == 30 and {item.split for item in sources} == {"test"}
    assert len({item.identity for item in sources}) == 30
    pairs = guided_pairs(sources, listing.of("train"), each=7)
    assert len(pairs) == 30 * 7 and all(pair.truth is None for pair in pairs)


def test_k_shot_takes_32_people_with_7_pictures(tree) -> None:
    people = [f"person{p}" for p in range(40)]
    listing = plain.read(tree(*(f"{p}/{n}.jpg" for p in people for n in range(9 if p != "person3" else 5))))
    from dataclasses import replace

    items = [replace(item, identity=item.key.split("/")[0]) for item in listing.items]
    shots = k_shot(items)
    assert len(shots) == 32 and "person3" not in shots
    assert all(len({i.key for i in of}) == 7 and {i.identity for i in of} == {p} for p, of in shots.items())


def test_plain_folders_with_clips_and_stills(tree) -> None:
    root = tree("clips/train/a.mp4", "clips/val/b.mp4", "stills/x/c.jpg", "stills/.hidden.jpg", "notes.txt")
    found = [(item.key, item.split, item.clip) for item in plain.read(root).items]
    assert found == [
        ("clips/train/a", "train", "clips/train/a"),
        ("clips/val/b", "val", "clips/val/b"),
        ("stills/x/c", "", ""),
    ]


def test_any_folder_will_do(tree) -> None:
    assert [item.key for item in plain.read(tree("me.jpg", "deep/er/clip.webm")).items] == [
        "deep/er/clip",
        "me",
    ]


@pytest.mark.parametrize("name", sorted(set(DATASETS) - {"raf-db", "celebv", "folders"}))
def test_an_empty_folder_is_told_from_one_of_other_files(tree, tmp_path, name: str) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ReenactError, match=r"no files of [a-z1-9-]+ there; 'reenact prepare --list'"):
        find_dataset(name).read(empty)
    with pytest.raises(ReenactError, match=r"there \(1 files skipped, the first: odd.jpg\)"):
        find_dataset(name).read(tree("odd.jpg"))


def test_the_table_finds_by_name() -> None:
    assert find_dataset("rafd").title.startswith("Radboud") and all(d.layout for d in DATASETS.values())
    with pytest.raises(ReenactError, match="no data set 'vox'; choose one of: voxceleb1, voxceleb2, rafd"):
        find_dataset("vox")
