"""The first pass: a driving video becomes a motion."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reenact.errors import ReenactError
from reenact.geometry.detail import SHAPE, detail_between, left_over
from reenact.geometry.face_model import FaceModel, default_face_model
from reenact.geometry.head_offset import scaled
from reenact.geometry.slits import with_lids
from reenact.geometry.smooth import averaged, bridge, smooth_track
from reenact.media.reader import BrokenMedia, FrameSource, check_span, open_frames
from reenact.perception.detector import SMALLEST_FACE, FaceFollower, face_size
from reenact.perception.looks import LooksTracker, Seen
from reenact.pipeline.options import FaceChoice
from reenact.pipeline.progress import Progress, silent
from reenact.pipeline.stages import ahead
from reenact.types import FaceState, Floats, Frame, Landmarks, Motion

_STILL_RATE = Fraction(25)
_TRACK_LONGEST = 1280
_DETAIL_WINDOW = 0.03
"""Seconds, one standard deviation, over which a detail is averaged."""
_DETAIL_PARTS = 8
_MAYBE_ONE = 3.5
"""Two pictures whose identities are further apart than this (`FaceModel.apart`) do not show one person."""


@dataclass
class _Track:
    """What is kept of each frame while the video streams by: a few kilobytes."""

    times: list[Fraction] = field(default_factory=list)
    faces: list[Seen | None] = field(default_factory=list)

    def add(self, time: Fraction, face: Seen | None) -> None:
        """A frame with its face, or None."""
        self.times.append(time)
        self.faces.append(face)


def track_video(
    path: Path,
    *,
    start: Fraction | None = None,
    end: Fraction | None = None,
    face: FaceChoice = "largest",
    keep_partial: bool = False,
    progress: Progress = silent,
    threads: int | None = None,
    person: Floats | None = None,
) -> tuple[Motion, tuple[str, ...]]:
    """The motion of one face of a video, folder of frames, GIF or still, and notes on oddities.

    Frames without a face of at least 32 px are kept, with the motion held. Raises ReenactError where no frame
    has a face, and BrokenMedia where the file breaks off (with keep_partial the frames before the break are
    taken). person: (I,) identity of the source: the skin is followed where the driving face may be this
    person's, and in any case where nobody is named.
    """
    model = default_face_model()
    notes: list[str] = []
    with open_frames(path, start=start, end=end, longest=_TRACK_LONGEST, threads=threads) as source:
        track = _Track()
        try:
            _follow(source, model, face, person, track, progress)
        except BrokenMedia as error:
            if not keep_partial or not track.times:
                raise
            notes.append(f"{error}; the {len(track.times)} frames before that were kept")
        notes += source.notes
        info = source.info
        duration = max(source.end, track.times[-1] + Fraction(1, 1000)) if track.times else Fraction(0)
    if not any(face is not None for face in track.faces):
        raise ReenactError(
            f"no face was found in {path}; use a driving file that shows one clearly, "
            f"at least {SMALLEST_FACE:.0f} px across"
        )
    fps = info.fps or _STILL_RATE
    return _motion(track, model, fps, (info.width, info.height), duration), tuple(notes)


def _follow(
    source: FrameSource,
    model: FaceModel,
    face: FaceChoice,
    person: Floats | None,
    track: _Track,
    progress: Progress,
) -> None:
    total = source.info.frames
    looks: LooksTracker | None = None
    for frame, seen in ahead(_faces(source, face)):
        if seen is not None and looks is None:
            alike = person is None or model.apart(person, model.fit(seen.points).identity) < _MAYBE_ONE
            looks = LooksTracker(model, skin=alike)
        followed = None if seen is None or looks is None else looks.follow(frame.image, seen.points)
        track.add(frame.time, followed)
        progress("track", len(track.times), total)


def _faces(source: FrameSource, face: FaceChoice) -> Iterator[tuple[Frame, Landmarks | None]]:
    """Each frame with its face, None where there is none or too small a one."""
    with FaceFollower(face) as follower:
        for frame in ahead(source):
            seen = follower.track(frame.image)
            yield frame, None if seen is None or face_size(seen) < SMALLEST_FACE else seen


def _motion(
    track: _Track, model: FaceModel, fps: Fraction, size: tuple[int, int], duration: Fraction
) -> Motion:
    """Condition every frame on the clip's mean identity, fill gaps, and go over to arrays."""
    found = np.array([face is not None for face in track.faces])
    seen = [face for face in track.faces if face is not None]
    identity = np.median([face.state.identity for face in seen], axis=0).astype(np.float32)
    known = [model.with_identity(face.state, identity) for face in seen]
    # A frame without a face gets the last one's values, or the first one's before there was any.
    held = np.maximum(np.cumsum(found) - 1, 0)
    longest, details = float(max(size)), _details(model, known, seen)
    motion = Motion(
        times=tuple(track.times),
        rotation=np.array([s.rotation for s in known], np.float32)[held],
        scale=np.array([s.scale for s in known], np.float32)[held] / longest,
        translation=np.array([s.translation for s in known], np.float32)[held] / longest,
        expression=np.array([s.expression for s in known], np.float32)[held],
        found=found,
        fps=fps,
        size=size,
        duration=duration,
        head=np.array([scaled(face.head, 1 / longest) for face in seen], np.float32)[held],
        detail=details[held] if len(details) else details,
        identity=identity,
    )
    return bridged(motion)


def _details(model: FaceModel, known: list[FaceState], seen: list[Seen]) -> NDArray[np.float16]:
    """(F, 478, 3) of the faces that were seen, whose states have one identity; (0, 478, 3) where the skin was
    not followed."""
    points = [face.points for face in seen if face.points is not None]
    out = np.empty((len(points), *SHAPE), np.float16)
    if not points:
        return out
    first = left_over(model, known[0], points[0])
    for number, (state, at) in enumerate(zip(known, points, strict=True)):
        out[number] = detail_between(left_over(model, state, at), first)
    return out


def seconds(motion: Motion) -> np.ndarray:
    """Times of a motion as (F,) float seconds."""
    return np.array([float(t) for t in motion.times])


def bridged(motion: Motion) -> Motion:
    """The motion with frames without a face held and eased back."""
    times = seconds(motion)

    def fill(values: np.ndarray) -> np.ndarray:
        return bridge(values.reshape(len(values), -1), motion.found, times).reshape(values.shape)

    return replace(
        motion,
        rotation=fill(motion.rotation),
        scale=fill(motion.scale),
        translation=fill(motion.translation),
        expression=fill(motion.expression),
        head=fill(motion.head),
        detail=_by_parts(motion.detail, fill),
    )


def smoothed(motion: Motion, strength: float) -> Motion:
    """Zero-phase smoothing: the head's size most, since a head does not grow; then place and turn; the
    expression least, and lids not at all beyond their tremble. The ceilings on the noise were read off still
    heads in 256 px clips."""
    times = seconds(motion)
    place = smooth_track(motion.translation, times, strength, window=0.10, most=0.002)
    scale = smooth_track(np.log(motion.scale)[:, None], times, strength, window=0.25, most=0.01)
    turn = smooth_track(motion.head[:, :3], times, strength, window=0.10, most=0.02)
    grow = smooth_track(motion.head[:, 3:4], times, strength, window=0.25, most=0.01)
    shift = smooth_track(motion.head[:, 4:], times, strength, window=0.10, most=0.002)
    face = smooth_track(motion.expression, times, strength, window=0.06, most=1.2)
    return replace(
        motion,
        rotation=smooth_track(motion.rotation, times, strength, window=0.10, most=0.02),
        translation=place,
        scale=np.exp(scale[:, 0]),
        expression=with_lids(face, motion.expression),
        head=np.concatenate([turn, grow, shift], 1),
        detail=_by_parts(motion.detail, lambda x: averaged(x, times, _DETAIL_WINDOW * strength)),
    )


def _by_parts(detail: NDArray[np.float16], change: Callable[[Floats], np.ndarray]) -> NDArray[np.float16]:
    """A detail (F, 478, 3) whose tracks (F, D) `change` goes over, some points after others since they are
    large; one that is zeros is left out."""
    if not detail.any():
        return detail[:0]
    done = []
    for part in np.array_split(detail, _DETAIL_PARTS, axis=1):
        values = change(part.reshape(len(part), -1).astype(np.float32)).astype(np.float16)
        done.append(values.reshape(len(values), *part.shape[1:]))
    return np.concatenate(done, axis=1)


def resampled(motion: Motion, fps: Fraction) -> Motion:
    """The motion at another rate, linear between frames; the duration stays."""
    count = max(round(motion.duration * fps), 1)
    moments = tuple(Fraction(n) / fps for n in range(count))
    old, new = seconds(motion), np.array([float(t) for t in moments])

    def at(values: np.ndarray) -> np.ndarray:
        columns = values.reshape(len(values), -1).T
        return np.stack([np.interp(new, old, column) for column in columns], 1).astype(np.float32)

    nearest = np.searchsorted((old[1:] + old[:-1]) / 2, new)
    return replace(
        motion,
        times=moments,
        rotation=at(motion.rotation),
        scale=at(motion.scale)[:, 0],
        translation=at(motion.translation),
        expression=at(motion.expression),
        head=at(motion.head),
        detail=_by_parts(motion.detail, at),
        found=motion.found[nearest],
        fps=fps,
    )


def cut(motion: Motion, start: Fraction | None, end: Fraction | None) -> Motion:
    """The part of a motion that `open_frames` would read: from the moment that holds at `start` seconds,
    which comes at time 0, to the last one before `end`. Raises ReenactError where nothing lies there."""
    check_span(start, end)
    low, high = start or Fraction(0), motion.duration if end is None else min(end, motion.duration)
    if low >= motion.duration:
        raise ReenactError(
            f"--start {float(low):g} s lies beyond the end of the motion, which has "
            f"{float(motion.duration):g} s; choose an earlier one"
        )
    first = max(bisect_right(motion.times, low) - 1, 0)
    part = slice(first, max(bisect_left(motion.times, high), first + 1))
    return replace(
        motion,
        times=tuple(t - motion.times[first] for t in motion.times[part]),
        rotation=motion.rotation[part],
        scale=motion.scale[part],
        translation=motion.translation[part],
        expression=motion.expression[part],
        head=motion.head[part],
        detail=motion.detail[part],
        found=motion.found[part],
        duration=high - motion.times[first],
    )
