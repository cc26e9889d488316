"""HR-Net (Ren et al., TCSVT 2023): landmark identity conversion, then boundary-guided face reenactment.

`README.md` is the paper card. Reading order: `presets.py`, `lic.py`, `bfr.py`, `losses.py`, `train.py`.
"""

from __future__ import annotations

from typing import Any

from reenact.systems.hr_net import presets
from reenact.systems.spec import Stage, StageSpec, TrainingSpec


def _lic(settings: Any) -> Stage:
    from reenact.systems.hr_net.train import LicStage

    return LicStage(settings)


def _bfr(settings: Any) -> Stage:
    from reenact.systems.hr_net.train import BfrStage

    return BfrStage(settings)


HR_NET_TRAINING = TrainingSpec(
    name="hr_net",
    title="HR-Net",
    paper="HR-Net: A Landmark Based High Realistic Face Reenactment Network (TCSVT 2023)",
    stages=(
        StageSpec("lic", "landmark identity conversion (section III-A)", "triples", presets.LIC, _lic),
        StageSpec("bfr", "boundary-guided face reenactment (section III-B)", "pairs", presets.BFR, _bfr),
    ),
)
