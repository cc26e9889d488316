"""Landmark triples with an exact target: any identity in any pose and expression, from the face model.

A triple is what a landmark converter sees and what it should give (HR-Net's LIC, DG's IDSG): the driving face
(person j, pose p, expression e), the source face (person i, another pose and expression), and the target
(person i, pose p, expression e). Real pictures never show two people at exactly one pose and expression; the
model does. What a model leaves over of a real face comes as a fixed offset of each person, so that fitting
the same model does not find a person whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from reenact.geometry.face_model import POINTS, FaceModel, rotation_vector
from reenact.geometry.schemes import convert_points
from reenact.perception.head_pose import HeadPose, pose_matrix
from reenact.types import FaceState, Floats, Points, Scheme

_FACE_HEIGHT = 1.865
"""Of the mean face, in canonical units, from the forehead's middle to the chin."""
_CROP = 1.85
"""Side of a crop in face heights."""
_EYES_UP = 0.06
"""How far the point between the eyes lies above the crop's middle, in sides."""


@dataclass(frozen=True)
class PoseRange:
    """Largest yaw, pitch and roll to either side in degrees, drawn evenly; spread of the size (one standard
    deviation of its logarithm) and of the place (in sides of the crop). least_yaw: degrees that every face is
    turned at least."""

    yaw: float = 35.0
    pitch: float = 18.0
    roll: float = 12.0
    size: float = 0.06
    place: float = 0.02
    least_yaw: float = 0.0


LARGE_POSE = PoseRange(yaw=75.0, least_yaw=60.0), PoseRange(yaw=30.0)
"""Driving and source faces of DG's large-pose protocol: 'source yaw < 30', driving 'yaw > 60' degrees (section
4.1). The mesh has no landmark detector's limit; 75 is ours."""


@dataclass(frozen=True)
class TripleOptions:
    """side: of the crop in pixels. scheme: of the points. pose: of both faces. source_pose: of the source,
    where it is another. noise: standard deviation in pixels of what is added to the points of driving and
    source, as a detector would; the target is exact. residual: how much of the model's own noise each person
    has as a fixed offset. same_person: let a triple's two people be one."""

    side: int = 256
    scheme: Scheme = "mesh478"
    pose: PoseRange = PoseRange()
    source_pose: PoseRange | None = None
    noise: float = 0.0
    residual: float = 1.0
    same_person: bool = False


@dataclass(frozen=True)
class Triples:
    """T triples. driving, source, target: (T, N, 3) in pixels of a crop. driving_person, source_person: (T,)
    numbers into the identities. identity: (T, I) of the source. rotation: (T, 3) and expression: (T, E) of
    driving and target. scale: (T,) pixels a canonical unit of both."""

    driving: Floats
    source: Floats
    target: Floats
    driving_person: np.ndarray
    source_person: np.ndarray
    identity: Floats
    rotation: Floats
    expression: Floats
    scale: Floats
    scheme: Scheme

    def __len__(self) -> int:
        return len(self.target)


def landmark_triples(
    model: FaceModel,
    count: int,
    seed: int,
    *,
    identities: Floats | None = None,
    expressions: Floats | None = None,
    options: TripleOptions | None = None,
) -> Triples:
    """`count` triples, the same for the same arguments on any machine.

    identities: (P, I) fitted people to draw from, P at least 2; without them, `count` people from the prior.
    expressions: (M, E) fitted moments to draw from; without them the prior's, at most 2.5 a coefficient.
    Raises ValueError where these do not fit the model.
    """
    options = options or TripleOptions()
    rng = np.random.default_rng(seed)
    people = _people(model, count, identities, rng)
    offsets = rng.standard_normal((len(people), POINTS, 3)).astype(np.float32) * model.noise * options.residual
    moments = None if expressions is None else _checked(expressions, len(model.expression), 1, "expressions")
    rows = [_triple(model, people, offsets, moments, options, rng) for _ in range(count)]
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    driving, source, target = (_in_scheme(points, options.scheme) for points in columns[:3])
    for seen in (driving, source):
        seen += rng.normal(0, options.noise, seen.shape).astype(np.float32)
    persons = columns[3], columns[4]
    identity, rotation, expression, scale = columns[5:]
    return Triples(
        driving, source, target, *persons, identity, rotation, expression, scale, scheme=options.scheme
    )


def _in_scheme(points: Floats, scheme: Scheme) -> Floats:
    """Points (T, 478, 3) as (T, N, 3), a copy of their own."""
    return np.stack([convert_points(one, scheme) for one in points]).astype(np.float32)


def _people(model: FaceModel, count: int, given: Floats | None, rng: np.random.Generator) -> Floats:
    if given is not None:
        return _checked(given, len(model.identity), 2, "identities")
    return rng.standard_normal((max(count, 2), len(model.identity))).astype(np.float32)


def _checked(given: Floats, width: int, least: int, name: str) -> Floats:
    if given.ndim != 2 or given.shape[1] != width or len(given) < least:
        raise ValueError(f"{name} must be (at least {least}, {width}), not {given.shape}")
    return given.astype(np.float32)


def _triple(
    model: FaceModel,
    people: Floats,
    offsets: Floats,
    moments: Floats | None,
    options: TripleOptions,
    rng: np.random.Generator,
) -> tuple[object, ...]:
    source, driving = rng.choice(len(people), 2, replace=options.same_person)
    own, wanted = (_expression(model, moments, rng) for _ in range(2))
    there, here = (_pose(options.side, one, rng) for one in (options.pose, options.source_pose or options.pose))

    def face(person: int, pose: FaceState, expression: Floats) -> Points:
        state = FaceState(pose.rotation, pose.scale, pose.translation, people[person], expression)
        return model.project(state, offsets[person])

    return (
        face(driving, there, wanted),
        face(source, here, own),
        face(source, there, wanted),
        driving,
        source,
        people[source],
        there.rotation,
        wanted,
        np.float32(there.scale),
    )


def _expression(model: FaceModel, moments: Floats | None, rng: np.random.Generator) -> Floats:
    if moments is not None:
        return np.asarray(moments[rng.integers(len(moments))])
    return np.clip(rng.standard_normal(len(model.expression)), -2.5, 2.5).astype(np.float32)


def _pose(side: int, pose: PoseRange, rng: np.random.Generator) -> FaceState:
    """A head in a crop of `side` pixels; identity and expression are left empty."""
    limits = np.array([pose.yaw, pose.pitch, pose.roll])
    angles = rng.uniform(-limits, limits)
    angles[0] = turned_away(angles[0], pose)
    turn = rotation_vector(pose_matrix(HeadPose(*angles)))
    scale = side / (_CROP * _FACE_HEIGHT) * np.exp(rng.normal(0, pose.size))
    place = side * (np.array([0.5, 0.5 - _EYES_UP]) + rng.normal(0, pose.place, 2))
    none = np.zeros(0, np.float32)
    return FaceState(turn, float(scale), place.astype(np.float32), none, none)


def turned_away(yaw: Floats | float, pose: PoseRange) -> Floats:
    """Degrees drawn evenly within `pose.yaw` to either side, spread over what is beyond `pose.least_yaw`."""
    wide = pose.least_yaw + np.abs(yaw) * (1 - pose.least_yaw / pose.yaw) if pose.least_yaw else np.abs(yaw)
    return np.copysign(wide, yaw)


def batches(triples: Triples, size: int, seed: int) -> Iterator[tuple[Floats, Floats, Floats]]:
    """Driving, source and target (B, N, 3) in a new order; the last, shorter batch is left out."""
    order = np.random.default_rng(seed).permutation(len(triples))
    for start in range(0, len(order) - size + 1, size):
        rows = order[start : start + size]
        yield triples.driving[rows], triples.source[rows], triples.target[rows]
