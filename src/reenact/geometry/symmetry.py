"""What a turned source hides of its face, lent by the other half when the target shows it.

Faces are nearly symmetric: a cheek that is turned away in the source is seen from the front on the other side.
Light is not symmetric, so the lent half is brought to the brightness and hue that its new neighbours have.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reenact.geometry.head_field import smoothstep
from reenact.geometry.opencv import opencv
from reenact.geometry.raster import in_picture, part_above, rasterise
from reenact.geometry.schemes import FACE_OVAL, MESH_FLIP, MESH_TRIANGLES, facing
from reenact.types import Floats, Image, Points

_SKIN = 468  # points of the mesh without the irises
_HIDDEN = (0.25, 0.55)
_SEEN = (0.3, 0.6)
_BETTER = (0.15, 0.4)
_TURNED = (0.05, 0.3)
"""Cosines to the viewer: where a surface of the source is hidden and where it is not; from which its mirror is
good enough to lend; by how much more that, and the target, must face the viewer."""
_LEAST = 0.03
_INSET = 0.14
_LIGHT = (0.4, 2.8)
_APART = (0.45, 0.75)
_SPREAD = 60  # steps along the mesh's edges


class OtherSide:
    """The other half of one source face. picture: (H, W, 3 or 4). points: (478, 3) in its pixels.

    light: (3,), what colours of the half that is seen are multiplied with to be the hidden one's.
    """

    def __init__(self, picture: Image, points: Points) -> None:
        self._picture = picture
        self._facing = facing(points)
        flip = MESH_FLIP[:_SKIN]
        self._from = points[flip, :2].astype(np.float32)
        # The oval itself lies on hair and ears.
        self._from[FACE_OVAL] += _INSET * (points[:_SKIN, :2].mean(0) - self._from[FACE_OVAL])
        hidden = 1 - smoothstep(self._facing, *_HIDDEN)
        better = smoothstep(self._facing[flip] - self._facing, *_BETTER)
        self._may = hidden * smoothstep(self._facing[flip], *_SEEN) * better
        self._light_of = self._light(picture, points)
        lent = self._light_of[self._may > _LEAST]
        self.light = np.median(lent, 0) if len(lent) else np.ones(3, np.float32)
        # Where one side lies in deep shadow, what it lends looks like a stain.
        apart = np.abs(np.log(self._light_of[self._may > _LEAST])) if self._may.max() > _LEAST else np.zeros(1)
        self._may = self._may * (1 - smoothstep(float(apart.mean()), *_APART))

    def lend(self, out: Image, points: Points, grid: tuple[int, int]) -> None:
        """Draw into the warped picture, in place, what the source hides and target points (478, 3) show. grid:
        width and height of the raster on which it is found."""
        if self._may.max() < _LEAST:
            return
        share = self._may * smoothstep(facing(points) - self._facing, *_TURNED)
        if share.max() < _LEAST:
            return
        height, width = out.shape[:2]
        scale = np.array([grid[0] / width, grid[1] / height, grid[0] / width], np.float32)
        values = np.concatenate([self._from, share[:, None], self._light_of], 1).astype(np.float32)
        found, inside = rasterise(points[:_SKIN] * scale, MESH_TRIANGLES, values, grid)
        amount = found[..., 2] * inside
        if part := part_above(amount, _LEAST):
            self._draw(out, found, inside, part, in_picture(part, grid, (width, height)))

    def _draw(
        self,
        out: Image,
        found: Floats,
        inside: NDArray[np.bool_],
        part: tuple[slice, slice],
        place: tuple[slice, slice],
    ) -> None:
        """A part of the grid, at its place in the picture and at the picture's own resolution: place in the
        source, share and light (h, w, 6) of the raster, and where it has them (h, w)."""
        cv2 = opencv()
        under = out[place]
        size = (under.shape[1], under.shape[0])
        if not min(size):
            return
        # Outside the face the raster is 0, which interpolation must not mix in.
        weight = inside[part].astype(np.float32)
        known = np.maximum(cv2.resize(weight, size), 1e-3)[..., None]
        at = cv2.resize(found[part][..., :2] * weight[..., None], size) / known - np.float32(0.5)
        light = cv2.resize(found[part][..., 3:] * weight[..., None], size) / known
        lent = cv2.remap(self._picture, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        share = (
            cv2.resize(found[part][..., 2] * weight, size)[..., None] / known * np.clip(2 * known - 0.5, 0, 1)
        )
        colour = under[..., :3] + (lent[..., :3] * light - under[..., :3]) * share
        under[..., :3] = np.clip(colour + 0.5, 0, 255).astype(np.uint8)

    def _light(self, picture: Image, points: Points) -> Floats:
        """(468, 3): what lent colours are multiplied with: the ratio of the two sides where both are seen,
        carried on over the mesh to where one is not."""
        flip = MESH_FLIP[:_SKIN]
        side = max(int(np.ptp(points[:_SKIN, 1]) / 16) | 1, 3)
        smooth = opencv().blur(picture, (side, side))[..., :3].astype(np.float32)
        here = _colours(smooth, points[:_SKIN])
        ratio = np.clip((here + 8) / (here[flip] + 8), *_LIGHT)
        known = (self._facing > _HIDDEN[1]) & (self._facing[flip] > _SEEN[0])
        if known.sum() < 5:
            return np.ones((_SKIN, 3), np.float32)
        gain = np.where(known[:, None], ratio, np.median(ratio[known], 0)).astype(np.float32)
        for _ in range(_SPREAD):
            near = np.stack([np.bincount(_ENDS[0], gain[_ENDS[1], c], _SKIN) for c in range(3)], 1)
            gain = np.where(known[:, None], ratio, near / _VALENCE[:, None]).astype(np.float32)
        return gain


def _colours(picture: Floats, at: Points) -> Floats:
    height, width = picture.shape[:2]
    x, y = at[:, 0].astype(int).clip(0, width - 1), at[:, 1].astype(int).clip(0, height - 1)
    return picture[y, x]


_EDGES = np.concatenate([MESH_TRIANGLES[:, [0, 1]], MESH_TRIANGLES[:, [1, 2]], MESH_TRIANGLES[:, [2, 0]]])
_ENDS = np.concatenate([_EDGES, _EDGES[:, ::-1]]).T
_VALENCE = np.bincount(_ENDS[0], minlength=_SKIN).astype(np.float32)
