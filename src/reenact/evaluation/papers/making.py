"""What makes a row of a paper's table here: whether it can be made now, and what is missing if not."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from reenact.errors import ReenactError
from reenact.evaluation.papers.layout import PaperRow, PaperTable
from reenact.evaluation.protocols import COPY
from reenact.runtime.weights import find, installed
from reenact.systems import TRAINING, find_system


def family(system: str) -> str:
    """The name under which a system is trained: without the converter in front, and `osfr` for `osfr_plain`."""
    name = system.rpartition("+")[2]
    return name if name in TRAINING else next((n for n in TRAINING if name.startswith(f"{n}_")), name)


def configuration(row: PaperRow) -> str:
    """What makes a row, in a line: how its stages are trained where that is not the paper's full system, and
    what is run then."""
    by_stage: dict[str, list[str]] = {}
    for (stage, setting), value in map(_parted, row.changes):
        word = f"--data {value.upper()}" if setting == "data" else f"--set {setting}={value}"
        by_stage.setdefault(stage, []).append(word)
    name = family(row.system)
    trained = [
        f"`reenact train {name} --stage {stage} --preset paper {' '.join(changes)}`"
        for stage, changes in by_stage.items()
    ]
    return ", then ".join([*trained, f"`--system {row.system}`"]) + (f" ({row.what})" if row.what else "")


def trained_by(system: str) -> str:
    """'; weights of preset ...' for what stands behind a system's name, '' where it needs no weights."""
    name = family(system)
    stages = TRAINING[name].stages if name in TRAINING else ()
    there = [stage.name for stage in stages if installed(f"{name}_{stage.name}")]
    found = [f"{stage} of preset {find(f'{name}_{stage}').details.get('preset', '?')}" for stage in there]
    return f"; weights: {', '.join(found)}" if found else ""


def fault(table: PaperTable, row: PaperRow) -> str:
    """Why a row cannot be made now; '' where it can."""
    if row.system == COPY:
        return ""
    try:
        find_system(row.system)
    except ReenactError as error:
        return str(error).split(";")[0]
    wrong = [
        stage
        for stage, wanted in _wanted(table, row).items()
        if not _agrees(wanted, _trained(row.system, stage))
    ]
    wanted = ", ".join(row.changes) or "the full system"
    return f"no weights of {row.system} that were trained with {wanted}" if wrong else ""


def _wanted(table: PaperTable, row: PaperRow) -> dict[str, dict[str, str | None]]:
    """Stage -> setting -> value of the row, for all settings that any row of this system in the table changes;
    None stands for the paper's own value."""
    own = dict(_parted(change) for change in row.changes)
    found: dict[str, dict[str, str | None]] = {}
    for other in table.rows:
        if family(other.system) == family(row.system):
            for place, _ in map(_parted, other.changes):
                found.setdefault(place[0], {})[place[1]] = own.get(place)
    return found


def _parted(change: str) -> tuple[tuple[str, str], str]:
    place, _, value = change.partition("=")
    stage, _, setting = place.partition(".")
    return (stage, setting), value


@dataclass(frozen=True)
class _Trained:
    """The settings that something was trained with, and the paper's."""

    settings: Mapping[str, Any]
    paper: Mapping[str, Any]


def _trained(system: str, stage: str) -> _Trained | None:
    """Of the weights of a stage, or of what was trained on from there; None where none are here."""
    for name in (f"{family(system)}_{stage}", *find_system(system).weights):
        details = find(name).details if installed(name) else {}
        own = str(details.get("stage", stage))
        found = _settings(family(system), own, str(details.get("preset", "")), details.get("settings", {}))
        if found is not None:
            return found
    return None


def _settings(system: str, stage: str, preset: str, values: Mapping[str, Any]) -> _Trained | None:
    """A preset with recorded values laid over it; None where there is no such system, stage or preset."""
    stages = TRAINING[system].stages if system in TRAINING else ()
    presets = {one.name: one.presets for one in stages}.get(stage, {})
    if preset not in presets or "paper" not in presets:
        return None
    return _Trained({**asdict(presets[preset]), **values}, asdict(presets["paper"]))


def _agrees(wanted: Mapping[str, str | None], have: _Trained | None) -> bool:
    """Whether settings are those of a row. Without any to hold against, they are not."""
    if have is None:
        return False
    return all(
        _equal(have.settings.get(name), have.paper.get(name) if value is None else value)
        for name, value in wanted.items()
    )


def _equal(have: Any, wanted: Any) -> bool:
    try:
        return float(have) == float(wanted)
    except (TypeError, ValueError):
        return str(have).lower() == str(wanted).lower()


def ace_of_runs(table: PaperTable, row: PaperRow, runs: Path) -> tuple[float, str] | None:
    """The best held-out ACE in pixels of the training runs below a folder whose settings are those of the row,
    and the preset of that run; None where there is no such run."""
    system, found = family(row.system), []
    plain = not any(other.changes for other in table.rows)
    for path in sorted(runs.rglob("run.json")):
        try:
            order = json.loads(path.read_text("utf-8"))
            with (path.parent / "validation.csv").open(newline="", encoding="utf-8") as file:
                figures = [float(line[row.ace]) for line in csv.DictReader(file)]
            have = _settings(order["system"], order["stage"], order["preset"], order["settings"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
        wanted = _wanted(table, row).get(order["stage"], {})
        if order["system"] == system and (wanted or plain) and figures and _agrees(wanted, have):
            found.append((min(figures), str(order["preset"])))
    return min(found) if found else None
