"""Landmarks as pictures in torch: `geometry/draw.py`, batched, on CPU and GPU, differentiable in the points.

The definitions, the strokes and the defaults are those of `geometry/draw.py`; the two are tested equal.
All functions take points (B, N, 2 or more) in pixels of the drawing and return (B, C, H, W) in [0, 1], in the
points' type and on their device. Gradients flow to every point whose line touches a pixel's value; they are
zero where a value is clamped and through `binary=True`.

Work is proportional to the pixels near lines, not to the picture: each batch is one list of (segment, pixel)
visits, of which each pixel keeps the greatest value. That is done without gradients; only the visit that
won a pixel is then followed back, which costs a fraction of the reduction's own derivative.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from reenact.geometry.draw import Size, _size
from reenact.geometry.schemes.parts import OSFR_CLASSES
from reenact.geometry.strokes import (
    BLUR_FLOOR,
    BLUR_REACH,
    Strokes,
    boundary_strokes,
    bridge_strokes,
    landmark_strokes,
    parsing_rings,
    sketch_strokes,
    spline_strokes,
)

_NUMPY = {torch.float16: np.float16, torch.float32: np.float32, torch.float64: np.float64}


class Segments(NamedTuple):
    """S straight pieces of one width: ends (S, 2), layer (S,) each is drawn in, and reach in pixels."""

    start: Tensor
    stop: Tensor
    layer: Tensor
    reach: float


class Visits(NamedTuple):
    """Pixels near segments: K steps along a segment's longer axis, A pixels across it at each.

    pixel: (K, A) into the flat picture of all layers. squared: (K, A) squared distance of the pixel's centre
    from the segment. segment: (K,).
    """

    pixel: Tensor
    squared: Tensor
    segment: Tensor


class Profile(NamedTuple):
    """How a pixel's value falls with its distance from a line: plain, blurred, or plain and cut at 1/2."""

    sigma: float | None = None
    binary: bool = False

    def __call__(self, squared: Tensor, reach: float) -> Tensor:
        """Values of the shape of `squared`, in [0, 1]."""
        if self.sigma is None:
            # The root's slope is infinite at 0, where the value is clamped anyway.
            value = (reach - squared.clamp(min=1e-12).sqrt()).clamp(0, 1)
        else:
            value = ((squared * (-0.5 / self.sigma**2)).exp() - BLUR_FLOOR).clamp(min=0) / (1 - BLUR_FLOOR)
        return (value >= 0.5).to(value.dtype) if self.binary else value


def boundary_image(points: Tensor, size: Size = 256, sigma: float = 1.0) -> Tensor:
    """HR-Net's boundary image, (B, 3, H, W), a view of one channel; see `geometry.draw.boundary_image`."""
    segments = [piece._replace(reach=BLUR_REACH * sigma) for piece in _segments(points, boundary_strokes(), 68)]
    return _draw(segments, points, size, Profile(sigma)).expand(-1, 3, -1, -1)


def sketch_map(points: Tensor, size: Size = 256, width: float = 1.5, pupil: float = 4.0) -> Tensor:
    """FIPLS' sketch, (B, 3, H, W), a view of one channel; see `geometry.draw.sketch_map`."""
    segments = _segments(points, sketch_strokes(width, pupil), 98)
    return _draw(segments, points, size, Profile()).expand(-1, 3, -1, -1)


def landmark_map(
    points: Tensor,
    size: Size = 256,
    width: float = 1.0,
    dot: float = 3.0,
    visible: Tensor | None = None,
    binary: bool = True,
) -> Tensor:
    """DG's landmark map, (B, 1, H, W); see `geometry.draw.landmark_map`. visible: (B, 68) bool."""
    segments = _segments(points, landmark_strokes(width, dot), 68, visible)
    return _draw(segments, points, size, Profile(binary=binary))


def spline_heatmap(
    points: Tensor, size: Size = 224, width: float = 1.5, dot: float = 3.0, steps: int = 4
) -> Tensor:
    """GLG's landmark heatmap, (B, 1, H, W); see `geometry.draw.spline_heatmap`."""
    return _draw(_segments(points, spline_strokes(width, dot, steps), 68), points, size, Profile())


def parsing_map(points: Tensor, size: Size = 256, bridge: float = 3.0) -> Tensor:
    """OSFR's face parsing map, (B, 9, H, W); see `geometry.draw.parsing_map`."""
    return _fill(points, bridge, _size(size))


def _check(points: Tensor, count: int) -> None:
    if points.ndim != 3 or points.shape[1] != count or points.shape[2] < 2:
        raise ValueError(f"this drawing takes (B, {count}, 2) points, not {tuple(points.shape)}")
    if not bool(torch.isfinite(points[..., :2]).all()):
        raise ValueError("the points to draw are not all finite")


def _segments(points: Tensor, strokes: Strokes, count: int, visible: Tensor | None = None) -> list[Segments]:
    """The batch's strokes, one item a width, sample b in layer b; without edges that have a hidden end."""
    _check(points, count)
    flat = points[..., :2]
    if strokes.matrix is not None:
        flat = torch.as_tensor(strokes.matrix, dtype=points.dtype, device=points.device) @ flat
    pieces = []
    for width in np.unique(strokes.widths):
        edges = torch.as_tensor(strokes.edges[strokes.widths == width], device=points.device)
        start, stop = (flat[:, edges[:, k]].reshape(-1, 2) for k in range(2))
        layer = torch.arange(len(points), device=points.device).repeat_interleave(len(edges))
        if visible is not None:
            seen = (visible[:, edges[:, 0]] & visible[:, edges[:, 1]]).reshape(-1)
            start, stop, layer = start[seen], stop[seen], layer[seen]
        pieces.append(Segments(start, stop, layer, float(width) / 2 + 0.5))
    return pieces


def _at(table: Tensor, index: Tensor) -> Tensor:
    """table[index], three to eight times as fast on a CPU."""
    return table.index_select(0, index)


def _steps(first: Tensor, count: Tensor) -> tuple[Tensor, Tensor]:
    """For each item, `count` whole numbers from `first` on: (item, number)."""
    item = torch.repeat_interleave(count)
    offset = first - (count.cumsum(0) - count)
    return item, torch.arange(len(item), device=item.device) + _at(offset, item)


@torch.no_grad()
def _visit(segments: Segments, size: tuple[int, int]) -> Visits:
    """Every pixel within reach of a segment, and a few more (see the NumPy form).

    Pixels beyond the picture are replaced by the nearest ones in it: each pixel takes the greatest value of
    all its visits, so a visit too many does no harm.
    """
    delta = segments.stop - segments.start
    steep = delta[:, 1].abs() > delta[:, 0].abs()
    start = torch.where(steep[:, None], segments.start.flip(1), segments.start)
    delta = torch.where(steep[:, None], delta.flip(1), delta)
    limits = torch.where(steep, size[0], size[1]), torch.where(steep, size[1], size[0])
    segment, u, v = _near(start, delta, segments.reach, *limits)
    base, across = segments.layer * (size[0] * size[1]), _at(torch.where(steep, 1, size[1]), segment)
    base = _at(base, segment) + u * _at(torch.where(steep, size[1], 1), segment)
    pixel = torch.addcmul(base[:, None], v.long(), across[:, None])
    return Visits(pixel, _squared_distance(_at(start, segment), _at(delta, segment), u, v), segment)


def _near(
    start: Tensor, delta: Tensor, reach: float, long_limit: Tensor, short_limit: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Segment (K,), row u (K,) along the longer axis, pixels v (K, A) across it."""
    (u0, v0), (du, dv) = start.unbind(1), delta.unbind(1)
    first = (torch.minimum(u0, u0 + du) - reach - 0.5).ceil().clamp(0, 1e6).long().minimum(long_limit)
    last = (torch.maximum(u0, u0 + du) + reach - 0.5).floor().clamp(-1, 1e6).long().minimum(long_limit - 1)
    segment, u = _steps(first, (last - first + 1).clamp(min=0))
    half = 2**0.5 * reach
    share = (u + 0.5 - _at(u0, segment)) / _at(torch.where(du == 0, 1, du), segment)
    low = torch.addcmul(_at(v0 - half - 0.5, segment), share.clamp(0, 1), _at(dv, segment)).ceil()
    v = low[:, None] + torch.arange(math.ceil(2 * half) + 1, device=low.device, dtype=low.dtype)
    return segment, u, v.clamp_(min=0).minimum(_at(short_limit.to(v.dtype) - 1, segment)[:, None])


def _squared_distance(start: Tensor, delta: Tensor, u: Tensor, v: Tensor) -> Tensor:
    """(K, A) from pixel centres to segments (K, 2) + (K, 2), longer axis first."""
    length = (delta * delta).sum(1, keepdim=True).clamp(min=1e-12)
    du, dv, u0, v0 = (value.contiguous() for value in (*delta.split(1, 1), *start.split(1, 1)))
    pu, pv = (u[:, None] + 0.5) - u0, v + (0.5 - v0)
    share = torch.addcmul(pu * du / length, pv, dv / length).clamp(0, 1)
    eu, ev = torch.addcmul(pu, share, du, value=-1), torch.addcmul(pv, share, dv, value=-1)
    return torch.addcmul(eu * eu, ev, ev)


class Traced(NamedTuple):
    """Values of single pixels that remember the points: flat pixel (K,), value (K,)."""

    pixel: Tensor
    value: Tensor


class _Attach(torch.autograd.Function):
    """A finished picture, with the derivative of each traced value at its pixel."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, pixel: Tensor, image: Tensor) -> Tensor:
        ctx.save_for_backward(pixel)
        return image.view_as(image)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        return _at(grads[0].reshape(-1), ctx.saved_tensors[0]), None, None


def _attach(image: Tensor, traced: Sequence[Traced]) -> Tensor:
    """The picture with its gradients; a pixel traced twice is a sum of two."""
    if not traced:
        return image
    pixel, value = (torch.cat(parts) for parts in zip(*traced, strict=True))
    return _Attach.apply(value, pixel, image)


def _paint(
    image: Tensor, pieces: Sequence[Segments], size: tuple[int, int], profile: Profile, outline: bool = False
) -> list[Traced]:
    """Draw into the flat picture of all layers, in place; each pixel takes its greatest value.

    outline: the picture is 1 inside and 0 outside, and the pieces are its edge: a pixel inside takes the least
    of 1 - value. Returns what carries gradients.
    """
    done = [_reduce(image, piece, size, profile, outline) for piece in pieces]
    if profile.binary or not torch.is_grad_enabled():
        return []
    traced = []
    for piece, (visits, value, inside) in zip(pieces, done, strict=True):
        if not piece.start.requires_grad:
            continue
        winner = _winners(image, visits.pixel.view(-1), value)
        pixel = _at(visits.pixel.view(-1), winner)
        segment = _at(visits.segment, winner // visits.pixel.shape[1])
        value = profile(_distance_at(pixel, piece, segment, size), piece.reach)
        traced.append(
            Traced(pixel, value if inside is None else torch.where(_at(inside, winner), 1 - value, value))
        )
    return traced


@torch.no_grad()
def _reduce(
    image: Tensor, piece: Segments, size: tuple[int, int], profile: Profile, outline: bool
) -> tuple[Visits, Tensor, Tensor | None]:
    """Write the greatest values into the picture; returns the visits, their values, and which lie inside."""
    visits = _visit(piece, size)
    value, pixel = profile(visits.squared, piece.reach).view(-1), visits.pixel.view(-1)
    if not outline:
        image.scatter_reduce_(0, pixel, value, "amax")
        return visits, value, None
    inside = _at(image, pixel) > 0
    image.scatter_reduce_(0, pixel, torch.where(inside, 1 + value, value), "amax")
    found = _at(image, pixel)  # 1 and more inside; a pixel visited twice is written twice, the same
    image[pixel] = torch.where(inside, 2 - found, found)
    return visits, torch.where(inside, 2 - (1 + value), value), inside


@torch.no_grad()
def _winners(image: Tensor, pixel: Tensor, value: Tensor) -> Tensor:
    """One visit for each pixel, of those that gave it its value; values 0 and 1 are flat and left out."""
    winner = ((_at(image, pixel) == value) & (value > 0) & (value < 1)).nonzero().squeeze(1)
    owner = torch.empty(len(image), dtype=torch.int64, device=image.device)
    owned = _at(pixel, winner)
    owner[owned] = winner
    return winner[_at(owner, owned) == winner]


def _distance_at(pixel: Tensor, piece: Segments, segment: Tensor, size: tuple[int, int]) -> Tensor:
    """Squared distance (K,) of pixels from the segments that own them, differentiable."""
    inner = pixel % (size[0] * size[1])
    start, stop = _at(piece.start, segment), _at(piece.stop, segment)
    return _squared_distance(start, stop - start, inner % size[1], (inner // size[1])[:, None]).squeeze(1)


def _zeros(points: Tensor, count: int) -> Tensor:
    """Zeros in the points' type. On a CPU NumPy's, whose pages are made when they are first touched: most never
    are, while PyTorch writes them all (68 ms for 64 parsing maps)."""
    if points.device.type != "cpu" or points.dtype not in _NUMPY:
        return points.new_zeros(count)
    return torch.from_numpy(np.zeros(count, _NUMPY[points.dtype]))


def _draw(pieces: Sequence[Segments], points: Tensor, size: Size, profile: Profile) -> Tensor:
    """Segments as (B, 1, H, W)."""
    height, width = _size(size)
    image = _zeros(points, len(points) * height * width)
    traced = _paint(image, pieces, (height, width), profile)
    return _attach(image.view(len(points), 1, height, width), traced)


class Box(NamedTuple):
    """Rows top <= y < bottom and columns left <= x < right of a picture."""

    top: int
    bottom: int
    left: int
    right: int


@torch.no_grad()
def _boxes(points: Tensor, rings: Sequence[Tensor], size: tuple[int, int]) -> list[Box]:
    """The pixels that each class of rings can fill in any sample of the batch."""
    ends = [points[:, ring, :2].reshape(-1, 2) for ring in rings]
    low = torch.stack([xy.amin(0) for xy in ends]).floor()
    high = torch.stack([xy.amax(0) for xy in ends]).ceil()
    limit = points.new_tensor([size[1], size[0]])
    places = torch.cat([low, high], 1).clamp(min=0).minimum(limit.repeat(2)).long().tolist()
    return [Box(top, bottom, left, right) for left, top, right, bottom in places]


@torch.no_grad()
def _inside(start: Tensor, stop: Tensor, box: Box) -> Tensor:
    """Which pixel centres of the box the rings of edges (B, E, 2) run round, (B, H, W) bool."""
    height, width = box.bottom - box.top, box.right - box.left
    sample = torch.arange(len(start), device=start.device)[:, None].expand(start.shape[:2]).reshape(-1)
    (x0, y0), (x1, y1) = (ends.reshape(-1, 2).unbind(1) for ends in (start, stop))
    first = (torch.minimum(y0, y1) - 0.5).ceil().clamp(box.top, box.bottom).long()
    last = (torch.maximum(y0, y1) - 0.5).ceil().clamp(box.top, box.bottom).long()
    edge, row = _steps(first, (last - first).clamp(min=0))
    rise = _at(y1 - y0, edge)
    x = _at(x0, edge) + (row + 0.5 - _at(y0, edge)) * _at(x1 - x0, edge) / rise
    column = (x - 0.5).ceil().clamp(box.left, box.right).long() - box.left
    turns = torch.zeros(len(start), height, width + 1, dtype=torch.int8, device=x.device)
    pixel = (_at(sample, edge) * height + row - box.top) * (width + 1) + column
    turns.view(-1).index_add_(0, pixel, rise.sign().to(torch.int8))
    return turns.cumsum(2, dtype=torch.int8)[..., :width] != 0


def _fill(points: Tensor, bridge: float, size: tuple[int, int]) -> Tensor:
    """OSFR's rings as filled areas and its bridge as a line, (B, 9, H, W)."""
    rings, lines = parsing_rings(), _segments(points, bridge_strokes(bridge), 146)
    count = rings.count + 1
    (edges,) = _segments(points, Strokes(rings.edges, np.zeros(len(rings.edges), np.float32)), 146)
    layer = torch.as_tensor(rings.layers, device=points.device).repeat(len(points))
    edges = edges._replace(layer=edges.layer * count + layer)
    lines = [line._replace(layer=line.layer * count + rings.count) for line in lines]
    image = _zeros(points, len(points) * count * size[0] * size[1])
    picture = image.view(len(points), count, *size)
    classes = [
        torch.as_tensor(rings.edges[rings.layers == i], device=points.device) for i in range(rings.count)
    ]
    boxes = _boxes(points.detach(), [ring[:, 0] for ring in classes], size)
    for number, (ring, box) in enumerate(zip(classes, boxes, strict=True)):
        start, stop = (points.detach()[:, ring[:, end], :2] for end in range(2))
        picture[:, number, box.top : box.bottom, box.left : box.right] = _inside(start, stop, box)
    traced = _paint(image, [edges], size, Profile(), outline=True)
    traced += _paint(image, lines, size, Profile())
    gaze, eyes = OSFR_CLASSES.index("gaze"), OSFR_CLASSES.index("eyes")
    return _attach(picture, _cut(picture, traced, gaze, eyes, boxes[gaze]))


def _cut(image: Tensor, traced: Sequence[Traced], layer: int, by: int, box: Box) -> list[Traced]:
    """Multiply one layer of (B, C, H, W), 0 beyond the box, by another, in place, and the traced values by the
    product rule."""
    plane, flat, result = image[0, 0].numel(), image.view(-1), list(traced)
    for number, (pixel, value) in enumerate(traced):
        drawn = pixel // plane % image.shape[1]
        gazes, eyes = drawn == layer, (drawn == by).nonzero()[:, 0]
        factor = torch.where(gazes, _at(flat, pixel + (by - layer) * plane * gazes), 1)
        result[number] = Traced(pixel, value * factor)
        shift = _at(pixel, eyes) + (layer - by) * plane
        result.append(Traced(shift, _at(value, eyes) * _at(flat, shift)))
    rows, columns = slice(box.top, box.bottom), slice(box.left, box.right)
    image[:, layer, rows, columns] *= image[:, by, rows, columns]
    return result
