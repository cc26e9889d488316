"""Landmarks as pictures: what the five papers' generators take as shape.

One definition for all lines: a pixel's value is a falling function of the distance from its centre to the
nearest line, so that the picture is anti-aliased, depends smoothly on the points, and the torch form
(`nn/draw.py`) can equal it. A plain line of width w covers clamp(w/2 + 1/2 - d, 0, 1); a blurred one is
(exp(-d^2 / 2 sigma^2) - f) / (1 - f), with f its value at 3 sigma, where it ends. Filled areas are 1 inside
and cross their outline over one pixel. Only pixels near a line are visited.

All functions take points (N, 2 or more) in pixels of the drawing, the centre of the top-left pixel at
(0.5, 0.5), and return float32 (C, H, W) in [0, 1]. `size` is the side, or (H, W). They raise ValueError for
points of another scheme or points that are not finite.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reenact.geometry.align import apply, similarity
from reenact.geometry.schemes.parts import GLG_CROP_PARTS, OSFR_CONTOUR
from reenact.geometry.strokes import (
    BLUR_FLOOR,
    BLUR_REACH,
    Edges,
    Rings,
    Strokes,
    boundary_strokes,
    bridge_strokes,
    landmark_strokes,
    parsing_rings,
    sketch_strokes,
    spline_strokes,
)
from reenact.types import Floats

Size = int | tuple[int, int]

GLG_CROP_SIZES: dict[str, tuple[int, int]] = {
    "left_eye": (32, 20),
    "right_eye": (32, 20),
    "nose": (32, 44),
    "mouth": (52, 28),
}
"""Width and height in pixels of each crop on a picture of 224 x 224. The paper takes the average size of each
part in its data. differs from paper: the average over 569 portraits (eye 19 x 6, nose 20 x 36, mouth 40 x 14)
and a margin, in multiples of 4, so that 98 of 100 parts fit whole."""


def boundary_image(points: NDArray[np.floating], size: Size = 256, sigma: float = 1.0) -> Floats:
    """HR-Net's boundary image, (3, H, W): 68 points, 13 parts joined by blurred lines (section III-B).

    sigma: standard deviation of the blur in pixels; the paper gives none. differs from paper: the blur is
    the Gaussian of the distance to the line (as in the boundary maps of Wu et al., which the paper follows),
    not a filter over a drawn line, and all three channels are the same.
    """
    start, stop, _ = _segments(points, boundary_strokes(), 68)
    image = _draw(start, stop, np.full(len(start), BLUR_REACH * sigma), _size(size), sigma=sigma)
    return np.broadcast_to(image, (3, *image.shape[1:]))


def sketch_map(
    points: NDArray[np.floating], size: Size = 256, width: float = 1.5, pupil: float = 4.0
) -> Floats:
    """FIPLS' sketch, (3, H, W): 98 points joined part by part, pupils as discs (section 'Fine-grained...').

    width: of the lines, pupil: diameter of a pupil, both in pixels; the paper gives neither. The three
    channels that the paper concatenates with the source are the same.
    """
    start, stop, widths = _segments(points, sketch_strokes(width, pupil), 98)
    image = _draw(start, stop, widths / 2 + 0.5, _size(size))
    return np.broadcast_to(image, (3, *image.shape[1:]))


def landmark_map(
    points: NDArray[np.floating],
    size: Size = 256,
    width: float = 1.0,
    dot: float = 3.0,
    visible: NDArray[np.bool_] | None = None,
    binary: bool = True,
) -> Floats:
    """DG's landmark map, (1, H, W): 'a binary image of the landmarks with each neighboring landmark pair
    connected by an edge' (section 3.2).

    width: of an edge, dot: diameter of a point, in pixels. visible: (68,), leaves out hidden points and
    their edges. binary: False keeps the anti-aliased values.
    """
    strokes = landmark_strokes(width, dot)
    start, stop, widths = _segments(points, strokes, 68)
    if visible is not None:
        seen = np.asarray(visible)[strokes.edges].all(axis=1)
        start, stop, widths = start[seen], stop[seen], widths[seen]
    image = _draw(start, stop, widths / 2 + 0.5, _size(size))
    return (image >= 0.5).astype(np.float32) if binary else image


def spline_heatmap(
    points: NDArray[np.floating], size: Size = 224, width: float = 1.5, dot: float = 3.0, steps: int = 4
) -> Floats:
    """GLG's landmark heatmap, (1, H, W): 68 dots, each part joined by a cubic B-spline (section III-B).

    width: of the curves, dot: diameter of a point, in pixels. steps: straight pieces between two points.
    """
    start, stop, widths = _segments(points, spline_strokes(width, dot, steps), 68)
    return _draw(start, stop, widths / 2 + 0.5, _size(size))


def parsing_map(points: NDArray[np.floating], size: Size = 256, bridge: float = 3.0) -> Floats:
    """OSFR's face parsing map, (9, H, W): 106 + 40 points, one filled class a channel (section 3.2.1).

    Channels: face contour, brows, eyes, gaze, nose, upper lip, lower lip, teeth, nose bridge
    (`OSFR_CLASSES`). The gaze is cut by the eye's opening. bridge: width of the nose bridge in pixels, the
    one class whose landmarks are a line.
    """
    height, width = _size(size)
    start, stop, _ = _segments(points, Strokes(parsing_rings().edges, np.zeros(0, np.float32)), 146)
    image = _fill(start, stop, parsing_rings(), (height, width), empty=1)
    image[3] *= image[2]
    start, stop, widths = _segments(points, bridge_strokes(bridge), 146)
    image[8] = _draw(start, stop, widths / 2 + 0.5, (height, width))[0]
    return image


def resample_boundary(points: NDArray[np.floating], donor: NDArray[np.floating]) -> NDArray[np.floating]:
    """Another person's face contour round this person's inner face (OSFR 3.2.4, equation 3.8).

    points, donor: (146, 2 or 3). Returns (146, 2 or 3): the inner points unchanged, the 33 contour points the
    donor's, brought over by the similarity that best lays the donor's inner points on these. The drawing is
    `parsing_map` of it; the picture is warped to it elsewhere.
    """
    _check(points, 146)
    _check(donor, 146)
    inner, contour = slice(len(OSFR_CONTOUR), 104), list(OSFR_CONTOUR)
    moved = apply(similarity(donor[inner, :2], points[inner, :2]), donor)
    if points.shape[1] == 3 and donor.shape[1] == 3:
        moved[:, 2] += points[inner, 2].mean() - moved[inner, 2].mean()
    result = np.array(points, copy=True)
    result[contour, : moved.shape[1]] = moved[contour, : points.shape[1]]
    return result


def crop_corners(points: NDArray[np.floating], size: Size = 224) -> dict[str, tuple[int, int]]:
    """Top-left corner (x, y) of GLG's crop of each part, centred on the part's points (section III-B).

    points: (68, 2 or more) in pixels of a picture of `size`. The crops have `crop_sizes(size)`; corners may
    lie outside the picture.
    """
    _check(points, 68)
    sizes = crop_sizes(size)
    centres = {name: points[list(part), :2].mean(axis=0) for name, part in GLG_CROP_PARTS.items()}
    return {
        name: (round(float(x) - sizes[name][0] / 2), round(float(y) - sizes[name][1] / 2))
        for name, (x, y) in centres.items()
    }


def crop_sizes(size: Size = 224) -> dict[str, tuple[int, int]]:
    """`GLG_CROP_SIZES` for another side of the picture, rounded to even pixels."""
    scale = _size(size)[0] / 224
    return {
        name: (2 * round(w * scale / 2), 2 * round(h * scale / 2)) for name, (w, h) in GLG_CROP_SIZES.items()
    }


def cut(image: NDArray, corner: tuple[int, int], size: tuple[int, int]) -> NDArray:
    """A crop (..., h, w) of an image (..., H, W), zero where it leaves the picture. size: (w, h)."""
    result = np.zeros((*image.shape[:-2], size[1], size[0]), image.dtype)
    here, there = _overlap(image.shape[-2:], corner, size)
    result[..., there[0], there[1]] = image[..., here[0], here[1]]
    return result


def paste(canvas: NDArray, crop: NDArray, corner: tuple[int, int]) -> NDArray:
    """A copy of canvas (..., H, W) with the crop (..., h, w) laid at its corner (x, y)."""
    result = canvas.copy()
    here, there = _overlap(canvas.shape[-2:], corner, (crop.shape[-1], crop.shape[-2]))
    result[..., here[0], here[1]] = crop[..., there[0], there[1]]
    return result


def _overlap(
    shape: tuple[int, ...], corner: tuple[int, int], size: tuple[int, int]
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Rows and columns of the picture and of the crop that coincide."""
    here, there = [], []
    for limit, first, extent in ((shape[0], corner[1], size[1]), (shape[1], corner[0], size[0])):
        low, high = min(max(first, 0), limit), max(min(first + extent, limit), 0)
        high = max(low, high)
        here.append(slice(low, high))
        there.append(slice(low - first, high - first))
    return (here[0], here[1]), (there[0], there[1])


def _size(size: Size) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else size


def _check(points: NDArray[np.floating], count: int) -> None:
    if points.ndim != 2 or points.shape[0] != count or points.shape[1] < 2:
        raise ValueError(f"this drawing takes ({count}, 2) points, not {points.shape}")
    if not np.isfinite(points[:, :2]).all():
        raise ValueError("the points to draw are not all finite")


def _segments(points: NDArray[np.floating], strokes: Strokes, count: int) -> tuple[Floats, Floats, Floats]:
    """Ends (E, 2) of every edge, and the widths."""
    _check(points, count)
    flat = np.asarray(points[:, :2], np.float32)
    flat = flat if strokes.matrix is None else strokes.matrix @ flat
    return flat[strokes.edges[:, 0]], flat[strokes.edges[:, 1]], strokes.widths


def _near_pixels(
    start: Floats, stop: Floats, reach: Floats, size: tuple[int, int]
) -> tuple[Edges, Edges, Edges]:
    """Pixels (segment, x, y) that hold every pixel within `reach` of its segment, and a few more.

    Walks along each segment's longer axis, one row or column of pixels a step; in it, the pixels within
    sqrt(2) * reach of the line.
    """
    height, width = size
    steep = np.abs(stop[:, 1] - start[:, 1]) > np.abs(stop[:, 0] - start[:, 0])
    axis = steep.astype(np.int64)
    rows = np.arange(len(start))
    u0, u1, v0, v1 = start[rows, axis], stop[rows, axis], start[rows, 1 - axis], stop[rows, 1 - axis]
    limit = np.where(steep, height, width)
    first = np.clip(np.ceil(np.minimum(u0, u1) - reach - 0.5), 0, limit).astype(np.int64)
    last = np.clip(np.floor(np.maximum(u0, u1) + reach - 0.5), -1, limit - 1).astype(np.int64)
    count = np.maximum(last - first + 1, 0)
    segment = np.repeat(rows, count)
    u = first[segment] + np.arange(len(segment)) - np.repeat(np.cumsum(count) - count, count)
    length = u1 - u0
    share = (u + 0.5 - u0[segment]) / np.where(length == 0, 1, length)[segment]
    centre = v0[segment] + np.clip(share, 0, 1) * (v1 - v0)[segment]
    half = np.sqrt(2.0) * reach[segment]
    across = int(np.ceil(2 * half.max(initial=0))) + 1
    low = np.clip(np.ceil(centre - half - 0.5), -1e6, 1e6).astype(np.int64)
    v = (low[:, None] + np.arange(across)).reshape(-1)
    u, segment = np.repeat(u, across), np.repeat(segment, across)
    kept = (v >= 0) & (v < np.where(steep, width, height)[segment])
    u, v, segment = u[kept], v[kept], segment[kept]
    return segment, np.where(steep[segment], v, u), np.where(steep[segment], u, v)


def _squared_distance(
    x: NDArray[np.floating], y: NDArray[np.floating], start: NDArray[np.floating], stop: NDArray[np.floating]
) -> NDArray[np.floating]:
    """From pixel centres (K,) to segments (K, 2) - (K, 2)."""
    dx, dy = stop[:, 0] - start[:, 0], stop[:, 1] - start[:, 1]
    px, py = x - start[:, 0], y - start[:, 1]
    share = np.clip((px * dx + py * dy) / np.maximum(dx * dx + dy * dy, 1e-12), 0, 1)
    ex, ey = px - share * dx, py - share * dy
    return ex * ex + ey * ey


def _draw(
    start: Floats,
    stop: Floats,
    reach: Floats,
    size: tuple[int, int],
    sigma: float | None = None,
    layers: Edges | None = None,
    count: int = 1,
) -> Floats:
    """Segments as a picture (count, H, W): plain lines that end at `reach`, or blurred ones."""
    segment, x, y = _near_pixels(start, stop, reach, size)
    squared = _squared_distance(x + 0.5, y + 0.5, start[segment], stop[segment])
    if sigma is None:
        value = np.clip(reach[segment] - np.sqrt(squared), 0, 1)
    else:
        value = np.maximum(np.exp(-squared / (2 * sigma * sigma)) - BLUR_FLOOR, 0) / (1 - BLUR_FLOOR)
    image = np.zeros(count * size[0] * size[1], np.float32)
    layer = 0 if layers is None else layers[segment]
    np.maximum.at(image, (layer * size[0] + y) * size[1] + x, value.astype(np.float32))
    return image.reshape(count, *size)


def _winding(start: Floats, stop: Floats, rings: Rings, low: Edges, high: Edges) -> NDArray[np.int8]:
    """How often each layer's rings run round each pixel centre from `low` (x, y) to `high`, (count, H, W)."""
    width, height = high - low
    first = np.clip(np.ceil(np.minimum(start[:, 1], stop[:, 1]) - 0.5), low[1], high[1]).astype(np.int64)
    last = np.clip(np.ceil(np.maximum(start[:, 1], stop[:, 1]) - 0.5), low[1], high[1]).astype(np.int64)
    count = np.maximum(last - first, 0)
    edge = np.repeat(np.arange(len(start)), count)
    row = first[edge] + np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count)
    rise = stop[edge, 1] - start[edge, 1]
    x = start[edge, 0] + (row + 0.5 - start[edge, 1]) * (stop[edge, 0] - start[edge, 0]) / rise
    column = np.clip(np.ceil(x - 0.5), low[0], high[0]).astype(np.int64) - low[0]
    turns = np.zeros((rings.count, height, width + 1), np.int8)
    np.add.at(turns, (rings.layers[edge], row - low[1], column), np.where(rise > 0, 1, -1).astype(np.int8))
    return np.cumsum(turns, axis=2, dtype=np.int8)[..., :width]


def _fill(start: Floats, stop: Floats, rings: Rings, size: tuple[int, int], empty: int) -> Floats:
    """Rings as filled areas, then `empty` layers: (count, H, W). Rings of one layer must not overlap."""
    reach = np.full(len(start), 0.5, np.float32)
    image = _draw(start, stop, reach, size, None, rings.layers, rings.count + empty)
    limit = np.array([size[1], size[0]])
    low = np.clip(np.floor(start.min(0)), 0, limit).astype(np.int64)
    high = np.clip(np.ceil(start.max(0)), low, limit).astype(np.int64)
    inner = image[
        : rings.count, low[1] : high[1], low[0] : high[0]
    ]  # every ring's corners are among the starts
    np.subtract(1, inner, out=inner, where=_winding(start, stop, rings, low, high) != 0)
    return image
