"""Stills for OSFR: each picture with itself, warped to somebody else's contour (`data/resample.py`), so that
every portrait of one picture a person can be trained on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reenact.data.resample import Manner, resampled_points, stirred_points
from reenact.data.shards import FaceStore
from reenact.errors import ReenactError
from reenact.evaluation.metrics.regions import face_mask
from reenact.geometry.face_model import default_face_model
from reenact.geometry.warp import FaceWarp
from reenact.systems.osfr.presets import Resampling
from reenact.training.sources import Data
from reenact.types import FaceState, Floats, Image, Points


class StillSource:
    """Batches of `source` and `target`, (B, S, S, 3) uint8: a still, and the same warped; of `source_points`
    and `points`, their mesh points (B, 478, 2) in pixels; and of `source_mask` and `mask`, (B, S, S, 1)
    uint8, 255 within the hull of the face's points. An epoch is every still once.

    resampling: 'none' leaves the still as it is; 'flat' and 'solid' give it the contour of another person;
    'stirred' another pose and expression besides, by `expression` and `turn` (see `stirred_points`).
    """

    def __init__(
        self,
        store: FaceStore,
        side: int,
        resampling: Resampling = "flat",
        *,
        expression: float = 0.5,
        turn: float = 8.0,
    ) -> None:
        people = np.unique([entry.identity or entry.key for entry in store.entries], return_inverse=True)[1]
        if resampling != "none" and len(np.unique(people)) < 2:
            raise ReenactError(
                f"{store.folder}: all faces are of one person; boundary resampling needs two people "
                "(or --set resampling=none)"
            )
        self._store, self._side, self._people = store, side, people
        self._resampling, self._expression, self._turn = resampling, expression, turn
        self._model = default_face_model()
        self.size = len(store)

    def draw(self, rng: np.random.Generator, count: int) -> NDArray[Any]:
        """(count, 3): the still, the face of another person that lends its contour, a seed of the change."""
        stills, lenders = rng.integers(0, self.size, (2, count))
        while self._resampling != "none" and (same := self._people[stills] == self._people[lenders]).any():
            lenders[same] = rng.integers(0, self.size, int(same.sum()))
        return np.stack([stills, lenders, rng.integers(0, 1 << 31, count)], 1).astype(np.int64)

    def load(self, rows: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """The samples of these rows."""
        samples = [self._sample(*row) for row in rows.tolist()]
        if not samples:
            empty = self._sample(0, 0, 0)
            return {name: np.zeros((0, *value.shape), value.dtype) for name, value in empty.items()}
        return {name: np.stack([sample[name] for sample in samples]) for name in samples[0]}

    def _sample(self, still: int, lender: int, seed: int) -> dict[str, NDArray[Any]]:
        image, points = self._picture(still)
        state = self._model.fit(points)
        target, target_state = self._target(points, state, lender, np.random.default_rng(seed))
        warped = image if target is points else FaceWarp(image, points, state).render(target, target_state)
        return {
            "source": image,
            "target": warped,
            "source_points": points[:, :2],
            "points": target[:, :2],
            "source_mask": _mask(points, self._side),
            "mask": _mask(target, self._side),
        }

    def _target(
        self, points: Points, state: FaceState, lender: int, rng: np.random.Generator
    ) -> tuple[Points, FaceState]:
        """Where the still is warped to, and its pose and expression: one warp, whatever changes."""
        if self._resampling == "none":
            return points, state
        manner: Manner = "flat" if self._resampling == "flat" else "solid"
        target = resampled_points(self._model, points, state, self._store.points(lender), manner)
        if self._resampling != "stirred":
            return target, state
        return stirred_points(
            self._model,
            target,
            self._model.fit(target),
            rng,
            expression=self._expression,
            turn=self._turn,
        )

    def _picture(self, number: int) -> tuple[Image, Floats]:
        from PIL import Image as Pictures

        face = self._store.read(number)
        side = face.image.shape[0]
        points = face.points.astype(np.float32)
        if side == self._side:
            return face.image, points
        small = Pictures.fromarray(face.image).resize((self._side, self._side), Pictures.Resampling.LANCZOS)
        return np.asarray(small), points * np.float32(self._side / side)


def _mask(points: Points, side: int) -> NDArray[np.uint8]:
    return face_mask(points, side, side).astype(np.uint8)[..., None] * np.uint8(255)


def open_stills(folder: Path, settings: dict[str, Any]) -> Data:
    """The prepared faces of `folder`: split 'train' to train on, 'val' (else 'test') to look at; where there
    is no such split, the training stills themselves, which `note` then says. settings: those of the stage."""

    def opened(split: str | None) -> StillSource:
        return StillSource(
            FaceStore(folder, split),
            settings["size"],
            settings["resampling"],
            expression=settings["expression"],
            turn=settings["turn"],
        )

    train, held = _first(opened, "train"), _first(opened, "val", "test")
    train = train or opened(None)
    note = f"{train.size:,} faces of {folder}"
    return Data(
        train, held or train, note + ("" if held else "; nothing held out: figures are of training faces")
    )


def _first(opened: Callable[[str | None], StillSource], *splits: str) -> StillSource | None:
    """The first of the splits that is there."""
    for split in splits:
        try:
            return opened(split)
        except ReenactError:
            continue
    return None
