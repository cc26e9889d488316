"""A source and the moments of a driving clip, read and measured once for all systems that are compared."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reenact.errors import ReenactError
from reenact.geometry.transfer import Drive
from reenact.media.compose import over
from reenact.media.reader import open_frames
from reenact.pipeline.options import MotionOptions
from reenact.pipeline.portrait import (
    Portrait,
    Puppet,
    blend_of,
    choose_anchor,
    driver_of,
    drives_of,
    read_portrait,
)
from reenact.pipeline.track import smoothed, track_video
from reenact.types import Image, Motion, Points


class Finder:
    """The still detector, as a function from a picture to points or None."""

    def __init__(self) -> None:
        from reenact.perception.detector import MeshDetector

        self._detector = MeshDetector()

    def __call__(self, image: Image) -> Points | None:
        """The largest face (478, 3) in pixels of (H, W, 3), None where there is none."""
        faces = self._detector.detect(image)
        return faces[0].points if faces else None

    def close(self) -> None:
        """Free the detector."""
        self._detector.close()


@dataclass(frozen=True)
class Clip:
    """A driving clip. motion: of every frame, smoothed. frames: the number of each picture that is compared.
    pictures: those frames, the longer side at the protocol's size. points: what the still detector finds in
    each, None where nothing. first: frame 0 at that size."""

    path: Path
    motion: Motion
    frames: NDArray[np.int64]
    pictures: list[Image]
    points: list[Points | None]
    first: Image


def compared_frames(count: int, most: int = 12) -> NDArray[np.int64]:
    """Numbers of the frames of a clip of `count` that are compared with what frame 0 was made into: every 10th,
    or every `count / most`-th where that is further apart, frame 0 itself left out, at most `most`."""
    return np.arange(0, count, max(10, count // most), dtype=np.int64)[1 : most + 1]


def read_clip(path: Path, size: int, most: int, finder: Finder, smooth: float = 1.0) -> Clip:
    """Track a clip and read the frames that are compared. Raises ReenactError where it has too few frames."""
    motion = smoothed(track_video(path)[0], smooth)
    frames = compared_frames(len(motion), most)
    if not len(frames):
        raise ReenactError(f"{path}: {len(motion)} frames are too few to evaluate on; at least 11 are needed")
    wanted, pictures = {0, *frames.tolist()}, {}
    with open_frames(path) as source:
        for number, frame in enumerate(source):
            if number in wanted:
                pictures[number] = area_resized(over(frame.image, 128), size)
            if number == frames[-1]:
                break
    shown = [pictures[n] for n in frames.tolist()]
    return Clip(path, motion, frames, shown, [finder(image) for image in shown], pictures[0])


def area_resized(image: Image, longest: int) -> Image:
    """(H, W, C) with its longer side at `longest` pixels: area means where it shrinks, cubic where it grows."""
    import cv2

    height, width = image.shape[:2]
    factor = longest / max(height, width)
    size = (max(round(width * factor), 1), max(round(height * factor), 1))
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return image if factor == 1 else np.asarray(cv2.resize(image, size, interpolation=way), np.uint8)


class Performer:
    """A source bound to a system and to a clip's motion, through the pipeline's own parts."""

    def __init__(
        self,
        portrait: Portrait,
        system: str,
        motion: Motion,
        options: MotionOptions,
    ) -> None:
        self.puppet = Puppet(portrait, system, blend_of(options), threads=2, driver=driver_of(motion))
        self.drives: list[Drive] = drives_of(motion, portrait)
        self.anchor_frame = choose_anchor(self.puppet, motion, self.drives, options.anchor)

    def picture(self, frame: int) -> Image:
        """(H, W, 3) for the driving frame of that number; transparency lies on grey."""
        return over(self.puppet.render(self.drives[frame], self.drives[self.anchor_frame]), 128)


def portrait_of(source: Path | Image, size: int) -> Portrait:
    """The face of a still or picture, at the protocol's size. Raises ReenactError where it cannot be used."""
    from reenact.media.stills import read_still

    picture = source if isinstance(source, np.ndarray) else read_still(source)
    return read_portrait(area_resized(picture, size))
