"""An evaluation from start to files: cases, systems, per-pair results, tables and sheets; resumable.

    OUT/table.md table.csv table.json      means over cases, and each case
    OUT/pairs/<protocol>/<case>/<system>.json   figures of each frame
    OUT/pairs/<protocol>/<case>/<system>.png    the pictures of that pair, small
    OUT/sheets/<protocol>-<case>.png       source, driving frames, every system

A pair is measured again only where its files are missing or came of other settings, data or code.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from reenact.data.folders import open_folders
from reenact.errors import ReenactError
from reenact.evaluation.protocols import COPY, PROTOCOLS, Case, Protocol, Tools, cases_of, prepare, run
from reenact.evaluation.scenes import Clip
from reenact.evaluation.sheets import sheet, strip
from reenact.evaluation.tables import COLUMNS, Column, Table, mean_of, summarise
from reenact.media.stills import read_still, write_still
from reenact.perception.identity import IdentityEmbedder
from reenact.systems import find_system

Progress = Callable[[str, int, int | None], None]
BASELINES = (COPY, "warp")
_PACKAGES = ("reenact", "mediapipe", "numpy", "opencv-contrib-python")


@dataclass(frozen=True)
class Plan:
    """What is evaluated. systems: names; `copy` and `warp` are added. clips: the split. pairs: how many cases,
    None for all clips (self) or 24 (cross). seed: of the choice of stills. fresh: measure every pair again."""

    systems: Sequence[str]
    data: Path
    protocol: str
    out: Path
    clips: str = "val"
    pairs: int | None = None
    seed: int = 0
    fresh: bool = False


@dataclass(frozen=True)
class Report:
    """table: a row a system. cases: a row a case and system. measured, kept: pairs done now, and before. notes:
    cases that could not be used, and what was not measured."""

    table: Table
    cases: Table
    measured: int
    kept: int
    notes: tuple[str, ...]


def evaluate(plan: Plan, embedder: IdentityEmbedder | None = None, progress: Progress | None = None) -> Report:
    """Run a plan and write its files. Raises ReenactError for unknown systems or protocols, data that are not
    there, or where no case could be used."""
    protocol = _protocol(plan.protocol)
    systems = list(dict.fromkeys([*BASELINES, *plan.systems]))
    for system in systems:
        if system != COPY:
            find_system(system)
    cases = cases_of(protocol, open_folders(plan.data), plan.clips, plan.pairs, plan.seed)
    runner = _Runner(plan, protocol, systems, embedder)
    try:
        for number, case in enumerate(cases):
            runner.do(case)
            if progress is not None:
                progress("evaluate", number + 1, len(cases))
    finally:
        runner.close()
    if not runner.figures:
        raise ReenactError(f"{plan.data}: no pair could be evaluated; {'; '.join(runner.notes)}")
    return _written(runner)


def _protocol(name: str) -> Protocol:
    if name not in PROTOCOLS:
        raise ReenactError(f"there is no protocol {name!r}; choose one of: {', '.join(PROTOCOLS)}")
    return PROTOCOLS[name]


class _Runner:
    """The pairs of a plan, one case after the other; the clip of the last case is kept at hand."""

    def __init__(
        self, plan: Plan, protocol: Protocol, systems: list[str], embedder: IdentityEmbedder | None
    ) -> None:
        self.plan, self.protocol, self.systems = plan, protocol, systems
        self.embedder = embedder
        self.columns = _columns(protocol, embedder)
        self.figures: dict[str, dict[str, dict[str, float | None]]] = {}
        self.notes: list[str] = []
        self.measured = self.kept = 0
        self._tools: Tools | None = None
        self._clips: dict[Path, Clip] = {}
        if embedder is None:
            self.notes.append("identity was not measured: no embedder (pip install 'reenact[identity]')")

    def close(self) -> None:
        if self._tools is not None:
            self._tools.finder.close()

    def do(self, case: Case) -> None:
        """Measure what is missing of a case, and take in its figures. A case that cannot be used is noted."""
        folder = self.plan.out / "pairs" / self.protocol.name / case.key
        stamp = _stamp(case, self.protocol, self.embedder)
        missing = [s for s in self.systems if self.plan.fresh or not _is_done(folder, s, stamp)]
        try:
            if missing:
                self._measure(case, folder, missing, stamp)
        except ReenactError as error:
            self.notes.append(f"{case.key} was left out: {error}")
            return
        self.kept += len(self.systems) - len(missing)
        rows = {s: json.loads((folder / f"{s}.json").read_text("utf-8"))["rows"] for s in self.systems}
        self.figures[case.key] = {s: summarise(rows[s], self.columns) for s in self.systems}
        strips = {name: read_still(folder / f"{name}.png") for name in ("driving", *self.systems)}
        target = self.plan.out / "sheets" / f"{self.protocol.name}-{case.key}.png"
        _write_picture(target, sheet(read_still(folder / "source.png"), strips))

    def _measure(self, case: Case, folder: Path, missing: list[str], stamp: dict[str, Any]) -> None:
        if self._tools is None:
            self._tools = Tools(embedder=self.embedder)
        portrait, clip = prepare(case, self.protocol, self._tools.finder, self._clips.get(case.clip))
        self._clips[case.clip] = clip
        folder.mkdir(parents=True, exist_ok=True)
        _write_picture(folder / "source.png", np.ascontiguousarray(portrait.picture[..., :3]))
        _write_picture(folder / "driving.png", strip(clip.pictures))
        for system in missing:
            outcome = run(system, portrait, clip, self.protocol, self._tools)
            _write_picture(folder / f"{system}.png", strip(outcome.pictures))
            content = {"case": case.key, "system": system, "stamp": stamp, "rows": outcome.rows}
            _write_text(folder / f"{system}.json", json.dumps(content, indent=1))
            self.measured += 1


def _columns(protocol: Protocol, embedder: IdentityEmbedder | None) -> dict[str, Column]:
    """The protocol's columns, those of identity with the embedder's name, or without them."""
    columns: dict[str, Column] = {}
    for key, column in COLUMNS[protocol.name].items():
        if key not in ("csim", "id"):
            columns[key] = column
        elif embedder is not None:
            columns[key] = replace(column, label=f"{column.label} ({embedder.name})")
    return columns


def _written(runner: _Runner) -> Report:
    """Tables out of the figures, on disk and as a report."""
    plan, columns = runner.plan, runner.columns
    caption = _caption(runner)
    means = {s: mean_of([case[s] for case in runner.figures.values()], columns) for s in runner.systems}
    each = {f"{key}: {s}": case[s] for key, case in runner.figures.items() for s in runner.systems}
    table, cases = Table(columns, means, caption), Table(columns, each)
    name = f"table-{runner.protocol.name}"
    notes = "".join(f"- {note}\n" for note in runner.notes)
    text = f"# {runner.protocol.name}\n\n{table.markdown()}\n## Each case\n\n{cases.markdown()}\n{notes}"
    _write_text(plan.out / f"{name}.md", text)
    _write_text(plan.out / f"{name}.csv", Table(columns, {**means, **each}).csv())
    content = {
        "protocol": runner.protocol.name,
        "caption": caption,
        "seed": plan.seed,
        "versions": versions(),
        "embedder": runner.embedder.name if runner.embedder else None,
        "systems": means,
        "cases": runner.figures,
        "columns": json.loads(table.json())["columns"],
        "notes": runner.notes,
    }
    _write_text(plan.out / f"{name}.json", json.dumps(content, indent=1, ensure_ascii=False))
    return Report(table, cases, runner.measured, runner.kept, tuple(runner.notes))


def _caption(runner: _Runner) -> str:
    protocol, count = runner.protocol, len(runner.figures)
    what = (
        f"Self-reenactment: source is frame 0, absolute motion; {count} clips of split '{runner.plan.clips}'"
        if protocol.name == "self"
        else f"Cross-reenactment, relative motion: {count} pairs of a still and a clip, seed {runner.plan.seed}"
    )
    used = ", ".join(f"{name} {version}" for name, version in versions().items())
    return f"{what}; at most {protocol.most} frames each, {protocol.size} px, means over cases. {used}."


def _is_done(folder: Path, system: str, stamp: dict[str, Any]) -> bool:
    pictures = (folder / f"{name}.png" for name in (system, "driving", "source"))
    try:
        done = json.loads((folder / f"{system}.json").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return bool(done.get("stamp") == stamp) and all(path.is_file() for path in pictures)


def _stamp(case: Case, protocol: Protocol, embedder: IdentityEmbedder | None) -> dict[str, Any]:
    """What a pair's figures depend on."""
    return {
        "source": _digest(case.source),
        "clip": _digest(case.clip),
        "size": protocol.size,
        "most": protocol.most,
        "embedder": embedder.name if embedder else None,
        "versions": versions(),
    }


@lru_cache(maxsize=1)
def versions() -> dict[str, str]:
    """Versions of what figures depend on; 'code' is a digest of this package's own files."""
    found = {name: metadata.version(name) for name in _PACKAGES if _is_installed(name)}
    digest = hashlib.sha256()
    root = Path(__file__).parent.parent
    for path in sorted(p for p in root.rglob("*") if p.suffix in (".py", ".safetensors", ".onnx", ".npz")):
        if path.relative_to(root).parts[0] not in ("cli", "web", "trust", "training"):
            digest.update(path.read_bytes())
    return {**found, "code": digest.hexdigest()[:12]}


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


@lru_cache(maxsize=4096)
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def _write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all. Raises ReenactError where the folder cannot be written."""
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, "utf-8")
        partial.replace(path)
    except OSError as error:
        raise ReenactError(f"{path}: cannot be written ({error.strerror}); choose another --out") from error


def _write_picture(path: Path, image: np.ndarray) -> None:
    partial = path.with_name(path.stem + ".partial.png")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_still(partial, image)
        partial.replace(path)
    except OSError as error:
        raise ReenactError(f"{path}: cannot be written ({error.strerror}); choose another --out") from error
