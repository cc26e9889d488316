"""Pictures with a known truth for two people: stills in any pose and expression, by the face model.

    python -m reenact.data.synthetic_pictures rafd STILLS OUT
    python -m reenact.data.synthetic_pictures multipie STILLS OUT

Every person of a set is shown in the same poses and expressions, so that source A in the pose and expression of
B is a picture of the set. Landmarks are exact, being what the picture was warped to; pixels are as good as the
warp. The files have the names of RaFD and of Multi-PIE and are read by the same adapters. Beside each lies
NAME.npy, its landmarks (478, 3) in pixels; `truth.json` says what was made from what.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np

from reenact.data.frames import plain_rgb
from reenact.data.multipie import CAMERAS
from reenact.data.rafd import ANGLES, GAZES
from reenact.errors import ReenactError
from reenact.geometry.align import Matrix, apply
from reenact.geometry.crop import cut
from reenact.geometry.expressions import expression
from reenact.geometry.face_model import FaceModel, default_face_model, rotation_matrix, rotation_vector
from reenact.geometry.transfer import Blend, Drive, Transfer, neck_travel
from reenact.geometry.warp import FaceWarp
from reenact.media.files import atomic_output
from reenact.media.stills import read_still, write_still
from reenact.perception.detector import MeshDetector, face_size
from reenact.perception.head_pose import HeadPose, pose_matrix
from reenact.perception.matte import person_matte
from reenact.pipeline.progress import Progress, silent
from reenact.types import FaceState, Floats, Image, Landmarks, Points

Kind = Literal["rafd", "multipie"]
UNIT, EYES = 0.29, (0.5, 0.44)
"""In every picture the outer eye corners are 0.29 of its side apart (seen from the front), as in the usual
crop, and the point between the eyes lies here, in shares of the side."""
YAW_SCALE = 1 / 3
"""A single still does not show a profile: where RaFD and Multi-PIE turn by 90 degrees, these sets turn by 30;
at 40 the hair folds."""
BORDER = 1 / 4
"""Sitters are kept with so much more around them, in shares of the side, for what turns into the picture."""
LEAST_FACE = 96
"""Pixels: smaller stills make no good pictures."""
_MOST_TURN = np.radians(12)  # of a still that is taken; a turned one hides what other poses show

_RAFD: dict[str, dict[str, float]] = {
    "angry": {"frown": 1.5, "sad": 0.6, "wide_eyes": 0.4},
    "contemptuous": {"smile": 0.5, "wink_right": 0.4, "frown": 0.4},
    "disgusted": {"frown": 1.1, "sad": 0.9, "blink": 0.35},
    "fearful": {"brows_up": 0.9, "wide_eyes": 1.0, "jaw_open": 0.3},
    "happy": {"smile": 1.1, "blink": 0.15},
    "neutral": {},
    "sad": {"sad": 1.5, "frown": 0.4, "blink": 0.3},
    "surprised": {"brows_up": 1.1, "wide_eyes": 1.0, "jaw_open": 0.8},
}
_GAZES = {"frontal": 0.0, "left": 1.0, "right": -1.0}
_PIE = {
    ("01", "01"): {},
    ("01", "02"): {"smile": 1.0},
    ("02", "02"): {"brows_up": 1.1, "wide_eyes": 1.0, "jaw_open": 0.7},
    ("02", "03"): {"blink": 0.55, "frown": 0.4},
    ("03", "03"): {"frown": 0.8, "sad": 0.6, "blink": 0.3},
    ("04", "02"): {"jaw_open": 1.0, "brows_up": 0.5, "blink": 0.3},
}
"""By session and recording of Multi-PIE: neutral, smile, surprise, squint, disgust, scream."""
_ABOVE = {"081", "191"}


@dataclass(frozen=True)
class Action:
    """A pose and an expression. name: a file name with `{person}` in it. yaw, pitch: degrees. wishes: strengths
    of named expressions."""

    name: str
    yaw: float
    pitch: float = 0.0
    wishes: Mapping[str, float] = field(default_factory=dict)


def actions(kind: Kind) -> list[Action]:
    """All actions of a set: 120 of RaFD's (8 expressions, 3 gazes, 5 angles), 90 of Multi-PIE's (6 expressions,
    15 cameras), under the names that the data sets give them."""
    return list(_rafd_actions() if kind == "rafd" else _pie_actions())


def _rafd_actions() -> Iterator[Action]:
    for angle in ANGLES:
        for name, wishes in _RAFD.items():
            for gaze in GAZES:
                strengths = {**wishes, "gaze_left": _GAZES[gaze]}
                file = f"Rafd{angle}_{{person:02d}}_Synthetic_unknown_{name}_{gaze}.png"
                yield Action(file, (int(angle) - 90) * YAW_SCALE, 0.0, strengths)


def _pie_actions() -> Iterator[Action]:
    for camera, yaw in CAMERAS.items():
        for (session, recording), wishes in _PIE.items():
            file = f"{{person:03d}}_{session}_{recording}_{camera}_07.png"
            yield Action(file, yaw * YAW_SCALE, -12.0 if camera in _ABOVE else 0.0, wishes)


@dataclass(frozen=True)
class Sitter:
    """A still made ready. size: side S of the pictures to be made. image: (C, C, 3), the picture and a border
    round it. points: (478, 3) in its pixels. state: likewise. matte: (C, C)."""

    name: str
    size: int
    image: Image
    points: Points
    state: FaceState
    matte: Floats | None


def sitter(model: FaceModel, image: Image, points: Points, size: int, name: str = "") -> Sitter:
    """A still (H, W, 3) with landmarks (478, 3), brought to the set's framing: upright in size and place, the
    head as it is turned."""
    state = model.fit(points)
    scale = UNIT * size / state.scale
    border = round(BORDER * size)
    shift = np.array(EYES) * size + border - scale * state.translation
    matrix: Matrix = np.column_stack([np.eye(2) * scale, shift])
    crop = cut(image, matrix, size + 2 * border, repeat_edge=True)
    placed = apply(matrix, points).astype(np.float32)
    return Sitter(name, size, crop, placed, model.fit(placed), person_matte(crop, Landmarks(placed, "mesh478")))


@dataclass(frozen=True)
class Posed:
    """A picture of a set: (S, S, 3), its landmarks (478, 3) in pixels, and its state."""

    image: Image
    points: Points
    state: FaceState


class Poser:
    """Puts one sitter into any action."""

    def __init__(self, model: FaceModel, person: Sitter) -> None:
        self._model, self._person = model, person
        self._transfer = Transfer(model, person.points, Blend(relative=False, in_frame=True))
        self._warp = FaceWarp(person.image, person.points, self._transfer.state, person.matte)

    def pose(self, action: Action) -> Posed:
        """The sitter in an action; pose and expression are absolute, so all sitters do the same."""
        own = self._transfer.state
        turn = pose_matrix(HeadPose(action.yaw, action.pitch, 0.0))
        rotation = rotation_vector(turn)
        size, border = self._person.size, round(BORDER * self._person.size)
        # The head turns about the neck, so the eyes travel.
        place = np.array(EYES) * size + border + own.scale * neck_travel(np.zeros(3, np.float32), rotation)
        drive = Drive(rotation, own.scale, place.astype(np.float32), expression(self._model, action.wishes))
        points, state = self._transfer.target(drive, drive)
        whole = self._warp.render(points, state)
        inner = np.ascontiguousarray(whole[border : border + size, border : border + size])
        moved = points - np.array([border, border, 0], np.float32)
        return Posed(inner, moved, replace(state, translation=state.translation - np.float32(border)))


def relatives(model: FaceModel, person: Sitter, number: int, seed: int = 0) -> list[Sitter]:
    """`number` made-up people from one sitter: another identity of the model (1.5 standard deviations) and
    other colours. They are nobody, and serve where there is but one picture that may be used."""
    random = np.random.default_rng(seed)
    warp = FaceWarp(person.image, person.points, person.state, person.matte)
    found = []
    for n in range(number):
        change = 1.5 * random.standard_normal(len(person.state.identity)).astype(np.float32)
        change[len(change) // 2 :] = 0  # the later modes are detail that a warp of one picture does not show
        shape = model.canonical(person.state, person.points) + np.tensordot(change, model.identity, 1)
        points = person.state.scale * shape @ rotation_matrix(person.state.rotation).T
        points[:, :2] += person.state.translation
        points = points.astype(np.float32)
        image = _tinted(warp.render(points, person.state), random)
        state = model.fit(points)
        matte = person_matte(image, Landmarks(points, "mesh478"))
        found.append(Sitter(f"{person.name}-{n}", person.size, image, points, state, matte))
    return found


def _tinted(image: Image, random: np.random.Generator) -> Image:
    gains = np.exp(0.05 * random.standard_normal(3)) * np.exp(0.1 * random.standard_normal())
    return np.clip(image * gains + 0.5, 0, 255).astype(np.uint8)


def sitters_from(
    stills: Sequence[Path], number: int, size: int, model: FaceModel | None = None
) -> tuple[list[Sitter], list[str]]:
    """The first `number` stills that are large, show a face and look ahead, made ready; and one line for
    each that was passed over on the way."""
    model = model or default_face_model()
    found: list[Sitter] = []
    passed: list[str] = []
    with MeshDetector() as detector:
        for path in stills:
            if len(found) == number:
                break
            try:
                image = plain_rgb(read_still(path))
                found.append(_usable(model, detector, image, size, path.stem))
            except ReenactError as error:
                passed.append(f"{path.name}: {error}")
    return found, passed


def _usable(model: FaceModel, detector: MeshDetector, image: Image, size: int, name: str) -> Sitter:
    faces = detector.detect(image)
    if not faces or face_size(faces[0]) < LEAST_FACE:
        raise ReenactError(f"no face of at least {LEAST_FACE} px")
    ready = sitter(model, image, faces[0].points, size, name)
    if np.linalg.norm(ready.state.rotation) > _MOST_TURN:
        raise ReenactError("the head is turned; a frontal still is needed")
    return ready


def write_set(
    kind: Kind,
    sitters: Sequence[Sitter],
    out: Path,
    *,
    chosen: Sequence[Action] | None = None,
    progress: Progress = silent,
) -> int:
    """Write every sitter in every action (`chosen`, all by default) into the new folder `out`; returns the
    number of pictures. The same sitters give the same bytes. Raises ReenactError where `out` holds anything,
    and where there is no sitter."""
    if not sitters:
        raise ReenactError("no still can be used: each should show one large face from the front")
    if out.exists() and any(out.iterdir()):
        raise ReenactError(f"{out}: is not empty; choose a new folder")
    out.mkdir(parents=True, exist_ok=True)
    model, wanted = default_face_model(), list(chosen or actions(kind))
    truth: dict[str, dict[str, object]] = {}
    for person, one in enumerate(sitters, 1):
        poser = Poser(model, one)
        for action in wanted:
            name = action.name.format(person=person)
            posed = poser.pose(action)
            write_still(out / name, posed.image)
            np.save(out / f"{Path(name).stem}.npy", posed.points)
            truth[name] = {
                "still": one.name,
                "yaw": action.yaw,
                "pitch": action.pitch,
                "wishes": dict(action.wishes),
            }
            progress("pictures", len(truth), len(sitters) * len(wanted))
    with atomic_output(out / "truth.json") as partial:
        partial.write_text(
            json.dumps({"kind": kind, "pictures": truth}, indent=1, sort_keys=True) + "\n", "utf-8"
        )
    return len(truth)


def main(words: Sequence[str]) -> None:
    """Command line: KIND STILLS OUT [PEOPLE [SIZE]]."""
    kind, stills, out, people, size = (*words, *("8", "256")[len(words) - 3 :])
    if kind not in ("rafd", "multipie"):
        raise ReenactError(f"there is no set {kind!r}; choose rafd or multipie")
    paths = sorted(path for path in Path(stills).rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    sitters, passed = sitters_from(paths, int(people), int(size))
    for line in passed:
        print(line, file=sys.stderr)
    print(write_set("rafd" if kind == "rafd" else "multipie", sitters, Path(out)), "pictures")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except ReenactError as fault:
        sys.exit(f"error: {fault}")
