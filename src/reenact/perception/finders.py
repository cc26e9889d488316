"""Where faces may be: MediaPipe's two bundled detectors on a picture, on tiles of it, and on it turned.

They find a face by its outline, quickly and with false finds; whether it is one, the mesh network decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pil

from reenact.perception.graphs import Graph

Rgb = NDArray[np.uint8]
MARGIN = 1.5
"""Side of a face's region over that of what it holds (MediaPipe's `face_detection_front_detection_to_roi`)."""
_MODULE = "mediapipe/modules/face_detection/face_detection_{}_range_cpu.binarypb"
_INPUT = 192  # pixels a side that the full-range detector sees


@dataclass(frozen=True)
class Region:
    """A square on a picture: centre and side in pixels, angle in radians (positive turns x towards y)."""

    x: float
    y: float
    side: float
    angle: float


class Finders:
    """The two bundled detectors; each picture is shown to both."""

    def __init__(self, threshold: float = 0.4) -> None:
        self._threshold = threshold
        self._graphs: list[Graph] | None = None

    def close(self) -> None:
        for graph in self._graphs or []:
            graph.close()
        self._graphs = None

    def find(self, rgb: Rgb) -> list[Region]:
        """Regions of likely faces on the whole picture, the larger first."""
        return self.find_in(rgb, [(0, 0, rgb.shape[1], rgb.shape[0])])

    def find_in(
        self, rgb: Rgb, boxes: Iterable[tuple[int, int, int, int]], *, far: bool = False
    ) -> list[Region]:
        """The same on parts (x0, y0, x1, y1) of the picture; `far` asks the full-range detector alone."""
        found: list[Region] = []
        for x0, y0, x1, y1 in boxes:
            small, step = _shrunk(rgb[y0:y1, x0:x1], 2 * _INPUT)
            for r in self._look(small, far):
                found.append(Region(x0 + r.x * step, y0 + r.y * step, r.side * step, r.angle))
        return _distinct(sorted(found, key=lambda region: region.side, reverse=True))

    def find_turned(self, rgb: Rgb, quarters: int) -> list[Region]:
        """The same on the picture turned anticlockwise; regions come back in the picture as it is."""
        height, width = rgb.shape[:2]
        turned = np.ascontiguousarray(np.rot90(rgb, quarters))
        back = {
            1: lambda r: Region(width - r.y, r.x, r.side, r.angle + np.pi / 2),
            2: lambda r: Region(width - r.x, height - r.y, r.side, r.angle + np.pi),
            3: lambda r: Region(r.y, height - r.x, r.side, r.angle - np.pi / 2),
        }[quarters]
        return [back(region) for region in self.find(turned)]

    def _look(self, rgb: Rgb, far: bool) -> Iterator[Region]:
        height, width = rgb.shape[:2]
        for graph in self._started()[far:]:
            for detection in graph.run(image=rgb)["detections"] or []:
                place = detection.location_data
                eyes = np.array([(p.x * width, p.y * height) for p in place.relative_keypoints[:2]])
                box = place.relative_bounding_box
                across, down = eyes[1] - eyes[0]
                yield Region(
                    (box.xmin + box.width / 2) * width,
                    (box.ymin + box.height / 2) * height,
                    max(box.width * width, box.height * height) * MARGIN,
                    float(np.arctan2(down, across)),
                )

    def _started(self) -> list[Graph]:
        if self._graphs is None:
            blank = np.zeros((64, 64, 3), np.uint8)
            self._graphs = [
                Graph(
                    _MODULE.format(reach),
                    outputs=("detections",),
                    options={"min_score_thresh": self._threshold},
                    warm_up={"image": blank},
                )
                for reach in ("short", "full")
            ]
        return self._graphs


def _shrunk(rgb: Rgb, longest: int) -> tuple[Rgb, float]:
    """The picture averaged down to about `longest` pixels, and the factor back."""
    step = max(rgb.shape[:2]) // longest
    if step < 2:
        return np.ascontiguousarray(rgb), 1.0
    height, width = (side - side % step for side in rgb.shape[:2])
    return np.asarray(Pil.fromarray(rgb[:height, :width]).reduce(step)), float(step)


def tiles(rgb: Rgb, parts: int) -> list[tuple[int, int, int, int]]:
    """Squares of the longer side over `parts`, overlapping by half, that cover the picture."""
    height, width = rgb.shape[:2]
    side = -(-max(height, width) // parts)
    return [
        (x, y, min(x + side, width), min(y + side, height))
        for y in _starts(height, side)
        for x in _starts(width, side)
    ]


def _starts(length: int, side: int) -> list[int]:
    if length <= side:
        return [0]
    count = int(np.ceil((length - side) / (side / 2)))
    return [round(i * (length - side) / count) for i in range(count + 1)]


def stretched(rgb: Rgb) -> Rgb:
    """Luminance from 1st to 99th percentile, the middle lifted to mid-grey: for dark and flat pictures."""
    grey = rgb[::4, ::4].mean(-1)
    low, middle, high = np.percentile(grey, (1, 50, 99))
    levels = np.clip((np.arange(256) - low) / max(high - low, 48.0), 0, 1)
    centre = np.clip((middle - low) / max(high - low, 48.0), 0.05, 0.95)
    gamma = np.clip(np.log(0.45) / np.log(centre), 0.4, 1.6)
    table: Rgb = (255 * levels**gamma + 0.5).astype(np.uint8)
    return table[rgb]


def _distinct(regions: list[Region]) -> list[Region]:
    """Without regions that lie in a like-sized one before them."""
    kept: list[Region] = []
    for r in regions:
        near = (k for k in kept if np.hypot(r.x - k.x, r.y - k.y) < 0.25 * k.side and r.side > 0.5 * k.side)
        if not any(near):
            kept.append(r)
    return kept
