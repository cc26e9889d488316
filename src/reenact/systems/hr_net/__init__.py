"""HR-Net (Ren et al., TCSVT 2023): landmark identity conversion, then boundary-guided face reenactment.

`README.md` is the paper card. Reading order: `presets.py`, `lic.py`, `bfr.py`, `losses.py`, `train.py`,
`joint.py`, `animate.py`.
"""

from __future__ import annotations

from typing import Any

from reenact.systems.hr_net import presets
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

_PAPER = "HR-Net: A Landmark Based High Realistic Face Reenactment Network (TCSVT 2023)"


def _lic(settings: Any) -> Stage:
    from reenact.systems.hr_net.train import LicStage

    return LicStage(settings)


def _bfr(settings: Any) -> Stage:
    from reenact.systems.hr_net.train import BfrStage

    return BfrStage(settings)


def _converter(source: SourceFace) -> Converter:
    need_torch("lic")
    from reenact.systems.hr_net.animate import load_converter

    return load_converter(source)


def _generator(source: SourceFace, threads: int | None) -> Generator:
    need_torch("hr_net")
    from reenact.systems.hr_net.animate import load_generator

    return load_generator(source, threads)


def _joint(settings: Any) -> Stage:
    from reenact.systems.hr_net.joint import JointStage

    return JointStage(settings)


LIC = ConverterSpec("lic", "HR-Net's landmark identity conversion", "ibug68", _converter, ("hr_net_lic",))

HR_NET = SystemSpec(
    name="hr_net",
    title="HR-Net",
    paper=_PAPER,
    margin=2.6,
    learned=True,
    load=_generator,
    takes="ibug68",
    converter="lic",
    weights=("hr_net_bfr",),
)

HR_NET_TRAINING = TrainingSpec(
    name="hr_net",
    title="HR-Net",
    paper=_PAPER,
    stages=(
        StageSpec("lic", "landmark identity conversion (section III-A)", "triples", presets.LIC, _lic),
        StageSpec("bfr", "boundary-guided face reenactment (section III-B)", "pairs", presets.BFR, _bfr),
        StageSpec("joint", "both together (section V)", "crossed", presets.JOINT, _joint, extra=True),
    ),
)
