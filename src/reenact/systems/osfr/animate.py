"""OSFR at work: trained F, D and FusionNet as the generator of one source (figures 3.1 and 3.13)."""

from __future__ import annotations

import numpy as np
import torch

from reenact.systems.crop import FaceCrop
from reenact.systems.osfr import presets
from reenact.systems.osfr.decoder import Generator
from reenact.systems.osfr.fusion import Fusion, FusionNet
from reenact.systems.osfr.presets import OsfrSettings
from reenact.systems.osfr.shape import parse
from reenact.systems.spec import SourceFace, TargetShape
from reenact.systems.trained import open_trained, set_threads, to_picture, to_tensor
from reenact.types import Image


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
            drawn = self._crop.paste(to_picture(self._decoder(self._appearance, parsing)))
        return drawn if self._fusion is None else self._fusion.fuse(drawn, target)


def load_generator(source: SourceFace, threads: int | None, fusion: Fusion) -> OsfrGenerator:
    """The trained networks for a source."""
    network, settings = open_trained("osfr_finetune", presets.FINETUNE, Generator, "generator")
    set_threads(threads)
    return OsfrGenerator(source, network, settings, fusion)
