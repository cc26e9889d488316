"""One-shot Face Reenactment (Zhang, thesis at ETH Zürich, 2019): parsing maps, SPADE, and a warp blended in.

`README.md` is the paper card. Reading order: `presets.py`, `shape.py` (E), `appearance.py` (F), `decoder.py`
(D), `losses.py`, `train.py`, `fusion.py` (FusionNet), `animate.py`."""

from __future__ import annotations

from functools import partial
from typing import Any

from reenact.systems.osfr import presets
from reenact.systems.spec import Generator, SourceFace, Stage, StageSpec, SystemSpec, TrainingSpec
from reenact.systems.trained import need_torch
from reenact.types import Scheme

_PAPER = "One-shot Face Reenactment (thesis, ETH Zürich 2019; BMVC 2019)"
_WEIGHTS = ("osfr_finetune",)


def _stage(settings: Any) -> Stage:
    from reenact.systems.osfr.train import OsfrStage

    return OsfrStage(settings)


def _generator(source: SourceFace, threads: int | None, *, fusion: Any) -> Generator:
    need_torch("osfr")
    from reenact.systems.osfr.animate import load_generator

    return load_generator(source, threads, fusion)


def _system(name: str, title: str, fusion: str, takes: Scheme) -> SystemSpec:
    return SystemSpec(
        name=name,
        title=title,
        paper=_PAPER,
        margin=2.6,
        learned=True,
        load=partial(_generator, fusion=fusion),
        takes=takes,
        converter="copy",
        weights=_WEIGHTS,
    )


OSFR = _system("osfr", "One-shot Face Reenactment", "warp", "mesh478")
OSFR_MORPH = _system("osfr_morph", "the same, FusionNet with the thesis's piecewise morph", "morph", "mesh478")
OSFR_PLAIN = _system("osfr_plain", "the same without FusionNet", "none", "osfr146")

OSFR_TRAINING = TrainingSpec(
    name="osfr",
    title="One-shot Face Reenactment",
    paper=_PAPER,
    stages=(
        StageSpec(
            "main", "F and D on faces without background (section 4.1.3)", "stills", presets.MAIN, _stage
        ),
        StageSpec(
            "finetune",
            "F and D with background (section 4.1.3)",
            "stills",
            presets.FINETUNE,
            _stage,
            after="main",
        ),
    ),
)
