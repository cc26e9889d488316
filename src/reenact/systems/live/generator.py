"""`live` at work: the landmark warp of each frame, completed by the exported network. No PyTorch."""

from __future__ import annotations

import numpy as np

from reenact.geometry.head_field import smoothstep
from reenact.geometry.opencv import opencv
from reenact.runtime.engine import Network, open_network
from reenact.runtime.weights import find
from reenact.systems.live.inputs import SIDE, Crop, LiveInputs
from reenact.systems.spec import SourceFace, TargetShape
from reenact.types import Floats, Image

SOURCE_NET, FRAME_NET = "live_source", "live_frame"
_FADE = 0.08
"""Share of the crop over which the network's work fades out where the picture goes on beyond the crop."""


def trained_networks(threads: int | None) -> tuple[Network, Network]:
    """The source's and the frame's network, one's own or the shipped ones; their hashes are checked."""
    count = threads or 2
    source, frame = (open_network(find(name).path, count) for name in (SOURCE_NET, FRAME_NET))
    return source, frame


class LiveGenerator:
    """`live`, bound to one source. networks: the source's and the frame's; None takes those that ship."""

    def __init__(
        self, source: SourceFace, threads: int | None = None, networks: tuple[Network, Network] | None = None
    ) -> None:
        once, self._frame = networks or trained_networks(threads)
        self._inputs = LiveInputs(source)
        seen = self._inputs.source
        self._features = [np.array(x) for x in once((as_input(seen.picture), as_maps(seen.maps)))]
        self._reach = _reach(self._inputs.crop, source.picture.shape[:2])

    def render(self, target: TargetShape) -> Image:
        """The region (H, W, 3 or 4) with the face in the target shape."""
        picture, seen = self._inputs.frame(target)
        flow = np.ascontiguousarray(seen.flow.transpose(2, 0, 1))[None]
        made = self._frame((as_input(seen.picture), as_maps(seen.maps), flow, *self._features))
        return self._laid_over(picture, made[0][0], made[1][0])

    def _laid_over(self, picture: Image, residual: Floats, layer: Floats) -> Image:
        """The warp sampled again by the residual flow (2, 64, 64), and the layer (4, 256, 256) over it, in the
        region's own pixels."""
        cv2 = opencv()
        crop = self._inputs.crop
        height, width = picture.shape[:2]
        x0, y0 = max(crop.left, 0), max(crop.top, 0)
        x1, y1 = min(crop.left + crop.side, width), min(crop.top + crop.side, height)
        if x1 <= x0 or y1 <= y0:
            return picture
        part = np.s_[y0 - crop.top : y1 - crop.top, x0 - crop.left : x1 - crop.left]
        size = (crop.side, crop.side)
        colour, keep = byte_layer(layer, self._reach)
        colour, keep = (cv2.resize(plane, size)[part] for plane in (colour, keep))
        offset = residual.transpose(1, 2, 0) * (cv2.resize(self._reach, (64, 64))[..., None] * crop.side / SIDE)
        where = cv2.resize(np.ascontiguousarray(offset), size)[part]
        where = where + _pixels(x0, y0, x1, y1)
        again = cv2.remap(
            picture,
            *cv2.convertMaps(where, None, cv2.CV_16SC2),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        made = again[..., :3] * keep[..., None] + colour
        again[..., :3] = np.clip(made, 0, 255)
        out = picture.copy()
        out[y0:y1, x0:x1] = again
        return out


def as_input(picture: Image) -> Floats:
    """(256, 256, 3) uint8 to (1, 3, 256, 256) in [-1, 1]."""
    planes = np.ascontiguousarray(picture.transpose(2, 0, 1))[None]
    return planes.astype(np.float32) * np.float32(1 / 127.5) - np.float32(1)


def as_maps(maps: Image) -> Floats:
    """(128, 128, M) uint8 to (1, M, 128, 128) in [0, 1]."""
    return np.ascontiguousarray(maps.transpose(2, 0, 1))[None].astype(np.float32) * np.float32(1 / 255)


def byte_layer(layer: Floats, reach: Floats) -> tuple[Floats, Floats]:
    """The network's layer (4, H, W), colours in [-1, 1], as (H, W, 3) for bytes, rounding included, and the
    share of the warp that stays (H, W); both faded to nothing where `reach` (H, W) is 0."""
    keep = layer[3]
    colour = (layer[:3] + (1 - keep)) * np.float32(127.5) * reach
    # Truncation to bytes then rounds to the nearest.
    return np.ascontiguousarray(colour.transpose(1, 2, 0)) + np.float32(0.5), 1 - (1 - keep) * reach


def _pixels(x0: int, y0: int, x1: int, y1: int) -> Floats:
    grid = np.empty((y1 - y0, x1 - x0, 2), np.float32)
    grid[..., 0] = np.arange(x0, x1, dtype=np.float32)
    grid[..., 1] = np.arange(y0, y1, dtype=np.float32)[:, None]
    return grid


def _reach(crop: Crop, size: tuple[int, ...]) -> Floats:
    """(256, 256): 1 inside the crop, falling to 0 at those sides of it beyond which the picture goes on."""
    height, width = size
    at = (np.arange(SIDE, dtype=np.float32) + 0.5) / SIDE
    rise, whole = smoothstep(at, 0, _FADE), np.ones_like(at)
    across = (rise if crop.left > 0 else whole) * (rise[::-1] if crop.left + crop.side < width else whole)
    down = (rise if crop.top > 0 else whole) * (rise[::-1] if crop.top + crop.side < height else whole)
    return np.ascontiguousarray(down[:, None] * across[None, :])
