"""Faces told in words, to train GLG's landmark GAN on: who, head pose, action units, and the landmarks they
give.

A batch is `person` (B,), numbers of people; `code` (B, C), the identity as coefficients or as an embedding;
`pose` (B, 3), yaw, pitch and roll in degrees; `units` (B, 18), intensities of 0 to 5; `target` (B, 68, 2) in
pixels of a crop where the face has the mean place and size.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reenact.data.shards import FaceStore, first_split
from reenact.data.synthetic import PoseRange, TripleOptions
from reenact.errors import ReenactError
from reenact.geometry.align import apply, crop_matrix
from reenact.geometry.face_model import FaceModel, default_face_model
from reenact.geometry.schemes import convert_points
from reenact.perception.action_units import MOST, action_units, intensities
from reenact.systems.crop import state_square
from reenact.training.sources import Data
from reenact.training.triples import HELD_OUT_SEED, ModelFaces
from reenact.types import Floats

if TYPE_CHECKING:
    from reenact.nn.identity_net import IdentityNet

TRAIN_SEED = 20_261_125
_HELD_EVERY = 10


class ModelControls:
    """The people of a seed in any pose and expression, by the face model: exact landmarks, without end."""

    def __init__(self, model: FaceModel, side: int, people: int, size: int, seed: int) -> None:
        self.size, self._model = size, model
        pose = PoseRange(size=0.0, place=0.0)
        self._faces = ModelFaces(model, TripleOptions(side=side, scheme="ibug68", pose=pose))
        rng = np.random.default_rng(seed)
        self._people = rng.standard_normal((people, self._faces.person), np.float32)
        self._still = np.zeros(len(model.expression), np.float32)

    @property
    def _codes(self) -> Floats:
        return self._people[:, : self._faces.identities]

    def draw(self, rng: np.random.Generator, count: int) -> NDArray[Any]:
        """(count, 1 + E + 6): person, expression and pose."""
        person = rng.integers(0, len(self._people), (count, 1)).astype(np.float32)
        return np.concatenate([person, self._faces.expressions(rng, count), self._faces.poses(rng, count)], 1)

    def load(self, rows: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """The faces of these rows."""
        if not len(rows):  # a process's share of a small batch
            one = self.load(self.draw(np.random.default_rng(0), 1))
            return {name: values[:0] for name, values in one.items()}
        person, expression, pose = rows[:, 0].astype(np.int64), rows[:, 1:-6], rows[:, -6:]
        return {
            "person": person,
            "code": self._codes[person],
            "pose": np.degrees(pose[:, :3]),
            "units": self._units(self._codes[person], expression),
            "target": self._faces.faces(self._people[person], expression, pose)[..., :2],
        }

    def _units(self, code: Floats, expression: Floats) -> Floats:
        rest = self._model.shape(code, np.broadcast_to(self._still, expression.shape))
        return intensities(self._model.shape(code, expression), rest).astype(np.float32)


class FaceControls:
    """Prepared faces; what is computed of one is kept.

    numbers: of the faces in the store. names: the people, in order. embedded: the code is a face embedding,
    else the identity coefficients. evenly: somebody with many faces is drawn as the root of their number asks,
    so that a clip does not outweigh a thousand portraits.
    """

    def __init__(
        self,
        store: FaceStore,
        numbers: NDArray[np.int64],
        names: list[str],
        side: int,
        *,
        embedded: bool,
        evenly: bool = False,
    ) -> None:
        self.size = len(numbers)
        self._store, self._numbers, self._side, self._embedded = store, numbers, side, embedded
        self._person = {name: number for number, name in enumerate(names)}
        self._kept: dict[int, dict[str, Any]] = {}
        people = np.unique([person_of(store.entries[n]) for n in numbers.tolist()], return_inverse=True)[1]
        self._faces = [numbers[people == person] for person in range(int(people.max()) + 1)]
        sizes = np.array([len(faces) for faces in self._faces], np.float64)
        weights = np.sqrt(sizes) if evenly else sizes
        self._shares = weights / weights.sum()

    def draw(self, rng: np.random.Generator, count: int) -> NDArray[Any]:
        """(count, 2): numbers of faces, and of faces of the same people that say who they are, another one
        where there is another."""
        chosen = [self._faces[person] for person in rng.choice(len(self._faces), count, p=self._shares)]
        sizes = np.array([len(faces) for faces in chosen], np.int64)
        first = rng.integers(0, sizes)
        second = (first + rng.integers(1, np.maximum(sizes, 2))) % sizes
        pairs = zip(chosen, first, second, strict=True)
        return np.array([(faces[a], faces[b]) for faces, a, b in pairs], np.int64).reshape(-1, 2)

    def load(self, rows: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """These faces; of none where `rows` is empty."""
        pairs = rows.tolist() or [[int(self._numbers[0])] * 2]
        faces = [self._face(number) | {"code": self._face(who)["code"]} for number, who in pairs]
        return {name: np.stack([face[name] for face in faces])[: len(rows)] for name in faces[0]}

    def _face(self, number: int) -> dict[str, Any]:
        if number not in self._kept:
            self._kept[number] = self._looked_at(number)
        return self._kept[number]

    def _looked_at(self, number: int) -> dict[str, Any]:
        face, entry = self._store.read(number), self._store.entries[number]
        rest = replace(face.state, expression=np.zeros_like(face.state.expression))
        there = crop_matrix(state_square(face.state), self._side)
        return {
            "person": np.int64(self._person.get(person_of(entry), 0)),
            "code": self._embedding(face) if self._embedded else face.state.identity.astype(np.float32),
            "pose": np.array(entry.pose, np.float32),
            "units": (MOST * action_units(face.state, rest).vector()).astype(np.float32),
            "target": apply(there, convert_points(face.points, "ibug68")[:, :2]).astype(np.float32),
        }

    def _embedding(self, face: Any) -> Floats:
        import torch

        from reenact.nn.identity_net import chips

        picture = torch.from_numpy(face.image.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1
        with torch.inference_mode():
            embedding: Floats = self._net(chips(picture, [face.points]))[0].numpy()
        return embedding

    @cached_property
    def _net(self) -> IdentityNet:
        from reenact.nn.identity_net import load_identity_net

        return load_identity_net()


def person_of(entry: Any) -> str:
    """Who a face is of; where that is not known, its clip."""
    return str(entry.identity or entry.clip or entry.key)


def open_controls(name: str, values: dict[str, Any]) -> Data:
    """What the landmark GAN learns from. name: 'synthetic', or a folder of prepared faces. values: the stage's
    settings. Known people are looked at in faces that were held out, everybody else in people that were. Raises
    ReenactError where data and settings do not fit."""
    return _synthetic(values) if name == "synthetic" else _prepared(Path(name), values)


def _synthetic(values: dict[str, Any]) -> Data:
    if values["identity"] == "face":
        raise ReenactError(
            "--data synthetic: synthetic faces have no pictures to embed; give a folder of prepared faces"
        )
    model, people, side = default_face_model(), values["people"], values["side"]
    held, known = max(values["validate_samples"], 1), values["identity"] == "known"
    train = ModelControls(model, side, people, values["epoch_size"], TRAIN_SEED)
    # Known people are the same ones; the loop looks at moments that training does not draw.
    looked_at = train if known else ModelControls(model, side, held, held, HELD_OUT_SEED)
    note = f"synthetic faces of {people} people" + ("" if known else f", {held} others held out")
    return Data(train, looked_at, note)


def _prepared(folder: Path, values: dict[str, Any]) -> Data:
    known, embedded, side = values["identity"] == "known", values["identity"] == "face", values["side"]
    train = first_split(folder, "train" if known else ("train", "all")) or FaceStore(folder)
    names = sorted({person_of(entry) for entry in train.entries})
    if known and len(names) > values["people"]:
        raise ReenactError(
            f"{folder}: has {len(names)} people, the landmark GAN knows {values['people']}; "
            f"--set people={len(names)}"
        )
    every = np.arange(len(train), dtype=np.int64)
    note = f"{len(train):,} faces of {len(names)} people of {folder}"
    if not known and (other := first_split(folder, "val", "test")):
        held = FaceControls(other, np.arange(len(other)), [], side, embedded=embedded)
        return Data(FaceControls(train, every, names, side, embedded=embedded, evenly=True), held, note)
    kept = every[every % _HELD_EVERY > 0] if len(every) > _HELD_EVERY else every
    apart = every[every % _HELD_EVERY == 0]
    return Data(
        FaceControls(train, kept, names, side, embedded=embedded),
        FaceControls(train, apart, names, side, embedded=embedded),
        f"{note}, every {_HELD_EVERY}th held out",
    )
