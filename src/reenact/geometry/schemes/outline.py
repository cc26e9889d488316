"""The visible outline of a turned face, as two-dimensional data sets mark the jaw.

The mesh's jaw points stay on the bone, so that in a half profile the far half of the jaw crosses the cheek.
WFLW, the 106-point sets and iBUG's 2D marks follow the visible outline there instead: the far points slide
outward over the skin at their height, as far as it goes. The nose, which stands out beyond the cheek, is no
part of the outline.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reenact.geometry.schemes.layouts import WEIGHTS, convert_points
from reenact.geometry.schemes.mesh import MESH_FLIP
from reenact.types import Scheme

# Skin between each of the right side's 16 jaw points (ear first) and the middle of the face, on the symmetric
# mean face: within 5 degrees of the point as seen from the nose, without nose, lips and the rim itself.
_STRIPS = (
    "34 143 111 31 228 229 119",
    "227 116 111 117 118",
    "101",
    "123 50",
    "147 36",
    "147 187 205",
    "213 207",
    "215 192 206",
    "138 214 216",
    "135 214 212 57 186",
    "169 210 202 57",
    "169 211 210 204 202 43",
    "170 211 204",
    "140 32 194",
    "171 208 201 83",
    "171 208 201 83",
)

_FRONTAL = (0, 0, 0, 0, 0, 0, 0, 0.008, 0.031, 0.02, 0.008, 0, 0.041, 0.039, 0.037, 0.024)
_SLACK = 0.01
"""How far, in face heights, the strips stand out beyond the jaw on the frontal mean face, and what is added for
cheeks rounder than the mean's: a point slides only by what is more."""


def _strip_masks() -> NDArray[np.bool_]:
    """(33, 478): the skin that each jaw point may slide over, its neighbours' included."""
    right = np.zeros((16, 478), bool)
    for k in range(16):
        for strip in _STRIPS[max(k - 1, 0) : k + 2]:
            right[k, [int(word) for word in strip.split()]] = True
    return np.concatenate([right, np.zeros((1, 478), bool), right[::-1, MESH_FLIP]])


_SKIN = _strip_masks()
_JAW_ROWS: dict[Scheme, slice] = {"ibug68": slice(0, 33, 2), "wflw98": slice(0, 33), "osfr146": slice(0, 33)}


def convert_outline(points: NDArray[np.floating], scheme: Scheme) -> NDArray[np.floating]:
    """As `convert_points`, with the jaw on the visible outline: (478, D) to (N, D).

    Only x and y of jaw points change, and only across the face, at right angles to the line from the chin to
    the forehead. A frontal face is left as it is, but for cheeks that bulge far over the jaw.
    """
    converted = np.array(convert_points(points, scheme), copy=True)
    jaw = WEIGHTS["wflw98"][:33].astype(points.dtype) @ points
    up = points[10, :2] - points[152, :2]
    across = np.array([-up[1], up[0]]) / max(float(np.hypot(*up)), 1e-6)
    outward = np.concatenate([np.full(17, -1.0), np.ones(16)])
    reach = np.where(_SKIN, outward[:, None] * (points[:, :2] @ across), -np.inf).max(axis=1)
    idle = (np.array([*_FRONTAL, 0, *_FRONTAL[::-1]]) + _SLACK) * float(np.hypot(*up))
    slide = np.maximum(reach - outward * (jaw[:, :2] @ across) - idle, 0) * outward
    # The strips hold few points each: the mean of neighbours keeps the outline from jumping between them.
    padded = np.concatenate([slide[:1], slide, slide[-1:]])
    slide = (padded[:-2] + 2 * slide + padded[2:]) / 4
    rows = _JAW_ROWS[scheme]
    converted[: len(jaw[rows]), :2] += (slide[:, None] * across)[rows]
    return converted
