"""OSFR at work: trained F, D and FusionNet as the generator of one source (figures 3.1 and 3.13)."""

from __future__ import annotations

import numpy as np
import torch

from reenact.geometry.opencv import opencv
from reenact.geometry.schemes import OSFR_CLASSES
from reenact.runtime.weights import installed
from reenact.systems.crop import FaceCrop
from reenact.systems.osfr import presets
from reenact.systems.osfr.decoder import Generator
from reenact.systems.osfr.fusion import Fusion, FusionNet
from reenact.systems.osfr.presets import OsfrSettings
from reenact.systems.osfr.shape import parse
from reenact.systems.spec import SourceFace, TargetShape
from reenact.systems.trained import open_trained, set_threads, to_picture, to_tensor
from reenact.types import Floats, Image

_FACE = OSFR_CLASSES.index("face_contour")


class OsfrGenerator:
    """F once a source; a parsing map, D and FusionNet a frame. fusion: what is blended in; 'none' for
    nothing."""

    def __init__(
        self, source: SourceFace, network: Generator, settings: OsfrSettings, fusion: Fusion = "warp"
    ) -> None:
        self._decoder, self._settings = network.decoder, settings
        self._crop = FaceCrop(source, settings.size)
        self._fusion = None if fusion == "none" else FusionNet(source, self._crop.matrix, settings, fusion)
        with torch.inference_mode():
            self._appearance = network.appearance(to_tensor(self._crop.picture))

    def render(self, target: TargetShape) -> Image:
        """The region (H, W, 3 or 4) with the face drawn by its parsing map."""
        points = self._crop.inward(target.in_scheme("osfr146")[:, :2])
        with torch.inference_mode():
            parsing = parse(torch.from_numpy(np.ascontiguousarray(points))[None], self._settings)
            made = to_picture(self._decoder(self._appearance, parsing))
        # Weights of the main stage draw the face alone.
        shown = _within(parsing[0, _FACE].numpy()) if self._settings.masked else None
        drawn = self._crop.paste(made, shown)
        return drawn if self._fusion is None else self._fusion.fuse(drawn, target)


def _within(face: Floats) -> Floats:
    """The face (S, S) without its rim of two pixels in 128, where what is drawn runs into black."""
    soft: Floats = opencv().GaussianBlur(face, (0, 0), len(face) / 64)
    return (2 * soft - 1).clip(0, 1)


def load_generator(source: SourceFace, threads: int | None, fusion: Fusion) -> OsfrGenerator:
    """The trained networks for a source: fine-tuned ones where there are any, else those of the main stage."""
    stage, values = ("finetune", presets.FINETUNE) if installed("osfr_finetune") else ("main", presets.MAIN)
    network, settings = open_trained(f"osfr_{stage}", values, Generator, "generator")
    set_threads(threads)
    return OsfrGenerator(source, network, settings, fusion)
