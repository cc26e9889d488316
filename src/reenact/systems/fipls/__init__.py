"""FIPLS (Zhang et al., 2021): identity-preserving landmark sequences, then pix2pixHD on a sketch of 98 points.

`README.md` is the paper card. Reading order: `presets.py`, `lsg.py`, `pix2pixhd.py`, `losses.py`, `train.py`,
`animate.py`.
"""

from __future__ import annotations

from typing import Any

from reenact.systems.fipls import presets
from reenact.systems.spec import (
    Converter,
    ConverterSpec,
    Generator,
    SourceFace,
    Stage,
    StageSpec,
    SystemSpec,
    TrainingSpec,
)
from reenact.systems.trained import need_torch

_PAPER = "Fine-grained Identity-Preserving Landmark Synthesis for Face Reenactment (2021)"


def _lsg(settings: Any) -> Stage:
    from reenact.systems.fipls.train import LsgStage

    return LsgStage(settings)


def _reenactment(settings: Any) -> Stage:
    from reenact.systems.fipls.train import ReenactmentStage

    return ReenactmentStage(settings)


def _converter(source: SourceFace) -> Converter:
    need_torch("lsg")
    from reenact.systems.fipls.animate import load_converter

    return load_converter(source)


def _far_end(source: SourceFace) -> Converter:
    from reenact.systems.fipls.ends import FarEnd

    return FarEnd(source)


def _generator(source: SourceFace, threads: int | None) -> Generator:
    need_torch("fipls")
    from reenact.systems.fipls.animate import load_generator

    return load_generator(source, threads)


LSG = ConverterSpec("lsg", "FIPLS' landmark sequence generator", "mesh478", _converter, ("fipls_lsg",))
LI = ConverterSpec("li", "linear interpolation to the transferred landmarks (LI)", "mesh478", _far_end)
"""Of the line from the source to the far end, an animation shows the far end."""

FIPLS = SystemSpec(
    name="fipls",
    title="FIPLS",
    paper=_PAPER,
    margin=2.6,
    learned=True,
    load=_generator,
    takes="wflw98",
    converter="lsg",
    weights=("fipls_reenactment",),
)

FIPLS_TRAINING = TrainingSpec(
    name="fipls",
    title="FIPLS",
    paper=_PAPER,
    stages=(
        StageSpec("lsg", "landmark sequence generator (equations 1 to 4)", "sequences", presets.LSG, _lsg),
        StageSpec(
            "reenactment",
            "landmark-guided face reenactment (equations 5 to 8)",
            "posed",
            presets.REENACTMENT,
            _reenactment,
        ),
    ),
)
