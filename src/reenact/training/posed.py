"""FIPLS' pairs of two pictures of one clip: ten an identity and epoch, of clips whose range of poses reaches a
threshold that rises (`reenact.data.pairs.PoseCurriculum`), or of all; and, where the settings ask for it,
stills with the same picture in another pose and expression (`reenact.training.pairs.StirredStills`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reenact.data.pairs import PoseCurriculum, SamePerson, Sampler
from reenact.data.shards import FaceStore, first_split
from reenact.evaluation.metrics.regions import face_mask
from reenact.geometry.schemes import MESH_FLIP, convert_points
from reenact.training.pairs import Sample, StirredStills, resized, stills_of
from reenact.training.recolour import recoloured
from reenact.training.sources import Data
from reenact.types import Image, Points

_SEEDS = 1 << 31


class EpochPairs:
    """Batches of `source` and `target` (B, S, S, 3) uint8; `mask` (B, S, S, 1) uint8, 255 on the target's face;
    `landmarks` (B, 98, 2) of the target; `points` and `source_points` (B, 478, 2); in pixels. A step draws from
    the pairs of its epoch. varied: mirror every second pair, and show it in other light. stills: a share of the
    samples is drawn from `lone` instead.

    differs from paper: the mask is the hull of the face's mesh, not BiSeNet's.
    """

    def __init__(
        self,
        store: FaceStore,
        sampler: Sampler,
        side: int,
        batch: int,
        size: int,
        *,
        varied: bool = False,
        stills: float = 0.0,
        lone: StirredStills | None = None,
    ) -> None:
        self.size, self._varied = size, varied
        self._stills, self._lone = stills, lone
        self._store, self._sampler, self._side = store, sampler, side
        self._steps = max(1, -(-size // batch))
        self._epoch, self._pairs = 0, sampler.epoch(0)

    def at(self, step: int) -> EpochPairs:
        """This source with the pairs of the step's epoch."""
        if (epoch := step // self._steps) != self._epoch:
            self._epoch, self._pairs = epoch, self._sampler.epoch(epoch)
        return self

    def draw(self, rng: np.random.Generator, count: int) -> NDArray[Any]:
        """(count, 3): numbers of source and target face, and the seed of what varies; of stills the number,
        and -1."""
        pairs = self._pairs[rng.integers(0, len(self._pairs), count)]
        rows = np.column_stack([pairs, rng.integers(0, _SEEDS, count)])
        if self._lone is not None:
            alone = rng.random(count) < self._stills
            numbers = rng.integers(0, self._lone.size, int(alone.sum()))
            rows[alone, :2] = np.stack([numbers, np.full_like(numbers, -1)], 1)
        return rows

    def load(self, rows: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """The pairs of these rows."""
        side = self._side
        faces = [self._pair(*row) for row in rows.tolist()]
        shapes = {"source": (side, side, 3), "target": (side, side, 3), "mask": (side, side, 1)}
        values: dict[str, list[Any]] = {
            "source": [source for (source, _), _ in faces],
            "target": [target for _, (target, _) in faces],
            "mask": [_mask(points, side) for _, (_, points) in faces],
            "landmarks": [convert_points(points, "wflw98")[:, :2] for _, (_, points) in faces],
            "points": [points[:, :2] for _, (_, points) in faces],
            "source_points": [points[:, :2] for (_, points), _ in faces],
        }
        counts = {"landmarks": 98, "points": 478, "source_points": 478}
        return {
            name: np.array(of, np.uint8 if name in shapes else np.float32).reshape(
                len(faces), *(shapes[name] if name in shapes else (counts[name], 2))
            )
            for name, of in values.items()
        }

    def _pair(self, source: int, target: int, seed: int) -> tuple[Sample, Sample]:
        if target < 0:
            assert self._lone is not None
            one, other = self._lone.pair(source, seed)
        else:
            one, other = (resized(self._store.read(number), self._side) for number in (source, target))
        if not self._varied:
            return one, other
        random = np.random.default_rng(seed)
        if random.random() < 0.5:
            one, other = _mirrored(*one), _mirrored(*other)
        first, second = recoloured([one[0], other[0]], random)
        return (first, one[1]), (second, other[1])


def _mirrored(picture: Image, points: Points) -> Sample:
    across = np.array([-1, 1, 1], np.float32), np.array([picture.shape[1], 0, 0], np.float32)
    return np.ascontiguousarray(picture[:, ::-1]), points[MESH_FLIP] * across[0] + across[1]


def _mask(points: Points, side: int) -> NDArray[np.uint8]:
    return face_mask(points, side, side).astype(np.uint8)[..., None] * np.uint8(255)


def open_posed(folder: Path, values: dict[str, Any]) -> Data:
    """The prepared faces of `folder`: split 'train' to train on, 'val' (else 'test') to look at; where there is
    no such split, the training pairs themselves, which `note` then says. values: the stage's settings."""
    train, held = first_split(folder, "train") or FaceStore(folder), first_split(folder, "val", "test")
    lone = StirredStills(stills_of(folder), values["size"]) if values["stills"] else None
    source = _pairs(train, values, learning=True, lone=lone)
    note = f"{len(train):,} faces of {folder}" + (
        "" if held else "; nothing held out: figures are of training pairs"
    )
    if lone:
        note += f"; {values['stills']:.0%} of the samples from {lone.size:,} stills"
    return Data(source, _pairs(held or train, values, learning=False), note)


def _pairs(
    store: FaceStore, values: dict[str, Any], *, learning: bool, lone: StirredStills | None = None
) -> EpochPairs:
    entries, seed, each = store.entries, values["seed"], values["each"]
    same = SamePerson(entries, seed, each)
    sampler: Sampler = same
    if learning and values["pose_aware"]:
        sampler = PoseCurriculum(
            entries,
            seed,
            each,
            start=values["pose_start"],
            step=values["pose_step"],
            every=values["pose_every"],
            most=values["pose_most"],
        )
    size, batch, varied = values["size"], values["batch"], values["varied"] and learning
    total, stills = len(same.epoch(0)), values["stills"]
    return EpochPairs(store, sampler, size, batch, total, varied=varied, stills=stills, lone=lone)
