"""DG (Hsu, Tsai and Wu, CVPR 2022): an identity-preserving shape generator, then a face generator.

`README.md` is the paper card. Reading order: `presets.py`, `face_code.py`, `idsg.py`, `rfg.py`, `losses.py`,
`train.py`, `animate.py`.
"""

from __future__ import annotations

from typing import Any

from reenact.systems.dg import presets
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

_PAPER = "Dual-Generator Face Reenactment (CVPR 2022)"


def _idsg(settings: Any) -> Stage:
    from reenact.systems.dg.train import IdsgStage

    return IdsgStage(settings)


def _rfg(settings: Any) -> Stage:
    from reenact.systems.dg.train import RfgStage

    return RfgStage(settings)


def _converter(source: SourceFace) -> Converter:
    need_torch("idsg")
    from reenact.systems.dg.animate import load_converter

    return load_converter(source)


def _generator(source: SourceFace, threads: int | None) -> Generator:
    need_torch("dg")
    from reenact.systems.dg.animate import load_generator

    return load_generator(source, threads)


IDSG = ConverterSpec("idsg", "DG's ID-preserving shape generator", "ibug68", _converter, ("dg_idsg",))

DG = SystemSpec(
    name="dg",
    title="Dual-Generator",
    paper=_PAPER,
    margin=2.6,
    learned=True,
    load=_generator,
    takes="ibug68",
    converter="idsg",
    weights=("dg_rfg",),
)

DG_TRAINING = TrainingSpec(
    name="dg",
    title="Dual-Generator",
    paper=_PAPER,
    stages=(
        StageSpec("idsg", "ID-preserving shape generator (section 3.1)", "shapes", presets.IDSG, _idsg),
        StageSpec("rfg", "reenacted face generator (section 3.2)", "phases", presets.RFG, _rfg),
    ),
)
