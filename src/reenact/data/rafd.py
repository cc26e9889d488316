"""RaFD, the Radboud Faces Database (Langner et al. 2010): 67 people, 8 expressions, 3 gazes, 5 angles; 8,040
pictures named `Rafd090_01_Caucasian_female_angry_frontal.jpg`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from reenact.data.draws import cross_pairs
from reenact.data.items import DataSet, Item, Listing, Pair, list_by_name

EXPRESSIONS = ("angry", "contemptuous", "disgusted", "fearful", "happy", "neutral", "sad", "surprised")
GAZES = ("frontal", "left", "right")
ANGLES = ("000", "045", "090", "135", "180")
"""Degrees of the camera about the head: 090 is from the front, 000 and 180 are profiles. DG uses all five."""
HR_NET_ANGLES = ("045", "090", "135")
"""HR-Net, section IV-A, after FReeNet."""

_NAME = (
    r"(?:.*/)?[Rr]afd(?P<angle>\d{3})_(?P<person>\d{2})_(?P<group>[A-Za-z]+)_(?P<gender>female|male|unknown)"
    r"_(?P<expression>[a-z]+)_(?P<gaze>[a-z]+)\.(?:jpg|JPG|png)"
)


def read(root: Path) -> Listing:
    """The pictures of RaFD below `root`. Names with a field that the data set does not have are skipped. All
    67 people are in training and in test (DG, section 4.1; HR-Net, section IV-A), so there are no splits."""
    allowed = {"angle": ANGLES, "expression": EXPRESSIONS, "gaze": GAZES}
    fields = {name: "|".join(values) for name, values in allowed.items()}
    pattern = _NAME.replace(r"\d{3}", fields["angle"]).replace(
        "(?P<expression>[a-z]+)", f"(?P<expression>{fields['expression']})"
    )
    pattern = pattern.replace("(?P<gaze>[a-z]+)", f"(?P<gaze>{fields['gaze']})")
    return list_by_name(root, "rafd", [("rafd", pattern)], _item)


def _item(path: Path, name: str, form: str, groups: Mapping[str, str]) -> Item:
    attributes = {key: value for key, value in groups.items() if key != "person"}
    return Item(path, path.stem, f"rafd{groups['person']}", attributes=attributes)


def pairs(
    items: Sequence[Item], *, angles: Sequence[str] = ANGLES, per_person: int = 100, seed: int = 0
) -> list[Pair]:
    """100 driving pictures of other people for each of the 67 sources: 6,700 pairs (DG, section 4.1; HR-Net
    with three angles, section IV-A). The source is the person's neutral picture from the front, which the
    papers do not fix; the truth is the source's own picture in the driving angle, expression and gaze."""
    kept = [item for item in items if item.attributes["angle"] in angles]
    return cross_pairs(kept, kept, per_person, seed, source_of=_front, same=action)


def action(item: Item) -> tuple[str, ...]:
    """What two pictures must share to show the same pose and expression."""
    return tuple(item.attributes[key] for key in ("angle", "expression", "gaze"))


def _front(item: Item) -> bool:
    return action(item) == ("090", "neutral", "frontal")


RAFD = DataSet("rafd", "Radboud Faces Database", ("Rafd090_01_Caucasian_female_angry_frontal.jpg",), read)
