"""The systems and converters by name. What is not in these tables is not there for the rest of the package."""

from __future__ import annotations

from dataclasses import replace

from reenact.errors import ReenactError
from reenact.runtime.weights import find, for_torch, installed
from reenact.systems.converters import COPY, LST, MORPHABLE
from reenact.systems.dg import DG, DG_TRAINING, IDSG
from reenact.systems.fipls import FIPLS, FIPLS_TRAINING, LI, LSG
from reenact.systems.glg import GLG, GLG_TRAINING, LGAN, LGAN_FACE, LGAN_SHAPE
from reenact.systems.hr_net import HR_NET, HR_NET_TRAINING, LIC
from reenact.systems.live import LIVE, LIVE_TRAINING
from reenact.systems.osfr import OSFR, OSFR_MORPH, OSFR_PLAIN, OSFR_TRAINING
from reenact.systems.spec import ConverterSpec, SystemSpec, TrainingSpec, fits
from reenact.systems.trained import need_torch, torch_is_there
from reenact.systems.warp import WARP

SYSTEMS: dict[str, SystemSpec] = {
    spec.name: spec for spec in (LIVE, WARP, HR_NET, FIPLS, DG, GLG, OSFR, OSFR_MORPH, OSFR_PLAIN)
}

CONVERTERS: dict[str, ConverterSpec] = {
    spec.name: spec for spec in (MORPHABLE, COPY, LST, LI, LIC, LSG, IDSG, LGAN, LGAN_FACE, LGAN_SHAPE)
}
"""Each can take the place of a system's own: `--system copy+warp`."""

TRAINING: dict[str, TrainingSpec] = {
    spec.name: spec
    for spec in (
        LIVE_TRAINING,
        HR_NET_TRAINING,
        FIPLS_TRAINING,
        DG_TRAINING,
        GLG_TRAINING,
        OSFR_TRAINING,
    )
}
"""The systems that can be trained, whether or not trained weights of them are there yet."""
_FEW = 20_000  # samples


def status_of(spec: SystemSpec) -> str:
    """'ready', 'no weights yet', or 'needs PyTorch' where that is not installed."""
    if _missing(spec):
        return "no weights yet"
    return "needs PyTorch" if _runs_on_torch(spec) and not torch_is_there() else "ready"


def caveats(spec: SystemSpec) -> tuple[str, ...]:
    """What whoever uses a system that is ready should know: a line where its weights saw so little that nobody
    should expect a likeness."""
    seen = [int(find(name).details.get("samples", _FEW)) for name in spec.weights if installed(name)]
    if not seen or min(seen) >= _FEW:
        return ()
    return (
        f"{spec.name}'s weights saw {min(seen):,} samples only: a first try, blurred; use live for a likeness",
    )


def find_system(name: str) -> SystemSpec:
    """The system of that name, or `CONVERTER+SYSTEM` for one with another converter; ready to be loaded.

    A ReenactError names the ones there are, or says what is missing.
    """
    converter, plus, system = name.rpartition("+")
    if system not in SYSTEMS:
        raise ReenactError(f"there is no system {system!r}; choose one of: {', '.join(SYSTEMS)}")
    spec = SYSTEMS[system]
    if plus:
        spec = replace(spec, name=name, converter=converter)
    _check(spec)
    return spec


def find_converter(name: str) -> ConverterSpec:
    """The converter of that name; a ReenactError names the ones there are."""
    if name not in CONVERTERS:
        raise ReenactError(f"there is no converter {name!r}; choose one of: {', '.join(CONVERTERS)}")
    return CONVERTERS[name]


def find_training(name: str) -> TrainingSpec:
    """How the system of that name is trained; a ReenactError names the ones that can be."""
    if name not in TRAINING:
        raise ReenactError(f"{name!r} is no system that can be trained; choose one of: {', '.join(TRAINING)}")
    return TRAINING[name]


def _check(spec: SystemSpec) -> None:
    converter = find_converter(spec.converter)
    if not fits(converter.gives, spec.takes):
        raise ReenactError(
            f"{spec.name}: {converter.name} gives landmarks of {converter.gives}, which do not become the "
            f"{spec.takes} that the generator draws"
        )
    if missing := _missing(spec):
        ready = ", ".join(other.name for other in SYSTEMS.values() if status_of(other) == "ready")
        raise ReenactError(
            f"{spec.name} has no weights yet ({', '.join(missing)}); train it with `reenact train`, or choose "
            f"one of: {ready}"
        )
    if _runs_on_torch(spec):
        need_torch(spec.name)


def _wanted(spec: SystemSpec) -> tuple[str, ...]:
    return (*find_converter(spec.converter).weights, *spec.weights)


def _missing(spec: SystemSpec) -> list[str]:
    return [name for name in _wanted(spec) if not installed(name)]


def _runs_on_torch(spec: SystemSpec) -> bool:
    """Whether any half of a system that has its weights is drawn by PyTorch."""
    return any(for_torch(name) for name in _wanted(spec))
