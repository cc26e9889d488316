"""From frames to prepared faces: detect, reject, crop or align, landmarks, coefficients.

A clip is gone through twice: once to find the face in every frame, once to cut it, since the crop and the
person's shape are those of the whole clip.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

import numpy as np

from reenact.data.frames import Shot, Unit, UnitFrames
from reenact.data.items import Skipped
from reenact.data.shards import Face
from reenact.errors import ReenactError
from reenact.geometry.align import (
    FACE_MARGIN,
    Matrix,
    Square,
    apply,
    crop_matrix,
    face_square,
    scale_of,
    similarity,
)
from reenact.geometry.crop import cut
from reenact.geometry.face_model import FaceModel, default_face_model, rotation_matrix, rotation_vector
from reenact.geometry.opencv import opencv
from reenact.perception.detector import MeshDetector, face_size
from reenact.perception.head_pose import head_pose
from reenact.types import FaceState, Floats, Image, Points

Framing = Literal["crop", "align", "osfr"]
NO_FACE, SMALL, BLURRED, LEAVES = "no face found", "face too small", "blurred", "face leaves the crop"
UNREADABLE, BROKEN = "cannot be read", "breaks off; the frames before are kept"
_SHARP_SIDE = 128  # pixels of the face at which its sharpness is measured
_TRAVEL = 1.5  # at most so much larger is a clip's crop than one frame's
_OSFR_SIDE = 384  # OSFR aligns to 384 px and keeps the middle 256 (section 4.1.1)


@dataclass(frozen=True)
class Recipe:
    """How faces are prepared.

    size: pixels a side. framing: 'crop', one upright square a clip, beyond the border the edge repeats;
    'align', each frame by the least-squares similarity to the mean face, beyond the border zero (FIPLS,
    'Implementation details'); 'osfr', the same to 384 px of which the middle 256 are kept (section 4.1.1).
    min_face: longer side of the face mesh in pixels of the frame. min_sharpness: see `sharpness`. rate:
    frames a second, None all. quality: of the JPEGs.
    """

    size: int = 256
    framing: Framing = "crop"
    min_face: float = 64
    min_sharpness: float = 12
    rate: Fraction | None = None
    quality: int = 95


RECIPES: dict[str, Recipe] = {
    "standard": Recipe(),
    "fipls": Recipe(framing="align", min_face=128),
    "osfr": Recipe(framing="osfr"),
}


@dataclass(frozen=True)
class Seen:
    """A face in a frame: points and state in the frame's pixels. size: width and height of the frame.
    sharpness: of the face."""

    key: str
    points: Points
    state: FaceState
    size: tuple[int, int]
    sharpness: float


@dataclass
class Report:
    """What a unit gave. frames: read. rejected: frames by reason. skipped: files by name."""

    frames: int
    rejected: Counter[str]
    skipped: list[Skipped]


class Extractor:
    """Prepares units one after the other; holds the detector. Not to be shared between threads."""

    def __init__(self, recipe: Recipe, model: FaceModel | None = None) -> None:
        self.recipe = recipe
        self.model = model or default_face_model()
        self._detector = MeshDetector(video=True)
        self._template = template(self.model, recipe.size, recipe.framing)

    def close(self) -> None:
        """Free the detector."""
        self._detector.close()

    def run(self, unit: Unit) -> tuple[Iterator[Face], Report]:
        """The prepared faces of a unit, and the report, which is complete once they have been gone through.
        Nothing that a file can hold makes it fail."""
        report = Report(0, Counter(), [])
        return self._guarded(unit, report), report

    def _guarded(self, unit: Unit, report: Report) -> Iterator[Face]:
        try:
            yield from self._faces(unit, report)
        except ReenactError as error:
            report.skipped.append(Skipped(unit.key, UNREADABLE, str(error)))
        except Exception as error:
            # Decoders and OpenCV raise what they like; a run over a million clips must not end with one.
            report.skipped.append(Skipped(unit.key, f"failed: {type(error).__name__}", str(error)))

    def _faces(self, unit: Unit, report: Report) -> Iterator[Face]:
        frames = UnitFrames(unit, self.recipe.rate)
        seen = self._look(frames, report)
        for item, why in frames.unreadable:
            report.skipped.append(Skipped(item.key, UNREADABLE, why))
        if frames.broken:
            report.skipped.append(Skipped(unit.key, BROKEN, frames.broken))
        if not seen:
            if report.frames:
                report.skipped.append(Skipped(unit.key, _main_reason(report.rejected)))
            return
        identity = np.mean([face.state.identity for face in seen.values()], axis=0)
        square = clip_square([face.points for face in seen.values()])
        for shot in frames:
            if shot.key in seen:
                face = self._cut(shot, seen[shot.key], identity, square)
                if face is None:
                    report.rejected[LEAVES] += 1
                else:
                    yield face

    def _look(self, frames: UnitFrames, report: Report) -> dict[str, Seen]:
        self._detector.reset()
        found: dict[str, Seen] = {}
        for shot in frames:
            report.frames += 1
            face = self._see(shot)
            if isinstance(face, Seen):
                found[shot.key] = face
            else:
                report.rejected[face] += 1
        return found

    def _see(self, shot: Shot) -> Seen | str:
        """The face of a frame, or why it is rejected."""
        faces = self._detector.detect(shot.image)
        if not faces:
            return NO_FACE
        if face_size(faces[0]) < self.recipe.min_face:
            return SMALL
        sharp = sharpness(shot.image, faces[0].points)
        if sharp < self.recipe.min_sharpness:
            return BLURRED
        height, width = shot.image.shape[:2]
        state = self.model.fit(faces[0].points)
        return Seen(shot.key, faces[0].points, state, (width, height), sharp)

    def _cut(self, shot: Shot, seen: Seen, identity: Floats, square: Square) -> Face | None:
        size, framing = self.recipe.size, self.recipe.framing
        if framing == "crop":
            matrix = crop_matrix(square, size)
        else:
            matrix = similarity(seen.points[:, :2], self._template, self.model.rigidity)
        points = apply(matrix, seen.points).astype(np.float32)
        if framing == "crop" and not _inside(points, size):
            return None
        image = cut(shot.image, matrix, size, repeat_edge=framing == "crop")
        state = self.model.with_identity(moved_state(seen.state, matrix), identity)
        return Face(shot.key, image, points, state, _facts(shot, seen, matrix, head_pose(state.rotation)))


def moved_state(state: FaceState, matrix: Matrix) -> FaceState:
    """The state of a face whose picture is moved by a similarity (2, 3): what a fit of those points gives."""
    scale = scale_of(matrix)
    roll = np.eye(3, dtype=np.float32)
    roll[:2, :2] = matrix[:, :2] / scale
    return replace(
        state,
        rotation=rotation_vector(roll @ rotation_matrix(state.rotation)),
        scale=state.scale * scale,
        translation=(matrix[:, :2] @ state.translation + matrix[:, 2]).astype(np.float32),
    )


def template(model: FaceModel, size: int, framing: Framing) -> Points:
    """Where the mean face (478, 2) goes in an aligned crop of `size` pixels."""
    side = size if framing != "osfr" else size * _OSFR_SIDE // 256
    mean = model.mean[:, :2]
    placed = apply(crop_matrix(face_square(mean, FACE_MARGIN), side), mean)
    return (placed - (side - size) / 2).astype(np.float32)


def clip_square(points: list[Points]) -> Square:
    """The square that a clip is cropped to: centred on where the face travels, as large as the middle frame's
    crop, or larger, up to 1.5 times, where the face would leave it."""
    squares = [face_square(face) for face in points]
    side = float(np.median([square.side for square in squares]))
    centres = np.array([(square.x, square.y) for square in squares])
    low, high = centres.min(0), centres.max(0)
    x, y = (low + high) / 2
    room = side * (1 - 1 / FACE_MARGIN)
    travel = max(float((high - low).max()) - room, 0.0)
    return Square(float(x), float(y), min(side + travel, _TRAVEL * side))


def sharpness(image: Image, points: Points) -> float:
    """Mean square of the Laplacian of the face's luminance (0 to 255), the face scaled down to 128 px.

    Over 120 development stills it is 54 to 3,000, median about 500; a Gaussian blur of 3 px (of 128) brings it
    to 3 to 21.
    """
    cv2 = opencv()
    low = np.maximum(np.floor(points[:, :2].min(0)).astype(int), 0)
    high = np.ceil(points[:, :2].max(0)).astype(int) + 1
    face = image[low[1] : high[1], low[0] : high[0]]
    if min(face.shape[:2]) < 8:
        return 0.0
    factor = min(1.0, _SHARP_SIDE / max(face.shape[:2]))
    grey = cv2.cvtColor(np.ascontiguousarray(face), cv2.COLOR_RGB2GRAY)
    side = (max(round(grey.shape[1] * factor), 3), max(round(grey.shape[0] * factor), 3))
    grey = cv2.resize(grey, side, interpolation=cv2.INTER_AREA)
    return float((cv2.Laplacian(grey, cv2.CV_32F)[1:-1, 1:-1] ** 2).mean())


def _inside(points: Points, size: int) -> bool:
    return bool(points[:, :2].min() >= 0 and points[:, :2].max() <= size)


def _main_reason(rejected: Counter[str]) -> str:
    return rejected.most_common(1)[0][0] if rejected else NO_FACE


def _facts(shot: Shot, seen: Seen, matrix: Matrix, pose: tuple[float, float, float]) -> dict[str, object]:
    item = shot.item
    return {
        "identity": item.identity,
        "clip": item.clip,
        "frame": shot.frame,
        "time": None if shot.time is None else str(shot.time),
        "split": item.split,
        "attributes": dict(item.attributes),
        "pose": [round(float(angle), 3) for angle in pose],
        "face": round(float(np.ptp(seen.points[:, :2], axis=0).max()), 2),
        "sharpness": round(seen.sharpness, 2),
        "picture": list(seen.size),
        "matrix": [round(float(value), 6) for value in matrix.reshape(-1)],
    }
