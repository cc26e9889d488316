"""Carrying a driving motion onto a source face: the analytic converter.

The target keeps the source's own canonical shape, down to what the model does not explain, and takes the
driving pose and expression, either as they are or as the change from an anchor frame. It is the converter
of `warp`, the baseline of the learned converters, and the maker of exact landmark triples.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from reenact.geometry.detail import PLAIN, left_over
from reenact.geometry.face_model import FaceModel, rotation_matrix, rotation_vector
from reenact.geometry.head_field import smoothstep
from reenact.geometry.head_offset import TOGETHER, posed
from reenact.geometry.lips import lips_moved, unfolded
from reenact.geometry.schemes import (
    JAW,
    LEFT_BROW,
    LEFT_EYE,
    LEFT_IRIS,
    LEFT_IRIS_CENTRE,
    LIPS_INNER,
    LIPS_OUTER,
    MESH_TRIANGLES,
    RIGHT_BROW,
    RIGHT_EYE,
    RIGHT_IRIS,
    RIGHT_IRIS_CENTRE,
)
from reenact.geometry.slits import SLITS, Driver, gap_of, opened
from reenact.types import FaceState, Floats, Points

_IRISES = np.concatenate([RIGHT_IRIS, [RIGHT_IRIS_CENTRE], LEFT_IRIS, [LEFT_IRIS_CENTRE]]).astype(np.int32)
_REGIONS: dict[str, NDArray[np.int32]] = {
    "brows": np.concatenate([RIGHT_BROW, LEFT_BROW]).astype(np.int32),
    "jaw": JAW[3:-3],
    "eyes": np.concatenate([RIGHT_EYE, LEFT_EYE]).astype(np.int32),
    "lips": np.concatenate([LIPS_OUTER, LIPS_INNER]).astype(np.int32),
}
_POSE_LIMIT = np.deg2rad(42)
_LEAST_OPEN = 0.02
_AS_FAR = (0.8, 1.0)
"""Share of the source's opening that a driver's mouth must reach for that to stand for it."""
_SAME = (1.9, 2.3)
"""How far apart identities are (`FaceModel.apart`): nearer than the first is one person, further than the
second two. First frame and whole of 16 clips were apart by 1.9 at most, but for one with 2.8; those of
different clips by 2.1 at least, and by 2.6 or more in 19 of 20 pairs."""
NECK = np.array([0.0, 1.2, 1.1], np.float32)
"""Where the head turns, in the canonical frame: behind the jaw, at the top of the neck."""


@dataclass(frozen=True)
class Drive:
    """One moment of a driving face. rotation: (3,) radians. scale: pixels a canonical unit, in the source
    picture's pixels where the placement is the driving frame's. translation: (2,). expression: (E,). head:
    (6,), how the head is posed apart from the face (`geometry.head_offset`), the shift as `translation`.
    detail: (478, 3) float16 or float32, what the coefficients do not say (`geometry.detail`)."""

    rotation: Floats
    scale: float
    translation: Floats
    expression: Floats
    head: Floats = field(default_factory=lambda: TOGETHER)
    detail: Floats | NDArray[np.float16] = field(default_factory=lambda: PLAIN)

    def of_head(self) -> Drive:
        """The moment with the pose of the head instead of the face's."""
        return Drive(*posed(self.rotation, self.scale, self.translation, self.head), self.expression)


@dataclass(frozen=True)
class Blend:
    """How much of the driving motion is carried over.

    relative: the change from the anchor, else the driving state itself. head, face: False keeps the
    source's own. strength: gain on the expression. eyes, brows, lips, jaw, gaze, turn: gains of the
    regions and of the head's motion. in_frame: absolute place and size of the driving frame.
    """

    relative: bool = True
    head: bool = True
    face: bool = True
    strength: float = 1.0
    eyes: float = 1.0
    brows: float = 1.0
    lips: float = 1.0
    jaw: float = 1.0
    gaze: float = 1.0
    turn: float = 1.0
    in_frame: bool = False


class Transfer:
    """Target landmarks of one source face under any driving motion.

    points: (478, 3) of the source in pixels; its state is fitted with `model`. driver: what is known of the
    driving face as a whole. A single picture does not tell a face's shape from its expression for
    certain; where the driver is the same person, the source's expression is read with what its frames say, and
    details of the skin are carried over, which would only tear another person's.
    """

    def __init__(
        self, model: FaceModel, points: Points, blend: Blend | None = None, driver: Driver | None = None
    ) -> None:
        self.model, self.driver = model, driver
        self.blend = blend or Blend()
        self.state = model.fit(points)
        self.shape = model.shape(self.state.identity, self.state.expression) + left_over(
            model, self.state, points
        )
        self._gain = _point_gains(self.blend)
        self._directions = model.expression.reshape(len(model.expression), -1)
        self._own_gaps = {name: gap_of(self.shape, name) for name in SLITS}
        known = driver or Driver()
        self._widest = known.widest
        self._shut_at = dict(zip(SLITS, (*known.shut, 0.0), strict=True))
        apart = np.inf if known.identity is None else model.apart(self.state.identity, known.identity)
        self._alike = 1 - float(smoothstep(apart, *_SAME))
        self._own = self._read(known.identity)
        self._anchor: tuple[Floats, dict[str, float]] | None = None
        self._stands_in = False

    def target(self, drive: Drive, anchor: Drive) -> tuple[Points, FaceState]:
        """Target points (478, 3) in the source picture's pixels, and the target's state. `anchor` is the
        driving moment that stands for the source's own state."""
        state = self._head(drive, anchor) if self.blend.head else self.state
        shape = self.shape
        if self.blend.face:
            shape, expression = self._face(drive, anchor)
            state = replace(state, expression=expression)
        points = state.scale * shape @ rotation_matrix(state.rotation).T
        points[:, :2] += state.translation
        return points.astype(np.float32), state

    def head(self, drive: Drive, anchor: Drive) -> FaceState | None:
        """The target's state of hair, ears and neck, which is not of the face's pose where the driving head is
        not; None where it is."""
        if not self.blend.head or not (drive.head.any() or anchor.head.any()):
            return None
        return self._head(drive.of_head(), anchor.of_head())

    def opened_to(self, widest: float) -> None:
        """Learn how far the driver's mouth has opened so far (`slits.opened`), where no clip tells it."""
        if widest != self._widest:
            self._widest, self._anchor = widest, None

    def distance(self, drive: Drive) -> float:
        """How far a driving moment is from the source's own state: for the choice of the anchor. Points of
        eyes and mouth count most; a head turn of 12 degrees counts as much as a plain change of 1."""
        moved = ((drive.expression - self._own) @ self._directions).reshape(-1, 3)
        face = float(np.sqrt((moved[_FEATURES] ** 2).sum(1).mean())) / 0.03
        turn = rotation_matrix(drive.rotation) @ rotation_matrix(self.state.rotation).T
        return float(face**2 + (np.linalg.norm(rotation_vector(turn)) / 0.21) ** 2)

    def _head(self, drive: Drive, anchor: Drive) -> FaceState:
        own, gain = self.state, self.blend.turn
        grow = (drive.scale / anchor.scale) ** gain
        step = gain * own.scale * (drive.translation - anchor.translation) / anchor.scale
        scale, translation = own.scale * grow, own.translation + step
        if self.blend.relative:
            turn = rotation_vector(rotation_matrix(drive.rotation) @ rotation_matrix(anchor.rotation).T)
            rotation = rotation_matrix(gain * turn) @ rotation_matrix(own.rotation)
        else:
            turn = rotation_vector(rotation_matrix(drive.rotation) @ rotation_matrix(own.rotation).T)
            rotation = rotation_matrix(gain * turn) @ rotation_matrix(own.rotation)
            settle = neck_travel(own.rotation, anchor.rotation) * own.scale
            translation = translation + gain * settle
            if self.blend.in_frame:
                scale = own.scale + gain * (drive.scale - own.scale)
                translation = own.translation + gain * (drive.translation - own.translation)
        vector = rotation_vector(rotation)
        if self.blend.relative:
            vector = _limited(vector, float(np.linalg.norm(own.rotation)))
        return FaceState(vector, scale, translation.astype(np.float32), own.identity, own.expression)

    def _face(self, drive: Drive, anchor: Drive) -> tuple[Points, Floats]:
        start = anchor.expression if self.blend.relative else self._own
        change = drive.expression - start
        moved = (change @ self._directions).reshape(-1, 3)
        if self._alike:
            since = anchor.detail if self.blend.relative else PLAIN
            moved = moved + self._alike * np.subtract(drive.detail, since, dtype=np.float32)
        moved = moved * self._gain[:, None]
        shape = _with_gaze(self.shape + moved, moved, self.blend.gaze)
        shape = self._shut(shape, self._gaps(drive.expression), self._gaps_of(start))
        lips = min(max(self.blend.strength * self.blend.lips, 0.0), 1.0)
        return unfolded(shape, self.shape, lips), (self.state.expression + change).astype(np.float32)

    def _read(self, driver: Floats | None) -> Floats:
        """The source's own expression (E,), to which the driving one, of the identity `driver`, is compared."""
        own = self.state.expression
        if driver is None or not self._alike:
            return own
        known = self.model.with_identity(self.state, driver).expression
        return (own + self._alike * (known - own)).astype(np.float32)

    def _shut(self, shape: Points, now: dict[str, float], start: dict[str, float]) -> Points:
        """Close lids and lips in proportion: where the driving slit keeps a share of its opening, so does the
        source's own (a change of equal size would leave a larger eye ajar). And a mouth that is open where the
        anchor's is not opens no further than the driving one."""
        shape = shape.copy()
        for name, ring in SLITS.items():
            left, was, own = now[name], start[name], self._own_gaps[name]
            strength = self.blend.strength * (self.blend.lips if name == "mouth" else self.blend.eyes)
            gain = min(max(strength, 0.0), 1.0)
            if left < was and was >= _LEAST_OPEN:
                wanted = own * (1 - gain * (1 - left / was))
            elif name == "mouth" and self._stands_in:
                wanted = max(own + strength * (left - was), 0.0)
            else:
                continue
            moved = gap_of(shape, name)
            share = 1 - wanted / moved if moved > wanted else 0.0
            if name == "mouth":
                edges = shape[ring].copy()
                _close(shape, ring, share, gain, 0.85)
                shape = lips_moved(shape, edges)
            else:
                _close(shape, ring, share, gain, 0.3)
        return shape

    def _gaps(self, expression: Floats) -> dict[str, float]:
        """How far each slit is open on the mean face of an expression, beyond what is read of a shut one."""
        seen = opened(self.model, expression)
        return {name: max(gap - self._shut_at[name], 0.0) for name, gap in seen.items()}

    def _gaps_of(self, start: Floats) -> dict[str, float]:
        """`_gaps` of what stands for the source's own, which is the same for all frames of a run. Where the
        source's mouth is open further, and the driver's opens as far in another frame, that stands for it: so
        a smile with teeth can be shut by a driver who is not seen smiling in the source's pose."""
        known = self._anchor
        if known is None or known[0] is not start:
            gaps = self._gaps(start)
            if self.blend.relative:
                own = self._own_gaps["mouth"]
                reached = float(smoothstep(self._widest / max(own, _LEAST_OPEN), *_AS_FAR))
                self._stands_in = reached > 0 and own > gaps["mouth"]
                gaps["mouth"] += reached * max(own - gaps["mouth"], 0.0)
            self._anchor = known = (start, gaps)
        return known[1]


def neck_travel(start: Floats, goal: Floats) -> Floats:
    """How far (2,) in canonical units the point between the eyes travels when the head turns about the neck
    from one rotation vector (3,) to another."""
    return ((rotation_matrix(start) - rotation_matrix(goal)) @ NECK)[:2]


def _close(shape: Points, ring: NDArray[np.int32], share: float, crossed: float, meet: float) -> None:
    """Move the two edges of a slit towards each other in place by `share` of the way, meeting at `meet` (0 at
    the lower edge, 1 at the upper one): upper lids do most of the way in a blink. Where a strong motion has
    carried the edges past each other, they go back by the share `crossed`."""
    half = len(ring) // 2
    upper, lower = ring[1:half], ring[half + 1 :][::-1]
    line = shape[lower] + meet * (shape[upper] - shape[lower])
    open_by = shape[lower, 1:2] - shape[upper, 1:2]
    share_of = np.where(open_by > 0, share, crossed)
    shape[upper] += (line - shape[upper]) * share_of
    shape[lower] += (line - shape[lower]) * share_of


def _with_gaze(shape: Points, moved: Floats, gaze: float) -> Points:
    """The irises travel with their eyes, and within them by the gaze's gain."""
    out = shape.copy()
    for ring, iris in ((RIGHT_EYE, _IRISES[:5]), (LEFT_EYE, _IRISES[5:])):
        eye = moved[ring].mean(0)
        out[iris] += (gaze - 1) * (moved[iris] - eye)
    return out


def _point_gains(blend: Blend) -> Floats:
    """(478,) gains on the expression: each region's own, run smoothly into the rest of the face."""
    gains = np.ones(478, np.float32)
    for name, points in _REGIONS.items():
        gains[points] = getattr(blend, name)
    for _ in range(4):
        sums = np.zeros(478, np.float32)
        np.add.at(sums, MESH_TRIANGLES, gains[MESH_TRIANGLES].mean(1, keepdims=True))
        near = np.where(_VALENCE > 0, sums / np.maximum(_VALENCE, 1), gains)
        gains = np.where(_HELD, gains, near).astype(np.float32)
    gains[_IRISES] = blend.eyes
    return gains * blend.strength


def _limited(rotation: Floats, own: float) -> Floats:
    """A rotation vector whose angle runs softly into a limit; the source's own angle lies below the limit,
    and is kept as it is."""
    angle = float(np.linalg.norm(rotation))
    limit = max(_POSE_LIMIT, own + 0.1)
    knee = max(0.6 * limit, own)
    if angle <= knee:
        return rotation
    soft = knee + (limit - knee) * np.tanh((angle - knee) / (limit - knee))
    return (rotation * (soft / angle)).astype(np.float32)


_FEATURES = np.concatenate([_REGIONS["eyes"], _REGIONS["lips"], _REGIONS["lips"], _REGIONS["brows"]])
_VALENCE = np.bincount(MESH_TRIANGLES.ravel(), minlength=478).astype(np.float32)
_HELD = np.isin(np.arange(478), np.concatenate(list(_REGIONS.values())))
