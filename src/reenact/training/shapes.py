"""Landmarks with face codes, to train DG's shape generator on: exact ones of the face model, or those of
prepared faces. Phases and pairs: `training/phases.py`.

A batch is `driving` and `target`, (B, 68, 3) in pixels of the crop; `visible` (B, 68), 1 where the driving face
does not hide a point; `known` (B,), 1 where `target` is true; `source_code` and `driving_code` (B, C);
`source_person` and `driving_person` (B,), numbers of the people.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reenact.data.synthetic import PoseRange, TripleOptions
from reenact.errors import ReenactError
from reenact.geometry.face_model import FaceModel, default_face_model
from reenact.geometry.schemes import convert, visible
from reenact.perception.head_pose import HeadPose, pose_matrix
from reenact.training.phases import Pairing, in_phases, pairing_of, stores
from reenact.training.sources import Data
from reenact.training.triples import HELD_OUT_SEED, ModelFaces
from reenact.types import Floats, Landmarks, Points

TRAIN_SEED = 20_261_124
_CELL = 10.0  # degrees


class SyntheticShapes:
    """The people of a seed, in any pose and expression; the target is exact for any two.

    others: pair two people, else one with itself. people: how many. code_length: of the face code, which is the
    identity coefficients.
    """

    def __init__(
        self, faces: ModelFaces, people: int, size: int, code_length: int, *, others: bool, seed: int
    ) -> None:
        self.size = size
        self._faces, self._length, self._others = faces, code_length, others
        rng = np.random.default_rng(seed)
        self._people = rng.standard_normal((people, faces.person), np.float32)

    def draw(self, rng: np.random.Generator, count: int) -> NDArray[Any]:
        """(count, 2 + E + 6): source and driving person, expression and pose."""
        total = len(self._people)
        source = rng.integers(0, total, count)
        apart = rng.integers(1, total, count) if self._others else 0
        pair = np.column_stack([source, (source + apart) % total]).astype(np.float32)
        return np.concatenate([pair, self._faces.expressions(rng, count), self._faces.poses(rng, count)], 1)

    def load(self, rows: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """The samples of these rows."""
        source, driver = rows[:, 0].astype(np.int64), rows[:, 1].astype(np.int64)
        expression, pose = rows[:, 2:-6], rows[:, -6:]
        own, other = self._people[source], self._people[driver]
        return {
            "driving": self._faces.faces(other, expression, pose),
            "target": self._faces.faces(own, expression, pose),
            "visible": visible_at(np.degrees(pose[:, :2])),
            "known": np.ones(len(rows), np.float32),
            "source_code": self._codes(own),
            "driving_code": self._codes(other),
            "source_person": source,
            "driving_person": driver,
        }

    def _codes(self, people: Floats) -> Floats:
        return np.resize(people[:, : self._faces.identities].T, (self._length, len(people))).T.copy()


def visible_at(angles: Floats) -> Floats:
    """(B, 68): 1 where the mean face shows a point; angles: (B, 2) yaw and pitch in degrees, rounded to 10."""
    cells = np.rint(angles / _CELL).astype(int).tolist()
    return np.array([_visible(yaw, pitch) for yaw, pitch in cells], np.float32).reshape(-1, 68)


@cache
def _visible(yaw: int, pitch: int) -> NDArray[np.bool_]:
    turn = pose_matrix(HeadPose(yaw * _CELL, pitch * _CELL, 0.0))
    points = (100 * default_face_model().mean @ turn.T).astype(np.float32)
    return _seen(points)[1]


def _seen(points: Points) -> tuple[Points, NDArray[np.bool_]]:
    """The mesh (478, 3) in pixels as (68, 3) points, and (68,) which of them it does not hide."""
    marks = convert(Landmarks(points, "mesh478", visible(points)), "ibug68")
    assert marks.visible is not None
    return marks.points, marks.visible


class FaceShapes:
    """The faces of a store. What is computed of a face is kept: landmarks, visibility and face code.

    others: pair two people, else two faces of one. with_truth: only pairs of people whose target is known,
    else, where there are none, two faces of one.
    """

    def __init__(self, pairing: Pairing, values: dict[str, Any], *, others: bool, with_truth: bool) -> None:
        self.size = len(pairing.person)
        self._pairing, self._others, self._known = pairing, others, values["cross_truth"]
        self._code, self._length, self._side = values["code"], values["code_length"], values["side"]
        self._kept: dict[int, tuple[Floats, Floats, Floats]] = {}
        self._draw: Callable[[np.random.Generator, int], NDArray[Any]] = (
            pairing.others if others else pairing.same
        )
        if with_truth:
            rows = self._with_truth()
            self._draw = _from(rows) if len(rows) else pairing.same

    def draw(self, rng: np.random.Generator, count: int) -> NDArray[Any]:
        """(count, 2) numbers of source and driving face."""
        return self._draw(rng, count)

    def load(self, rows: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """The samples of these rows."""
        person, truths = self._pairing.person, self._pairing.truths(rows)
        if self._others and not self._known:
            truths[:] = -1
        source, driving = rows[:, 0].tolist(), rows[:, 1].tolist()
        targets = np.where(truths >= 0, truths, rows[:, 1]).tolist()
        return {
            "driving": self._stack(driving, 0, (68, 3)),
            "target": self._stack(targets, 0, (68, 3)),
            "visible": self._stack(driving, 1, (68,)),
            "known": (truths >= 0).astype(np.float32),
            "source_code": self._stack(source, 2, (self._length,)),
            "driving_code": self._stack(driving, 2, (self._length,)),
            "source_person": person[rows[:, 0]],
            "driving_person": person[rows[:, 1]],
        }

    def _with_truth(self) -> NDArray[np.int64]:
        """Up to 4,096 pairs of two people with a known target."""
        if len(self._pairing.names) < 2:
            return np.zeros((0, 2), np.int64)
        rows = self._pairing.others(np.random.default_rng(HELD_OUT_SEED), 4096)
        return rows[self._pairing.truths(rows) >= 0]

    def _stack(self, numbers: list[int], part: int, shape: tuple[int, ...]) -> Floats:
        parts = [self._face(number)[part] for number in numbers]
        return np.stack(parts) if parts else np.zeros((0, *shape), np.float32)

    def _face(self, number: int) -> tuple[Floats, Floats, Floats]:
        if number not in self._kept:
            self._kept[number] = self._looked_at(number)
        return self._kept[number]

    def _looked_at(self, number: int) -> tuple[Floats, Floats, Floats]:
        import torch

        from reenact.systems.dg.face_code import face_encoder, picture_code, shape_code

        face = self._pairing.store.read(number)
        points, seen = _seen(face.points)
        if self._code == "shape":
            code = shape_code(torch.from_numpy(face.state.identity)[None], self._length)
        else:
            picture = torch.from_numpy(face.image).permute(2, 0, 1)[None].float() / 127.5 - 1
            code = picture_code(face_encoder(), picture, [face.points], self._length)
        return points * np.float32(self._side / face.image.shape[0]), seen.astype(np.float32), code[0].numpy()


def _from(rows: NDArray[np.int64]) -> Callable[[np.random.Generator, int], NDArray[np.int64]]:
    return lambda rng, count: rows[rng.integers(0, len(rows), count)]


def open_shapes(name: str, values: dict[str, Any]) -> Data:
    """What DG's shape generator learns from. name: 'synthetic', or a folder of prepared faces. values: the
    stage's settings. Raises ReenactError where these do not fit."""
    if name == "synthetic":
        return _synthetic(default_face_model(), values)
    train, held, note = stores(Path(name))
    pairing = pairing_of(train, values, "identity")
    if len(pairing.names) > values["subjects"]:
        raise ReenactError(
            f"{name}: has {len(pairing.names)} people, the subject classifier {values['subjects']}; "
            f"--set subjects={len(pairing.names)}"
        )
    first, then = (FaceShapes(pairing, values, others=others, with_truth=False) for others in (False, True))
    looked_at = FaceShapes(
        Pairing(held, "identity", values["most_yaw"]),
        {**values, "cross_truth": True},
        others=True,
        with_truth=True,
    )
    return Data(in_phases(first, then, values), looked_at, note)


def _synthetic(model: FaceModel, values: dict[str, Any]) -> Data:
    if values["code"] != "shape":
        raise ReenactError(
            "--data synthetic: synthetic faces have no pictures to take a face code from; use --set code=shape"
        )
    poses = PoseRange(yaw=values["most_yaw"])
    faces = ModelFaces(model, TripleOptions(side=values["side"], scheme="ibug68", pose=poses))
    people, size, length = max(values["subjects"], 2), values["epoch_size"], values["code_length"]
    first, then = (
        SyntheticShapes(faces, people, size, length, others=others, seed=TRAIN_SEED) for others in (False, True)
    )
    held = max(values["validate_samples"], 2)
    looked_at = SyntheticShapes(faces, held, held, length, others=True, seed=HELD_OUT_SEED)
    note = f"synthetic faces of {people} people to {values['most_yaw']:g} degrees of yaw; {held} held out"
    return Data(in_phases(first, then, values), looked_at, note)
