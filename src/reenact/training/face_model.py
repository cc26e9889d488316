"""Learning the morphable landmark model from stills (identity) and clips (expression).

Two-factor Gaussian model `y = mean + V a + U e + noise` in the canonical frame, by expectation and
maximisation: each still has its own `a` and `e`; all frames of a clip share one `a`. That is the split of
probabilistic LDA (Prince and Elder 2007): what varies within clips is expression, what the stills vary
beyond that is identity.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reenact.errors import ReenactError
from reenact.geometry.face_model import POINTS, FaceModel, pose_weights, procrustes
from reenact.geometry.schemes import MESH_FLIP
from reenact.media.files import atomic_output, check_output
from reenact.media.reader import open_frames
from reenact.media.stills import read_still
from reenact.perception.detector import FaceFollower, MeshDetector, face_size
from reenact.pipeline.progress import Progress, silent
from reenact.types import Floats

_OUTER_EYES = (33, 263)
_INNER_EYES = (133, 362)
_VIDEOS = {".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v"}
_STILLS = {".jpg", ".jpeg", ".png", ".webp", ".heic", ".bmp", ".tif", ".tiff"}
LEAST_STILLS, LEAST_CLIPS, LEAST_FACE = 40, 4, 48


@dataclass(frozen=True)
class FaceSet:
    """Aligned shapes. shapes: (S, 478, 3) canonical. person: (S,) number of the person, the same for all
    frames of a clip. weight: (S,) share of each shape in the sums."""

    shapes: Floats
    person: NDArray[np.int64]
    weight: Floats


def learn_face_model(
    stills: Floats,
    clips: Sequence[Floats],
    mirror: NDArray[np.integer],
    *,
    identity: int = 32,
    expression: int = 80,
    rounds: int = 12,
    frames: int = 120,
    floor: float = 0.004,
) -> FaceModel:
    """The model of stills (S, 478, 3) and clips [(F, 478, 3), ...], landmarks in pixels.

    mirror: (478,) number of each point's mirror image; every face is also used mirrored. frames: at most
    so many of each clip, evenly spread. floor: least noise of a point in canonical units; the detector's
    own repeatability, which keeps the fit from splitting its jitter between identity and expression.
    """
    faces, _ = align_faces(*_gather(stills, clips, mirror, frames))
    mean = np.average(faces.shapes, axis=0, weights=faces.weight).astype(np.float32)
    offsets = (faces.shapes - mean).reshape(len(faces.shapes), -1)
    v, u, noise = _factorise(offsets, faces, identity, expression, rounds)
    shape = (-1, POINTS, 3)
    noise = np.hypot(noise, floor).astype(np.float32).reshape(POINTS, 3)
    return FaceModel(mean, v.reshape(shape), u.reshape(shape), pose_weights(), noise)


def _gather(
    stills: Floats, clips: Sequence[Floats], mirror: NDArray[np.integer], frames: int
) -> tuple[Floats, NDArray[np.int64], Floats]:
    """All faces and their mirror images, the person each belongs to, and a weight: a still counts one, a
    clip as many stills as the square root of its frames."""
    groups = [still[None] for still in stills]
    for clip in clips:
        groups.append(clip[np.linspace(0, len(clip) - 1, min(frames, len(clip))).astype(int)])
    groups = [g for pair in ((g, _mirrored(g, mirror)) for g in groups) for g in pair]
    person = np.repeat(np.arange(len(groups)), [len(g) for g in groups])
    weight = np.concatenate([np.full(len(g), len(g) ** -0.5, np.float32) for g in groups])
    return np.concatenate(groups), person, weight


def _mirrored(shapes: Floats, mirror: NDArray[np.integer]) -> Floats:
    return shapes[:, mirror] * np.array([-1, 1, 1], np.float32)


def align_faces(
    points: Floats, person: NDArray[np.int64], weight: Floats, rounds: int = 4
) -> tuple[FaceSet, Floats]:
    """Bring faces (S, 478, 3) into the canonical frame by their rigid points, and find those points: the
    weight of a point is the inverse of its variance within persons, so that a jaw that drops or a smile
    does not read as a head that grows."""
    mean = _upright(points[0])
    rigidity = np.ones(POINTS, np.float32)
    shapes = points
    for _ in range(rounds):
        shapes = np.stack([_aligned(face, mean, rigidity) for face in points])
        mean = _upright(np.average(shapes, axis=0, weights=weight))
        rigidity = _rigidity(shapes, person)
    return FaceSet(shapes.astype(np.float32), person, weight), rigidity


def _aligned(face: Floats, mean: Floats, rigidity: Floats) -> Floats:
    rotation, scale, move = procrustes(mean, face, rigidity)
    return (face - move) @ rotation / scale


def _rigidity(shapes: Floats, person: NDArray[np.int64]) -> Floats:
    count = np.bincount(person)
    centres = np.stack([np.bincount(person, column) for column in shapes.reshape(len(shapes), -1).T], 1)
    within = shapes.reshape(len(shapes), -1) - (centres / count[:, None])[person]
    moving = count[person] > 1
    variance = (within[moving] ** 2).mean(0).reshape(POINTS, 3).sum(1) if moving.any() else np.ones(POINTS)
    weights = 1 / (variance + np.median(variance) * 0.1)
    return (weights / weights.sum()).astype(np.float32)


def _upright(shape: Floats) -> Floats:
    """Origin, unit and axes of the canonical frame, from the eyes and the vertical mid line."""
    eyes = shape[list(_OUTER_EYES)]
    centre = shape[list(_OUTER_EYES + _INNER_EYES)].mean(0)
    across = eyes[1] - eyes[0]
    unit = np.linalg.norm(across)
    x = across / unit
    down = shape[152] - shape[10]
    y = down - x * (x @ down)
    y /= np.linalg.norm(y)
    axes = np.stack([x, y, np.cross(x, y)], 1)
    return ((shape - centre) @ axes / unit).astype(np.float32)


def _factorise(
    offsets: Floats, faces: FaceSet, identity: int, expression: int, rounds: int
) -> tuple[Floats, Floats, Floats]:
    """Modes V (I, D) and U (E, D) and noise (D,) of offsets (S, D), by expectation and maximisation on the
    leading principal components (the rest is noise)."""
    weight = np.sqrt(faces.weight)[:, None]
    basis = np.linalg.svd(offsets * weight, full_matrices=False)[2][: 2 * (identity + expression)]
    scores = (offsets @ basis.T).astype(np.float64)
    v, u = _first_modes(scores, faces, identity, expression)
    noise = np.full(scores.shape[1], 1e-4)
    for _ in range(rounds):
        v, u, noise = _em_round(scores, faces, v, u, noise)
    v, u = _principal(v), _principal(u)
    a, e = _expectations(scores, faces, v, u, noise)[:2]
    left = offsets - (a[faces.person] @ v + e @ u) @ basis
    sigma = np.sqrt(np.average(left**2, axis=0, weights=faces.weight))
    return (v @ basis).astype(np.float32), (u @ basis).astype(np.float32), sigma.astype(np.float32)


def _first_modes(scores: Floats, faces: FaceSet, identity: int, expression: int) -> tuple[Floats, Floats]:
    """Expression from what varies within persons; identity from what their means vary beyond that: a mean of
    n frames still carries 1 / n of the expression's covariance, and a still all of it."""
    count = np.bincount(faces.person)
    total = np.zeros((len(count), scores.shape[1]))
    np.add.at(total, faces.person, scores)
    means = total / count[:, None]
    moving = count[faces.person] > 1
    within = (scores - means[faces.person])[moving]
    left = np.cov(means.T)
    if moving.any():
        left -= np.cov(within.T) * np.mean(1 / np.bincount(faces.person, faces.weight))
    return _modes_of_covariance(left, identity), _modes_of(within, expression)


def _modes_of_covariance(covariance: Floats, number: int) -> Floats:
    values, vectors = np.linalg.eigh(covariance)
    order = np.argsort(values)[::-1][:number]
    return np.sqrt(np.maximum(values[order], 1e-10))[:, None] * vectors[:, order].T


def _modes_of(rows: Floats, number: int) -> Floats:
    _, s, vt = np.linalg.svd(rows / np.sqrt(len(rows)), full_matrices=False)
    return s[:number, None] * vt[:number]


def _principal(modes: Floats) -> Floats:
    """The same Gaussian with orthogonal modes in falling order of variance."""
    _, s, vt = np.linalg.svd(modes, full_matrices=False)
    return s[:, None] * vt


def _expectations(
    scores: Floats, faces: FaceSet, v: Floats, u: Floats, noise: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """Posterior means a (P, I) and e (S, E), and the summed posterior covariances of each.

    With e integrated out, frames of one person are independent given a: noise' = U U' + noise.
    """
    marginal = np.linalg.inv(u.T @ u + np.diag(noise))
    gram = v @ marginal @ v.T
    count = np.bincount(faces.person)
    projected = np.zeros((len(count), len(v)))
    # Frames of a clip are near-copies of one another: the square root counts the independent ones.
    share = faces.weight[:, None]
    np.add.at(projected, faces.person, scores @ marginal @ v.T * share)
    effective = np.bincount(faces.person, faces.weight)
    inverse = {n: np.linalg.inv(np.eye(len(v)) + n * gram) for n in np.unique(effective)}
    a = np.stack([inverse[n] @ row for n, row in zip(effective, projected, strict=True)])
    cov_a = sum(inverse[n] * (effective == n).sum() for n in inverse)
    cov_e = np.linalg.inv(np.eye(len(u)) + u / noise @ u.T)
    e = (scores - a[faces.person] @ v) / noise @ u.T @ cov_e
    return a, e, cov_a, cov_e * faces.weight.sum()


def _em_round(
    scores: Floats, faces: FaceSet, v: Floats, u: Floats, noise: Floats
) -> tuple[Floats, Floats, Floats]:
    a, e, cov_a, cov_e = _expectations(scores, faces, v, u, noise)
    w = faces.weight[:, None]
    rows = a[faces.person]
    by_person = np.bincount(faces.person, faces.weight)
    scale_a = float(by_person.sum() / len(by_person))
    v = np.linalg.solve((rows * w).T @ rows + cov_a * scale_a, (rows * w).T @ (scores - e @ u))
    u = np.linalg.solve((e * w).T @ e + cov_e, (e * w).T @ (scores - rows @ v))
    left = scores - rows @ v - e @ u
    noise = np.average(left**2, axis=0, weights=faces.weight) + 1e-7
    return v, u, noise


@dataclass(frozen=True)
class Landmarked:
    """What a folder holds, as landmarks in pixels. stills: (S, 478, 3). clips: (F, 478, 3) each. skipped: one
    line for each file without a usable face."""

    stills: Floats
    clips: tuple[Floats, ...]
    skipped: tuple[str, ...]


def read_landmarks(data: Path, held_out: Collection[str] = (), progress: Progress = silent) -> Landmarked:
    """The landmarks of every picture and video below a folder; one person a file. held_out: names (without
    suffix) that are passed over. Raises ReenactError where the folder holds too little to learn from."""
    files = sorted(path for path in data.rglob("*") if path.is_file() and path.stem not in held_out)
    stills, clips, skipped = [], [], []
    with MeshDetector() as detector:
        for done, path in enumerate(files, 1):
            try:
                if path.suffix.lower() in _VIDEOS:
                    clips.append(_clip_landmarks(path))
                elif path.suffix.lower() in _STILLS:
                    stills += _still_landmarks(path, detector)
            except ReenactError as error:
                skipped.append(str(error).replace(f"{data}/", ""))
            progress("landmarks", done, len(files))
    if len(stills) < LEAST_STILLS or len(clips) < LEAST_CLIPS:
        raise ReenactError(
            f"{data} has {len(stills)} stills and {len(clips)} videos with a face; a face model needs at least "
            f"{LEAST_STILLS} stills of different people and {LEAST_CLIPS} videos"
        )
    return Landmarked(np.stack(stills), tuple(clips), tuple(skipped))


def _still_landmarks(path: Path, detector: MeshDetector) -> list[Floats]:
    faces = detector.detect(read_still(path)[..., :3])
    if not faces or face_size(faces[0]) < LEAST_FACE:
        raise ReenactError(f"{path}: no face of at least {LEAST_FACE} px; passed over")
    return [faces[0].points]


def _clip_landmarks(path: Path) -> Floats:
    found = []
    with open_frames(path, longest=512) as source, FaceFollower() as follower:
        for frame in source:
            seen = follower.track(frame.image)
            if seen is not None:
                found.append(seen.points)
    if len(found) < 2:
        raise ReenactError(f"{path}: a face in {len(found)} frames; at least two are needed; passed over")
    return np.stack(found)


def train_face_model(
    data: Path,
    output: Path,
    *,
    identity: int = 32,
    expression: int = 80,
    hold_out: Path | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Learn a model from the pictures and videos below `data` and write it to `output`; returns its record.

    hold_out: text file of names without suffix, one a line. Raises ReenactError for too little data or an
    output that cannot be written.
    """
    check_output(output, overwrite=overwrite)
    names = frozenset(hold_out.read_text().split()) if hold_out else frozenset()
    found = read_landmarks(data, names, progress)
    model = learn_face_model(found.stills, found.clips, MESH_FLIP, identity=identity, expression=expression)
    record: dict[str, Any] = {
        "stills": len(found.stills),
        "clips": len(found.clips),
        "identity": identity,
        "expression": expression,
        "detector": "mediapipe 0.10.21 face mesh",
        "skipped": list(found.skipped),
    }
    with atomic_output(output, overwrite=overwrite) as partial:
        model.save(partial, record)
    return record
