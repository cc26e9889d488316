"""RAF-DB, Real-world Affective Faces (Li et al. 2017), basic emotions: 12,271 training and 3,068 test pictures,
listed in `basic/EmoLabel/list_patition_label.txt` (its spelling) and lying in `basic/Image/aligned`."""

from __future__ import annotations

from pathlib import Path

from reenact.data.items import EMPTY, MISSING, NAME_ODD, DataSet, Item, Listing, Skipped, checked
from reenact.errors import ReenactError

EMOTIONS = ("surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral")
"""Labels 1 to 7."""
LIST = "list_patition_label.txt"


def read(root: Path) -> Listing:
    """The aligned pictures (or, where there are none, the original ones) that the list names. A line that does
    not read and a picture that is not there are skipped by name. Raises ReenactError without the list."""
    found = sorted(root.rglob(LIST)) if root.is_dir() else []
    if not found:
        raise ReenactError(f"{root}: no {LIST} there; give the folder that RAF-DB's 'basic' lies in")
    base = found[0].parent.parent if found[0].parent.name == "EmoLabel" else found[0].parent
    items, skipped = [], []
    for number, line in enumerate(found[0].read_text("utf-8", "replace").splitlines(), 1):
        made = _item(base, line.split(), f"{LIST}:{number}") if line.strip() else None
        if isinstance(made, Item):
            items.append(made)
        elif made:
            skipped.append(made)
    return checked(Listing("raf-db", root, tuple(items), tuple(skipped)))


def _item(base: Path, words: list[str], where: str) -> Item | Skipped:
    if len(words) != 2 or words[1] not in {"1", "2", "3", "4", "5", "6", "7"}:
        return Skipped(where, NAME_ODD)
    stem, _, suffix = words[0].rpartition(".")
    split = stem.split("_")[0]
    if split not in ("train", "test"):
        return Skipped(words[0], NAME_ODD)
    places = (
        base / "Image" / "aligned" / f"{stem}_aligned.{suffix}",
        base / "aligned" / f"{stem}_aligned.{suffix}",
        base / "Image" / "original" / words[0],
    )
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        return Skipped(words[0], MISSING)
    if path.stat().st_size == 0:
        return Skipped(words[0], EMPTY)
    return Item(path, stem, f"raf-{stem}", split=split, attributes={"expression": EMOTIONS[int(words[1]) - 1]})


RAF_DB = DataSet(
    "raf-db",
    "Real-world Affective Faces, basic",
    ("basic/EmoLabel/list_patition_label.txt", "basic/Image/aligned/train_00001_aligned.jpg"),
    read,
)
