"""HR-Net at work: trained networks as converter and generator of one source (figure 2, without training)."""

from __future__ import annotations

import numpy as np
import torch

from reenact.geometry.align import Matrix, apply, crop_matrix, invert
from reenact.systems.crop import FaceCrop, state_square
from reenact.systems.hr_net import bfr, presets
from reenact.systems.hr_net.bfr import boundaries
from reenact.systems.hr_net.lic import Converter, to_pixels, to_unit
from reenact.systems.spec import SourceFace, TargetShape
from reenact.systems.trained import open_trained, set_threads, to_picture, to_tensor
from reenact.types import Image, Points


class LicConverter:
    """G_L: the driving face's 68 points, with the source's identity.

    Both faces are seen in the frame of the training triples, so that neither place nor size in the picture
    matters.
    """

    def __init__(self, source: SourceFace, network: Converter, side: int) -> None:
        self._network, self._side = network, side
        self._source, _ = self._seen(TargetShape(source.points, source.state))

    def convert(self, driving: TargetShape) -> TargetShape:
        """The target landmarks (68, 2) in the region's pixels."""
        unit, matrix = self._seen(driving)
        with torch.inference_mode():
            made = to_pixels(self._network(unit, self._source), self._side)[0].numpy()
        return TargetShape(apply(invert(matrix), made).astype(np.float32), driving.state, "ibug68")

    def _seen(self, face: TargetShape) -> tuple[torch.Tensor, Matrix]:
        matrix = crop_matrix(state_square(face.state), self._side)
        points = apply(matrix, face.in_scheme("ibug68")[:, :2]).astype(np.float32)
        return to_unit(torch.from_numpy(points)[None], self._side), matrix


class BfrGenerator:
    """G_F: the source's style code once, then a boundary image a frame."""

    def __init__(self, source: SourceFace, network: bfr.Generator, settings: presets.BfrSettings) -> None:
        self._transformer, self._settings = network.transformer, settings
        self._crop = FaceCrop(source, settings.size)
        with torch.inference_mode():
            self._style = network.style(to_tensor(self._crop.picture))

    def render(self, target: TargetShape) -> Image:
        """The region (H, W, 3 or 4) with the face drawn along the target's boundaries."""
        points: Points = self._crop.inward(target.in_scheme("ibug68")[:, :2])
        with torch.inference_mode():
            boundary = boundaries(torch.from_numpy(points)[None], self._settings)
            drawn = self._transformer(boundary, self._style)
        return self._crop.paste(to_picture(drawn))


def load_converter(source: SourceFace) -> LicConverter:
    """The trained LIC for a source."""
    network, settings = open_trained(
        "hr_net_lic", presets.LIC, lambda s: Converter(s.widths, s.slope, s.residual), "converter"
    )
    return LicConverter(source, network, settings.side)


def load_generator(source: SourceFace, threads: int | None) -> BfrGenerator:
    """The trained BFR for a source."""
    network, settings = open_trained("hr_net_bfr", presets.BFR, bfr.Generator, "generator")
    set_threads(threads)
    return BfrGenerator(source, network, settings)
