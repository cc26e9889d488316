"""Which pixels are the person: a matte from MediaPipe's bundled segmentation and the mesh.

The network sees 256 x 256 pixels and knows one class, 'person'. So the head is shown to it in a crop of its
own, and its soft border is drawn to the picture's edges by a guided filter.
"""

from __future__ import annotations

import numpy as np
from PIL import Image as Pil
from PIL import ImageDraw, ImageOps

from reenact.geometry.opencv import opencv
from reenact.perception.graphs import Graph, as_rgb
from reenact.perception.guided import box_mean, guided_filter, resized
from reenact.types import Floats, Image, Landmarks, Points

_GRAPH = "mediapipe/modules/selfie_segmentation/selfie_segmentation_cpu.binarypb"
_SEEN = 256  # pixels a side that the network sees
_HEAD = 2.6  # side of the head crop over the face's size
_BUST = 4.5  # side of the wide crop
_WORKING = 768  # longest side in pixels at which the rough mask is made
_SURE = 0.8  # mean of the mask over the face from which the network is believed


class PersonSegmenter:
    """MediaPipe's selfie segmentation (the general model); a context manager, for one thread at a time."""

    def __init__(self) -> None:
        blank = np.zeros((_SEEN, _SEEN, 3), np.uint8)
        self._graph = Graph(
            _GRAPH, outputs=("segmentation_mask",), side={"model_selection": 0}, warm_up={"image": blank}
        )

    def __enter__(self) -> PersonSegmenter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the graph."""
        self._graph.close()

    def segment(self, image: Image) -> Floats:
        """Likelihood of 'person', (H, W) float32 in [0, 1], as the network gives it; best on a square."""
        rgb = as_rgb(image)
        height, width = rgb.shape[:2]
        small = Pil.fromarray(rgb).resize(
            (_SEEN, _SEEN), Pil.Resampling.BOX if max(height, width) > _SEEN else None
        )
        ahead = self._seen(np.asarray(small))
        mirrored = self._seen(np.ascontiguousarray(np.asarray(small)[:, ::-1]))[:, ::-1]
        return resized(np.ascontiguousarray((ahead + mirrored) / 2), height, width)

    def _seen(self, rgb: Image) -> Floats:
        mask: Floats = self._graph.run(image=rgb)["segmentation_mask"]
        return mask.reshape(mask.shape[:2])


def person_matte(image: Image, landmarks: Landmarks, segmenter: PersonSegmenter | None = None) -> Floats:
    """How much of each pixel is the person at `landmarks`: (H, W) float32 in [0, 1].

    image: (H, W, 3 or 4) uint8. Without `segmenter` one is started for the call (about 10 ms). The face
    itself (the hull of the mesh) is always inside. Pixels that are transparent in an RGBA picture are outside.
    """
    if segmenter is None:
        with PersonSegmenter() as own:
            return person_matte(image, landmarks, own)
    rgb = as_rgb(image)
    height, width = rgb.shape[:2]
    small, share = _at_most(rgb, _WORKING)
    points = landmarks.points[:, :2] * share
    size = float(np.ptp(points, axis=0).max())
    hull = filled(convex_hull(points), *small.shape[:2])
    rough = np.maximum(_rough(small, points, size, hull, segmenter), hull)
    fine = guided_filter(rgb, rough, radius=max(2, round(size / 14)), epsilon=2e-4)
    # Far from the rough border the filter has nothing to decide: what it leaks there is undone.
    border = box_mean(rough, max(2, round(size / 10)))
    sure = np.clip(np.abs(border - 0.5) * 2, 0, 1) ** 8
    matte = _steeper(fine) * (1 - resized(sure, height, width))
    matte = np.maximum(matte + resized(sure * (border > 0.5), height, width), resized(hull, height, width))
    if image.shape[2] == 4:
        matte = matte * (image[..., 3] / np.float32(255))
    return np.asarray(matte, np.float32)


def matte(image: Image, segmenter: PersonSegmenter | None = None) -> Floats:
    """How much of each pixel is a person, where no face is known: (H, W) float32 in [0, 1]."""
    if segmenter is None:
        with PersonSegmenter() as own:
            return matte(image, own)
    rgb = as_rgb(image)
    rough = segmenter.segment(_at_most(rgb, _WORKING)[0])
    return guided_filter(rgb, rough, radius=max(2, max(rough.shape) // 40), epsilon=2e-4)


def face_hull(landmarks: Landmarks, height: int, width: int) -> Floats:
    """Convex hull of the points, filled: (height, width) float32 in [0, 1], the edge antialiased."""
    return filled(convex_hull(landmarks.points[:, :2]), height, width)


def convex_hull(points: Points) -> Points:
    """Corners of the convex hull of (N, 2) points, in order (Andrew's monotone chain)."""
    ordered = sorted({(float(x), float(y)) for x, y in points})
    if len(ordered) < 3:
        return np.array(ordered, np.float32)
    return np.array(_half_hull(ordered)[:-1] + _half_hull(ordered[::-1])[:-1], np.float32)


def _half_hull(ordered: list[tuple[float, float]]) -> list[tuple[float, float]]:
    chain: list[tuple[float, float]] = []
    for x, y in ordered:
        while len(chain) > 1:
            (ax, ay), (bx, by) = chain[-2:]
            if (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0:
                break
            chain.pop()
        chain.append((x, y))
    return chain


def filled(polygon: Points, height: int, width: int, finer: int = 4) -> Floats:
    """The inside of a polygon (N, 2) in pixels: (height, width) float32, the share of each pixel covered."""
    low = np.maximum(np.floor(polygon.min(0)).astype(int) - 1, 0)
    high = np.minimum(np.ceil(polygon.max(0)).astype(int) + 1, (width, height))
    mask = np.zeros((height, width), np.float32)
    if (high <= low).any():
        return mask
    across, down = (int(n) for n in (high - low) * finer)
    part = Pil.new("L", (across, down))
    ImageDraw.Draw(part).polygon([(float(x), float(y)) for x, y in (polygon - low) * finer - 0.5], fill=255)
    mask[low[1] : high[1], low[0] : high[0]] = np.asarray(part.reduce(finer), np.float32) / 255
    return mask


def _rough(rgb: Image, points: Points, size: float, hull: Floats, segmenter: PersonSegmenter) -> Floats:
    """The network's mask, from a grey picture of full contrast where it does not see a person in the face.

    Faded prints and olive sepia do that. Where grey does not help either, a head's outline is assumed.
    """
    mask = _at_three_scales(rgb, points, size, segmenter)
    if _agreement(mask, hull) < _SURE:
        grey = _at_three_scales(_full_contrast(rgb), points, size, segmenter)
        mask = max(mask, grey, key=lambda each: _agreement(each, hull))
    if _agreement(mask, hull) < _SURE:
        mask = np.maximum(mask, _head_outline(points, *rgb.shape[:2]))
    return mask


def _agreement(mask: Floats, hull: Floats) -> float:
    """Mean of the mask over the face."""
    return float((mask * hull).sum() / max(float(hull.sum()), 1.0))


def _full_contrast(rgb: Image) -> Image:
    return np.asarray(ImageOps.autocontrast(Pil.fromarray(rgb).convert("L"), cutoff=1).convert("RGB"))


def _head_outline(points: Points, height: int, width: int) -> Floats:
    """The hull of the mesh, grown to where hair and ears usually end."""
    hull = convex_hull(points[:, :2])
    up = points[10, :2] - points[152, :2]  # chin to the top of the forehead
    centre = (hull.min(0) + hull.max(0)) / 2 + 0.12 * up
    return filled(centre + (hull - centre) * 1.3 + 0.05 * up, height, width)


def _at_three_scales(rgb: Image, points: Points, size: float, segmenter: PersonSegmenter) -> Floats:
    """The network's mask: from the head crop where that reaches, else from the bust crop, else the picture."""
    centre = (points[:, :2].min(0) + points[:, :2].max(0)) / 2
    mask = segmenter.segment(rgb).copy()
    for reach, lift in ((_BUST, 0.6), (_HEAD, -0.1)):
        side = size * reach
        if side < max(rgb.shape[:2]):
            x0, y0 = centre - side / 2
            y0 += lift * size
            _lay_over(mask, segmenter.segment(square_cut(rgb, x0, y0, side)), round(x0), round(y0))
    return mask


def square_cut(rgb: Image, x0: float, y0: float, side: float) -> Image:
    """A square cut from the picture; beyond its border the edge pixels repeat."""
    left, top, width = round(x0), round(y0), round(side)
    # Of a square that lies outside, the nearest edge.
    rows = np.clip([top, top + width], 0, rgb.shape[0])
    columns = np.clip([left, left + width], 0, rgb.shape[1])
    rows[0], columns[0] = min(rows[0], rgb.shape[0] - 1), min(columns[0], rgb.shape[1] - 1)
    rows[1], columns[1] = max(rows[1], 1), max(columns[1], 1)
    inside = rgb[rows[0] : rows[1], columns[0] : columns[1]]
    above, before = (min(max(-start, 0), width - 1) for start in (top, left))
    below, after = width - above - inside.shape[0], width - before - inside.shape[1]
    cv2 = opencv()
    return cv2.copyMakeBorder(inside, above, below, before, after, cv2.BORDER_REPLICATE)


def _lay_over(mask: Floats, part: Floats, x0: int, y0: int) -> None:
    """Put `part` into `mask` at (x0, y0), fading out over the outer fifth of its side."""
    side = part.shape[0]
    ramp = np.clip(np.minimum(np.arange(side), np.arange(side)[::-1]) / (side / 5), 0, 1).astype(np.float32)
    weight = np.minimum(ramp[:, None], ramp[None])
    top, left = max(-y0, 0), max(-x0, 0)
    height, width = min(mask.shape[0] - y0, side) - top, min(mask.shape[1] - x0, side) - left
    inside = np.s_[top : top + height, left : left + width]
    target = mask[y0 + top : y0 + top + height, x0 + left : x0 + left + width]
    target += weight[inside] * (part[inside] - target)


def _at_most(rgb: Image, longest: int) -> tuple[Image, float]:
    """The picture with its longer side at most `longest`, and the factor it was multiplied by."""
    share = min(1.0, longest / max(rgb.shape[:2]))
    if share == 1.0:
        return rgb, share
    height, width = (max(1, round(side * share)) for side in rgb.shape[:2])
    return np.asarray(Pil.fromarray(rgb).resize((width, height), Pil.Resampling.BOX)), share


def _steeper(values: Floats) -> Floats:
    """Values pushed towards 0 and 1, as a mask that the filter has blurred needs."""
    return np.clip((values - 0.5) * 1.4 + 0.5, 0, 1)
