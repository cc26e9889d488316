"""FFHQ, Flickr-Faces-HQ (Karras et al. 2019): 70,000 portraits, `images1024x1024/00000/00000.png`; the first
60,000 are for training."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from reenact.data.items import DataSet, Item, Listing, list_by_name

TRAIN = 60_000
_FORMS = (
    (
        "folders",
        r"(?:.*/)?(?:images1024x1024|thumbnails128x128|images256x256|images512x512)/(?:\d{5}/)?(?P<number>\d{5})\.(?:png|jpg)",
    ),
    ("flat", r"(?:\d{5}/)?(?P<number>\d{5})\.(?:png|jpg)"),
)


def read(root: Path) -> Listing:
    """The portraits below `root`, each a person of its own; the last 10,000 are 'val', as the authors say. The
    uncropped `in-the-wild-images` are other pictures of the same people and are left out."""
    return list_by_name(root, "ffhq", (("wild", r"(?:.*/)?in-the-wild-images/.*"), *_FORMS), _item)


def _item(path: Path, name: str, form: str, groups: Mapping[str, str]) -> Item | None:
    if form == "wild":
        return None
    number = groups["number"]
    split = "train" if int(number) < TRAIN else "val"
    return Item(path, number, f"ffhq{number}", split=split, attributes={"number": number})


FFHQ = DataSet("ffhq", "Flickr-Faces-HQ", ("images1024x1024/00000/00000.png", "00000.png"), read)
