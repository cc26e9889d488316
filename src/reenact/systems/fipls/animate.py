"""FIPLS at work: trained networks as sequence, as converter and as generator of one source (figure 4, lower
branch)."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

from reenact.geometry.align import Square, apply, crop_matrix, invert
from reenact.geometry.face_model import default_face_model
from reenact.geometry.lift import lifted
from reenact.systems.crop import FaceCrop, state_square
from reenact.systems.fipls import pix2pixhd, presets
from reenact.systems.fipls.ends import FarEnd
from reenact.systems.fipls.lsg import SequenceGenerator, to_pixels, to_unit, upsample
from reenact.systems.fipls.pix2pixhd import sketches
from reenact.systems.sequences import at_share, shares
from reenact.systems.spec import SourceFace, TargetShape
from reenact.systems.trained import open_trained, set_threads, to_picture, to_tensor
from reenact.types import Image, Points


class LsgSequence:
    """G_l between any two faces of one person.

    Each end is seen in the frame of the training faces, and each frame is put where its place and size are due.
    The network always sees the K frames that it was trained with; for another count its shifts are interpolated
    in time. The mesh follows the 98 points (`geometry.lift`), so that every generator can draw it.
    """

    def __init__(self, network: SequenceGenerator, side: int) -> None:
        self._network, self._side = network, side

    def between(self, first: TargetShape, last: TargetShape, frames: int) -> list[TargetShape]:
        """So many shapes of the mesh (478, 3), the refined ends among them."""
        made = self._frames(first, last, frames)
        return [
            self._lifted(first, last, share, points)
            for share, points in zip(shares(frames).tolist(), made, strict=True)
        ]

    def far_end(self, first: TargetShape, last: TargetShape) -> TargetShape:
        """The refined last frame alone."""
        return self._lifted(first, last, 1.0, self._frames(first, last, self._network.frames)[-1])

    def _lifted(self, first: TargetShape, last: TargetShape, share: float, points: Points) -> TargetShape:
        """The mesh at `share` of the way, carried to points (98, 2) of the training crop."""
        line = at_share(first, last, share)
        square = _square_between(state_square(first.state), state_square(last.state), share)
        wanted = apply(invert(crop_matrix(square, self._side)), points).astype(np.float32)
        return TargetShape(lifted(default_face_model(), line.points, line.state, wanted, "wflw98"), line.state)

    def _seen(self, face: TargetShape) -> Points:
        matrix = crop_matrix(state_square(face.state), self._side)
        return apply(matrix, face.in_scheme("wflw98")[:, :2]).astype(np.float32)

    def _frames(self, first: TargetShape, last: TargetShape, frames: int) -> Points:
        """(frames, 98, 2) in pixels of the training crop."""
        seen = np.stack([self._seen(first), self._seen(last)])
        ends = to_unit(torch.from_numpy(seen)[None], self._side)
        with torch.inference_mode():
            shifts = self._network(ends)[0] - upsample(ends, self._network.frames)
            shifts = functional.interpolate(shifts.mT, frames, mode="linear", align_corners=True).mT
            points: Points = to_pixels(upsample(ends, frames) + shifts, self._side)[0].numpy()
        return points


class LsgConverter:
    """LSG within reenactment: the way from the source to the far end (`FarEnd`), of which an animation shows
    the refined last frame; each driving frame is a far end of its own."""

    def __init__(self, source: SourceFace, sequence: LsgSequence) -> None:
        self._source = TargetShape(source.points, source.state)
        self._far, self._sequence = FarEnd(source), sequence

    def convert(self, driving: TargetShape) -> TargetShape:
        """The target mesh (478, 3) in the region's pixels."""
        return self._sequence.far_end(self._source, self._far.convert(driving))


class PictureGenerator:
    """G: the source's crop once, then a sketch a frame."""

    def __init__(
        self, source: SourceFace, network: pix2pixhd.Generator, settings: presets.ReenactmentSettings
    ) -> None:
        self._network, self._settings = network, settings
        self._crop = FaceCrop(source, settings.size)
        self._source = to_tensor(self._crop.picture)

    def render(self, target: TargetShape) -> Image:
        """The region (H, W, 3 or 4) with the face drawn along the target's sketch."""
        points = self._crop.inward(target.in_scheme("wflw98")[:, :2])
        with torch.inference_mode():
            drawn = self._network(self._source, sketches(torch.from_numpy(points)[None], self._settings))
        return self._crop.paste(to_picture(drawn))


def load_sequence() -> LsgSequence:
    """The trained LSG."""
    network, settings = open_trained("fipls_lsg", presets.LSG, SequenceGenerator, "generator")
    return LsgSequence(network, settings.side)


def load_converter(source: SourceFace) -> LsgConverter:
    """The trained LSG for a source."""
    return LsgConverter(source, load_sequence())


def load_generator(source: SourceFace, threads: int | None) -> PictureGenerator:
    """The trained image generator for a source."""
    network, settings = open_trained("fipls_reenactment", presets.REENACTMENT, pix2pixhd.Generator, "generator")
    set_threads(threads)
    return PictureGenerator(source, network, settings)


def _square_between(first: Square, last: Square, share: float) -> Square:
    return Square(
        first.x + share * (last.x - first.x),
        first.y + share * (last.y - first.y),
        first.side + share * (last.side - first.side),
    )
