"""A run from its words: which system, stage, preset and data, and in which folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reenact.errors import ReenactError
from reenact.media.files import atomic_output
from reenact.pipeline.progress import Progress, silent
from reenact.systems import find_training
from reenact.systems.spec import Settings, StageSpec
from reenact.training.settings import as_json, override, preset

if TYPE_CHECKING:
    from reenact.training.sources import Data

SYNTHETIC = "synthetic"


@dataclass(frozen=True)
class Order:
    """What was asked for. stage: None trains all stages in the paper's order, each in a folder of its name.
    data: a folder, or 'synthetic'. changes: `name=value` pairs. device: 'auto', 'cpu' or 'cuda'."""

    system: str
    preset: str
    data: str
    out: Path
    stage: str | None = None
    changes: tuple[str, ...] = ()
    resume: bool = False
    device: str = "auto"


def describe(order: Order) -> list[dict[str, Any]]:
    """The dry run: networks, parameters, GFLOPs and memory of each stage; nothing is trained or written."""
    from reenact.training.dry_run import describe_stage
    from reenact.training.precision import resolve

    planned = [(stage, override(preset(stage, order.preset), order.changes)) for stage in _stages(order)]
    return [describe_stage(stage, resolve(settings, order.device)) for stage, settings in planned]


def train(
    order: Order, *, progress: Progress = silent, report: Callable[[str], None] = print
) -> list[dict[str, Any]]:
    """Train what was asked for; a record for each stage. A stage that a signal stopped is the last one.

    Raises ReenactError for words that do not fit, a folder that holds a run already (without `resume`) or none
    (with it), and what `loop.main` raises.
    """
    stages = _stages(order)
    folders = [order.out if order.stage else order.out / stage.name for stage in stages]
    planned = [_settings(order, stage, folder) for stage, folder in zip(stages, folders, strict=True)]
    records = []
    for stage, folder, settings in zip(stages, folders, planned, strict=True):
        record = _train_stage(order, stage, folder, settings, progress, report)
        records.append(record)
        if record["stopped"]:
            break
    return records


def _train_stage(
    order: Order,
    stage: StageSpec,
    folder: Path,
    settings: Settings,
    progress: Progress,
    report: Callable[[str], None],
) -> dict[str, Any]:
    from reenact.training import loop, precision
    from reenact.training.start import go_on_with

    asked, settings = settings.precision, precision.resolve(settings, order.device)
    fabric = loop.setup(order.device, settings.precision, settings.threads)
    # Of all stages in one go, those on made-up triples need no folder.
    made_up = stage.data == "triples" and not order.stage
    data = DATA[stage.data](stage, SYNTHETIC if made_up else order.data, settings)
    if fabric.is_global_zero:
        folder.mkdir(parents=True, exist_ok=True)
        _write_order(folder, order, stage, settings)
        where = f"{fabric.world_size} process(es) on {fabric.device}"
        arithmetic = precision.words(asked, settings, order.device)
        report(f"{order.system} {stage.name}: {data.note}; {where}; {arithmetic}")
    fabric.barrier()
    say = report if fabric.is_global_zero else _nothing
    built = stage.build(settings)
    if stage.after:
        go_on_with(built, folder, as_json(settings)["start"])
    done = loop.main(fabric, built, settings, data, folder, progress=progress, report=say)
    # The first process writes the weights, which others may read next; and none is gone before all are done.
    fabric.barrier()
    return {
        "stage": stage.name,
        "folder": str(folder),
        "step": done.step,
        "steps": done.steps,
        "seconds": round(done.seconds, 1),
        "figures": done.figures,
        "stopped": done.stopped,
    }


def _stages(order: Order) -> Sequence[StageSpec]:
    system = find_training(order.system)
    if order.stage:
        return [system.stage(order.stage)]
    return [stage for stage in system.stages if not stage.extra]


def _settings(order: Order, stage: StageSpec, folder: Path) -> Settings:
    """Of the preset, or of the run that is gone on with; in both cases with the changes laid over them."""
    settings = preset(stage, order.preset)
    if (folder / "run.json").exists():
        if not order.resume:
            raise ReenactError(
                f"{folder}: holds a run already; go on with it by --resume, or choose another --out"
            )
        settings = settings.with_values(_read_order(folder)["settings"])
    elif order.resume and order.stage:
        raise ReenactError(f"{folder}: no run to resume there; leave out --resume to start one")
    return override(settings, order.changes)


def _write_order(folder: Path, order: Order, stage: StageSpec, settings: Settings) -> None:
    from importlib.metadata import version

    versions = {name: version(name) for name in ("reenact", "torch", "numpy")}
    values = {
        "system": order.system,
        "stage": stage.name,
        "preset": order.preset,
        "data": order.data,
        "settings": as_json(settings),
        "versions": versions,
    }
    with atomic_output(folder / "run.json", overwrite=True) as partial:
        partial.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def _read_order(folder: Path) -> dict[str, Any]:
    try:
        values = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        values["settings"].keys()
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise ReenactError(f"{folder / 'run.json'}: cannot be read ({error}); start a new run") from None
    return dict(values)


def _triples(stage: StageSpec, name: str, settings: Settings) -> Data:
    if name != SYNTHETIC:
        raise ReenactError(
            f"--data {name}: stage {stage.name!r} learns from exact triples; use --data synthetic"
        )
    from reenact.training.triples import open_triples

    values = as_json(settings)
    return open_triples(values["epoch_size"], settings.validate_samples, values["noise"])


def _pairs(stage: StageSpec, name: str, settings: Settings) -> Data:
    from reenact.training.pairs import open_pairs
    from reenact.training.varied import varied

    values = as_json(settings)
    data = open_pairs(_folder(stage, name), values["size"], values.get("stills", 0.0))
    return varied(data, values["epoch_size"]) if values.get("varied") else data


def _crossed(stage: StageSpec, name: str, settings: Settings) -> Data:
    from reenact.training.crossed import open_crossed

    return open_crossed(_folder(stage, name), as_json(settings)["size"])


def _folder(stage: StageSpec, name: str) -> Path:
    if name == SYNTHETIC:
        raise ReenactError(
            f"--data synthetic: stage {stage.name!r} learns from pictures; give a folder of clips"
        )
    return Path(name)


def _warps(stage: StageSpec, name: str, settings: Settings) -> Data:
    from reenact.training.warps import open_warps

    values = as_json(settings)
    return open_warps(Path(name), values["stills"], neighbours=values["weight_temporal"] > 0)


def _stills(stage: StageSpec, name: str, settings: Settings) -> Data:
    from reenact.training.stills import open_stills

    return open_stills(_folder(stage, name), as_json(settings))


def _controls(stage: StageSpec, name: str, settings: Settings) -> Data:
    from reenact.training.controls import open_controls

    return open_controls(name, as_json(settings))


def _shapes(stage: StageSpec, name: str, settings: Settings) -> Data:
    from reenact.training.shapes import open_shapes

    return open_shapes(name, as_json(settings))


def _phases(stage: StageSpec, name: str, settings: Settings) -> Data:
    from reenact.training.phases import open_phases

    return open_phases(_folder(stage, name), as_json(settings))


def _sequences(stage: StageSpec, name: str, settings: Settings) -> Data:
    from reenact.training.sequences import open_sequences

    return open_sequences(name, as_json(settings))


def _posed(stage: StageSpec, name: str, settings: Settings) -> Data:
    from reenact.training.posed import open_posed

    return open_posed(_folder(stage, name), as_json(settings))


DATA: dict[str, Callable[[StageSpec, str, Settings], Data]] = {
    "triples": _triples,
    "pairs": _pairs,
    "crossed": _crossed,
    "controls": _controls,
    "stills": _stills,
    "warps": _warps,
    "shapes": _shapes,
    "phases": _phases,
    "sequences": _sequences,
    "posed": _posed,
}
"""How each kind of data (`StageSpec.data`) is opened, from what `--data` names and the stage's settings."""


def _nothing(line: str) -> None:
    pass
