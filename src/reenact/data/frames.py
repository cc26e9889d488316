"""Units of work of a data set, and their frames: a video, the frame files of one clip, or one still."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from reenact.data.items import Item, by_clip
from reenact.errors import ReenactError
from reenact.media.compose import over
from reenact.media.reader import BrokenMedia, open_frames
from reenact.media.stills import read_still
from reenact.types import Image

STILL_WEIGHT, VIDEO_WEIGHT = 1, 64
"""What a picture and a video file count for when work is shared out; no video is opened for it."""
_KEPT = 128 * 2**20  # bytes of a unit's frames that are held in memory between two readings


@dataclass(frozen=True)
class Unit:
    """What is prepared together: one video, all frame files of one clip, or one picture."""

    items: tuple[Item, ...]

    @property
    def key(self) -> str:
        """Its name: that of the clip, or of the picture."""
        return self.items[0].clip or self.items[0].key

    @property
    def weight(self) -> int:
        """About how many pictures it comes to."""
        return sum(VIDEO_WEIGHT if item.is_video else STILL_WEIGHT for item in self.items)


@dataclass(frozen=True)
class Shot:
    """One frame. key: its name in the data set. image: (H, W, 3) RGB; transparency is laid on grey."""

    key: str
    item: Item
    frame: int | None
    time: Fraction | None
    image: Image


def units_of(items: Sequence[Item]) -> list[Unit]:
    """The items grouped: frame files of a clip together, everything else alone; in the order of their keys."""
    clips = [Unit(tuple(of)) for of in by_clip(items).values()]
    alone = [Unit((item,)) for item in items if not item.clip]
    return sorted(clips + alone, key=lambda unit: unit.key)


def frame_items(items: Sequence[Item], rate: Fraction | None) -> list[Item]:
    """Every single frame as an item, at `rate` frames a second (None: all): what the protocols draw from.

    Of a video, times come from its header's frame rate and count; a video that does not read is left out.
    """
    found: list[Item] = []
    for unit in units_of(items):
        for item in unit.items:
            found += _frames_of_video(item, rate) if item.is_video else [item]
    return [item for item, kept in zip(found, _thinned(found, rate), strict=True) if kept]


def _frames_of_video(item: Item, rate: Fraction | None) -> list[Item]:
    try:
        with open_frames(item.path, threads=1) as source:
            fps, count = source.info.fps or Fraction(25), source.info.frames
            count = count or sum(1 for _ in source)
    except ReenactError:
        return []
    step = max(fps / rate, Fraction(1)) if rate else Fraction(1)
    numbers = [int(-(-n * step // 1)) for n in range(int(count / step) + 1)]
    return [
        Item(
            item.path, f"{item.key}/{n:06d}", item.identity, item.clip, n, n / fps, item.split, item.attributes
        )
        for n in numbers
        if n < count
    ]


def _thinned(items: Sequence[Item], rate: Fraction | None) -> Iterator[bool]:
    clocks: dict[str, Clock] = {}
    for item in items:
        if not item.clip or item.time is None or item.is_video:
            yield True
        else:
            yield clocks.setdefault(item.clip, Clock(rate)).takes(item.time)


class Clock:
    """Which frames of a clip to take at `rate` a second: the first at or after each tick; None takes all."""

    def __init__(self, rate: Fraction | None) -> None:
        self._rate = rate
        self._next: Fraction | None = None

    def takes(self, time: Fraction) -> bool:
        """Whether the frame at `time` (exact seconds, rising) is taken."""
        if self._rate is None:
            return True
        if self._next is not None and time < self._next:
            return False
        self._next = (time * self._rate // 1 + 1) / self._rate
        return True


class UnitFrames:
    """The frames of a unit at a rate; can be gone through more than once. broken: why a video ended early."""

    def __init__(self, unit: Unit, rate: Fraction | None) -> None:
        self.unit, self.rate = unit, rate
        self.broken = ""
        self.unreadable: list[tuple[Item, str]] = []
        self._kept: list[Shot] = []

    def __iter__(self) -> Iterator[Shot]:
        """Frame by frame; single files that do not read are noted in `unreadable` and passed over. Raises
        ReenactError for a video that does not open."""
        if self._kept:
            yield from self._kept
            return
        kept: list[Shot] = []
        room = _KEPT
        self.unreadable.clear()
        for shot in self._read():
            room -= shot.image.nbytes
            if room >= 0:
                kept.append(shot)
            else:
                kept.clear()
            yield shot
        self._kept = kept

    def _read(self) -> Iterator[Shot]:
        clock = Clock(self.rate)
        for item in self.unit.items:
            if item.is_video:
                yield from self._video(item, clock)
            elif item.time is None or not item.clip or clock.takes(item.time):
                try:
                    image = plain_rgb(read_still(item.path))
                except ReenactError as error:
                    self.unreadable.append((item, str(error)))
                    continue
                yield Shot(item.key, item, item.frame, item.time, image)

    def _video(self, item: Item, clock: Clock) -> Iterator[Shot]:
        try:
            with open_frames(item.path, threads=1) as source:
                for number, frame in enumerate(source):
                    if clock.takes(frame.time):
                        key = f"{item.key}/{number:06d}"
                        yield Shot(key, item, number, frame.time, plain_rgb(frame.image))
        except BrokenMedia as error:
            self.broken = str(error)


def read_frames(items: Sequence[Item]) -> dict[str, Image]:
    """The pictures (H, W, 3) of single frames and stills by their keys; each video is decoded once. What does
    not read is left out."""
    found: dict[str, Image] = {}
    films: dict[Path, dict[int, str]] = {}
    for item in items:
        if item.is_video:
            films.setdefault(item.path, {})[item.frame or 0] = item.key
        elif item.key not in found:
            try:
                found[item.key] = plain_rgb(read_still(item.path))
            except ReenactError:
                continue
    for path, wanted in films.items():
        try:
            with open_frames(path, threads=1) as source:
                for number, frame in enumerate(source):
                    if number in wanted:
                        found[wanted[number]] = plain_rgb(frame.image)
                    if number >= max(wanted):
                        break
        except ReenactError:
            continue
    return found


def plain_rgb(image: Image) -> Image:
    """(H, W, 3) of (H, W, 3 or 4)."""
    return np.ascontiguousarray(image if image.shape[2] == 3 else over(image, 128))
