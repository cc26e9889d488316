"""Pairs of two pictures of one person, to train generators on, from what `reenact prepare` wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reenact.data.shards import Face, FaceStore
from reenact.errors import ReenactError
from reenact.geometry.schemes import convert_points
from reenact.training.sources import Data
from reenact.types import Floats, Image, Points


class PairSource:
    """Batches of `source` and `target`, each (B, S, S, 3) uint8, and `landmarks` (B, 68, 2) of the target in
    its pixels: two different faces of one clip, or of one person where `by` is 'identity'. An epoch is as many
    pairs as there are faces."""

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
        sources = [self._picture(number)[0] for number in rows[:, 0].tolist()]
        targets = [self._picture(number) for number in rows[:, 1].tolist()]
        pictures, points = [picture for picture, _ in targets], [points for _, points in targets]
        shape = (0, self._side, self._side, 3)
        return {
            "source": np.stack(sources) if sources else np.zeros(shape, np.uint8),
            "target": np.stack(pictures) if pictures else np.zeros(shape, np.uint8),
            "landmarks": np.stack(points) if points else np.zeros((0, 68, 2), np.float32),
        }

    def _picture(self, number: int) -> tuple[Image, Floats]:
        picture, points = resized(self._store.read(number), self._side)
        return picture, convert_points(points, "ibug68")[:, :2].astype(np.float32)


def resized(face: Face, side: int) -> tuple[Image, Points]:
    """A prepared face as a picture (side, side, 3) and its points (478, 3) in pixels of it."""
    from PIL import Image as Pictures

    own = face.image.shape[0]
    if own == side:
        return face.image, face.points
    small = Pictures.fromarray(face.image).resize((side, side), Pictures.Resampling.LANCZOS)
    return np.asarray(small), face.points * np.float32(side / own)


def open_pairs(folder: Path, side: int) -> Data:
    """The prepared faces of `folder` as pairs: split 'train' to train on, 'val' (else 'test') to look at;
    where there is no such split, the training pairs themselves, which `note` then says."""
    try:
        train = FaceStore(folder, "train")
    except ReenactError:
        train = FaceStore(folder)
    held = _held_out(folder, side)
    source = PairSource(train, side)
    note = f"{len(train):,} faces of {folder}" + (
        "" if held else "; nothing held out: figures are of training pairs"
    )
    return Data(source, held or source, note)


def _held_out(folder: Path, side: int) -> PairSource | None:
    for split in ("val", "test"):
        try:
            return PairSource(FaceStore(folder, split), side)
        except ReenactError:
            continue
    return None
