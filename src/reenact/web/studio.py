"""Portraits and motions held in memory: for previews while a slider moves, and for live use."""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np

from reenact.errors import ReenactError
from reenact.geometry.draw import sketch_map
from reenact.geometry.face_model import default_face_model
from reenact.geometry.schemes import convert_points
from reenact.geometry.slits import Driver
from reenact.geometry.transfer import Drive, Transfer
from reenact.media.compose import over
from reenact.media.reader import open_frames
from reenact.pipeline.animate import still_drive
from reenact.pipeline.finish import draw_points
from reenact.pipeline.options import FaceChoice, MotionOptions
from reenact.pipeline.portrait import (
    Portrait,
    Puppet,
    blend_of,
    choose_anchor,
    driver_of,
    drives_of,
    read_portrait,
)
from reenact.pipeline.pose import Pose, pose_motion
from reenact.pipeline.track import smoothed
from reenact.trust import new_mark_id
from reenact.trust.watermark import Watermark
from reenact.types import FaceState, Image, Motion
from reenact.web.limits import Limits, check_portrait

LONGEST = 640
"""Longer side in pixels of what a preview or a live stream shows."""
_SIDE, _PAPER, _INK, _PEN = 448, 236, (60, 70, 90), 2.0
"""Of the drawing of a motion's face: its longer side, the background, the lines, and their width in pixels."""
H = TypeVar("H")


@dataclass(frozen=True)
class Driving:
    """A driving motion. path: the file that it is from. seen: whether that has pictures."""

    motion: Motion
    path: Path | None = None
    seen: bool = False

    @property
    def still(self) -> bool:
        """Whether it is a single moment."""
        return len(self.motion) == 1

    def number(self, position: float) -> int:
        """The frame at 0 to 1 of the length."""
        last = len(self.motion) - 1
        return min(max(round(position * last), 0), last)

    def shown(self, position: float, *, landmarks: bool = False) -> Image:
        """The driving face at that moment, (H, W, 3): the picture, or where there is a motion alone, a drawing.
        landmarks: draw those that were found."""
        if self.path is None or not self.seen:
            return self._drawn(position, landmarks)
        face = _picture_at(self.path, self.motion.times[self.number(position)])
        return _with_face(face) if landmarks else face

    def _drawn(self, position: float, landmarks: bool) -> Image:
        """The motion's face at that moment as a drawing, (H, W, 3): a mean face, since a motion has no
        identity. landmarks: its points too."""
        n, motion = self.number(position), self.motion
        model, (width, height) = default_face_model(), motion.size
        factor = _SIDE / max(width, height)
        state = FaceState(
            motion.rotation[n],
            float(motion.scale[n]) * _SIDE,
            motion.translation[n] * _SIDE,
            np.zeros(len(model.identity), np.float32),
            motion.expression[n],
        )
        points = model.project(state)
        size = (max(round(height * factor), 1), max(round(width * factor), 1))
        lines = sketch_map(convert_points(points, "wflw98")[:, :2], size, width=_PEN)[0][..., None]
        image = (_PAPER + lines * (np.array(_INK, np.float32) - _PAPER)).astype(np.uint8)
        return draw_points(image, points) if landmarks else image


class Studio:
    """One portrait, ready for any system and any settings; may be called from several threads. What it draws
    carries the watermark."""

    def __init__(self, source: Path, face: FaceChoice = "largest") -> None:
        found = read_portrait(source, face)
        self.portrait: Portrait = found.scaled(min(max(found.picture.shape[:2]), LONGEST))
        height, width = self.portrait.picture.shape[:2]
        self._mark = Watermark(width, height, new_mark_id())
        self._lock = threading.Lock()
        self._puppets: dict[str, Puppet] = {}
        self._steadied: tuple[Motion, float, Motion, Driver] | None = None
        self._drives: tuple[Motion, tuple[object, ...], list[Drive], Drive] | None = None

    def posed(self, pose: Pose, system: str) -> Image:
        """The portrait in a pose by hand, (H, W, 3)."""
        with self._lock:
            drive, anchor = still_drive(drives_of(pose_motion(pose), self.portrait)[0])
            return self._marked(self._puppet(system, MotionOptions()).render(drive, anchor))

    def preview(self, driving: Driving, position: float, motion: MotionOptions, system: str) -> Image:
        """One moment of the result, (H, W, 3). position: 0 to 1 along the driving file. Raises ReenactError for
        a wrong anchor or system."""
        with self._lock:
            smooth, driver = self._steady(driving, motion.smooth)
            puppet = self._puppet(system, motion, driver)
            drives, anchor = self._driven(driving, motion, puppet, smooth)
            return self._marked(puppet.render(drives[driving.number(position)], anchor))

    def shown(self, *, landmarks: bool = False) -> Image:
        """The portrait, (H, W, 3). landmarks: draw those that were found."""
        source = _flat(self.portrait.picture)
        return draw_points(source, self.portrait.points) if landmarks else source

    def live(self, system: str, motion: MotionOptions) -> Puppet:
        """A puppet of one's own, for a stream."""
        return Puppet(self.portrait, system, blend_of(motion))

    def _marked(self, image: Image) -> Image:
        return self._mark.embed(_flat(image))

    def _puppet(self, system: str, motion: MotionOptions, driver: Driver | None = None) -> Puppet:
        """The system's puppet under these settings. What a system computes of the source does not depend on
        them: only the transfer is made anew."""
        blend = blend_of(motion)
        puppet = self._puppets.get(system)
        if puppet is None:
            puppet = self._puppets[system] = Puppet(self.portrait, system, blend, driver=driver)
        elif puppet.transfer.blend != blend or puppet.transfer.driver is not driver:
            puppet.transfer = Transfer(default_face_model(), self.portrait.points, blend, driver)
        return puppet

    def _steady(self, driving: Driving, smooth: float) -> tuple[Motion, Driver]:
        """The driving motion as a run has it, and what it tells of the driver; kept."""
        strength = 0.0 if driving.still else smooth
        known = self._steadied
        if known is None or known[0] is not driving.motion or known[1] != strength:
            steady = smoothed(driving.motion, strength)
            self._steadied = known = driving.motion, strength, steady, driver_of(steady)
        return known[2], known[3]

    def _driven(
        self, driving: Driving, motion: MotionOptions, puppet: Puppet, smooth: Motion
    ) -> tuple[list[Drive], Drive]:
        """All moments of the driving file, steadied as `smooth`, and the anchor; kept, since most sliders do
        not touch them."""
        key = (motion.smooth, motion.anchor, puppet.spec.name)
        if self._drives is None or self._drives[0] is not driving.motion or self._drives[1] != key:
            if driving.still:
                drive, anchor = still_drive(drives_of(driving.motion, self.portrait)[0])
                self._drives = driving.motion, key, [drive], anchor
            else:
                drives = drives_of(smooth, self.portrait)
                anchor = drives[choose_anchor(puppet, smooth, drives, motion.anchor)]
                self._drives = driving.motion, key, drives, anchor
        return self._drives[2], self._drives[3]


class Shelf(Generic[H]):
    """What a server holds in memory, by id, for as long as its limits say; the one unused for longest makes
    room."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._held: OrderedDict[str, tuple[H, float]] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, item: H) -> str:
        """Hold it; its id."""
        name = secrets.token_urlsafe(16)
        with self._lock:
            self._held[name] = item, time.monotonic()
            while len(self._held) > self._limits.portraits:
                self._held.popitem(last=False)
        return name

    def find(self, name: str) -> H | None:
        """What has that id, or None: never there, too old, or it made room for others."""
        with self._lock:
            now = time.monotonic()
            for old in [n for n, (_, used) in self._held.items() if now - used > self._limits.keep]:
                del self._held[old]
            if name not in self._held:
                return None
            item = self._held[name][0]
            self._held[name] = item, now
            self._held.move_to_end(name)
            return item

    def remove(self, name: str) -> bool:
        """Forget it; whether it was there."""
        with self._lock:
            return self._held.pop(name, None) is not None


class Studios(Shelf[Studio]):
    """The portraits that a server holds."""

    def add(self, source: Path, face: FaceChoice = "largest") -> str:
        """Read a portrait and hold it; its id. Raises ReenactError for an unusable picture."""
        check_portrait(source, self._limits)
        return self.put(Studio(source, face))


def _flat(image: Image) -> Image:
    return over(image, 255)


def _picture_at(path: Path, moment: Fraction) -> Image:
    with open_frames(path, start=moment, longest=LONGEST) as frames:
        for frame in frames:
            return _flat(frame.image)
    raise ReenactError("the driving file has no such frame")


def _with_face(image: Image) -> Image:
    from reenact.perception.detector import MeshDetector

    with MeshDetector() as detector:
        faces = detector.detect(image)
    return draw_points(image, faces[0].points) if faces else image
