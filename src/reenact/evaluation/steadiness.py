"""Does a result hold still where nothing moves, and keep its size where only the mouth does?

Two made drivers: one frame repeated under sensor noise, whose landmarks tremble only by the detector; and a
head that opens its mouth and does nothing else, as a video that is tracked like any other.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from reenact.errors import ReenactError
from reenact.evaluation.metrics.jitter import jitter, wander
from reenact.evaluation.metrics.nme import eye_distance
from reenact.evaluation.metrics.openings import mouth_gap
from reenact.evaluation.metrics.scale_drift import scale_drift
from reenact.evaluation.scenes import Finder, Performer
from reenact.geometry.expressions import expression
from reenact.geometry.face_model import default_face_model
from reenact.geometry.head_offset import with_offset
from reenact.media.reader import open_frames
from reenact.media.stills import write_still
from reenact.media.writer import open_writer
from reenact.perception.looks import LooksTracker
from reenact.pipeline.options import MotionOptions
from reenact.pipeline.portrait import Portrait
from reenact.pipeline.track import smoothed, track_video
from reenact.types import Floats, Image, Motion

_RATE = Fraction(25)


@dataclass(frozen=True)
class Steadiness:
    """Tremble of landmarks in per cent of the distance between the outer eye corners: `jitter` counts what
    changes from frame to frame, `wander` everything about the mean place. driver: found in the noisy driver.
    result: found in the result."""

    driver_jitter: float
    driver_wander: float
    result_jitter: float
    result_wander: float


@dataclass(frozen=True)
class Growth:
    """Ranges of the head's size in the result over its mean, per cent. drift: by the looks of forehead, hair
    and ears (`perception.head_tracker`). by_landmarks: of a fit to the detector's points, which read an open
    mouth as a larger face even where nothing else moved. opened: largest mouth gap less the smallest, in per
    cent of the eye distance, so that it is seen that the mouth did open."""

    drift: float
    by_landmarks: float
    opened: float


def noisy_frames(still: Image, count: int, sigma: float, seed: int) -> Iterator[Image]:
    """`count` copies of a picture (H, W, 3), each under Gaussian noise of `sigma` levels of its own."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        noise = rng.standard_normal(still.shape, dtype=np.float32) * sigma
        yield np.clip(np.round(still + noise), 0, 255).astype(np.uint8)


def still_driver(
    portrait: Portrait,
    still: Image,
    *,
    system: str = "warp",
    sigma: float = 4.0,
    encoded: bool = False,
    count: int = 50,
    motion: MotionOptions | None = None,
    seed: int = 0,
) -> Steadiness:
    """Animate a portrait with one picture (H, W, 3) repeated under noise, through tracking and smoothing as for
    any file; encoded: as H.264, else as a folder of PNG. Raises ReenactError where no face is found."""
    options = motion or MotionOptions()
    with tempfile.TemporaryDirectory() as folder:
        driver = _written(Path(folder), list(noisy_frames(still, count, sigma, seed)), encoded)
        with open_frames(driver) as source:
            seen = points_in(frame.image for frame in source)
        raw, _ = track_video(driver)
    performer = Performer(portrait, system, smoothed(raw, options.smooth), options)
    made = points_in(performer.picture(n) for n in range(len(raw)))
    before, after = _unit(seen), _unit(made)
    return Steadiness(jitter(seen, before), wander(seen, before), jitter(made, after), wander(made, after))


def opening_mouth(portrait: Portrait, still: Portrait, *, system: str = "warp", count: int = 50) -> Growth:
    """Animate a portrait with a video of a head that holds still and opens its mouth once: `still`, moved by
    `warp`."""
    model, options = default_face_model(), MotionOptions(anchor=0)
    mouth = Performer(still, "warp", mouth_motion(count), options)
    with tempfile.TemporaryDirectory() as folder:
        driver = _written(Path(folder), [mouth.picture(n) for n in range(count)], encoded=True)
        raw, _ = track_video(driver)
    performer = Performer(portrait, system, smoothed(raw, options.smooth), options)
    made = [performer.picture(n) for n in range(count)]
    points = points_in(made)
    identity = np.median([model.fit(face).identity for face in points], axis=0).astype(np.float32)
    fitted = np.array([model.fit(face, identity=identity).scale for face in points])
    gaps = [mouth_gap(face) for face in points]
    return Growth(scale_drift(head_sizes(made, points)), scale_drift(fitted), float(np.ptp(gaps)))


def head_sizes(pictures: Iterable[Image], points: Floats) -> Floats:
    """(F,) pixels a canonical unit of the head in each picture, by its looks since the first; points: of the
    face in each, (F, 478, 3)."""
    looks = LooksTracker(default_face_model(), skin=False)
    seen = [looks.follow(picture, face) for picture, face in zip(pictures, points, strict=True)]
    return np.array([with_offset(one.state, one.head).scale for one in seen], np.float32)


def mouth_motion(count: int, strength: float = 1.0) -> Motion:
    """A frontal head in the middle of its frame whose mouth opens and closes once over `count` frames."""
    model = default_face_model()
    share = np.sin(np.linspace(0, np.pi, count, dtype=np.float32)) ** 2
    opened = expression(model, {"jaw_open": strength})
    return Motion(
        times=tuple(n / _RATE for n in range(count)),
        rotation=np.zeros((count, 3), np.float32),
        scale=np.full(count, 0.29, np.float32),
        translation=np.full((count, 2), 0.5, np.float32),
        expression=share[:, None] * opened,
        found=np.ones(count, bool),
        fps=_RATE,
        size=(512, 512),
        duration=count / _RATE,
    )


def points_in(pictures: Iterable[Image]) -> Floats:
    """Points (F, 478, 3) of the face in each picture, each looked at by itself: a detector that follows looks
    where the last points were, and so answers even a constant picture with a tremble of its own. Raises
    ReenactError where a picture shows no face."""
    finder = Finder()
    try:
        found = [finder(picture) for picture in pictures]
    finally:
        finder.close()
    if any(points is None for points in found):
        raise ReenactError("a picture shows no face; use a source and a still that show one clearly")
    return np.array(found, np.float32)


def _unit(track: Floats) -> float:
    """One per cent of the eye distance, in pixels."""
    return float(np.median([eye_distance(face) for face in track])) / 100


def _written(folder: Path, frames: list[Image], encoded: bool) -> Path:
    if not encoded:
        for number, frame in enumerate(frames):
            write_still(folder / f"{number:04d}.png", frame)
        return folder
    height, width = frames[0].shape[:2]
    path = folder / "driver.mp4"
    with open_writer(path, width=width, height=height, fps=_RATE, codec="h264") as sink:
        for number, frame in enumerate(frames):
            sink.write(frame, number / _RATE)
    return path
