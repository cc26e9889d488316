"""The systems by name. A system that is not in this table does not exist for the rest of the package."""

from __future__ import annotations

from reenact.errors import ReenactError
from reenact.systems.hr_net import HR_NET_TRAINING
from reenact.systems.spec import SystemSpec, TrainingSpec
from reenact.systems.warp import WARP

SYSTEMS: dict[str, SystemSpec] = {spec.name: spec for spec in (WARP,)}

TRAINING: dict[str, TrainingSpec] = {spec.name: spec for spec in (HR_NET_TRAINING,)}
"""The systems that can be trained, whether or not trained weights of them are there yet."""

DEFAULT_SYSTEM = "warp"


def find_system(name: str) -> SystemSpec:
    """The system of that name; a ReenactError names the ones there are."""
    if name not in SYSTEMS:
        raise ReenactError(f"there is no system {name!r}; choose one of: {', '.join(SYSTEMS)}")
    return SYSTEMS[name]


def find_training(name: str) -> TrainingSpec:
    """How the system of that name is trained; a ReenactError names the ones that can be."""
    if name not in TRAINING:
        raise ReenactError(f"{name!r} is no system that can be trained; choose one of: {', '.join(TRAINING)}")
    return TRAINING[name]
