"""Stills for OSFR: each picture with itself, warped to somebody else's contour (`data/resample.py`), so that
every portrait of one picture a person can be trained on.

The warps are made while training goes on, or once before it: `render_stills` writes them into shards."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from reenact.data.resample import Manner, resampled_points, stirred_points
from reenact.data.shards import FaceStore
from reenact.errors import ReenactError
from reenact.evaluation.metrics.regions import face_mask
from reenact.geometry.face_model import default_face_model
from reenact.geometry.warp import FaceWarp
from reenact.systems.osfr.presets import Resampling
from reenact.training.rendered import in_processes, read_shards, write_shard
from reenact.training.sources import Data
from reenact.types import FaceState, Floats, Image, Points

_TRAIN, _HELD = ("train", "all"), ("val", "test")
_A_SHARD = 64
_ARRAYS = ("source", "target", "source_points", "points")


class Manners(NamedTuple):
    """How stills are warped. resampling: 'none' leaves the still as it is; 'flat' and 'solid' give it the
    contour of another person; 'stirred' another pose and expression besides, by `expression` and `turn` (see
    `stirred_points`)."""

    resampling: Resampling = "flat"
    expression: float = 0.5
    turn: float = 8.0


PAPER = Manners()
"""Section 3.2.4."""


class StillSource:
    """Batches of `source` and `target`, (B, S, S, 3) uint8: a still, and the same warped; of `source_points`
    and `points`, their mesh points (B, 478, 2) in pixels; and of `source_mask` and `mask`, (B, S, S, 1)
    uint8, 255 within the hull of the face's points.

    People are drawn, and one of their pictures each time, so that a clip of a thousand frames weighs no more
    than a portrait. An epoch is everybody once.
    """

    def __init__(self, store: FaceStore, side: int, manners: Manners = PAPER) -> None:
        names = [entry.identity or entry.key for entry in store.entries]
        people = np.unique(names, return_inverse=True)[1]
        self.size = int(people.max()) + 1
        if manners.resampling != "none" and self.size < 2:
            raise ReenactError(
                f"{store.folder}: all faces are of one person; boundary resampling needs two people "
                "(or --set resampling=none)"
            )
        self._faces = [np.flatnonzero(people == person) for person in range(self.size)]
        self._store, self._side, self._manners = store, side, manners
        self._model = default_face_model()

    def draw(self, rng: np.random.Generator, count: int) -> NDArray[Any]:
        """(count, 3): the still, the face of another person that lends its contour, a seed of the change."""
        return self.rows_of(rng.integers(0, self.size, count), rng)

    def rows_of(self, people: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
        """(len(people), 3): rows as of `draw`, of these people in this order."""
        others = (people + rng.integers(1, max(self.size, 2), len(people))) % self.size
        stills, lenders = (self._one_each(chosen, rng) for chosen in (people, others))
        return np.stack([stills, lenders, rng.integers(0, 1 << 31, len(people))], 1).astype(np.int64)

    def load(self, rows: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """The samples of these rows."""
        return _batch([self.sample(*row) for row in rows.tolist()], self._side)

    def sample(self, still: int, lender: int, seed: int) -> dict[str, NDArray[Any]]:
        """One sample without its masks."""
        image, points = self._picture(still)
        state = self._model.fit(points)
        target, target_state = self._target(points, state, lender, np.random.default_rng(seed))
        warped = image if target is points else FaceWarp(image, points, state).render(target, target_state)
        values = (image, warped, points[:, :2], target[:, :2])
        return dict(zip(_ARRAYS, values, strict=True))

    def _one_each(self, people: NDArray[Any], rng: np.random.Generator) -> list[int]:
        return [int(rng.choice(self._faces[person])) for person in people.tolist()]

    def _target(
        self, points: Points, state: FaceState, lender: int, rng: np.random.Generator
    ) -> tuple[Points, FaceState]:
        """Where the still is warped to, and its pose and expression: one warp, whatever changes."""
        resampling, expression, turn = self._manners
        if resampling == "none":
            return points, state
        manner: Manner = "flat" if resampling == "flat" else "solid"
        target = resampled_points(self._model, points, state, self._store.points(lender), manner)
        if resampling != "stirred":
            return target, state
        fitted = self._model.fit(target)
        return stirred_points(self._model, target, fitted, rng, expression=expression, turn=turn)

    def _picture(self, number: int) -> tuple[Image, Floats]:
        from PIL import Image as Pictures

        face = self._store.read(number)
        side = face.image.shape[0]
        points = face.points.astype(np.float32)
        if side == self._side:
            return face.image, points
        small = Pictures.fromarray(face.image).resize((self._side, self._side), Pictures.Resampling.LANCZOS)
        return np.asarray(small), points * np.float32(self._side / side)


class RenderedStills:
    """What `StillSource` gives, from the shards that `render_stills` wrote. folder: of one part."""

    def __init__(self, folder: Path, side: int) -> None:
        self._shards = list(read_shards(folder, _ARRAYS).values())
        if not self._shards:
            raise ReenactError(f"{folder}: no rendered stills there")
        there = self._shards[0]["source"].shape[1]
        if there != side:
            raise ReenactError(f"{folder}: stills of {there} px; --set size={side} needs others")
        self._side = side
        places = [(n, row) for n, shard in enumerate(self._shards) for row in range(len(shard["points"]))]
        self._places = np.array(places, np.int64)
        self.size = len(places)

    def draw(self, rng: np.random.Generator, count: int) -> NDArray[Any]:
        """(count,): numbers of rendered samples."""
        return rng.integers(0, self.size, count)

    def load(self, rows: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """The samples of these rows."""
        places = self._places[rows].tolist()
        samples = [{name: self._shards[n][name][row] for name in _ARRAYS} for n, row in places]
        return _batch(samples, self._side)


def _batch(samples: Sequence[dict[str, NDArray[Any]]], side: int) -> dict[str, NDArray[Any]]:
    """Samples (of which there may be none) side by side, with their masks."""
    batch: dict[str, NDArray[Any]] = {}
    for name in _ARRAYS:
        shape, kind = ((478, 2), np.float32) if "points" in name else ((side, side, 3), np.uint8)
        batch[name] = np.array([sample[name] for sample in samples], kind).reshape(len(samples), *shape)
    for points, mask in (("source_points", "source_mask"), ("points", "mask")):
        masks = [face_mask(face, side, side) for face in batch[points]]
        batch[mask] = np.array(masks, np.uint8).reshape(len(samples), side, side, 1) * np.uint8(255)
    return batch


def render_stills(
    folder: Path, out: Path, side: int, manners: Manners, *, changes: int = 2, processes: int = 1
) -> None:
    """Warp everybody of the prepared faces in `folder` `changes` times, those held out once, into shards under
    `out`; shards that are there are kept."""
    jobs = [(folder, out, side, manners, changes, part, processes) for part in range(processes)]
    in_processes(processes, _render_part, jobs)


def _render_part(
    folder: Path, out: Path, side: int, manners: Manners, changes: int, part: int, parts: int
) -> None:
    """Every `parts`-th shard, from number `part` on."""
    train, held = _stores(folder)
    for name, store, count in (("held", held, 1), ("train", train, changes)):
        if store is None:
            continue
        source = StillSource(store, side, manners)
        firsts = range(part * _A_SHARD, source.size, parts * _A_SHARD)
        for change, first in product(range(count), firsts):
            people = np.arange(first, min(first + _A_SHARD, source.size))
            done = out / name / f"{change}-{first:06d}"
            if not done.is_dir():
                rows = source.rows_of(people, np.random.default_rng((first, change)))
                samples = [source.sample(*row) for row in rows.tolist()]
                write_shard(done, ((name, np.stack([one[name] for one in samples])) for name in _ARRAYS))


def open_stills(folder: Path, settings: dict[str, Any]) -> Data:
    """The prepared faces of `folder`, or stills rendered from them: the splits 'train' and 'all' to train on,
    'val' and 'test' to look at; where there are none of these, the training stills themselves, which `note`
    then says. settings: those of the stage."""
    side = settings["size"]
    if (folder / "train").is_dir():
        train, held = (RenderedStills(folder / name, side) for name in ("train", "held"))
        return Data(train, held, f"{train.size:,} rendered stills of {folder}")
    manners = Manners(settings["resampling"], settings["expression"], settings["turn"])
    learned, other = _stores(folder)
    source = StillSource(learned, side, manners)
    kept = None if other is None else StillSource(other, side, manners)
    note = f"{len(learned):,} faces of {source.size:,} people of {folder}"
    return Data(
        source, kept or source, note + ("" if kept else "; nothing held out: figures are of training faces")
    )


def _stores(folder: Path) -> tuple[FaceStore, FaceStore | None]:
    """What to train on, and what to look at, if anything."""
    splits = {shard["split"] for shard in FaceStore(folder).manifest["shards"]}
    train = FaceStore(folder, _TRAIN if splits.intersection(_TRAIN) else None)
    return train, FaceStore(folder, _HELD) if splits.intersection(_HELD) else None
