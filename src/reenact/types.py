"""The nouns that all modules speak.

Shape letters: H, W picture height and width; N landmarks; F frames; I identity and E expression
coefficients. Pictures are RGB. Points are in pixels of their picture, x to the right, y down, z away from
the viewer in the same unit as x; the centre of the top-left pixel is (0.5, 0.5).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""(H, W, 3) RGB or (H, W, 4) RGB with straight alpha, uint8."""

Points = NDArray[np.float32]
"""(N, 2) or (N, 3), in pixels of a picture."""

Floats = NDArray[np.float32]

Scheme = Literal["mesh478", "ibug68", "wflw98", "osfr146"]
"""Landmark layouts: MediaPipe's mesh with irises, iBUG 300-W, WFLW, OSFR's 106 facial + 40 gaze points."""


@dataclass(frozen=True)
class Frame:
    """A picture with its place in time (seconds from the start of the stream, exact)."""

    image: Image
    time: Fraction = Fraction(0)


@dataclass(frozen=True)
class Landmarks:
    """A face as points.

    points: (N, 2 or 3) float32 in pixels. visible: (N,) bool where the scheme knows it, else None.
    """

    points: Points
    scheme: Scheme
    visible: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class FaceState:
    """One face in coefficients of the morphable landmark model.

    rotation: (3,) rotation vector in radians, canonical frame to picture. scale: pixels per canonical unit
    (one canonical unit is the mean distance between the outer eye corners). translation: (2,) pixels, where
    the canonical origin (the centre between the eyes) lands. identity: (I,), expression: (E,), both in
    standard deviations of the training faces.
    """

    rotation: Floats
    scale: float
    translation: Floats
    identity: Floats
    expression: Floats


@dataclass(frozen=True)
class Motion:
    """What a driving video says: pose, expression and time of each frame; no pixels.

    times: F exact seconds. rotation: (F, 3) radians. scale: (F,) and translation: (F, 2) in units of the
    picture's longer side. expression: (F, E). found: (F,) bool, False where no face was seen and the values
    are carried over. fps: nominal rate. size: width and height of the driving picture in pixels. duration:
    exact seconds, the last frame's own display time included. head: (F, 6), how the head is posed apart from
    its face (`geometry.head_offset`), the shift in units of the longer side. detail: (F, 478, 3) float16, what
    the coefficients leave over of the face's motion since the first frame with a face (`geometry.detail`), in
    canonical units. Left out, both are zeros. identity: (I,) of the driving face. The last two
    are one person's; they are never written to a file, and what was read from one does not have them.
    """

    times: tuple[Fraction, ...]
    rotation: Floats
    scale: Floats
    translation: Floats
    expression: Floats
    found: NDArray[np.bool_]
    fps: Fraction
    size: tuple[int, int]
    duration: Fraction
    head: Floats = field(default_factory=lambda: np.zeros((0, 6), np.float32))
    detail: NDArray[np.float16] = field(default_factory=lambda: np.zeros((0, 478, 3), np.float16))
    identity: Floats | None = None

    def __post_init__(self) -> None:
        for name in ("head", "detail"):
            values = getattr(self, name)
            if not len(values):
                plain = np.broadcast_to(values.dtype.type(0), (len(self.times), *values.shape[1:]))
                object.__setattr__(self, name, plain)

    def __len__(self) -> int:
        return len(self.times)


@dataclass(frozen=True)
class Sample:
    """A training or test pair: pictures and landmarks; `truth` where source and driving are one person."""

    source: Image
    driving: Image
    source_landmarks: Landmarks
    driving_landmarks: Landmarks
    truth: Image | None = None
    identity: str = ""
    key: str = ""


@dataclass(frozen=True)
class Summary:
    """What a run did, for `--json` and for the line at the end.

    held: frames whose motion was carried over because no face was found. marks: the marks in the file
    ('c2pa', 'watermark', 'label'). complete: False where an interrupted run was kept.
    """

    output: Path
    system: str
    frames: int
    width: int
    height: int
    fps: Fraction | None
    duration: Fraction | None
    held: int
    seconds: float
    marks: tuple[str, ...]
    notes: tuple[str, ...] = field(default=())
    complete: bool = True
