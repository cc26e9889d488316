"""VoxCeleb1 and VoxCeleb2 (Nagrani et al. 2017, Chung et al. 2018): celebrities talking in videos.

People id10001 to id11251 (VoxCeleb1) and id00012 to id09272 (VoxCeleb2). Three forms are read: the folders of
the release, the clips that the field's preprocessing cuts (`id10001#VIDEO#000001#000100.mp4`, each a file or a
folder of frames), and the face crops at one frame a second that were published with VoxCeleb1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from random import Random

from reenact.data.items import DataSet, Item, Listing, Pair, by_clip, by_identity, list_by_name, split_in

_FORMS = (
    (
        "cut",
        r"(?:.*/)?(?P<id>id\d{5})#(?P<video>[^/#]+)#(?P<segment>\d+#\d+)(?:\.mp4)?/(?P<frame>\d+)\.(?:png|jpg)",
    ),
    ("cut", r"(?:.*/)?(?P<id>id\d{5})#(?P<video>[^/#]+)#(?P<segment>\d+#\d+)\.mp4"),
    ("folders", r"(?:.*/)?(?P<id>id\d{5})/(?P<video>[^/#]+)/(?P<segment>\d+)/(?P<frame>\d+)\.(?:png|jpg)"),
    ("folders", r"(?:.*/)?(?P<id>id\d{5})/(?P<video>[^/#]+)/(?P<segment>\d+)\.mp4"),
    ("crops", r"(?:.*/)?(?P<id>[^/]+)/1\.6/(?P<video>[^/#]+)/(?P<frame>\d+)\.jpg"),
)
_RATE = 25  # frames a second of the release's videos; frame numbers of crops count in them
TEST_PEOPLE = range(10270, 10310)
"""The 40 people of VoxCeleb1's verification test set, who are in no training split."""
TRAIN, VAL = 0.75, 0.15
"""X2Face's shares of people for training and validation; the rest is for testing (Wiles et al. 2018)."""


def read(root: Path) -> Listing:
    """The clips and frames of VoxCeleb1 or 2 below `root`; splits are taken from the folders' names (dev,
    train, test), else VoxCeleb1's test people are known by number. Raises ReenactError where there are none."""
    return list_by_name(root, "voxceleb", _FORMS, _item)


def _item(path: Path, name: str, form: str, groups: Mapping[str, str]) -> Item:
    person, video, segment = groups["id"], groups["video"], groups.get("segment", "")
    clip = "/".join(part for part in (person, video, segment.replace("#", "-")) if part)
    frame = int(groups["frame"]) if "frame" in groups else None
    split = split_in(Path(name).parts[:-1]) or _split_of(person)
    time = None if frame is None else Fraction(frame, _RATE)
    key = clip if frame is None else f"{clip}/{frame:07d}"
    return Item(path, key, person, clip, frame, time, split, {"video": video, "form": form})


def _split_of(person: str) -> str:
    if not person.startswith("id1"):
        return ""
    return "test" if int(person[2:]) in TEST_PEOPLE else "train"


def x2face_split(people: Sequence[str], seed: int = 0) -> dict[str, str]:
    """Each person's split: 75 % train, 15 % val, 10 % test of the people, drawn with `seed`.

    FIPLS follows X2Face, which draws people at random; which ones is not published, so the draw is ours.
    """
    order = sorted(people)
    Random(f"x2face {seed}").shuffle(order)
    first, second = round(TRAIN * len(order)), round((TRAIN + VAL) * len(order))
    return {p: "train" if n < first else "val" if n < second else "test" for n, p in enumerate(order)}


def hold_out(
    frames: Sequence[Item],
    *,
    videos: int = 50,
    tune: int = 0,
    test: int = 32,
    per_person: bool = False,
    seed: int = 0,
) -> list[tuple[list[Item], list[Item]]]:
    """The few-shot protocol of Zakharov et al. 2019: of each test video, frames to learn from and others.

    frames: single frames of the test split. tune: frames for the source and for fine-tuning, at least one (the
    source); DG takes 8 (section 4.1), HR-Net one of 50 people (section IV-A, per_person). test: frames held
    out, never among the former. Videos with too few frames are left out. Returns (tune, test) for each video.
    """
    first = max(tune, 1)
    clips = {clip: of for clip, of in by_clip(frames).items() if len(of) >= first + test}
    draw = Random(f"hold out {seed}")
    names = sorted(clips)
    if per_person:
        people = by_identity(clips[name][0] for name in names)
        names = [draw.choice(of).clip for of in people.values()]
    chosen = sorted(draw.sample(names, min(videos, len(names))))
    return [_held_out(clips[name], first, test, draw) for name in chosen]


def _held_out(frames: list[Item], tune: int, test: int, draw: Random) -> tuple[list[Item], list[Item]]:
    picked = draw.sample(frames, tune + test)
    order = {item.key: n for n, item in enumerate(frames)}
    return tuple(sorted(part, key=lambda item: order[item.key]) for part in (picked[:tune], picked[tune:]))  # type: ignore[return-value]


def hold_out_pairs(held: Sequence[tuple[list[Item], list[Item]]]) -> list[Pair]:
    """Self-reenactment pairs of `hold_out`: the first tuning frame is the source of every frame held out."""
    return [Pair(tune[0], frame, frame) for tune, test in held for frame in test]


def marionette_pairs(
    frames: Sequence[Item], *, videos: int = 100, pairs: int = 2083, seed: int = 0
) -> list[Pair]:
    """GLG's self-reenactment test (section IV-A, after MarioNETte): `pairs` source-driving pairs from `videos`
    videos of the test split, as evenly spread over them as they go."""
    draw = Random(f"marionette {seed}")
    clips = {clip: of for clip, of in by_clip(frames).items() if len(of) > 1}
    chosen = sorted(draw.sample(sorted(clips), min(videos, len(clips))))
    found = []
    for number in range(pairs if chosen else 0):
        source, driving = draw.sample(clips[chosen[number % len(chosen)]], 2)
        found.append(Pair(source, driving, driving))
    return found


_LAYOUT = (
    "[dev|test/][mp4/]id10001/VIDEO/00001.mp4",
    "[train|test/]id10001#VIDEO#000001#000100.mp4",
    "[train|test/]id10001#VIDEO#000001#000100.mp4/0000000.png",
)
VOXCELEB1 = DataSet(
    "voxceleb1",
    "VoxCeleb1",
    (*_LAYOUT, "NAME/1.6/VIDEO/0000025.jpg"),
    read,
    rate=Fraction(1),
    videos=True,
)
VOXCELEB2 = DataSet("voxceleb2", "VoxCeleb2", _LAYOUT, read, rate=Fraction(25), videos=True)
