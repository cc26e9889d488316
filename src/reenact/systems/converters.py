"""The converters that need no training: the baselines that every learned one has to beat."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from reenact.systems.spec import Converter, ConverterSpec, SourceFace, TargetShape
from reenact.types import Points


def align_statistics(driving: Points, source: Points) -> Points:
    """LSt (Generative Landmark Guidance, equation 3): the driving points (N, D) with the mean and variance of
    the source's, shifted back so that their centre is the driving face's.

    differs from paper: the statistics are those of the two faces at hand, not of each person's whole data set,
    which a single portrait does not have.
    """
    centre = driving.mean(0)
    spread = source.std(0) / np.maximum(driving.std(0), 1e-6)
    return ((driving - centre) * spread + centre).astype(driving.dtype)


class CopyDriving:
    """The driving face's own landmarks: what HR-Net's and DG's ablations call 'without'."""

    def convert(self, driving: TargetShape) -> TargetShape:
        """The driving face itself."""
        return driving


class LandmarkStyle:
    """LSt on the mesh. The source's statistics are taken at the driving face's size."""

    def __init__(self, source: SourceFace) -> None:
        self._source = source

    def convert(self, driving: TargetShape) -> TargetShape:
        """The driving face with the source's mean and variance."""
        zoom = np.float32(driving.state.scale / self._source.state.scale)
        return replace(driving, points=align_statistics(driving.points, self._source.points * zoom))


def _copy(source: SourceFace) -> Converter:
    return CopyDriving()


MORPHABLE = ConverterSpec("morphable", "morphable landmark transfer", "mesh478", None)
COPY = ConverterSpec("copy", "the driving face's own landmarks", "mesh478", _copy)
LST = ConverterSpec("lst", "mean and variance aligned (LSt)", "mesh478", LandmarkStyle)
