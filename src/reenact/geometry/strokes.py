"""What each drawing consists of: tables that the NumPy form and the torch form both read.

A drawing is a set of strokes: points, made from landmarks by a fixed matrix where the lines are curved,
and edges between them. An edge from a point to itself is a disc. Filled classes are closed rings.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from reenact.geometry.schemes.parts import (
    HR_NET_PARTS,
    IBUG_PARTS,
    OSFR_CLASSES,
    OSFR_FILLS,
    OSFR_PARTS,
    WFLW_PARTS,
    Part,
)
from reenact.types import Floats

Edges = NDArray[np.int64]

BLUR_REACH = 3.0
"""A blurred line ends at this many standard deviations."""
BLUR_FLOOR = float(np.exp(-(BLUR_REACH**2) / 2))


@dataclass(frozen=True)
class Strokes:
    """Lines and discs. P landmarks, M stroke points, E edges.

    edges: (E, 2) into the stroke points. widths: (E,) in pixels, diameters for discs. matrix: (M, P) makes
    the stroke points from the landmarks; None where they are the landmarks themselves.
    """

    edges: Edges
    widths: Floats
    matrix: Floats | None = None


@dataclass(frozen=True)
class Rings:
    """Closed outlines, each in a layer. edges: (E, 2) into the landmarks. layers: (E,). count: layers."""

    edges: Edges
    layers: Edges
    count: int


def _edge_array(edges: Iterable[tuple[int, int]]) -> Edges:
    return np.array(list(edges), np.int64).reshape(-1, 2)


def _strokes(parts: Sequence[Part], width: float, dots: Sequence[int], dot: float) -> Strokes:
    lines = _edge_array(edge for part in parts for edge in part.edges)
    discs = _edge_array((index, index) for index in dots)
    widths = np.concatenate([np.full(len(lines), width), np.full(len(discs), dot)]).astype(np.float32)
    return Strokes(np.concatenate([lines, discs]), widths)


@lru_cache
def boundary_strokes() -> Strokes:
    """HR-Net's boundary image on 68 points: 13 parts, thin lines (section III-B)."""
    return _strokes(HR_NET_PARTS, 0.0, (), 0.0)


@lru_cache
def sketch_strokes(width: float, pupil: float) -> Strokes:
    """FIPLS' sketch on 98 points: lines `width` wide, pupils `pupil` across."""
    return _strokes(WFLW_PARTS, width, (96, 97), pupil)


@lru_cache
def landmark_strokes(width: float, dot: float) -> Strokes:
    """DG's landmark map on 68 points: dots, and an edge between neighbours (section 3.2)."""
    return _strokes(IBUG_PARTS, width, range(68), dot)


@lru_cache
def spline_strokes(width: float, dot: float, steps: int) -> Strokes:
    """GLG's heatmap on 68 points: dots, and a cubic B-spline through each part (section III-B)."""
    rows: list[Floats] = []
    edges: list[tuple[int, int]] = []
    start = 0
    for part in IBUG_PARTS:
        samples = spline_matrix(len(part.indices), part.closed, steps)
        curve = np.zeros((len(samples), 68), np.float32)
        curve[:, list(part.indices)] = samples
        chain = Part(part.name, tuple(range(start, start + len(curve))), part.closed)
        rows.append(curve)
        edges.extend(chain.edges)
        start += len(curve)
    dots = [(start + index, start + index) for index in range(68)]
    widths = np.concatenate([np.full(len(edges), width), np.full(68, dot)]).astype(np.float32)
    return Strokes(_edge_array([*edges, *dots]), widths, np.concatenate([*rows, np.eye(68, dtype=np.float32)]))


@lru_cache
def parsing_rings() -> Rings:
    """OSFR's filled classes on 146 points, one layer each in the order of `OSFR_CLASSES` (section 3.2.1)."""
    edges: list[tuple[int, int]] = []
    layers: list[int] = []
    for layer, name in enumerate(OSFR_CLASSES[:-1]):
        for ring in OSFR_FILLS[name]:
            found = Part(name, ring, closed=True).edges
            edges.extend(found)
            layers.extend([layer] * len(found))
    return Rings(_edge_array(edges), np.array(layers, np.int64), len(OSFR_CLASSES) - 1)


@lru_cache
def bridge_strokes(width: float) -> Strokes:
    """OSFR's nose bridge on 146 points: the one class that is a line."""
    return _strokes([part for part in OSFR_PARTS if part.name == "nose_bridge"], width, (), 0.0)


@lru_cache
def spline_matrix(count: int, closed: bool, steps: int) -> Floats:
    """Samples of the cubic spline through `count` points as a matrix on the points.

    Knots are uniform; an open curve has natural ends, a closed one is periodic. Returns (M, count) with
    M = steps * (count - 1) + 1 open, steps * count closed; row `steps * i` is point i itself.
    """
    eye = np.eye(count)
    if closed:
        neighbours = np.roll(eye, 1, axis=1) + np.roll(eye, -1, axis=1)
        bend = np.linalg.solve(4 * eye + neighbours, 6 * (neighbours - 2 * eye))
    else:
        inner = np.eye(count, k=1) + np.eye(count, k=-1)
        left, right = 4 * eye + inner, 6 * (inner - 2 * eye)
        for end in (0, count - 1):
            left[end], right[end] = eye[end], 0
        bend = np.linalg.solve(left, right)
    spans = count if closed else count - 1
    t = (np.arange(steps) / steps)[:, None]
    rows = [_span_rows(eye, bend, i, (i + 1) % count, t) for i in range(spans)]
    tail = [] if closed else [eye[-1:]]
    return np.concatenate([*rows, *tail]).astype(np.float32)


def _span_rows(value: np.ndarray, bend: np.ndarray, i: int, j: int, t: np.ndarray) -> np.ndarray:
    s = 1 - t
    return s * value[i] + t * value[j] + ((s**3 - s) * bend[i] + (t**3 - t) * bend[j]) / 6
