"""Faces cut out once, for the distilled nets: crops and their points in files that training reads at random."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reenact.errors import ReenactError
from reenact.geometry.align import apply, crop_matrix, face_square
from reenact.perception.chips import warped
from reenact.perception.detector import FaceFollower, MeshDetector
from reenact.types import Floats, Image, Points

SIDE = 224
"""Pixels of a stored crop."""
MARGIN = 2.5
"""Its side in face heights: room to turn, shift and scale the crop that a net sees."""
EVERY = 3
"""Of a clip, each third frame is stored."""
HELD_BACK = 0.05
PARTS = ("train", "val", "held")


@dataclass(frozen=True)
class FaceStore:
    """crops: (S, 224, 224, 3) uint8, on disk. points: (S, 478, 3) in their pixels. person: (S,) number. part:
    (S,) 'train', 'val' (clips of other people) or 'held' (stills held back). name: (S,) file and frame."""

    crops: NDArray[np.uint8]
    points: Floats
    person: NDArray[np.int64]
    part: NDArray[np.str_]
    name: NDArray[np.str_]

    def rows(self, part: str) -> NDArray[np.int64]:
        """Numbers of the faces of `part`."""
        return np.flatnonzero(self.part == part)


def open_store(folder: Path) -> FaceStore:
    """What `prepare` wrote; raises ReenactError where it is not there or not complete."""
    try:
        table = np.load(folder / "faces.npz")
        crops = np.load(folder / "crops.npy", mmap_mode="r")
    except (OSError, ValueError) as error:
        raise ReenactError(f"{folder}: no prepared faces there ({error}); prepare them first") from error
    return FaceStore(crops, *(table[key] for key in ("points", "person", "part", "name")))


def prepare(data: Path, folder: Path, *, seed: int = 20261120) -> FaceStore:
    """Detect and cut every face of the development data into `folder`; a finished store is opened as it is.

    The hold-out list of `reenact/data/holdout.json`, the clips of `val`, and 5 per cent of the stills (drawn
    with `seed`) never become part 'train'.
    """
    if (folder / "faces.npz").is_file():
        return open_store(folder)
    folder.mkdir(parents=True, exist_ok=True)
    crops, rows = [], []
    for image, points, name, person, part in faces(data, seed=seed):
        crop, placed = stored_crop(image, points)
        crops.append(crop)
        rows.append((placed, person, part, name))
    columns = dict(zip(("points", "person", "part", "name"), zip(*rows, strict=True), strict=True))
    np.save(folder / "crops.npy", np.stack(crops))
    np.savez(folder / "faces.npz", **{key: np.array(column) for key, column in columns.items()})
    return open_store(folder)


def stored_crop(image: Image, points: Points, side: int = SIDE) -> tuple[Image, Points]:
    """The crop of a face, `side` pixels wide, and its points in it; beyond the picture the edge pixels
    repeat."""
    square = face_square(points, MARGIN)
    reach = square.side / 2 + 2
    beyond = (
        reach - square.x,
        square.x + reach - image.shape[1],
        reach - square.y,
        square.y + reach - image.shape[0],
    )
    left, right, above, below = (max(0, int(np.ceil(pixels))) for pixels in beyond)
    padded = np.pad(image, ((above, below), (left, right), (0, 0)), mode="edge")
    moved = points + np.array([left, above, 0], np.float32)
    matrix = crop_matrix(face_square(moved, MARGIN), side)
    return warped(padded, matrix, side), apply(matrix, moved).astype(np.float32)


def faces(
    data: Path, parts: Sequence[str] = PARTS, *, seed: int = 20261120
) -> Iterator[tuple[Image, Points, str, int, str]]:
    """Picture, points, name, person, part of the faces of `parts`: the stills, then the clips."""
    from reenact.media.stills import read_still

    holdout = json.loads((Path(__file__).parent.parent / "data" / "holdout.json").read_text())
    stills = sorted((data / "portraits").glob("*/*.jpg"))
    drawn = np.random.default_rng(seed).random(len(stills)) < HELD_BACK
    kept = set(holdout["stills"])
    with MeshDetector() as detector:
        for person, path in enumerate(stills):
            name = f"{path.parent.name}/{path.name}"
            part = "held" if drawn[person] or name in kept else "train"
            if part in parts:
                image = read_still(path)
                for face in detector.detect(image):
                    yield image, face.points, name, person, part
    for number, path in enumerate(sorted((data / "clips").glob("*/*.mp4"))):
        part = "train" if path.parent.name == "train" and path.stem not in holdout["clips"] else "val"
        if part in parts:
            yield from _clip(path, len(stills) + number, part)


def _clip(path: Path, person: int, part: str) -> Iterator[tuple[Image, Points, str, int, str]]:
    import av

    with FaceFollower() as follower, av.open(str(path)) as clip:
        for number, frame in enumerate(clip.decode(video=0)):
            image = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
            face = follower.track(image)
            if face is not None and number % EVERY == 0:
                yield image, face.points, f"{path.stem}#{number}", person, part
