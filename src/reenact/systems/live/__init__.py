"""`live`: our own system; a light network corrects and completes the landmark warp.

`README.md` says what it is made of. Reading order: `inputs.py`, `shape.py`, `network.py`, `losses.py`,
`train.py`, `presets.py`; `generator.py` is what runs in use, without PyTorch.
"""

from __future__ import annotations

from typing import Any

from reenact.systems.live.generator import (
    FRAME_NET,
    INTEGER_NET,
    SOURCE_NET,
    LiveGenerator,
    trained_networks,
)
from reenact.systems.live.presets import PRESETS
from reenact.systems.spec import Generator, SourceFace, Stage, StageSpec, SystemSpec, TrainingSpec

_TITLE = "Landmark warp completed by a light network; real time on two cores"
_PAPER = "ours; beside the five papers"


def _stage(settings: Any) -> Stage:
    from reenact.systems.live.train import LiveStage

    return LiveStage(settings)


def _load(source: SourceFace, threads: int | None) -> Generator:
    return LiveGenerator(source, threads)


LIVE = SystemSpec(
    name="live",
    title=_TITLE,
    paper=_PAPER,
    margin=2.6,
    learned=True,
    load=_load,
    weights=(SOURCE_NET, FRAME_NET, INTEGER_NET),
    prepare=trained_networks,
)

LIVE_TRAINING = TrainingSpec(
    name="live",
    title=_TITLE,
    paper=_PAPER,
    stages=(StageSpec("refine", "the network that completes the warp", "warps", PRESETS, _stage),),
)
