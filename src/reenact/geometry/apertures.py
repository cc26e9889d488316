"""Eyes and mouth: what lies behind lids and lips moves by other rules than the skin.

An eyeball turns behind the lids and is covered by them; teeth stay with the skull or the jaw while the lips
part. Each aperture is a patch of the target with a soft outline, coordinates into the source picture, and,
for what the source does not show, a painting.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reenact.geometry.head_field import smoothstep
from reenact.geometry.opencv import opencv
from reenact.geometry.schemes import (
    LEFT_EYE,
    LEFT_IRIS,
    LEFT_IRIS_CENTRE,
    RIGHT_EYE,
    RIGHT_IRIS,
    RIGHT_IRIS_CENTRE,
)
from reenact.types import Floats, Image, Points

EYES = ((RIGHT_EYE, RIGHT_IRIS_CENTRE, RIGHT_IRIS), (LEFT_EYE, LEFT_IRIS_CENTRE, LEFT_IRIS))
_TOOTH = 0.075
"""Height of an upper tooth in canonical units (about 7 mm where the outer eye corners are 90 mm apart)."""
_SEAM, _SEAM_SHADOW = 0.016, 0.42
"""Of the line between shut lids or lips: half its width over theirs, and how dark it is."""
_BEYOND_EDGE = 0.04
"""How far beyond the landmarks of what is parted teeth or eyes may still be seen, over its width."""
_GRIN = (0.58, 0.72)
"""Widths of a mouth in canonical units (.54 at rest) between which upper teeth come to fill what is open."""
_TEETH = np.array([0.0, 0.13, 0.235, 0.325, 0.39], np.float32)
"""Where teeth meet, from the middle of a mouth, over its width."""
_BETWEEN = 0.16
"""How much darker it is there."""
_GREY = np.array([0.299, 0.587, 0.114], np.float32)
_SKIN_HUE = np.array([1.25, 0.91, 0.78], np.float32)
"""Red, green and blue of ordinary skin over its brightness: the median of 24 colour portraits."""
_TINT_SHARE = 0.7
_SIDES = (0.35, 1.05)
_PRINT_ERROR, _STEPS, _SMOOTH = 0.05, 17, 0.001
_MIDDLE = np.linspace(0.25, 0.75, 9, dtype=np.float32)


@dataclass(frozen=True)
class Opening:
    """A slit between two corners, in the frame of its own axis: x from corner to corner in units of the
    width, y across it in pixels, downwards. upper, lower: (K, 2) edges, x ascending."""

    origin: Points
    axis: Floats
    width: float
    upper: Points
    lower: Points

    def local(self, at: Points) -> Points:
        """Pixels (..., 2) to this frame."""
        offset = at - self.origin
        x = offset @ self.axis / self.width
        y = offset[..., 1] * self.axis[0] - offset[..., 0] * self.axis[1]
        return np.stack([x, y], -1).astype(np.float32)

    def picture(self, x: Floats, y: Floats) -> Points:
        """This frame to pixels (..., 2)."""
        normal = np.array([-self.axis[1], self.axis[0]], np.float32)
        return self.origin + (x * self.width)[..., None] * self.axis + y[..., None] * normal

    def edges(self, x: Floats) -> tuple[Floats, Floats]:
        """y of the upper and lower edge at x; the lower is never above the upper."""
        top = np.interp(x, *self.upper.T).astype(np.float32)
        bottom = np.interp(x, *self.lower.T).astype(np.float32)
        return top, np.maximum(top, bottom)

    @property
    def gap(self) -> float:
        """Mean opening over the middle half, in units of the width."""
        top, bottom = self.edges(_MIDDLE)
        return float((bottom - top).mean()) / self.width


def opening(points: Points, ring: NDArray[np.int32]) -> Opening:
    """The slit of a closed ring of an even number of points: from one corner along the upper edge to the
    other (at half of the ring), and back below. points: (478, 2 or 3) in pixels."""
    corners = points[ring, :2]
    half = len(ring) // 2
    upper, lower = corners[: half + 1], np.concatenate([corners[half:], corners[:1]])[::-1]
    if upper[0, 0] > upper[-1, 0]:
        upper, lower = upper[::-1], lower[::-1]
    along = upper[-1] - upper[0]
    width = max(float(np.hypot(*along)), 1e-3)
    frame = Opening(upper[0], along / width, width, upper, lower)
    return Opening(frame.origin, frame.axis, width, _sorted(frame.local(upper)), _sorted(frame.local(lower)))


def _sorted(edge: Points) -> Points:
    edge = edge.copy()
    edge[:, 0] = np.maximum.accumulate(edge[:, 0])
    return edge


def eye_source(
    target: Opening, source: Opening, target_iris: Points, source_iris: Points, zoom: float, at: Points
) -> Points:
    """Where the pixels `at` (..., 2) of the target's eye come from: the eyeball slides under the lids by the
    iris's own travel, whole at the iris and none at the corners; what the source's lids hide repeats what
    is seen nearest in the column. zoom: source pixels a target pixel."""
    here = target.local(at)
    goal, start = target.local(target_iris), source.local(source_iris)
    start_y, goal_y = start[1], goal[1] * zoom
    x, y = here[..., 0], here[..., 1] * zoom
    near = 1 - smoothstep(np.abs(x - goal[0]), 0.12, 0.5)
    x = x + near * (start[0] - goal[0])
    y = y + near * (start_y - goal_y)
    top, bottom = source.edges(x)
    inset = np.minimum(0.012 * source.width, (bottom - top) / 2)
    return source.picture(x, np.clip(y, top + inset, bottom - inset))


def mouth_source(target: Opening, source: Opening, zoom: float, at: Points) -> tuple[Points, Floats]:
    """Where the pixels `at` of the target's mouth come from, and how much of each is not in the source
    (0 to 1). A mouth that opens further shows its upper part by the upper lip and its lower part by the
    lower one, and an unknown between; one that closes is squeezed."""
    here = target.local(at)
    top, bottom = target.edges(here[..., 0])
    source_top, source_bottom = source.edges(here[..., 0])
    have = source_bottom - source_top
    need = np.maximum((bottom - top) * zoom, 1e-3)
    above = np.clip((here[..., 1] - top) * zoom, 0, need)
    below = need - above
    parted = np.where(above < below, np.minimum(above, have / 2), have - np.minimum(below, have / 2))
    squeezed = above / need * have
    y = source_top + np.where(need > have, parted, squeezed)
    unknown = smoothstep(np.minimum(above, below) - have / 2, 0.0, 0.03 * source.width)
    closed = 1 - smoothstep(np.full_like(have, source.gap), 0.02, 0.06)
    return source.picture(here[..., 0], y), np.maximum(unknown, closed)


def seam(
    target: Opening, source: Opening, zoom: float, reach: float, at: Points
) -> tuple[Points, Floats, Floats]:
    """Lids or lips that have met, around the line between them: where the pixels `at` come from, how much of
    each is drawn, and the shadow that they are multiplied with. In the source they lie apart, and what is seen
    at their edges is half eye or teeth: their own skin is stretched over it. reach: pixels from the line to
    where all is as the mesh has it."""
    here = target.local(at)
    top, bottom = target.edges(here[..., 0])
    off = here[..., 1] - (top + bottom) / 2
    far = np.abs(off)
    source_top, source_bottom = source.edges(here[..., 0])
    spared = np.minimum(max(_BEYOND_EDGE * source.width, 1.5), reach * zoom / 2)
    beyond = far * zoom + spared * np.clip(1 - far / reach, 0, 1)
    where = source.picture(here[..., 0], np.where(off < 0, source_top - beyond, source_bottom + beyond))
    inward = smoothstep(np.minimum(here[..., 0], 1 - here[..., 0]), 0.0, 0.06)
    cover = inward * (1 - smoothstep(far / reach, 0.5, 1.0))
    shadow = 1 - _SEAM_SHADOW * inward * np.exp(-((far / max(_SEAM * target.width, 0.7)) ** 2))
    return where, cover, shadow.astype(np.float32)


@dataclass(frozen=True)
class Tone:
    """Colours that a painted eye or mouth takes from the source. light: brightness of the skin, 0 to 1.
    colour: how colourful the picture is, 0 (grey) to 1. tint: (3,) of the light, 1 where it is white.
    sides: how bright the cheeks left and right of the mouth are over the skin's brighter half.
    print: (K, 3) of a picture of one hue, as a sepia or a two-coloured print: its colours, 0 to 1, at K equal
    steps of brightness from black to white, else None."""

    light: float
    colour: float
    tint: Floats
    sides: tuple[float, float] = (1.0, 1.0)
    print: Floats | None = None

    def tinted(self, rgb: tuple[float, float, float], gain: float = 1.0) -> Floats:
        """A natural colour (0 to 1) under this picture's light, (3,) in 0 to 255."""
        value = np.array(rgb, np.float32)
        grey = value @ _GREY
        level = gain * self.light
        if self.print is not None:
            return np.clip(_hats(grey * level) @ self.print, 0, 1) * np.float32(255)
        return np.clip((grey + (value - grey) * self.colour) * self.tint * level * 255, 0, 255)

    def inked(self, picture: Image) -> Image:
        """A picture (H, W, 3) in the one hue of a print; as it is where the source is none."""
        if self.print is None:
            return picture
        inks = np.clip(_hats(np.arange(256, dtype=np.float32) / 255) @ self.print, 0, 1) * 255 + 0.5
        grey = opencv().cvtColor(picture, opencv().COLOR_RGB2GRAY)
        return inks.astype(np.uint8)[grey]


def tone_of(skin: Floats, cheeks: Floats, picture: Image) -> Tone:
    """The tone of skin pixels (K, 3), 0 to 255, in a picture (H, W, 3 or 4): brightness from their upper half,
    colourfulness and the light's tint against ordinary skin, and the print's hue where there is but one.
    cheeks: (2, N, 3), pixels left and right of the mouth."""
    grey = skin @ _GREY
    light = float(np.percentile(grey, 70)) / 255
    spread = float(np.median(skin.max(1) - skin.min(1))) / max(light * 255, 1)
    hue = np.median(skin, 0) / max(float(np.median(grey)), 1)
    tint = np.clip((hue / _SKIN_HUE) ** _TINT_SHARE, 0.6, 1.5)
    tint = tint / float(tint @ _GREY)
    colour = float(np.clip(spread / 0.35, 0, 1))
    left, right = np.clip(np.median(cheeks @ _GREY, 1) / max(light * 255, 1), *_SIDES).tolist()
    return Tone(
        light=min(light * 1.15, 1.0),
        colour=colour,
        tint=(1 + (tint - 1) * colour).astype(np.float32),
        sides=(left, right),
        print=_print(picture),
    )


def _print(picture: Image) -> Floats | None:
    """(K, 3): the colours of equal steps of brightness, all in 0 to 1, where these explain the picture; smooth
    where it has no such brightness."""
    step = max(min(picture.shape[:2]) // 64, 1)
    pixels = picture[::step, ::step, :3].reshape(-1, 3).astype(np.float32) / 255
    hats = _hats(pixels @ _GREY)
    bends = np.diff(np.eye(_STEPS), 2, axis=0)
    rough = _SMOOTH * bends.T @ bends + 1e-6 * np.eye(_STEPS)
    found = np.linalg.solve(hats.T @ hats / len(pixels) + rough, hats.T @ pixels / len(pixels))
    off = np.abs(hats @ found - pixels).max(1)
    return found.astype(np.float32) if np.percentile(off, 95) < _PRINT_ERROR else None


def _hats(grey: Floats) -> Floats:
    """(..., K): which two steps of brightness each value of 0 to 1 lies between, and how near to each."""
    at = np.clip(grey, 0, 1)[..., None] * (_STEPS - 1)
    return np.clip(1 - np.abs(at - np.arange(_STEPS)), 0, 1).astype(np.float32)


def paint_mouth(target: Opening, at: Points, unit: float, lift: float, tone: Tone) -> Floats:
    """A plausible mouth, (..., 3) in 0 to 255: upper teeth below the upper lip, a dark cavity, a tongue.

    unit: pixels a canonical unit. lift: how far the upper lip is raised from rest, canonical units.
    """
    here = target.local(at)
    x = here[..., 0]
    top, bottom = target.edges(x)
    above, below = (here[..., 1] - top) / unit, (bottom - here[..., 1]) / unit
    middle = np.clip(1 - (2 * x - 1) ** 2, 0, 1)
    dim = 0.55 + 0.45 * tone.colour * (tone.print is None)  # old plates see red as dark
    dark, tongue = tone.tinted((0.45, 0.24, 0.23), dim), tone.tinted((0.82, 0.50, 0.50), dim)
    tooth = tone.tinted((0.96, 0.92, 0.86))
    gap = (bottom - top) / unit
    out = np.broadcast_to(dark, (*x.shape, 3)).astype(np.float32)
    rise = smoothstep(np.clip(gap * 0.62, 0, 0.30) - below, -0.06, 0.10)
    groove = 1 - 0.14 * np.exp(-(((x - 0.5) / 0.07) ** 2)) * smoothstep(gap, 0.15, 0.4)
    round_off = (0.80 + 0.24 * middle) * groove
    out = _mix(out, tongue * round_off[..., None], rise * middle**0.5 * smoothstep(gap, 0.05, 0.2))
    grin = smoothstep(target.width / unit, *_GRIN)
    shown = np.clip(0.025 + 0.5 * lift, 0.01, _TOOTH) * (0.55 + 0.45 * middle)
    length = shown + (np.minimum(1.2 * gap, _TOOTH + 0.02) - shown).clip(0) * grin
    column = 1 - _BETWEEN * np.exp(-((np.abs(np.abs(x - 0.5)[..., None] - _TEETH).min(-1) / 0.012) ** 2))
    shade = (0.55 + 0.45 * middle) * (0.80 + 0.20 * smoothstep(above, 0.0, 0.03)) * column
    edge = smoothstep(length - above, -0.015, 0.015) * smoothstep(middle, 0.15, 0.75)
    out = _mix(out, tooth * shade[..., None], edge * 0.92 * smoothstep(gap, 0.01, 0.05))
    lip_shadow = 0.65 + 0.35 * smoothstep(np.minimum(above, below), 0.0, 0.03)
    light = tone.sides[0] + (tone.sides[1] - tone.sides[0]) * np.clip(x, 0, 1)
    return out * (lip_shadow * light)[..., None]


def paint_eye(target: Opening, iris: Points, radius: float, at: Points, tone: Tone) -> Floats:
    """A plausible open eye, (..., 3) in 0 to 255: white, iris (centre (2,), radius in pixels), pupil, a
    glint, and the upper lid's shadow."""
    here = target.local(at)
    top, _ = target.edges(here[..., 0])
    distance = np.linalg.norm(at - iris, axis=-1) / max(radius, 1e-3)
    corner = np.clip(1 - (2 * here[..., 0] - 1) ** 2, 0, 1)
    white = tone.tinted((0.92, 0.88, 0.86)) * (0.6 + 0.4 * corner**0.5)[..., None]
    soft = 1.0 / max(radius, 1.0)
    iris_colour = tone.tinted((0.36, 0.23, 0.15)) * (0.75 + 0.5 * distance * (distance < 0.85))[..., None]
    out = _mix(white, iris_colour, 1 - smoothstep(distance, 1 - soft, 1 + soft))
    out = _mix(out, tone.tinted((0.04, 0.03, 0.03)), 1 - smoothstep(distance, 0.42 - soft, 0.42 + soft))
    glint = np.linalg.norm(at - iris - np.array([-0.3, -0.35]) * radius, axis=-1) / max(radius, 1e-3)
    out = _mix(out, np.full(3, 255 * min(tone.light * 1.2, 1), np.float32), 1 - smoothstep(glint, 0.1, 0.25))
    depth = (here[..., 1] - top) / target.width
    return out * (0.45 + 0.55 * smoothstep(depth, -0.02, 0.14))[..., None]


def _mix(under: Floats, over: Floats, share: Floats) -> Floats:
    return under + (over - under) * share[..., None]
