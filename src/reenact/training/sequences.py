"""Landmark sequences between two faces of one person, for FIPLS' sequence generator: synthetic ones with an
exact truth, or frames of prepared clips.

A batch: `ends` (B, 2, 98, 2), as they come in; `truth` (B, K, 98, 2), the way between them; `real`
(B, 2, 98, 2), two other faces of the person; `other` (B, 98, 2), a face of somebody else; in pixels of the
crop; and `person` (B,) int64.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reenact.data.shards import FaceStore, first_split
from reenact.data.synthetic import TripleOptions
from reenact.errors import ReenactError
from reenact.geometry.face_model import default_face_model
from reenact.geometry.schemes import convert_points
from reenact.training.sources import Data
from reenact.training.triples import HELD_OUT_SEED, ModelFaces
from reenact.types import Floats

TRAIN_SEED = 20_261_125
_POINTS = 98
_SEEDS = 1 << 31
_MOMENTS = 5  # two ends, two other faces of the person, one of somebody else


class SyntheticSequences:
    """People of a seed, who turn and change evenly from one pose and expression to another.

    count: of people. size: sequences an epoch. noise: pixels, on the ends. gap: how much of another person's
    shape the ends have, which is what is wrong with manipulated landmarks. Both are the most of what a sequence
    has: its own share of them is even between 0 and 1, for what comes in later may be clean.
    """

    def __init__(
        self, faces: ModelFaces, count: int, size: int, frames: int, *, noise: float, gap: float, seed: int
    ) -> None:
        self.size = size
        self._faces, self._frames, self._noise, self._gap = faces, frames, noise, gap
        self._people = np.random.default_rng(seed).standard_normal((count, faces.person), np.float32)

    def draw(self, rng: np.random.Generator, count: int) -> NDArray[Any]:
        """(count, 3 + 5 (E + 6)): person, another, seed of the noise; five expressions and five poses."""
        people = len(self._people)
        person = rng.integers(0, people, count)
        other = (person + rng.integers(1, people, count)) % people
        # A seed of 24 bits is exact in float32.
        head = np.column_stack([person, other, rng.integers(0, 1 << 24, count)]).astype(np.float32)
        poses = [self._faces.poses(rng, count) for _ in range(_MOMENTS)]
        return np.concatenate([head, self._faces.expressions(rng, count, _MOMENTS), *poses], 1)

    def load(self, rows: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """The sequences of these rows."""
        person, other = rows[:, 0].astype(np.int64), rows[:, 1].astype(np.int64)
        own, foreign = self._people[person], self._people[other]
        width = self._faces.expression
        expressions = rows[:, 3 : 3 + _MOMENTS * width].reshape(-1, _MOMENTS, width)
        poses = rows[:, 3 + _MOMENTS * width :].reshape(-1, _MOMENTS, 6)

        def shown(people: Floats, moment: int) -> Floats:
            return self._faces.faces(people, expressions[:, moment], poses[:, moment])[..., :2]

        # The same 24 bits, turned over: the share of the gap does not tell that of the noise.
        share = (rows[:, 2:3].astype(np.float64) * 0.618034 % 1).astype(np.float32)
        seen = own + np.float32(self._gap) * share * (foreign - own)
        ends = np.stack([shown(seen, 0), shown(seen, 1)], 1)
        return {
            "ends": _noisy(ends, self._noise, rows[:, 2].astype(np.int64).tolist()),
            "truth": self._way(own, expressions, poses),
            "real": np.stack([shown(own, 2), shown(own, 3)], 1),
            "other": shown(foreign, 4),
            "person": person,
        }

    def _way(self, people: Floats, expressions: Floats, poses: Floats) -> Floats:
        """(B, K, 98, 2): expression and pose go evenly from moment 0 to moment 1."""
        shares = np.linspace(0, 1, self._frames, dtype=np.float32)
        frames = [
            self._faces.faces(people, *(v[:, 0] + share * (v[:, 1] - v[:, 0]) for v in (expressions, poses)))
            for share in shares
        ]
        return np.stack(frames, 1)[..., :2]


class ClipSequences:
    """K frames of a prepared clip, evenly apart, in the order of time. A person is a clip's identity, or the
    clip. An epoch is ten sequences a clip.

    Raises ReenactError where no clip has two faces, or where all faces are one person's.
    """

    def __init__(self, store: FaceStore, frames: int, side: int, noise: float) -> None:
        self._store, self._frames, self._noise = store, frames, noise
        self._zoom = np.float32(side / store.read(0).image.shape[0])
        clips: dict[str, list[int]] = {}
        for number, entry in enumerate(store.entries):
            clips.setdefault(entry.clip or entry.key, []).append(number)
        self._clips = [
            np.array(sorted(of, key=lambda n: store.entries[n].frame or 0))
            for _, of in sorted(clips.items())
            if len(of) > 1
        ]
        names, self._person = np.unique(
            [entry.identity or entry.clip or entry.key for entry in store.entries], return_inverse=True
        )
        self.people = len(names)
        if not self._clips or self.people < 2:
            raise ReenactError(
                f"{store.folder}: sequences need two faces a clip and two people; prepare more data"
            )
        self.size = 10 * len(self._clips)
        self._kept: dict[int, Floats] = {}

    def draw(self, rng: np.random.Generator, count: int) -> NDArray[Any]:
        """(count, K + 4): faces of the way, two others of the clip, one of somebody else, seed of the noise."""
        return np.array([self._row(rng) for _ in range(count)], np.int64).reshape(-1, self._frames + 4)

    def _row(self, rng: np.random.Generator) -> list[int]:
        clip = self._clips[rng.integers(len(self._clips))]
        first, last = rng.choice(len(clip), 2, replace=False)
        way = clip[np.rint(np.linspace(first, last, self._frames)).astype(int)]
        other = rng.integers(len(self._person))
        while self._person[other] == self._person[clip[0]]:
            other = rng.integers(len(self._person))
        return [*way, *rng.choice(clip, 2, replace=False), other, rng.integers(_SEEDS)]

    def load(self, rows: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """The sequences of these rows."""
        points = self._points(rows[:, :-1])
        truth, real, other = np.split(points, [self._frames, self._frames + 2], 1)
        return {
            "ends": _noisy(truth[:, [0, -1]], self._noise, rows[:, -1].tolist()),
            "truth": truth,
            "real": real,
            "other": other[:, 0],
            "person": self._person[rows[:, 0]].astype(np.int64),
        }

    def _points(self, numbers: NDArray[np.int64]) -> Floats:
        """(B, M, 98, 2) of faces (B, M), each read from disk once."""
        for number in np.unique(numbers).tolist():
            if number not in self._kept:
                points = convert_points(self._store.points(number), "wflw98")[:, :2]
                self._kept[number] = (points * self._zoom).astype(np.float32)
        flat = [self._kept[number] for number in numbers.ravel().tolist()]
        return np.array(flat, np.float32).reshape(*numbers.shape, _POINTS, 2)


def _noisy(ends: Floats, noise: float, seeds: Sequence[int]) -> Floats:
    """The ends (B, 2, 98, 2), each row with noise of its own seed and strength, at most `noise`."""
    if not noise or not len(ends):
        return ends

    def drawn(seed: int) -> Floats:
        rng = np.random.default_rng(seed)
        return rng.random(dtype=np.float32) * rng.standard_normal(ends.shape[1:], np.float32)

    return (ends + np.float32(noise) * np.stack([drawn(seed) for seed in seeds])).astype(np.float32)


def open_sequences(name: str, values: dict[str, Any]) -> Data:
    """What FIPLS' sequence generator learns from. name: 'synthetic', or a folder of prepared faces. values: the
    stage's settings. Raises ReenactError where these do not fit."""
    noise, frames, side = values["noise"] * values["side"] / 256, values["frames"], values["side"]
    if name == "synthetic":
        faces = ModelFaces(default_face_model(), TripleOptions(side=side, scheme="wflw98"))
        people, held = max(values["people"], 2), max(values["validate_samples"], 2)
        train, looked_at = (
            SyntheticSequences(faces, count, size, frames, noise=noise, gap=values["gap"], seed=seed)
            for count, size, seed in (
                (people, values["epoch_size"], TRAIN_SEED),
                (held, held, HELD_OUT_SEED),
            )
        )
        return Data(train, looked_at, f"synthetic sequences of {people} people; {held} other people held out")
    folder = Path(name)
    clips = ClipSequences(first_split(folder, "train") or FaceStore(folder), frames, side, noise)
    if clips.people > values["people"]:
        raise ReenactError(
            f"{name}: has {clips.people} people, the identity classifiers {values['people']}; "
            f"--set people={clips.people}"
        )
    others = first_split(folder, "val", "test")
    note = f"{clips.size // 10:,} clips of {name}" + (
        "" if others else "; nothing held out: figures are of training clips"
    )
    return Data(clips, ClipSequences(others, frames, side, noise) if others else clips, note)
