"""DG's two phases of training (section 4.1): two pictures of one person first, driving faces of others later.

What both of its stages need of prepared faces: who is on them, and which two make a pair.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reenact.data.shards import Face, FaceStore, first_split
from reenact.errors import ReenactError
from reenact.geometry.face_model import FaceModel, default_face_model
from reenact.geometry.schemes import flip_points
from reenact.systems.spec import SourceFace, TargetShape
from reenact.training.pairs import PairSource, resized
from reenact.training.sources import Data, Source
from reenact.training.varied import Varied
from reenact.types import FaceState, Points

_ACTION = ("angle", "camera", "expression", "gaze")
"""What two pictures of RaFD or of Multi-PIE share that show the same pose and expression."""


class Phases:
    """`first` until step `switch`, `then` from it on."""

    def __init__(self, first: Source, then: Source, switch: int) -> None:
        self.size = first.size
        self._first, self._then, self._switch = first, then, switch

    def at(self, step: int) -> Source:
        """The source of a step."""
        return self._first if step < self._switch else self._then

    def draw(self, rng: np.random.Generator, count: int) -> NDArray[Any]:
        """As the first phase draws."""
        return self._first.draw(rng, count)

    def load(self, rows: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """As the first phase loads."""
        return self._first.load(rows)


def in_phases(first: Source, then: Source, values: dict[str, Any]) -> Phases:
    """`then` from the settings' epoch `cross_from` on, counted as the training loop counts them."""
    return Phases(first, then, values["cross_from"] * max(1, -(-first.size // values["batch"])))


class Pairing:
    """Which two faces of a store make a pair.

    by: what the two of a self-reenactment pair share. most_yaw: faces turned by more degrees are left out.
    names: the people, in order; person: (F,) the number of each face's. Raises ReenactError where no two faces
    can be paired.
    """

    def __init__(self, store: FaceStore, by: str, most_yaw: float) -> None:
        store.entries = [entry for entry in store.entries if abs(entry.pose[0]) <= most_yaw]
        self.store, self._same = store, PairSource(store, 0, by)
        people = [entry.identity or entry.clip for entry in store.entries]
        names, person = np.unique(people, return_inverse=True)
        self.names: list[str] = names.tolist()
        self.person: NDArray[np.int64] = person.astype(np.int64)
        counts = np.bincount(person)
        self._alone = np.flatnonzero(counts[person] == 1)
        self._shown = {
            (int(p), _action(entry.attributes)): number
            for number, (p, entry) in enumerate(zip(person, store.entries, strict=True))
        }

    def same(self, rng: np.random.Generator, count: int) -> NDArray[np.int64]:
        """(count, 2) numbers of two faces of one person."""
        return self._same.draw(rng, count)

    def themselves(self, rng: np.random.Generator, count: int) -> NDArray[np.int64]:
        """(count, 2) numbers of one face twice, each of somebody of whom there is no second picture."""
        if not len(self._alone):
            raise ReenactError(f"{self.store.folder}: everybody there has two pictures; --set stills=0")
        return np.repeat(self._alone[rng.integers(0, len(self._alone), count)][:, None], 2, axis=1)

    def others(self, rng: np.random.Generator, count: int) -> NDArray[np.int64]:
        """(count, 2) numbers of source and driving faces of two people, of whom there must be any."""
        rows = rng.integers(0, len(self.person), (count, 2))
        while (alike := self.person[rows[:, 0]] == self.person[rows[:, 1]]).any():
            rows[alike, 1] = rng.integers(0, len(self.person), int(alike.sum()))
        return rows

    def truths(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """(B,) numbers of the faces that show the source's person in the driving face's pose and expression; -1
        where there is none, or nothing is known of it."""
        entries = self.store.entries
        return np.array(
            [self._truth(source, driving, _action(entries[driving].attributes)) for source, driving in rows],
            np.int64,
        )

    def _truth(self, source: int, driving: int, action: tuple[str, ...]) -> int:
        if self.person[source] == self.person[driving]:
            return int(driving)
        return self._shown.get((int(self.person[source]), action), -1) if any(action) else -1


def _action(attributes: dict[str, str]) -> tuple[str, ...]:
    """Empty words where the data say nothing of pose and expression."""
    named = ("angle" in attributes or "camera" in attributes) and "expression" in attributes
    return tuple(attributes.get(name, "") if named else "" for name in _ACTION)


class PhasePictures:
    """Batches for DG's generator: `source` and `target` (B, S, S, 3) uint8, `source_points` and `points`
    (B, 478, 3) of both in pixels, and `known` (B,), 1 where `target` is the true picture.

    stills: share of the pairs that are one portrait twice, the source mirrored, so that it has another pose.
    size: samples in an epoch, 0 for as many as there are faces.
    others: pair two people; then `target` is the driving face, a real face in the pose that is wanted, and
    `points` are its action on the source's face by the face model, or its own (cross_landmarks 'driving'); with
    'idsg' there are `landmarks` (B, 68, 3) beside them, which the trained shape generator makes. shown: add
    a face of somebody else to each pair, for sheets: `driving` (B, S, S, 3), its `driving_points`, and the same
    carried over, `driven_points`.
    """

    def __init__(
        self,
        pairing: Pairing,
        side: int,
        *,
        others: bool,
        cross: str = "morphable",
        shown: bool = False,
        stills: float = 0.0,
        size: int = 0,
    ) -> None:
        self.size = size or len(pairing.person)
        self._pairing, self._side = pairing, side
        self._others, self._cross, self._shown, self._stills = others, cross, shown, stills
        self._model = default_face_model()

    def draw(self, rng: np.random.Generator, count: int) -> NDArray[Any]:
        """(count, 2 or 3) numbers of source and target faces, and of a face that is shown."""
        pairing = self._pairing
        rows = pairing.others(rng, count) if self._others else pairing.same(rng, count)
        if self._stills and not self._others:
            alone = rng.random(count) < self._stills
            rows[alone] = pairing.themselves(rng, int(alone.sum()))
        if not self._shown:
            return rows
        return np.column_stack([rows, rng.integers(0, len(self._pairing.person), count)])

    def load(self, rows: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """The pairs of these rows."""
        samples = [self._sample(*row) for row in rows.tolist()]
        if not samples:
            samples = [self._sample(*[0] * rows.shape[1])]
        stacked = {name: np.stack([sample[name] for sample in samples]) for name in samples[0]}
        return {name: values[: len(rows)] for name, values in stacked.items()}

    def _sample(self, source: int, target: int, shown: int | None = None) -> dict[str, NDArray[Any]]:
        read = self._pairing.store.read
        own, wanted = read(source), read(target)
        picture, points = resized(own, self._side)
        goal, goal_points = resized(wanted, self._side)
        if source == target:
            picture = np.ascontiguousarray(picture[:, ::-1])
            points = flip_points(points, "mesh478", self._side)
        sample: dict[str, NDArray[Any]] = {"source": picture}
        if self._others and self._cross == "idsg":
            sample["landmarks"] = _converted(own, wanted) * np.float32(self._side / wanted.image.shape[0])
        if self._others and self._cross != "driving":
            goal_points = self._carried(own, wanted)
        sample |= {"source_points": points, "target": goal, "points": goal_points}
        sample["known"] = np.asarray(not self._others, np.float32)
        if shown is not None:
            lent = read(shown)
            sample["driving"], sample["driving_points"] = resized(lent, self._side)
            sample["driven_points"] = self._carried(own, lent)
        return sample

    def _carried(self, own: Face, driving: Face) -> Points:
        points = carried(self._model, own, driving)
        return points * np.float32(self._side / driving.image.shape[0])


def carried(model: FaceModel, own: Face, driving: Face) -> Points:
    """(478, 3) in pixels of the driving picture: the face `own` with the driving face's pose, place, size and
    expression, and all that the model leaves over of it."""
    a, b = own.state, driving.state
    rest = model.canonical(a, own.points) - model.shape(a.identity, a.expression)
    return model.project(FaceState(b.rotation, b.scale, b.translation, a.identity, b.expression), rest)


def _converted(own: Face, driving: Face) -> Points:
    """(68, 3) in pixels of the driving picture: its landmarks with the identity of `own`, by the trained IDSG.
    Raises ReenactError where its weights are not installed."""
    from reenact.systems.dg.animate import load_converter

    converter = load_converter(SourceFace(own.image, own.points, own.state, None, (False,) * 4))
    return converter.convert(TargetShape(driving.points, driving.state)).points


def stores(folder: Path, *, undivided: bool = False) -> tuple[FaceStore, FaceStore, str]:
    """The prepared faces to train on, those to look at, and a line about both: split 'train', and 'val' (else
    'test'); where there are no splits all faces are both. undivided: train on faces without a split as well."""
    train = _all_or_train(folder, undivided)
    note = f"{len(train):,} faces of {folder}"
    if held := first_split(folder, "val", "test"):
        return train, held, note
    return train, _all_or_train(folder), f"{note}; nothing held out: figures are of training faces"


def _all_or_train(folder: Path, undivided: bool = False) -> FaceStore:
    store = FaceStore(folder)
    wanted = ("train", "") if undivided else ("train",)
    store.entries = [entry for entry in store.entries if entry.split in wanted] or store.entries
    return store


def pairing_of(store: FaceStore, values: dict[str, Any], by: str) -> Pairing:
    """The pairs to train on. Raises ReenactError where the second phase would find one person alone."""
    pairing = Pairing(store, by, values["most_yaw"])
    if len(pairing.names) < 2 and values["cross_from"] < values["epochs"]:
        raise ReenactError(
            f"{store.folder}: all faces are of one person, so that nobody else can drive them; prepare more "
            f"data, or keep to the first phase with --set cross_from={math.ceil(values['epochs'])}"
        )
    return pairing


def open_phases(folder: Path, values: dict[str, Any]) -> Data:
    """Pictures of a folder of prepared faces in DG's two phases. values: the stage's settings."""
    train, held, note = stores(folder, undivided=values["stills"] > 0)
    pairing = pairing_of(train, values, values["by"])
    side = values["size"]
    same = PhasePictures(pairing, side, others=False, stills=values["stills"], size=values["epoch_size"])
    first = Varied(same) if values["varied"] else same
    then = PhasePictures(pairing, side, others=True, cross=values["cross_landmarks"])
    looked_at = PhasePictures(Pairing(held, values["by"], values["most_yaw"]), side, others=False, shown=True)
    return Data(in_phases(first, then, values), looked_at, note)
