"""Pairs of two pictures of one person, to train generators on, from what `reenact prepare` wrote: two frames of
a clip, or a still and the same picture warped to another pose and expression."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reenact.data.resample import stirred
from reenact.data.shards import Face, FaceStore, first_split
from reenact.errors import ReenactError
from reenact.geometry.face_model import default_face_model
from reenact.geometry.schemes import convert_points
from reenact.training.sources import Data, Source
from reenact.types import Floats, Image, Points


class PairSource:
    """Batches of `source` and `target`, each (B, S, S, 3) uint8, and of `source_landmarks` and `landmarks`
    (B, 68, 2) of both in their pixels: two different faces of one clip, or of one person where `by` is
    'identity'. An epoch is as many pairs as there are faces."""

    def __init__(self, store: FaceStore, side: int, by: str = "clip") -> None:
        self._store, self._side = store, side
        groups: dict[str, list[int]] = {}
        for number, entry in enumerate(store.entries):
            if name := getattr(entry, by):
                groups.setdefault(name, []).append(number)
        self._groups = [np.array(of) for _, of in sorted(groups.items()) if len(of) > 1]
        if not self._groups:
            raise ReenactError(f"{store.folder}: no {by} there has two faces to pair; prepare more data")
        self.size = sum(len(group) for group in self._groups)

    def draw(self, rng: np.random.Generator, count: int) -> NDArray[Any]:
        """(count, 2) numbers of source and target faces; a clip is as likely as it is long."""
        sizes = np.array([len(group) for group in self._groups])
        chosen = rng.choice(len(sizes), count, p=sizes / sizes.sum())
        first = rng.integers(0, sizes[chosen])
        second = (first + rng.integers(1, sizes[chosen])) % sizes[chosen]
        groups = [self._groups[number] for number in chosen]
        return np.array(
            [(g[a], g[b]) for g, a, b in zip(groups, first, second, strict=True)], np.int64
        ).reshape(-1, 2)

    def load(self, rows: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """The pairs of these rows."""
        pairs = [(self._picture(a), self._picture(b)) for a, b in rows.tolist()]
        return _batch(pairs, self._side)

    def _picture(self, number: int) -> _Seen:
        return _seen(*resized(self._store.read(number), self._side))


class StirredStills:
    """Batches as of `PairSource`: the target is a still, the source the same under another expression and a
    slightly turned head, by the face model and the warp. So what is to be drawn is always a true picture.

    expression: standard deviation of the change in the model's coefficients. turn: of the angles, degrees.
    """

    def __init__(self, store: FaceStore, side: int, expression: float = 0.7, turn: float = 10.0) -> None:
        self.size = len(store)
        self._store, self._side, self._model = store, side, default_face_model()
        self._expression, self._turn = expression, turn

    def draw(self, rng: np.random.Generator, count: int) -> NDArray[Any]:
        """(count, 2): the still, and a seed of its change."""
        return np.stack([rng.integers(0, self.size, count), rng.integers(0, 1 << 31, count)], 1)

    def load(self, rows: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """The pairs of these rows."""
        pairs = [self.pair(*row) for row in rows.tolist()]
        return _batch([(_seen(*source), _seen(*target)) for source, target in pairs], self._side)

    def pair(self, number: int, seed: int) -> tuple[Sample, Sample]:
        """Source and target of a row, each a picture (S, S, 3) and its mesh (478, 3) in pixels."""
        image, points = resized(self._store.read(number), self._side)
        changed = stirred(
            self._model,
            image,
            points,
            self._model.fit(points),
            np.random.default_rng(seed),
            expression=self._expression,
            turn=self._turn,
        )
        return (changed.image, changed.points), (image, points)


class PairsAndStills:
    """A share of each batch's samples from stills, the others from clips; an epoch is that of the clips."""

    def __init__(self, clips: PairSource, stills: StirredStills, share: float) -> None:
        self.size = clips.size
        self._sources: tuple[Source, Source] = (clips, stills)
        self._share = share

    def draw(self, rng: np.random.Generator, count: int) -> NDArray[Any]:
        """(count, 3): 0 for clips and 1 for stills, and the row there."""
        kind = (rng.random(count) < self._share).astype(np.int64)
        rows = [source.draw(rng, count) for source in self._sources]
        return np.column_stack([kind, np.where(kind[:, None] == 1, rows[1], rows[0])])

    def load(self, rows: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """The pairs of these rows, in their order."""
        order = np.argsort(rows[:, 0], kind="stable")
        parts = [source.load(rows[rows[:, 0] == kind, 1:]) for kind, source in enumerate(self._sources)]
        back = np.argsort(order)
        return {name: np.concatenate([part[name] for part in parts])[back] for name in parts[0]}


Sample = tuple[Image, Points]
_Seen = tuple[Image, Floats]


def _seen(image: Image, points: Points) -> _Seen:
    """A picture and its 68 points (68, 2)."""
    return image, convert_points(points, "ibug68")[:, :2].astype(np.float32)


def _batch(pairs: list[tuple[_Seen, _Seen]], side: int) -> dict[str, NDArray[Any]]:
    """The samples of pairs of source and target; also of none."""
    picture, face = np.zeros((0, side, side, 3), np.uint8), np.zeros((0, 68, 2), np.float32)
    columns: dict[str, list[NDArray[Any]]] = {
        "source": [source for (source, _), _ in pairs],
        "target": [target for _, (target, _) in pairs],
        "source_landmarks": [points for (_, points), _ in pairs],
        "landmarks": [points for _, (_, points) in pairs],
    }
    return {
        name: np.stack(values) if values else (face if name.endswith("landmarks") else picture)
        for name, values in columns.items()
    }


def resized(face: Face, side: int) -> tuple[Image, Points]:
    """A prepared face as a picture (side, side, 3) and its points (478, 3) in pixels of it."""
    from PIL import Image as Pictures

    own = face.image.shape[0]
    if own == side:
        return face.image, face.points
    small = Pictures.fromarray(face.image).resize((side, side), Pictures.Resampling.LANCZOS)
    return np.asarray(small), face.points * np.float32(side / own)


def open_pairs(folder: Path, side: int, stills: float = 0.0) -> Data:
    """The prepared faces of `folder` as pairs: split 'train' to train on, 'val' (else 'test') to look at;
    where there is no such split, the training pairs themselves, which `note` then says. stills: share of the
    training samples that are stirred stills, of 'train' or of what was prepared without splits. Raises
    ReenactError where stills are asked for and there are none."""
    train = first_split(folder, "train") or FaceStore(folder)
    held = _held_out(folder, side)
    source = PairSource(train, side)
    note = f"{len(train):,} faces of {folder}" + (
        "" if held else "; nothing held out: figures are of training pairs"
    )
    if not stills:
        return Data(source, held or source, note)
    lone = stills_of(folder)
    mixed = PairsAndStills(source, StirredStills(lone, side), stills)
    return Data(mixed, held or source, f"{note}; {stills:.0%} of the samples from {len(lone):,} stills")


def stills_of(folder: Path) -> FaceStore:
    """The stills to train on among prepared faces: of split 'train', else those without one. Raises
    ReenactError where there are none."""
    for split in ("train", "all"):
        try:
            store = FaceStore(folder, split)
        except ReenactError:
            continue
        store.entries = [entry for entry in store.entries if not entry.clip]
        if store.entries:
            return store
    raise ReenactError(f"{folder}: no stills to train on there; prepare some, or train with --set stills=0")


def _held_out(folder: Path, side: int) -> PairSource | None:
    for split in ("val", "test"):
        try:
            return PairSource(FaceStore(folder, split), side)
        except ReenactError:
            continue
    return None
