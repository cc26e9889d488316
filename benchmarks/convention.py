"""Do the detector's points lie where our convention says (the centre of the top-left pixel is (0.5, 0.5))?

    python benchmarks/convention.py FOLDER [MOST]

A shift of all points to one side shows when the picture is mirrored or turned by 180 degrees, for then it goes
to the other side. Turned, the network sees the same crop again: the shift is that of the crop's pixels in the
picture. Mirrored, it sees another picture: the shift is that of the whole answer, the network's own leaning
included. Medians over the stills of FOLDER, in pixels of the network's crop (192), with 95 % ranges.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from reenact.data.frames import plain_rgb
from reenact.geometry.schemes import FLIP
from reenact.media.stills import read_still
from reenact.perception.detector import MeshDetector
from reenact.types import Image

CROP = 192
"""Side of the picture that the network sees, 1.5 times the face's."""


def shifts(detector: MeshDetector, image: Image) -> list[float] | None:
    """Of one still: x mirrored, x turned, y turned, in pixels of the crop; None where a face is missed."""
    height, width = image.shape[:2]
    pictures = (image, image[:, ::-1], image[::-1, ::-1])
    found = [detector.detect(np.ascontiguousarray(picture)) for picture in pictures]
    if not all(found):
        return None
    here, mirrored, turned = (faces[0].points[:, :2].astype(float) for faces in found)
    x = here[:, 0] - (width - mirrored[FLIP["mesh478"], 0])
    both = here - (np.array([width, height]) - turned)
    scale = CROP / (1.5 * np.ptp(here, axis=0).max()) / 2
    return [x.mean() * scale, *(both.mean(0) * scale)]


def main(words: list[str]) -> None:
    """Look at the stills and print three lines."""
    paths = sorted(
        path for path in Path(words[0]).rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png")
    )
    with MeshDetector() as detector:
        rows = [shifts(detector, plain_rgb(read_still(p))) for p in paths[: int((words[1:] or ["200"])[0])]]
    seen = np.array([row for row in rows if row is not None])
    rng = np.random.default_rng(0)
    for name, values in zip(("x, mirrored", "x, turned", "y, turned"), seen.T, strict=True):
        drawn = [np.median(rng.choice(values, len(values))) for _ in range(2000)]
        low, high = np.percentile(drawn, [2.5, 97.5])
        print(f"{name:12} {np.median(values):+.3f} ({low:+.3f} to {high:+.3f}), {len(values)} faces")


if __name__ == "__main__":
    main(sys.argv[1:])
