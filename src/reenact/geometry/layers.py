"""The source as two layers: the person, who moves, and what is behind, which stays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reenact.geometry.opencv import opencv
from reenact.types import Floats, Image, Points


class Layers:
    """The source as a person, premultiplied, over a background that stands still.

    `person(where) + (1 - matte(where)) * background` gives the source back (to one level) where nothing moves,
    and carries what the matte's soft edge mixes along with the hair.
    """

    def __init__(self, picture: Image, matte: Floats, scale: float) -> None:
        hidden = hidden_by_person(matte, scale)
        self._background = without_person(picture, hidden)
        plate = self._background.astype(np.float32)
        # No pixel can hold more of the background than there is light in it: hair on a bright wall.
        least = 1 - (picture[..., :3] / np.maximum(plate[..., :3], 1)).min(2)
        alpha = np.clip(np.maximum(matte, least * hidden), 0, 1)[..., None]
        person = np.clip(picture - (1 - alpha) * plate + 0.5, 0, 255)
        self._person = person.astype(np.uint8)
        self._clear = ((1 - alpha[..., 0]) * 255 + 0.5).astype(np.uint8)

    def compose(self, corners: Points) -> Image:
        """The picture (H, W, C) with the person taken from `corners` (H, W, 2), counted from 0."""
        cv2 = opencv()
        # Fixed-point maps: bilinear sampling of 8-bit pictures rounds to 1/32 px in any case.
        maps = cv2.convertMaps(corners, None, cv2.CV_16SC2)
        person, clear = (
            cv2.remap(layer, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            for layer in (self._person, self._clear)
        )
        behind = cv2.multiply(self._background, cv2.merge([clear] * person.shape[2]), scale=1 / 255)
        return cv2.add(person, behind)


def hidden_by_person(matte: Floats, scale: float) -> NDArray[np.bool_]:
    """(H, W): where the person is, and a rim around, since mattes end short of fine hair. scale: pixels a
    canonical unit."""
    side = max(int(scale * 0.08) | 1, 3)
    return opencv().dilate((matte > 0.02).astype(np.uint8), np.ones((side, side), np.uint8)) > 0


def without_person(picture: Image, hidden: NDArray[np.bool_]) -> Image:
    """The background (H, W, C) with what is `hidden` (H, W) taken out: each such pixel takes the colours around
    the hole, ever smoother with depth (push and pull over a pyramid)."""
    known = (~hidden).astype(np.float32)
    filled = _pull(picture.astype(np.float32) * known[..., None], known)
    out = np.where(hidden[..., None], filled, picture)
    return np.clip(out + 0.5, 0, 255).astype(np.uint8)


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
