"""Converters alone: how near their landmarks come to synthetic truth (ACE)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from reenact.data.synthetic import Triples
from reenact.evaluation.metrics.ace import ace
from reenact.geometry.face_model import FaceModel
from reenact.geometry.transfer import Blend, Drive, Transfer
from reenact.types import Points

Converter = Callable[[Points, Points], Points]
"""(driving, source) landmarks (478, 3) of one triple to target landmarks."""


def copy_driving(driving: Points, source: Points) -> Points:
    """The baseline that ignores the source."""
    return driving


def morphable_transfer(model: FaceModel) -> Converter:
    """Our analytic converter, absolute and in the driving frame: both faces are fitted from their landmarks."""
    blend = Blend(relative=False, in_frame=True)

    def convert(driving: Points, source: Points) -> Points:
        state = model.fit(driving)
        drive = Drive(state.rotation, state.scale, state.translation, state.expression)
        return Transfer(model, source, blend).target(drive, drive)[0]

    return convert


def model_transfer(model: FaceModel) -> Converter:
    """The same on coefficients alone: what the model does not explain of the source is dropped, its noise with
    it."""

    def convert(driving: Points, source: Points) -> Points:
        identity = model.fit(source).identity
        return model.project(replace(model.fit(driving), identity=identity))

    return convert


def converter_ace(converter: Converter, triples: Triples, *, planar: bool = True) -> float:
    """ACE in pixels over all triples (scheme 'mesh478'); planar: x and y only, since a detector's depth is of
    another kind. Both mean shapes keep their place: nothing is aligned."""
    made = [converter(d, s) for d, s in zip(triples.driving, triples.source, strict=True)]
    dimensions = 2 if planar else 3
    return ace(np.stack(made)[..., :dimensions], triples.target[..., :dimensions])
