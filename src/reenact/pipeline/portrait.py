"""The source: found, measured, and bound to a system."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from reenact.errors import ReenactError
from reenact.geometry.face_model import default_face_model, rotation_matrix, rotation_vector
from reenact.geometry.head_offset import scaled
from reenact.geometry.slits import Driver
from reenact.geometry.transfer import Blend, Drive, Transfer
from reenact.media.compose import over, resize
from reenact.media.stills import read_still
from reenact.pipeline.options import FaceChoice, MotionOptions
from reenact.systems import find_converter, find_system
from reenact.systems.spec import SourceFace, SystemSpec, TargetShape
from reenact.types import FaceState, Image, Landmarks, Motion, Points

_CROP_MARGIN = 1.85


LARGEST = 8192
"""Pixels of the longer side, to which a smaller picture may be enlarged."""


@dataclass(frozen=True)
class Portrait:
    """A source picture and the face in it. picture: (H, W, 3 or 4). points: (478, 3) in its pixels."""

    picture: Image
    points: Points
    name: str = "source"

    def scaled(self, longest: int) -> Portrait:
        """The same with the picture's longer side at `longest` pixels. Raises ReenactError where that is both
        more than it has and more than `LARGEST`: it would take all memory and show nothing new."""
        height, width = self.picture.shape[:2]
        if max(height, width) == longest:
            return self
        own = max(height, width)
        if longest > max(own, LARGEST):
            raise ReenactError(
                f"a source of {own} pixels cannot be enlarged to {longest}; choose a size of {LARGEST} at most"
            )
        picture = resize(self.picture, longest)
        return replace(self, picture=picture, points=self.points * (picture.shape[1] / width))


def read_portrait(source: Path | Image, face: FaceChoice = "largest") -> Portrait:
    """Read a still and find the face in it. Raises ReenactError for an unreadable file, no face, a face under
    32 pixels, or a face number that is not there."""
    from reenact.perception.detector import SMALLEST_FACE, MeshDetector, choose_face, face_size

    picture = source if isinstance(source, np.ndarray) else read_still(Path(source))
    name = "the source picture" if isinstance(source, np.ndarray) else str(source)
    many = 1 if face == "largest" else 16
    flat = picture if picture.shape[2] == 3 else over(picture, 128)
    with MeshDetector(max_faces=many) as detector:
        faces = detector.detect(flat)
        if not faces:
            raise ReenactError(f"no face was found in {name}; use a picture that shows one clearly")
        try:
            chosen = choose_face(faces, face)
        except ReenactError as error:
            raise ReenactError(f"{name}: {error}") from error
        if face_size(chosen) < SMALLEST_FACE:
            raise ReenactError(
                f"the face in {name} is {face_size(chosen):.0f} px across; at least {SMALLEST_FACE:.0f} are "
                "needed: use a larger picture or a crop of it scaled up"
            )
        chosen = detector.confirmed(flat, chosen)
    return Portrait(picture, chosen.points, name)


def nearest_portrait(portraits: Sequence[Portrait], motion: Motion) -> Portrait:
    """Of several pictures of one person the one nearest in pose to the driving motion's middle frame pose
    (the k-shot rule of One-shot Face Reenactment, section 4.7.3)."""
    model = default_face_model()
    middle = rotation_matrix(np.median(motion.rotation, axis=0).astype(np.float32))

    def turn(portrait: Portrait) -> float:
        own = rotation_matrix(model.fit(portrait.points).rotation)
        return float(np.linalg.norm(rotation_vector(middle @ own.T)))

    return min(portraits, key=turn)


@dataclass(frozen=True)
class Box:
    """A part of a picture in whole pixels."""

    left: int
    top: int
    right: int
    bottom: int

    def of(self, picture: Image) -> Image:
        """A view of that part."""
        return picture[self.top : self.bottom, self.left : self.right]


class Puppet:
    """A portrait bound to a system: from a driving moment to a picture.

    threads: what the generator may use. paste: give the whole picture back, else the face's crop alone. driver:
    what is known of the driving face, for the transfer; a learned converter sees its identity, or the mean
    face.
    """

    def __init__(
        self,
        portrait: Portrait,
        system: str | SystemSpec,
        blend: Blend,
        *,
        paste: bool = True,
        threads: int | None = None,
        driver: Driver | None = None,
    ) -> None:
        self.spec = find_system(system) if isinstance(system, str) else system
        self.portrait = portrait
        self.paste = paste
        self.transfer = Transfer(default_face_model(), portrait.points, blend, driver)
        self.box = face_box(portrait, self.spec.margin if paste else _CROP_MARGIN)
        face = self._source_face()
        load = find_converter(self.spec.converter).load
        self._converter = None if load is None else load(face)
        known = None if driver is None else driver.identity
        self._driver = np.zeros_like(self.transfer.state.identity) if known is None else known
        self._generator = self.spec.load(face, threads)

    @property
    def _corner(self) -> Points:
        """(2,): where the region begins in the picture."""
        return np.array((self.box.left, self.box.top), np.float32)

    def target(self, drive: Drive, anchor: Drive) -> Points:
        """Target points (478, 3) in the pixels of what `render` returns."""
        points = self.transfer.target(drive, anchor)[0]
        return points if self.paste else points - np.append(self._corner, np.float32(0))

    def render(self, drive: Drive, anchor: Drive) -> Image:
        """The source (H, W, 3 or 4) in the driving pose and expression."""
        return self.draw(self._shape(drive, anchor))

    def own_shape(self) -> TargetShape:
        """The source's own face in the pixels of its region."""
        return self.placed(self.portrait.points, self.transfer.state)

    def placed(self, points: Points, state: FaceState) -> TargetShape:
        """A face (478, 3) in the picture's pixels as one in those of the region."""
        return TargetShape(points - np.append(self._corner, np.float32(0)), self._in_region(state))

    def _in_region(self, state: FaceState) -> FaceState:
        return replace(state, translation=state.translation - self._corner)

    def draw(self, shape: TargetShape) -> Image:
        """The source (H, W, 3 or 4) with a shape in its region's pixels, drawn without the converter."""
        crop = self._generator.render(shape)
        if not self.paste:
            return crop
        out = self.portrait.picture.copy()
        self.box.of(out)[:] = crop
        return out

    def _shape(self, drive: Drive, anchor: Drive) -> TargetShape:
        """The target in the region's pixels, by the system's converter. A learned one sees the driving face in
        the transfer's pose and expression, so that relative motion and gains hold for it too."""
        shape = self.placed(*self.transfer.target(drive, anchor))
        if self._converter is not None:
            driving = replace(shape.state, identity=self._driver)
            shape = self._converter.convert(TargetShape(self.transfer.model.project(driving), driving))
        head = self.transfer.head(drive, anchor)
        return shape if head is None else replace(shape, head=self._in_region(head))

    def _source_face(self) -> SourceFace:
        from reenact.perception.parsing import person_matte

        crop = np.ascontiguousarray(self.box.of(self.portrait.picture))
        points = self.portrait.points - np.append(self._corner, np.float32(0))
        state = self._in_region(self.transfer.state)
        matte = person_matte(crop, Landmarks(points, "mesh478"))
        height, width = self.portrait.picture.shape[:2]
        box = self.box
        inner = (box.left > 0, box.top > 0, box.right < width, box.bottom < height)
        return SourceFace(crop, points, state, matte, inner if self.paste else (False,) * 4)


def face_box(portrait: Portrait, margin: float) -> Box:
    """The square of `margin` face heights around the face, cut at the picture's borders."""
    low, high = portrait.points[:468, :2].min(0), portrait.points[:468, :2].max(0)
    side = margin * float(high[1] - low[1])
    centre = (low + high) / 2
    height, width = portrait.picture.shape[:2]
    left, top = np.maximum(np.floor(centre - side / 2).astype(int), 0)
    right, bottom = np.minimum(np.ceil(centre + side / 2).astype(int), (width, height))
    return Box(int(left), int(top), int(right), int(bottom))


def blend_of(options: MotionOptions) -> Blend:
    """The transfer's settings for a run's motion options."""
    gains = options.gains
    return Blend(
        relative=options.mode != "absolute",
        head=options.mode != "expression",
        face=options.mode != "pose",
        strength=options.strength,
        eyes=gains.eyes,
        brows=gains.brows,
        lips=gains.lips,
        jaw=gains.jaw,
        gaze=gains.gaze,
        turn=gains.head,
        in_frame=options.placement == "frame",
    )


def driver_of(motion: Motion) -> Driver:
    """What a motion tells of the driving face as a whole."""
    seen = motion.found if motion.found.any() else ~motion.found
    return Driver.of(motion.identity, motion.expression[seen])


def drive_of(state: FaceState) -> Drive:
    """A driving moment in the pixels of its own picture."""
    return Drive(state.rotation, state.scale, state.translation, state.expression)


def drives_of(motion: Motion, portrait: Portrait) -> list[Drive]:
    """The moments of a motion, its frame laid over the source picture by the longer side."""
    longest = float(max(portrait.picture.shape[:2]))
    return [
        Drive(
            motion.rotation[n],
            float(motion.scale[n]) * longest,
            motion.translation[n] * longest,
            motion.expression[n],
            scaled(motion.head[n], longest),
            motion.detail[n],
        )
        for n in range(len(motion))
    ]


def choose_anchor(
    puppet: Puppet, motion: Motion, drives: Sequence[Drive], anchor: Literal["auto"] | int
) -> int:
    """The number of the driving frame that stands for the source's own state; where no face was seen in any,
    the carried-over ones are chosen from. Raises ReenactError for a frame number that is not there."""
    if anchor != "auto":
        if not 0 <= anchor < len(drives):
            raise ReenactError(
                f"--anchor {anchor} is not a frame of the driving video; it has 0 to {len(drives) - 1}"
            )
        return anchor
    seen = np.flatnonzero(motion.found if motion.found.any() else ~motion.found)
    return int(min(seen, key=lambda n: puppet.transfer.distance(drives[n])))
