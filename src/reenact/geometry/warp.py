"""Dense warp of a portrait to target landmarks.

Inside the face the mesh is rasterised with a depth buffer, so that every visible pixel has its exact place in
the source; outside, the head's bowl turns with it and fades below the chin (`head_field.py`); eyes and mouth
are patches of their own (`apertures.py`). With a matte of the person the picture is two layers, and the
background stays where it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from reenact.geometry.apertures import (
    EYES,
    eye_source,
    mouth_source,
    opening,
    paint_eye,
    paint_mouth,
    tone_of,
)
from reenact.geometry.far_side import FarSide
from reenact.geometry.head_field import Fade, edge_field, head_field, smoothstep
from reenact.geometry.layers import Layers
from reenact.geometry.opencv import opencv
from reenact.geometry.raster import pixel_centres, rasterise
from reenact.geometry.schemes import FACE_OVAL, HOLE_TRIANGLES, LIPS_INNER, MESH_TRIANGLES, signed_area
from reenact.geometry.symmetry import OtherSide
from reenact.types import FaceState, Floats, Image, Points

_SURFACE = np.concatenate([MESH_TRIANGLES, *HOLE_TRIANGLES.values()]).astype(np.int32)
_CHEEKS = np.array([50, 280, 101, 330, 117, 346, 151, 108, 337], np.int32)
_HEAD_RADIUS = 1.25
_LID_SHUT, _LID_OPEN = 0.07, 0.16
_LASHES = 0.12
_BORDER = 0.14


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
        self._tone = tone_of(self._skin(), self.picture)
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
            painted = paint_eye(target, points[centre, :2], radius, patch.at, self._tone)
            colour[..., :3] += (painted - colour[..., :3]) * lacking
        # Under half-shut lids the lashes' shadow falls on what is left of the eye.
        colour[..., :3] *= 0.45 + 0.55 * smoothstep(target.gap / max(min(source.gap, _LASHES), 1e-3), 0.0, 1.0)
        patch.put(out, colour)

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
            painted = paint_mouth(target, patch.at, state.scale, lift, self._tone)
            colour[..., :3] += (painted - colour[..., :3]) * unknown[..., None]
        patch.put(out, colour)

    def _skin(self) -> Floats:
        at = self.points[_CHEEKS, :2]
        x = np.clip(at[:, 0].astype(int), 0, self.width - 1)
        y = np.clip(at[:, 1].astype(int), 0, self.height - 1)
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
        cv2 = opencv()
        height, width = picture.shape[:2]
        left, top = np.maximum(np.floor(outline.min(0)).astype(int) - 2, 0)
        right, bottom = np.minimum(np.ceil(outline.max(0)).astype(int) + 3, (width, height))
        if right - left < 3 or bottom - top < 3:
            return None
        fine = 4
        mask = np.zeros(((bottom - top) * fine, (right - left) * fine), np.uint8)
        corners = np.round((outline - (left, top)) * fine * 16 - 8).astype(np.int32)
        cv2.fillPoly(mask, [corners], 255, shift=4)
        cover = cv2.resize(mask, (right - left, bottom - top), interpolation=cv2.INTER_AREA)
        soft = max(round((right - left) / 40), 1)
        cover = cv2.blur(cover, (2 * soft - 1, 2 * soft - 1)) if soft > 1 else cover
        at = pixel_centres(right - left, bottom - top, right - left, bottom - top) + np.array(
            (left, top), np.float32
        )
        return cls(int(left), int(top), at, cover[..., None].astype(np.float32) / 255)

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
