"""`live` at work: the landmark warp of each frame, completed by the exported network. No PyTorch."""

from __future__ import annotations

import os

import numpy as np

from reenact.errors import ReenactError
from reenact.geometry.apertures import opening
from reenact.geometry.head_field import smoothstep
from reenact.geometry.opencv import opencv
from reenact.geometry.schemes import LIPS_INNER
from reenact.runtime.engine import Network, on_gpu, open_network
from reenact.runtime.weights import cache_folder, find
from reenact.systems.live.inputs import (
    FLOW_SIDE,
    KEPT,
    RESIDUAL_UNIT,
    SIDE,
    Crop,
    FrameInputs,
    LiveInputs,
    SourceInputs,
)
from reenact.systems.live.shape import MAPS
from reenact.systems.spec import SourceFace, TargetShape
from reenact.types import Floats, Image

SOURCE_NET, FRAME_NET, INTEGER_NET = "live_source", "live_frame", "live_frame_int8"
"""Shipped networks: the source's; the frame's in floats, for GPUs, and in 8-bit integers, for processors."""
COARSE = 5
"""Channels of what the frame's network gives at 64 px: the residual flow and the change of light."""
_FADE = 0.08
"""Share of the crop over which the network's work fades out where the picture goes on beyond the crop."""
_FAR_OPEN, _PRINT_OPEN = (0.12, 0.35), (0.02, 0.1)
"""How much further than the source's a mouth opens, in widths, where the painted mouth begins to stand, and
where it stands as far as it will; in a print sooner, since the network has hardly learned from any."""
_PAINT_KEPT = 0.85
_MOUTH = MAPS.index("mouth")
_OFF_INK = 20.0
"""Levels by which eyes and mouth of a print may be off its hue."""
_PAINTED = [MAPS.index("lips"), MAPS.index("eyes")]


def trained_networks(threads: int | None) -> tuple[Network, Network]:
    """The source's and the frame's network, one's own or the shipped ones; their hashes are checked."""
    count = threads or 2
    source = open_network(find(SOURCE_NET).path, count)
    # Frames of a video are rendered side by side, each on one thread; a single frame has them all.
    streams = (os.cpu_count() or 1) if count == 1 else 1
    frame = open_network(find(FRAME_NET if on_gpu() else INTEGER_NET).path, count, streams=streams)
    return source, frame


class LiveGenerator:
    """`live`, bound to one source. networks: the source's and the frame's; None takes those that ship."""

    def __init__(
        self, source: SourceFace, threads: int | None = None, networks: tuple[Network, Network] | None = None
    ) -> None:
        once, self._frame = networks or trained_networks(threads)
        self._inputs = LiveInputs(source)
        self._gap = opening(source.points, LIPS_INNER).gap
        seen = self._inputs.source
        self._printed = self._is_print(seen)
        self._features = [np.array(x) for x in once((as_input(seen.picture), as_maps(seen.maps)))]
        self._place_crop(source.picture.shape[:2])

    def render(self, target: TargetShape) -> Image:
        """The region (H, W, 3 or 4) with the face in the target shape."""
        picture, seen = self._inputs.frame(target)
        flow = np.ascontiguousarray(seen.flow.transpose(2, 0, 1))[None]
        made = self._frame((as_input(seen.picture), as_maps(seen.maps), flow, *self._features))
        if made[0].shape[1] != COARSE:
            raise ReenactError(
                "the networks of live are of another version of reenact; remove live_frame*.onnx and "
                f"live_source.onnx from {cache_folder()}, or make them again: python recipes/live.py engines"
            )
        residual, layer = finished(made[0][0], made[1][0], seen.picture)
        out = self._laid_over(picture, residual, layer, self._reach * self._trust(target, seen))
        if self._printed:
            self._ink(out, seen)
        return out

    def _is_print(self, seen: SourceInputs) -> bool:
        """Whether the source has one hue, eyes and mouth too: lips may have been painted red by hand."""
        tone = self._inputs.warp.tone
        if tone.print is None:
            return False
        painted = opencv().resize(seen.maps[..., _PAINTED].max(2), (SIDE, SIDE)) > 127
        off = np.abs(seen.picture.astype(np.float32) - tone.inked(seen.picture)).max(2)
        return not painted.any() or float(np.percentile(off[painted], 90)) < _OFF_INK

    def _ink(self, out: Image, seen: FrameInputs) -> None:
        """Give eyes and mouth the hue of a print, in place; the network has learned from colours."""
        area = out[self._place][..., :3]
        if not area.size:
            return
        side = self._inputs.crop.side
        painted = seen.maps[..., _PAINTED].max(2).astype(np.float32) / 255
        share = opencv().resize(painted, (side, side))[self._part][..., None]
        inked = self._inputs.warp.tone.inked(np.ascontiguousarray(area))
        area[:] = (area + (inked - area.astype(np.float32)) * share + 0.5).astype(np.uint8)

    def _place_crop(self, size: tuple[int, ...]) -> None:
        """Where the crop lies in the region: all that the frames share."""
        crop = self._inputs.crop
        x0, y0 = max(crop.left, 0), max(crop.top, 0)
        x1, y1 = min(crop.left + crop.side, size[1]), min(crop.top + crop.side, size[0])
        self._place = np.s_[y0 : max(y1, y0), x0 : max(x1, x0)]
        self._part = np.s_[y0 - crop.top : y1 - crop.top, x0 - crop.left : x1 - crop.left]
        self._grid = np.dstack(np.meshgrid(np.arange(x0, x1), np.arange(y0, y1))).astype(np.float32)
        self._reach = _reach(crop, size)
        small = opencv().resize(self._reach, (FLOW_SIDE, FLOW_SIDE))
        self._flow_reach = small[..., None] * np.float32(crop.side / SIDE)

    def _trust(self, target: TargetShape, seen: FrameInputs) -> Floats | np.float32:
        """How much of the network's layer is taken, (256, 256) or 1: inside a mouth that opens far beyond the
        source's, which no source pixel fills, it would blur what the warp paints sharply."""
        gap = opening(target.points, LIPS_INNER).gap
        far = float(smoothstep(gap - self._gap, *(_PRINT_OPEN if self._printed else _FAR_OPEN)))
        if far == 0:
            return np.float32(1)
        inside = opencv().resize(seen.maps[..., _MOUTH], (SIDE, SIDE), interpolation=opencv().INTER_LINEAR)
        return 1 - inside * np.float32(far * _PAINT_KEPT / 255)

    def _laid_over(self, picture: Image, residual: Floats, layer: Floats, reach: Floats) -> Image:
        """The warp sampled again by the residual flow (2, 64, 64), and the layer (4, 256, 256) over it where it
        reaches, (256, 256), in the region's own pixels."""
        if not self._grid.size:
            return picture
        cv2 = opencv()
        size = (self._inputs.crop.side,) * 2
        offset = np.ascontiguousarray(residual.transpose(1, 2, 0)) * self._flow_reach
        where = cv2.add(cv2.resize(offset, size)[self._part], self._grid)
        maps = cv2.convertMaps(where, None, cv2.CV_16SC2)
        again = cv2.remap(picture, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        colour, keep = (cv2.resize(plane, size)[self._part] for plane in byte_layer(layer, reach))
        kept = cv2.multiply(again[..., :3], cv2.merge([keep] * 3), scale=1 / 255)
        out = picture.copy()
        out[self._place] = again
        out[self._place][..., :3] = cv2.add(kept, colour, dtype=cv2.CV_8U)
        return out


def as_input(picture: Image) -> Floats:
    """(256, 256, 3) uint8 to (1, 3, 256, 256) in [-1, 1]."""
    planes = np.ascontiguousarray(picture.transpose(2, 0, 1))[None]
    return planes.astype(np.float32) * np.float32(1 / 127.5) - np.float32(1)


def as_maps(maps: Image) -> Floats:
    """(128, 128, M) uint8 to (1, M, 128, 128) in [0, 1]."""
    return np.ascontiguousarray(maps.transpose(2, 0, 1))[None].astype(np.float32) * np.float32(1 / 255)


def finished(coarse: Floats, drawn: Floats, warp: Image) -> tuple[Floats, Floats]:
    """The residual flow (2, 64, 64) in pixels of the crop and the layer (4, 256, 256) out of what the exported
    network gives, (5, 64, 64) and (4, 256, 256), and the warp (256, 256, 3) that it saw: the same as the end of
    `network.FrameNet.forward`. Paint lies where the mask says so; elsewhere the warp, in a light that changes
    slowly."""
    cv2 = opencv()
    paint = cv2.exp(drawn[3] + np.float32(KEPT))
    paint = np.divide(1, paint + 1, dtype=np.float32)
    blurred = _means(warp)
    layer = np.empty_like(drawn)
    for channel in range(3):
        light = coarse[2 + channel]
        plane = cv2.add(_grown(blurred[..., channel] - light), drawn[channel])
        cv2.add(cv2.multiply(plane, paint), _grown(light), dst=layer[channel])
    np.subtract(1, paint, out=layer[3])
    return coarse[:2] * np.float32(RESIDUAL_UNIT), layer


def _means(picture: Image) -> Floats:
    """(64, 64, 3) in [-1, 1] of a picture (256, 256, 3): means of 4 x 4 pixels."""
    small = opencv().resize(
        picture.astype(np.float32), (FLOW_SIDE, FLOW_SIDE), interpolation=opencv().INTER_AREA
    )
    return small * np.float32(1 / 127.5) - np.float32(1)


def _grown(plane: Floats) -> Floats:
    """(256, 256) of (64, 64), linear between."""
    return opencv().resize(np.ascontiguousarray(plane), (SIDE, SIDE), interpolation=opencv().INTER_LINEAR)


def byte_layer(layer: Floats, reach: Floats) -> tuple[Floats, Image]:
    """The network's layer (4, H, W), colours in [-1, 1], for bytes: colour (H, W, 3) float32, and the share of
    the warp that stays, (H, W) uint8 of 255; both faded to nothing where `reach` (H, W) is 0."""
    paint = (1 - layer[3]) * reach
    colour = (layer[:3] * reach + paint) * np.float32(127.5)
    keep = (1 - paint) * np.float32(255) + np.float32(0.5)
    return opencv().merge(list(colour)), keep.astype(np.uint8)


def _reach(crop: Crop, size: tuple[int, ...]) -> Floats:
    """(256, 256): 1 inside the crop, falling to 0 at those sides of it beyond which the picture goes on."""
    height, width = size
    at = (np.arange(SIDE, dtype=np.float32) + 0.5) / SIDE
    rise, whole = smoothstep(at, 0, _FADE), np.ones_like(at)
    across = (rise if crop.left > 0 else whole) * (rise[::-1] if crop.left + crop.side < width else whole)
    down = (rise if crop.top > 0 else whole) * (rise[::-1] if crop.top + crop.side < height else whole)
    return np.ascontiguousarray(down[:, None] * across[None, :])
