"""DG at work: trained networks as converter and generator of one source (figure 1, without training)."""

from __future__ import annotations

import numpy as np
import torch

from reenact.geometry.align import apply, crop_matrix, invert
from reenact.systems.crop import FaceCrop, state_square
from reenact.systems.dg import idsg, presets, rfg
from reenact.systems.dg.face_code import code_of
from reenact.systems.dg.idsg import to_pixels, to_unit
from reenact.systems.dg.rfg import drawn
from reenact.systems.spec import SourceFace, TargetShape
from reenact.systems.trained import open_trained, set_threads, to_picture, to_tensor
from reenact.types import Image, Points

_CODE_SIDE = 256


class IdsgConverter:
    """G_l: the driving face's 68 points in 3D, with the source's identity; its face code is made once.

    The driving face is seen in the frame of the training faces, so that neither place nor size in the picture
    matters.
    """

    def __init__(self, source: SourceFace, network: idsg.Generator, settings: presets.IdsgSettings) -> None:
        self._network, self._settings = network, settings
        crop = FaceCrop(source, _CODE_SIDE)
        picture, points = to_tensor(crop.picture), crop.inward(source.points)
        with torch.inference_mode():
            self._code = code_of(picture, points, source.state, settings.code, settings.code_length)

    def convert(self, driving: TargetShape) -> TargetShape:
        """The target landmarks (68, 3) in the region's pixels; depth from its mean."""
        side = self._settings.side
        matrix = crop_matrix(state_square(driving.state), side)
        seen = apply(matrix, driving.in_scheme("ibug68")).astype(np.float32)
        with torch.inference_mode():
            unit = self._network(to_unit(torch.from_numpy(seen)[None], side), self._code)
        made = to_pixels(unit, side)[0].numpy()
        return TargetShape(apply(invert(matrix), made).astype(np.float32), driving.state, "ibug68")


class RfgGenerator:
    """G_f: the source's style code once, then a landmark map a frame."""

    def __init__(self, source: SourceFace, network: rfg.Generator, settings: presets.RfgSettings) -> None:
        self._transformer, self._settings = network.transformer, settings
        self._crop = FaceCrop(source, settings.size)
        with torch.inference_mode():
            self._style = network.style(to_tensor(self._crop.picture))

    def render(self, target: TargetShape) -> Image:
        """The region (H, W, 3 or 4) with the face drawn along the target's landmarks."""
        points: Points = self._crop.inward(target.in_scheme("ibug68")[:, :2])
        with torch.inference_mode():
            landmarks = drawn(torch.from_numpy(points)[None], self._settings)
            picture = self._transformer(landmarks, self._style)
        return self._crop.paste(to_picture(picture))


def load_converter(source: SourceFace) -> IdsgConverter:
    """The trained IDSG for a source."""
    network, settings = open_trained("dg_idsg", presets.IDSG, idsg.Generator, "generator")
    return IdsgConverter(source, network, settings)


def load_generator(source: SourceFace, threads: int | None) -> RfgGenerator:
    """The trained RFG for a source, on `threads` threads of the CPU."""
    network, settings = open_trained("dg_rfg", presets.RFG, rfg.Generator, "generator")
    set_threads(threads)
    return RfgGenerator(source, network, settings)
