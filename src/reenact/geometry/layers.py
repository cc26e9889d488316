"""The source as two layers: the person, who moves, and what is behind, which stays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reenact.geometry.head_field import smoothstep
from reenact.geometry.opencv import opencv
from reenact.types import Floats, Image, Points

_MIRROR = (0.15, 0.5)
"""How deep behind the person the background goes on mirrored, and where only its colours are left, in canonical
units."""
_MIRROR_SHARE = 0.5
"""Of the mirror, the rest is those colours: what is made up costs less where it is wrong."""
_MIRROR_SIDE = 256
"""Pixels of the picture's longer side where the mirror's places are worked out."""


class Layers:
    """The source as a person, premultiplied, over a background that stands still.

    `person(where) + (1 - matte(where)) * background` gives the source back (to one level) where nothing moves,
    and carries what the matte's soft edge mixes along with the hair.
    """

    def __init__(self, picture: Image, matte: Floats, scale: float) -> None:
        hidden = hidden_by_person(matte, scale)
        self.background = without_person(picture, hidden, scale)
        plate = self.background.astype(np.float32)
        # No pixel can hold more of the background than there is light in it: hair on a bright wall.
        least = 1 - (picture[..., :3] / np.maximum(plate[..., :3], 1)).min(2)
        alpha = np.clip(np.maximum(matte, least * hidden), 0, 1)[..., None]
        person = np.clip(picture - (1 - alpha) * plate + 0.5, 0, 255)
        self._person = person.astype(np.uint8)
        self._clear = ((1 - alpha[..., 0]) * 255 + 0.5).astype(np.uint8)

    def compose(self, corners: Points, place: Any = np.s_[:, :], light: Floats | None = None) -> Image:
        """The picture (H, W, C), or its part at `place`, with the person taken from `corners` (H, W, 2),
        counted from 0. light: (3,), what the person's colours are multiplied with."""
        cv2 = opencv()
        # Fixed-point maps: bilinear sampling of 8-bit pictures rounds to 1/32 px in any case.
        maps = cv2.convertMaps(corners, None, cv2.CV_16SC2)
        person, clear = (
            cv2.remap(layer, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            for layer in (self._person, self._clear)
        )
        if light is not None:
            person[..., :3] = np.clip(person[..., :3] * light + 0.5, 0, 255)
        behind = cv2.multiply(self.background[place], cv2.merge([clear] * person.shape[2]), scale=1 / 255)
        return cv2.add(person, behind)


def hidden_by_person(matte: Floats, scale: float) -> NDArray[np.bool_]:
    """(H, W): where the person is, and a rim around, since mattes end short of fine hair. scale: pixels a
    canonical unit."""
    side = max(int(scale * 0.08) | 1, 3)
    return opencv().dilate((matte > 0.02).astype(np.uint8), np.ones((side, side), np.uint8)) > 0


def without_person(picture: Image, hidden: NDArray[np.bool_], scale: float) -> Image:
    """The background (H, W, C) with what is `hidden` (H, W) taken out: near its edge the background goes on as
    in a mirror, so that flags and the grain of prints do not end there; deeper, the colours around the hole,
    ever smoother (push and pull over a pyramid). scale: pixels a canonical unit."""
    known = (~hidden).astype(np.float32)
    seen = picture.astype(np.float32) * known[..., None]
    filled = _pull(seen, known)
    if hidden.any() and not hidden.all():
        colour, weight = _mirrored(seen, known, scale)
        filled += weight[..., None] * (colour - filled)
    out = np.where(hidden[..., None], filled, picture)
    return np.clip(out + 0.5, 0, 255).astype(np.uint8)


def _mirrored(seen: Floats, known: Floats, scale: float) -> tuple[Floats, Floats]:
    """The known picture (H, W, C), 0 where `known` (H, W) is 0, reflected at the edge of what is known, and how
    much of it is to be trusted (H, W): less with depth, and nothing where the mirror shows what is hidden."""
    cv2 = opencv()
    size = known.shape[::-1]
    shrink = max(max(size) / _MIRROR_SIDE, 1.0)
    small = (max(round(size[0] / shrink), 1), max(round(size[1] / shrink), 1))
    hole = (cv2.resize(known, small, interpolation=cv2.INTER_AREA) < 0.999).astype(np.uint8)
    depth, move = _way_out(hole, scale / shrink / 10)
    depth, move = (cv2.resize(x, size) * np.float32(shrink) for x in (depth, move))
    at = np.dstack(np.meshgrid(*(np.arange(n, dtype=np.float32) for n in size))) + 2 * move
    maps = cv2.convertMaps(at, None, cv2.CV_16SC2)
    colour, weight = (
        cv2.remap(x, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101) for x in (seen, known)
    )
    near = 1 - smoothstep(depth / scale, *_MIRROR)
    colour = colour.reshape(seen.shape) / np.maximum(weight, 1e-3)[..., None]
    return colour, _MIRROR_SHARE * weight * near.astype(np.float32)


def _way_out(hole: NDArray[np.uint8], blur: float) -> tuple[Floats, Floats]:
    """From each pixel of a hole (H, W) to the nearest outside: how far (H, W), and which way (H, W, 2),
    smoothed by a Gaussian of `blur` pixels, so that neighbours are mirrored at one edge. 0 outside the hole."""
    cv2 = opencv()
    if hole.all():
        return np.zeros(hole.shape, np.float32), np.zeros((*hole.shape, 2), np.float32)
    depth, nearest = cv2.distanceTransformWithLabels(hole, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    outside = np.argwhere(hole == 0)[:, ::-1].astype(np.float32)
    place = np.zeros((nearest.max() + 1, 2), np.float32)
    place[nearest[hole == 0]] = outside
    here = np.dstack(np.meshgrid(*(np.arange(n, dtype=np.float32) for n in hole.shape[::-1])))
    within = hole.astype(np.float32)
    blur = max(blur, 0.5)
    move = cv2.GaussianBlur((place[nearest] - here) * within[..., None], (0, 0), blur)
    move /= np.maximum(cv2.GaussianBlur(within, (0, 0), blur), 1e-3)[..., None]
    return depth, move * within[..., None]


def _pull(colour: Floats, weight: Floats) -> Floats:
    cv2 = opencv()
    height, width = weight.shape
    if min(height, width) <= 2:
        total = weight.sum()
        mean = colour.sum((0, 1)) / total if total > 1e-6 else np.full(colour.shape[2], 128, np.float32)
        return np.broadcast_to(mean, colour.shape).astype(np.float32)
    half = ((width + 1) // 2, (height + 1) // 2)
    small_colour = cv2.resize(colour, half, interpolation=cv2.INTER_AREA)
    small_weight = cv2.resize(weight, half, interpolation=cv2.INTER_AREA)
    coarse = _pull(small_colour, small_weight)
    coarse = cv2.resize(coarse, (width, height)).reshape(colour.shape)
    share = np.clip(weight, 0, 1)[..., None]
    here = colour / np.maximum(weight, 1e-6)[..., None]
    return here * share + coarse * (1 - share)
