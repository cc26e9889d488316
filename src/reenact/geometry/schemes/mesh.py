"""The mesh of 478 points: its triangles, its rings, its mirror.

Point numbers are those of MediaPipe's face mesh with irises (468 skin points, then 5 an iris). 'Left' and
'right' are the subject's own in this whole package, as in MediaPipe and iBUG: the left eye of a face that
looks at the viewer lies on the picture's right.

The triangles are the 3-cliques of MediaPipe's published edge list that are faces of a disc with three
holes (V - E + F = 468 - 1322 + 852 = -2): the two eyes and the mouth. The mirror was found by matching the
mean of 69 faces and their mirrored pictures with the mean's reflection; the largest gap was 0.8 % of the
distance between the outer eye corners.
"""

from __future__ import annotations

from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int32]


def _load_topology() -> tuple[Indices, Indices]:
    with (files("reenact") / "assets" / "mesh_topology.npz").open("rb") as stream, np.load(stream) as arrays:
        return arrays["triangles"].astype(np.int32), arrays["mirror"].astype(np.int32)


MESH_TRIANGLES, MESH_FLIP = _load_topology()
"""MESH_TRIANGLES (852, 3): the skin, eyes and mouth left open; corners run clockwise on the screen where the
triangle faces the viewer, so that `signed_area` (y down) is positive. MESH_FLIP (478,): the point that takes
each point's place in the mirrored picture: `mirrored = points[MESH_FLIP] * (-1, 1, 1) + (width, 0, 0)`."""

MESH_TRIANGLES.setflags(write=False)
MESH_FLIP.setflags(write=False)


def _ring(text: str) -> Indices:
    ring = np.array([int(word) for word in text.split()], np.int32)
    ring.setflags(write=False)
    return ring


FACE_OVAL = _ring(
    "10 338 297 332 284 251 389 356 454 323 361 288 397 365 379 378 400 377 152 148 176 149 150 136 172 58 "
    "132 93 234 127 162 21 54 103 67 109"
)
"""(36,) closed, from the middle of the forehead, clockwise on the screen."""

RIGHT_EYE = _ring("33 246 161 160 159 158 157 173 133 155 154 153 145 144 163 7")
"""(16,) closed: outer corner, upper lid (1:8), inner corner (8), lower lid back (9:16)."""
LEFT_EYE = MESH_FLIP[RIGHT_EYE]
"""(16,) closed, the same order as RIGHT_EYE from the left eye's own outer corner."""

LIPS_OUTER = _ring("61 185 40 39 37 0 267 269 270 409 291 375 321 405 314 17 84 181 91 146")
"""(20,) closed: right corner, upper lip to the left corner (10), lower lip back."""
LIPS_INNER = _ring("78 191 80 81 82 13 312 311 310 415 308 324 318 402 317 14 87 178 88 95")
"""(20,) closed, ordered as LIPS_OUTER."""
UPPER_LIP = np.concatenate([LIPS_OUTER[:11], LIPS_INNER[10::-1]])
"""(22,) closed outline of the upper lip: outer edge right to left, inner edge back."""
LOWER_LIP = np.concatenate([LIPS_OUTER[10:], LIPS_OUTER[:1], LIPS_INNER[:1], LIPS_INNER[:9:-1]])
"""(22,) closed outline of the lower lip: outer edge left to right, inner edge back."""

RIGHT_BROW = _ring("70 63 105 66 107 55 65 52 53 46")
"""(10,) closed: upper edge from the outer end to the nose, lower edge back."""
LEFT_BROW = MESH_FLIP[RIGHT_BROW]

RIGHT_IRIS = _ring("471 470 469 472")
"""(4,) closed: picture-left, top, picture-right, bottom of the right iris."""
LEFT_IRIS = _ring("476 475 474 477")
"""(4,) closed: picture-left, top, picture-right, bottom of the left iris."""
RIGHT_IRIS_CENTRE, LEFT_IRIS_CENTRE = 468, 473

NOSE_BRIDGE = _ring("168 6 197 195 5 4 1")
"""(7,) open, from between the eyes to the tip."""
NOSE_BASE = _ring("64 98 97 2 326 327 294")
"""(7,) open: under the nose from the right wing to the left one."""
NOSE_OUTLINE = _ring("168 122 174 198 49 48 64 98 97 2 326 327 294 278 279 420 399 351")
"""(18,) closed: from between the eyes down the right side, under the nose, up the left side."""

JAW = _ring("234 93 132 58 172 136 150 149 176 148 152 377 400 378 379 365 397 288 361 323 454")
"""(21,) open: from the right ear over the chin (10) to the left ear, picture-left to picture-right."""


def _strip(first: Indices, second: Indices) -> Indices:
    """Triangles between two chains of N points that share both ends (N - 2 quads' worth)."""
    pairs = [(first[i], first[i + 1], second[i + 1], second[i]) for i in range(len(first) - 1)]
    quads = [t for a, b, c, d in pairs for t in ((a, b, c), (a, c, d)) if len(set(t)) == 3]
    return np.array(quads, np.int32)


HOLE_TRIANGLES: dict[str, Indices] = {
    "right_eye": _strip(RIGHT_EYE[:9], np.roll(RIGHT_EYE[::-1], 1)[:9]),
    "left_eye": _strip(LEFT_EYE[:9], np.roll(LEFT_EYE[::-1], 1)[:9])[:, ::-1],
    "mouth": _strip(LIPS_INNER[:11], np.roll(LIPS_INNER[::-1], 1)[:11]),
}
"""Triangles that close the eyes (14, 3 each) and the mouth (18, 3), wound as MESH_TRIANGLES; together with
them they make MediaPipe's canonical 898."""

MESH_GROUPS: dict[str, Indices] = {
    "oval": FACE_OVAL,
    "jaw": JAW,
    "right_brow": RIGHT_BROW,
    "left_brow": LEFT_BROW,
    "right_eye": RIGHT_EYE,
    "left_eye": LEFT_EYE,
    "right_iris": RIGHT_IRIS,
    "left_iris": LEFT_IRIS,
    "nose_bridge": NOSE_BRIDGE,
    "nose_base": NOSE_BASE,
    "nose": NOSE_OUTLINE,
    "lips_outer": LIPS_OUTER,
    "lips_inner": LIPS_INNER,
    "upper_lip": UPPER_LIP,
    "lower_lip": LOWER_LIP,
}
"""Named chains of mesh points, each ordered as its own constant says."""


def signed_area(points: NDArray[np.floating], triangles: Indices = MESH_TRIANGLES) -> NDArray[np.floating]:
    """Signed area in square pixels of each triangle in the picture, (T,), positive where it faces the viewer.

    points: (N, 2 or more) with y down. triangles: (T, 3).
    """
    a, b, c = (points[triangles[:, k], :2] for k in range(3))
    u, v = b - a, c - a
    return (u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]) / 2
