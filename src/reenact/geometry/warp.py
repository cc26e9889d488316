"""Dense warp of a portrait to target landmarks.

Inside the face the mesh is rasterised with a depth buffer, so that every visible pixel has its exact place in
the source; outside, the head's bowl turns with it and fades below the chin (`head_field.py`); eyes and mouth
are patches of their own (`apertures.py`). With a matte of the person the picture is two layers, and the
background stays where it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from reenact.geometry.apertures import (
    EYES,
    eye_source,
    mouth_source,
    opening,
    paint_eye,
    paint_mouth,
    seam,
    tone_of,
)
from reenact.geometry.far_side import FarSide
from reenact.geometry.head_field import Fade, edge_field, head_field, smoothstep
from reenact.geometry.layers import Layers
from reenact.geometry.opencv import opencv
from reenact.geometry.raster import pixel_centres, rasterise
from reenact.geometry.schemes import FACE_OVAL, HOLE_TRIANGLES, LIPS_INNER, MESH_TRIANGLES, signed_area
from reenact.geometry.slits import SLITS
from reenact.geometry.symmetry import OtherSide
from reenact.types import FaceState, Floats, Image, Points

_SURFACE = np.concatenate([MESH_TRIANGLES, *HOLE_TRIANGLES.values()]).astype(np.int32)
_SKIN = np.array([50, 280, 101, 330, 117, 346, 151, 108, 337], np.int32)
_CHEEKS = np.array([[50, 101, 36, 205, 206], [280, 330, 266, 425, 426]], np.int32)
"""Where the skin is seen whose tone painted eyes and mouths have; and beside the mouth, right and left."""
_HEAD_RADIUS = 1.25
_LID_SHUT, _LID_OPEN = 0.07, 0.16
_LASHES = 0.12
_BORDER = 0.14
_LIDS, _LIPS = ((0.03, 0.08), (0.05, 0.12)), ((0.015, 0.05), (0.02, 0.06))
_SEAMS = {"right_eye": _LIDS, "left_eye": _LIDS, "mouth": _LIPS}
"""Openings of the target between which lids or lips meet, and of the source between which they are apart."""
_SEAM_CELLS = 2.5
"""Cells of the flow's grid from the line of lids or lips that meet, over which they are drawn anew: so far does
the grid smear what the source shows between them."""


@dataclass(frozen=True)
class WarpOptions:
    """grid: cells of the flow's grid per canonical unit (the eyes' outer corners are one apart), at least 128
    and at most 320 along the picture's longer side. fade: where the head's motion ends.
    fixed: the left, top, right and bottom border of the picture, True where the motion must have faded out
    because the picture goes on beyond it. The bottom border is always held where the motion would lift it,
    since nothing is known of what lies below."""

    grid: float = 44
    fade: Fade = field(default_factory=Fade)
    fixed: tuple[bool, bool, bool, bool] = (False, False, False, False)


class FaceWarp:
    """One source picture, ready to be warped to any target landmarks.

    picture: (H, W, 3 or 4). points: (478, 3) in its pixels. state: the same face as coefficients. matte:
    (H, W) in [0, 1], 1 where the person is; without it the motion fades out around the head.
    """

    def __init__(
        self,
        picture: Image,
        points: Points,
        state: FaceState,
        matte: Floats | None = None,
        options: WarpOptions | None = None,
    ) -> None:
        self.options = options or WarpOptions()
        self.points = points.astype(np.float32)
        self.state = state
        self.height, self.width = picture.shape[:2]
        self.picture = np.ascontiguousarray(picture)
        self._layers = None if matte is None else Layers(self.picture, matte, state.scale)
        longest = max(self.height, self.width)
        cells = np.clip(self.options.grid * longest / state.scale, 128, 320)
        factor = min(1.0, float(cells) / longest)
        self._grid = (max(round(self.width * factor), 8), max(round(self.height * factor), 8))
        self._corners = pixel_centres(self.width, self.height, self.width, self.height) - np.float32(0.5)
        self._kept = self._kept_at_borders()
        self._eyes = [opening(self.points, ring) for ring, _, _ in EYES]
        self._mouth = opening(self.points, LIPS_INNER)
        cheeks = _CHEEKS[np.argsort(self.points[_CHEEKS, 0].mean(1))]
        self.tone = tone_of(self._pixels(_SKIN), self._pixels(cheeks), self.picture)
        self._other_side = OtherSide(self.picture, self.points)
        self._far_side: FarSide | None = None
        if self._layers is not None and matte is not None:
            light = self._other_side.light
            self._far_side = FarSide(self._layers, matte, self.points, state, self._grid, light)
        self._shut_lip = self._upper_lip_height(self.points, state)

    def render(self, points: Points, state: FaceState, head: FaceState | None = None) -> Image:
        """The picture (H, W, 3 or 4) with the face at target points (478, 3), in its pixels; `state` is the
        target's pose. head: the pose of hair, ears and neck; None is the face's."""
        return self.render_with_flow(points, state, head)[0]

    def render_with_flow(
        self, points: Points, state: FaceState, head: FaceState | None = None
    ) -> tuple[Image, Floats]:
        """The same, and the flow (h, w, 2) that made it, on the grid."""
        cv2 = opencv()
        flow, share = self._flow(points, head or state)
        where = cv2.add(cv2.resize(flow, (self.width, self.height)), self._corners)
        out = _remap(self.picture, where) if self._layers is None else self._layers.compose(where)
        if self._far_side is not None:
            self._far_side.lend(out, share, points, head or state)
        self._other_side.lend(out, points, self._grid)
        for number in range(len(EYES)):
            self._draw_eye(out, points, number, state)
        self._draw_mouth(out, points, state)
        for name in SLITS:
            self._draw_seam(out, points, name, self.state.scale / state.scale)
        return out, flow

    def flow(self, points: Points, head: FaceState) -> Floats:
        """Backward flow (h, w, 2) on the grid: where each target pixel comes from, as an offset in pixels of
        the picture. head: the pose of all that is not the face. The eye and mouth openings are bridged."""
        return self._flow(points, head)[0]

    def _flow(self, points: Points, head: FaceState) -> tuple[Floats, Floats]:
        """The flow, and how much of it is the face's (h, w, 1)."""
        cv2 = opencv()
        width, height = self._grid
        outer = cv2.resize(self._outer_flow(points, head), (width, height))
        scale = np.array([width / self.width, height / self.height, width / self.width], np.float32)
        values = self.points[:, :2] - points[:, :2]
        inner, mask = rasterise(points * scale, _SURFACE, values, (width, height))
        share = cv2.blur(mask.astype(np.float32), (5, 5))
        share = (np.clip(2 * share - 1, 0, 1) * mask)[..., None]
        return self._held_at_borders(outer + (inner - outer) * share), share

    def _outer_flow(self, points: Points, state: FaceState) -> Floats:
        width, height = (max(side // 4, 4) for side in self._grid)
        at = pixel_centres(width, height, self.width, self.height)
        radius = _HEAD_RADIUS if self._layers is None else None
        field = head_field(at, self.state, state, self.options.fade, radius)
        edge = points[FACE_OVAL, :2]
        known = self.points[FACE_OVAL, :2] - edge
        rest = known - head_field(edge, self.state, state, self.options.fade, radius)
        return field + edge_field(at, edge, rest, _edge_trust(points), state.scale)

    def _kept_at_borders(self) -> Floats:
        """(h, w, 2) on the grid: 1, and 0 at the borders where the picture must not move."""
        width, height = self._grid
        x, y = (np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height
        ways = zip((x, y, 1 - x, 1 - y), self.options.fixed, strict=True)
        ramps = [smoothstep(way, 0, _BORDER) if held else np.ones_like(way) for way, held in ways]
        keep = (ramps[1] * ramps[3])[:, None] * (ramps[0] * ramps[2])[None, :]
        return np.repeat(keep[..., None], 2, 2).astype(np.float32)

    def _held_at_borders(self, flow: Floats) -> Floats:
        height = len(flow)
        flow = opencv().multiply(flow, self._kept)
        lift = flow[-1, :, 1].clip(0).max()
        if lift > 0 and not self.options.fixed[3]:
            y = (np.arange(height) + 0.5) / height
            reach = max(_BORDER, 2 * lift / self.height)
            hold = (1 - smoothstep(1 - y, 0, reach)) * smoothstep(lift, 0, 2)
            flow = flow * (1 - hold)[:, None, None].astype(np.float32)
        return flow

    def _draw_eye(self, out: Image, points: Points, number: int, state: FaceState) -> None:
        ring, centre, iris = EYES[number]
        target, source = opening(points, ring), self._eyes[number]
        patch = Patch.of(points[ring, :2], out)
        if patch is None or target.gap < 0.01:
            return
        zoom = self.state.scale / state.scale
        where = eye_source(target, source, points[centre, :2], self.points[centre, :2], zoom, patch.at)
        colour = _sample(self.picture, where).astype(np.float32)
        lacking = (1 - smoothstep(source.gap, _LID_SHUT, _LID_OPEN)) * smoothstep(
            target.gap - source.gap, 0.02, 0.08
        )
        if lacking > 0:
            radius = float(np.linalg.norm(points[iris, :2] - points[centre, :2], axis=1).mean())
            painted = paint_eye(target, points[centre, :2], radius, patch.at, self.tone)
            colour[..., :3] += (painted - colour[..., :3]) * lacking
        # Under half-shut lids the lashes' shadow falls on what is left of the eye.
        colour[..., :3] *= 0.45 + 0.55 * smoothstep(target.gap / max(min(source.gap, _LASHES), 1e-3), 0.0, 1.0)
        patch.put(out, colour)

    def _draw_seam(self, out: Image, points: Points, name: str, zoom: float) -> None:
        """Lids or lips that have met, in place. name: of the slit; zoom: source pixels a target pixel."""
        ring, (met, apart) = SLITS[name], _SEAMS[name]
        target, edge = opening(points, ring), points[ring, :2]
        if target.gap >= met[1]:
            return
        source = opening(self.points, ring)
        shut = (1 - smoothstep(target.gap, *met)) * smoothstep(source.gap, *apart)
        reach = _SEAM_CELLS * self.width / self._grid[0]
        patch = Patch.around(edge.min(0) - reach, edge.max(0) + reach, out)
        if patch is None or shut <= 0:
            return
        where, cover, shadow = seam(target, source, zoom, reach, patch.at)
        colour = _sample(self.picture, where).astype(np.float32)
        colour[..., :3] *= shadow[..., None]
        replace(patch, cover=(cover * shut)[..., None]).put(out, colour)

    def _draw_mouth(self, out: Image, points: Points, state: FaceState) -> None:
        target = opening(points, LIPS_INNER)
        patch = Patch.of(points[LIPS_INNER, :2], out)
        if patch is None or target.gap < 0.005:
            return
        zoom = self.state.scale / state.scale
        where, unknown = mouth_source(target, self._mouth, zoom, patch.at)
        colour = _sample(self.picture, where).astype(np.float32)
        if unknown.max() > 0:
            lift = self._upper_lip_height(points, state) - self._shut_lip
            painted = paint_mouth(target, patch.at, state.scale, lift, self.tone)
            colour[..., :3] += (painted - colour[..., :3]) * unknown[..., None]
        patch.put(out, colour)

    def _pixels(self, points: NDArray[np.int32]) -> Floats:
        """(..., 3): the source's colours at points of the mesh, by their numbers (...)."""
        x = np.clip(self.points[points, 0].astype(int), 0, self.width - 1)
        y = np.clip(self.points[points, 1].astype(int), 0, self.height - 1)
        return self.picture[y, x, :3].astype(np.float32)

    @staticmethod
    def _upper_lip_height(points: Points, state: FaceState) -> float:
        """How far the upper lip's inner edge stands above its place under the nose, canonical units."""
        return float(np.linalg.norm(points[13, :2] - points[2, :2])) / -state.scale


@dataclass(frozen=True)
class Patch:
    """A small part of the target: its place, its pixel centres (h, w, 2), and how much of each pixel is
    inside the outline (h, w, 1)."""

    left: int
    top: int
    at: Points
    cover: Floats

    @classmethod
    def of(cls, outline: Points, picture: Image) -> Patch | None:
        """The patch inside an outline (K, 2); None where it lies outside the picture or is empty."""
        whole = cls.around(outline.min(0), outline.max(0), picture)
        if whole is None:
            return None
        cv2 = opencv()
        fine, (height, width) = 4, whole.cover.shape[:2]
        mask = np.zeros((height * fine, width * fine), np.uint8)
        corners = np.round((outline - (whole.left, whole.top)) * fine * 16 - 8).astype(np.int32)
        cv2.fillPoly(mask, [corners], 255, shift=4)
        cover = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA)
        soft = max(round(width / 40), 1)
        cover = cv2.blur(cover, (2 * soft - 1, 2 * soft - 1)) if soft > 1 else cover
        return replace(whole, cover=cover[..., None].astype(np.float32) / 255)

    @classmethod
    def around(cls, low: Floats, high: Floats, picture: Image) -> Patch | None:
        """All pixels between two corners (2,) and a little more; None where there are hardly any."""
        height, width = picture.shape[:2]
        left, top = np.maximum(np.floor(low).astype(int) - 2, 0).tolist()
        right, bottom = np.minimum(np.ceil(high).astype(int) + 3, (width, height)).tolist()
        if right - left < 3 or bottom - top < 3:
            return None
        size = (right - left, bottom - top)
        at = pixel_centres(*size, *size) + np.array((left, top), np.float32)
        return cls(left, top, at, np.ones((size[1], size[0], 1), np.float32))

    def put(self, out: Image, colour: Floats) -> None:
        """Blend `colour` (h, w, C) into `out` in place."""
        height, width = self.cover.shape[:2]
        under = out[self.top : self.top + height, self.left : self.left + width]
        under[:] = np.clip(under + (colour - under) * self.cover + 0.5, 0, 255).astype(np.uint8)


def _edge_trust(points: Points) -> Floats:
    """(36,): how squarely the face's edge is seen at each point of the oval, near 0 where it is turned away."""
    area = signed_area(points, _EDGE_TRIANGLES).reshape(len(FACE_OVAL), -1)
    size = np.abs(area).mean() + 1e-6
    return np.clip(area.mean(1) / size, 0.001, 1).astype(np.float32)


def _edge_triangles() -> NDArray[np.int32]:
    """(108, 3): three triangles at each point of the oval."""
    return np.concatenate([MESH_TRIANGLES[(point == MESH_TRIANGLES).any(1)][[0, 1, -1]] for point in FACE_OVAL])


_EDGE_TRIANGLES = _edge_triangles()


def _sample(picture: Image, where: Points) -> Image:
    """The picture at points (h, w, 2) in its pixels, (h, w, C)."""
    return _remap(picture, where - np.float32(0.5))


def _remap(picture: Image, corners: Points) -> Image:
    cv2 = opencv()
    return cv2.remap(picture, corners, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
