"""Every protocol draws from a listing of its data set, and says what is missing."""

from __future__ import annotations

import pytest

from reenact.data import celebv, find_dataset
from reenact.data.protocols import PAIR_PROTOCOLS, draw_pairs
from reenact.errors import ReenactError

SMALL = {
    "rafd": [
        f"Rafd{a}_{p:02d}_Caucasian_female_{e}_frontal.jpg"
        for p in (1, 2)
        for a in ("000", "090")
        for e in ("happy", "neutral")
    ],
    "multipie": [f"{p:03d}_01_01_{c}_07.png" for p in range(1, 204) for c in ("051", "110")],
    "voxceleb1": [
        f"test/id{p}#aaaaaaaaaaa#000000#000999.mp4/{25 * n:07d}.png" for p in (10271, 10272) for n in range(42)
    ],
    "voxceleb2": [f"test/id{p}/aaaaaaaaaaa/00001/{n:05d}.jpg" for p in range(3) for n in range(42)],
    "celebv": [f"{p}/Image/{n}.jpg" for p in celebv.PEOPLE for n in range(4)],
    "celeba-hq": [f"CelebA-HQ-img/{n}.jpg" for n in (1, 28001, 28002)],
    "ffhq": ["images1024x1024/00000/00001.png"],
    "folders": ["stills/a.jpg", "stills/b.jpg"],
}
# A tenth of the people are for testing in X2Face's split, so there must be ten.
SMALL["fipls/voxceleb1"] = [
    f"id{p}#aaaaaaaaaaa#000000#000999.mp4/{25 * n:07d}.png" for p in range(10001, 10011) for n in range(34)
]
SMALL["voxceleb2"] = [name.replace("/id", "/id0000") for name in SMALL["voxceleb2"]]


@pytest.mark.parametrize("name", [name for name, spec in PAIR_PROTOCOLS.items() if spec.datasets[0] in SMALL])
def test_each_protocol_draws_the_same_pairs_twice(tree, tmp_path, name: str) -> None:
    spec = PAIR_PROTOCOLS[name]
    dataset = spec.datasets[0]
    root = tree(*SMALL.get(name, SMALL[dataset]))
    others = "celebv" if spec.guides == "folders" else spec.guides
    guides = find_dataset(others).read(tree(*SMALL[others])) if others else None
    listing = find_dataset(dataset).read(root)
    pairs = draw_pairs(name, listing, guides=guides, seed=5)
    assert pairs and pairs == draw_pairs(name, listing, guides=guides, seed=5)
    same = "voxceleb" in name and not guides
    assert all((pair.source.identity == pair.driving.identity) == same for pair in pairs)


def test_extreme_poses_of_multipie_drive_voxceleb(tree) -> None:
    listing = find_dataset("voxceleb1").read(tree(*SMALL["voxceleb1"]))
    guides = find_dataset("multipie").read(tree(*SMALL["multipie"]))
    pairs = draw_pairs("dg/voxceleb1-by-multipie", listing, guides=guides)
    assert len(pairs) == 20 and {pair.source.identity for pair in pairs} == {"id10271", "id10272"}
    assert {pair.driving.attributes["yaw"] for pair in pairs} == {"90"} and all(p.truth is None for p in pairs)
    assert {pair.driving.identity for pair in pairs} <= {"pie201", "pie202", "pie203"}
    with pytest.raises(ReenactError, match=r"multipie's pictures of other people .*--guides DIR"):
        draw_pairs("dg/voxceleb1-by-multipie", listing)


def test_what_is_missing_is_said(tree) -> None:
    listing = find_dataset("celeba-hq").read(tree(*SMALL["celeba-hq"]))
    with pytest.raises(ReenactError, match="needs pose guides"):
        draw_pairs("osfr/same-source", listing)
    with pytest.raises(ReenactError, match="no protocol 'x'"):
        draw_pairs("x", listing)
    few = find_dataset("voxceleb1").read(tree("id10270#aaaaaaaaaaa#0#9.mp4/0000000.png"))
    with pytest.raises(ReenactError, match="too little of voxceleb there for hr_net/voxceleb1"):
        draw_pairs("hr_net/voxceleb1", few)
