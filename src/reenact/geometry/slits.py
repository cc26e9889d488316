"""Eyes and mouth as slits: how far an expression opens them, and how one driver's own open and shut."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from reenact.geometry.apertures import opening
from reenact.geometry.face_model import FaceModel, default_face_model
from reenact.geometry.head_field import smoothstep
from reenact.geometry.schemes import LEFT_EYE, LIPS_INNER, RIGHT_EYE
from reenact.geometry.smooth import noise_level
from reenact.types import Floats, Points

SLITS = {"right_eye": RIGHT_EYE, "left_eye": LEFT_EYE, "mouth": LIPS_INNER}
_EYES = ("right_eye", "left_eye")
_SHUT = 0.05
"""The opening of an eye that the detector still sees when it is shut."""
_BLINK = (0.42, 0.5)
"""Share of their usual opening to which both eyes come at once: below the first they have shut in each of 28
clips, above the second in one of 6, whose glasses mirror."""
_TREMBLE = 2.0


@dataclass(frozen=True, eq=False)
class Driver:
    """What is known of a driving face as a whole. identity: (I,) or None. shut: the openings of the right and
    the left eye that are read where they are shut. widest: the widest opening of its mouth."""

    identity: Floats | None = None
    shut: tuple[float, float] = (_SHUT, _SHUT)
    widest: float = 0.0

    @classmethod
    def of(cls, identity: Floats | None, expressions: Floats) -> Driver:
        """The driver whose frames have `expressions` (F, E). One moment says nothing of what it is one of."""
        if len(expressions) < 2:
            return cls(identity)
        model = default_face_model()
        start, slopes = _slopes()
        gaps = start + expressions @ slopes.T
        share = (gaps[:, :2] / np.maximum(np.median(gaps[:, :2], 0), 1e-3)).max(1)
        lowest = int(share.argmin())
        blink = 1 - float(smoothstep(share[lowest], *_BLINK))
        read = opened(model, expressions[lowest])
        shut = (_SHUT + blink * max(read[name] - _SHUT, 0.0) for name in _EYES)
        widest = opened(model, expressions[int(gaps[:, 2].argmax())])["mouth"]
        return cls(identity, tuple(shut), widest)  # type: ignore[arg-type]


def opened(model: FaceModel, expression: Floats) -> dict[str, float]:
    """How far each slit is open on the mean face of an expression (E,), as `gap_of`."""
    face = model.mean + (expression @ model.expression.reshape(len(model.expression), -1)).reshape(-1, 3)
    return {name: gap_of(face, name) for name in SLITS}


def gap_of(shape: Points, name: str) -> float:
    """The gap of a slit of a canonical face (478, 3) over the width that the slit has in a neutral one: a mouth
    that is pursed is not open further for it."""
    slit = opening(shape, SLITS[name])
    return slit.gap * slit.width / _neutral_width(name)


@lru_cache(maxsize=len(SLITS))
def _neutral_width(name: str) -> float:
    return opening(default_face_model().mean, SLITS[name]).width


def with_lids(smooth: Floats, read: Floats) -> Floats:
    """Smoothed expressions (F, E) whose lids open and shut as far as in those that were `read`: what is
    beyond the readings' own tremble is given back, by the least change of the expression. A blink takes three
    frames, and a filter blunts it."""
    start, slopes = _slopes()
    eyes = slopes[:2]
    off = (read - smooth) @ eyes.T
    tremble = np.array([noise_level(track[:, None]) for track in (start + read @ slopes.T).T[:2]])
    lost = np.sign(off) * np.maximum(np.abs(off) - _TREMBLE * tremble, 0)
    return (smooth + lost @ np.linalg.pinv(eyes).T).astype(np.float32)


@lru_cache(maxsize=1)
def _slopes() -> tuple[Floats, NDArray[np.float32]]:
    """The slits' openings (3,) of the neutral expression, and (3, E) how they answer to each coefficient: for
    eyes linear to .003."""
    model, step = default_face_model(), 0.5
    ways = step * np.eye(len(model.expression), dtype=np.float32)
    ends = [[list(opened(model, sign * way).values()) for way in ways] for sign in (1, -1)]
    slopes = (np.array(ends[0]) - np.array(ends[1])).T / (2 * step)
    start = np.array(list(opened(model, np.zeros_like(ways[0])).values()), np.float32)
    return start, slopes.astype(np.float32)
