"""What a turned source hides of its head beside the face, lent by the near side when the target shows it.

The head's bowl has no other side: carried along with it, the source's own far outline would stand beside the
face as a second one. Where the target turns back, the hair, the ear and the outline of the near side are drawn
there instead, mirrored. Inside the face `symmetry.OtherSide` does the same.
"""

from __future__ import annotations

import numpy as np

from reenact.geometry.face_model import rotation_matrix
from reenact.geometry.head_field import edge_field, project, smoothstep, unproject
from reenact.geometry.layers import Layers
from reenact.geometry.opencv import opencv
from reenact.geometry.raster import in_picture, part_above, pixel_centres
from reenact.geometry.schemes import FACE_OVAL, MESH_FLIP
from reenact.types import FaceState, Floats, Image, Points

_TURNED = (np.deg2rad(19), np.deg2rad(23))
"""Yaw of the source up to which its far side is seen, and from which it is hidden."""
_BACK = (np.deg2rad(4), np.deg2rad(11))
"""How much less than the source the target must be turned for the far side to be drawn anew."""
_BEHIND = (np.deg2rad(10), np.deg2rad(40))
"""Yaw of the target between which the far ear goes behind the face."""
_CHIN, _HIGHER = (1.1, 1.9), 0.45
"""Canonical units below the eyes between which what is lent ends, since collars are not heads; where the far
ear is behind the face, so much higher."""
_BESIDE = (-0.1, 0.2)
"""Canonical units from the face's middle, where the far side begins."""
_HEAD, _BEYOND = (1.5, 1.75), 1.25
"""Half axes of an ellipse around the head's middle (0, 0.1) in canonical units; by so much further out nothing
is lent."""
_BORDER = 0.1
"""Canonical units within the picture's border where lending ends."""
_CROWN, _CROWN_AT = 0.6, (0.4, 1.2)
"""How much deeper than the bowl the middle of a head's crown lies, and from where to where above the eyes it
comes to that."""
_SIDES = 0.55
"""How much deeper than the bowl ears and the hair beside them lie at least, as five clips of people who turn
back show."""
_WRONG = (0.15, 0.35)
"""Share of the wall on the far side that a matte calls a person, up to which it is believed and from which it
is not: then what is beside the head stays as it is."""
_LEAST = 0.03


class FarSide:
    """The far side of one source's head. layers: the picture, cut by the matte (H, W) in [0, 1], 1 where the
    person is. points: (478, 3) in the picture's pixels. grid: width and height of the grid that flows are on.
    light: (3,), what lent colours are multiplied with."""

    def __init__(
        self,
        layers: Layers,
        matte: Floats,
        points: Points,
        state: FaceState,
        grid: tuple[int, int],
        light: Floats,
    ) -> None:
        self._layers, self._points, self._state, self._light = layers, points, state, light
        self._size, self._grid = (matte.shape[1], matte.shape[0]), grid
        columns, rows = (max(side // 4, 4) for side in grid)
        self._at = pixel_centres(columns, rows, *self._size)
        yaw = _yaw(state)
        self._sign, self._yaw = -float(np.sign(yaw)), abs(yaw)
        self._hidden = float(smoothstep(self._yaw, *_TURNED))
        wrong = self._beyond(matte) if self._hidden else 0.0
        self._wall = np.float32(1 - smoothstep(wrong, *_WRONG))

    def _beyond(self, matte: Floats) -> float:
        """How much of the wall beside the far side of the head the matte calls a person."""
        local = unproject(self._at, self._state)
        wall = (self._sign * local[..., 0] > 0) & (self._head_of(local) == 0) & (local[..., 1] < _CHIN[0])
        seen = opencv().resize(matte, local.shape[1::-1], interpolation=opencv().INTER_AREA)
        return float(seen[wall].mean()) if wall.any() else 0.0

    def lend(self, out: Image, share: Floats, points: Points, head: FaceState) -> None:
        """Draw into the warped picture, in place. share: (h, w, 1) of the face in it, on the grid. points:
        (478, 3) of the target; head: the pose of its head."""
        cv2 = opencv()
        yaw = -self._sign * _yaw(head)
        back = float(smoothstep(self._yaw - yaw, *_BACK))
        if min(back, self._hidden) < _LEAST:
            return
        local = unproject(self._at, head)
        behind = float(smoothstep(yaw, *_BEHIND))
        side = self._beside(local, yaw, behind, back)
        where = self._source_of(local, points, head, np.tan(yaw))
        inside = np.minimum(where, np.array(self._size, np.float32) - where).min(2) / self._state.scale
        person = self._head_of(local) * smoothstep(inside, 0, _BORDER)
        amount = self._hidden * cv2.resize(side, self._grid) * (1 - share[..., 0])
        part = part_above(amount, _LEAST)
        if part is None:
            return
        place = in_picture(part, self._grid, self._size)
        under = out[place]
        size = (under.shape[1], under.shape[0])
        if not min(size):
            return
        corners = cv2.resize(cv2.resize(where, self._grid)[part], size) - np.float32(0.5)
        wall = self._layers.background[place].astype(np.float32)
        wall = under + (wall - under) * self._wall
        lent = self._layers.compose(corners, place, self._light).astype(np.float32)
        lent = wall + (lent - wall) * cv2.resize(cv2.resize(person, self._grid)[part], size)[..., None]
        weight = cv2.resize(amount[part], size)[..., None]
        under[:] = np.clip(under + (lent - under) * weight + 0.5, 0, 255).astype(np.uint8)

    def _beside(self, local: Points, yaw: float, behind: float, back: float) -> Floats:
        """(h, w) in [0, 1]: which points of the target's bowl (h, w, 2) are drawn anew: the far side of the
        head, from the outside in as it turns back, so that nothing is half transparent."""
        x, y = local[..., 0], local[..., 1]
        begin = (1 - back) * _HEAD[0]
        beside = smoothstep(self._sign * x + _crown(y) * np.tan(yaw) - begin, *_BESIDE)
        above = 1 - smoothstep(y + _HIGHER * behind, *_CHIN)
        return beside * above

    @staticmethod
    def _head_of(local: Points) -> Floats:
        """(h, w) in [0, 1]: which points of the bowl (h, w, 2) are a head's at all, whatever a matte says."""
        across, up = local[..., 0] / _HEAD[0], (local[..., 1] - 0.1) / _HEAD[1]
        return 1 - smoothstep(np.hypot(across, up), 1, _BEYOND)

    def _source_of(self, local: Points, points: Points, head: FaceState, slide: float) -> Floats:
        """Where in the source the mirrored head has what is seen at each cell, whose place on the bowl is
        `local` (h, w, 2); the face's edge, and what is near it, is at the mirrored edge. slide: the tangent
        of the target's yaw."""
        edge, own = points[FACE_OVAL, :2], self._points[MESH_FLIP[FACE_OVAL], :2]
        rest = own - project(self._mirrored(unproject(edge, head), slide), self._state)
        trust = np.ones(len(edge), np.float32)
        return project(self._mirrored(local, slide), self._state) + edge_field(
            self._at, edge, rest, trust, head.scale
        )

    def _mirrored(self, local: Points, slide: float) -> Points:
        """Points (..., 2) of the bowl on the other side. Seen from the side, what lies deeper than the bowl is
        off to the near side in it, in the source and in the target."""
        deeper = np.maximum(_crown(local[..., 1]), np.float32(_SIDES))
        off = self._sign * deeper * (slide + np.tan(self._yaw))
        return np.stack([-local[..., 0] - off, local[..., 1]], -1).astype(np.float32)


def _yaw(state: FaceState) -> float:
    """The head's yaw in radians: the angle between its line of sight and the viewer's, to the side."""
    return float(np.arcsin(np.clip(rotation_matrix(state.rotation)[0, 2], -1, 1)))


def _crown(y: Floats) -> Floats:
    """How much deeper the middle of the head lies than the bowl, at canonical heights."""
    return np.float32(_CROWN) * smoothstep(-y, *_CROWN_AT)
