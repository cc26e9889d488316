"""An evaluation from start to files: cases, systems, per-pair results, tables and sheets; resumable.

    OUT/table-<protocol>.md .csv .json          means over cases, and each case
    OUT/pairs/<protocol>/<case>/<system>.json   figures of each frame or pair of pictures
    OUT/pairs/<protocol>/<case>/<system>.npz    features that distances between sets are taken over
    OUT/pairs/<protocol>/<case>/<system>.png    the pictures of that pair, small
    OUT/sheets/<protocol>-<case>.png            source, driving frames, every system

A pair is measured again only where its files are missing or came of other settings, data, networks or code.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from reenact.data.folders import open_folders
from reenact.data.protocols import PAIR_PROTOCOLS
from reenact.errors import ReenactError
from reenact.evaluation import store
from reenact.evaluation.changed import changed_cases
from reenact.evaluation.measure import Tools, open_tools, published_metrics
from reenact.evaluation.metrics import frechet_distance
from reenact.evaluation.pictures import few_shot_cases, is_set, paper_cases, set_cases
from reenact.evaluation.protocols import (
    CHANGED,
    COPY,
    CROSS,
    FEW_SHOT,
    PROTOCOLS,
    Case,
    Protocol,
    clip_cases,
    picture_protocol,
)
from reenact.evaluation.sheets import sheet, strip
from reenact.evaluation.tables import COLUMNS, Column, Table, mean_of, summarise
from reenact.media.stills import read_still
from reenact.perception.identity import IdentityEmbedder
from reenact.systems import find_system
from reenact.types import Floats

Progress = Callable[[str, int, int | None], None]
BASELINES = (COPY, "warp")


@dataclass(frozen=True)
class Plan:
    """What is evaluated. systems: names; `copy` and `warp` are added. protocol: self, cross, changed, few-shot,
    or test pairs of a paper (`data/protocols.py`). clips: the split. pairs: how many cases (all by default;
    cross: 24) or pairs of pictures (all). seed: of every choice. shots: sources a person in few-shot. guides:
    the folder of driving pictures of another data set. fresh: measure every pair again."""

    systems: Sequence[str]
    data: Path
    protocol: str
    out: Path
    clips: str = "val"
    pairs: int | None = None
    seed: int = 0
    shots: int = 3
    guides: Path | None = None
    fresh: bool = False


@dataclass(frozen=True)
class Report:
    """table: a row a system. cases: a row a case and system. measured, kept: pairs done now, and before. notes:
    cases that could not be used, and what was not measured. columns: which figures (see `Protocol`)."""

    table: Table
    cases: Table
    measured: int
    kept: int
    notes: tuple[str, ...]
    columns: str


def evaluate(plan: Plan, embedder: IdentityEmbedder | None = None, progress: Progress | None = None) -> Report:
    """Run a plan and write its files. Raises ReenactError for unknown systems or protocols, data that are not
    there, or where no case could be used."""
    _check_name(plan.protocol)
    systems = list(dict.fromkeys([*BASELINES, *plan.systems]))
    for system in systems:
        if system != COPY:
            find_system(system)
    protocol, cases = _cases(plan)
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


def _check_name(name: str) -> None:
    if name not in PROTOCOLS and name not in PAIR_PROTOCOLS:
        known = ", ".join([*PROTOCOLS, *PAIR_PROTOCOLS])
        raise ReenactError(f"there is no protocol {name!r}; choose one of: {known}")


def _cases(plan: Plan) -> tuple[Protocol, Sequence[Case]]:
    """The protocol as it is on these data, and its cases."""
    if plan.protocol in PAIR_PROTOCOLS:
        cases = paper_cases(plan.protocol, plan.data, plan.guides, plan.pairs, plan.seed)
        return picture_protocol(plan.protocol), cases
    protocol = PROTOCOLS[plan.protocol]
    if protocol is FEW_SHOT:
        name = f"few-shot-{plan.shots}"
        about = f"{protocol.about}; k = {plan.shots}"
        people = few_shot_cases(plan.data, plan.clips, plan.shots, plan.pairs, plan.seed)
        return replace(protocol, name=name, about=about), people
    if protocol is CHANGED:
        return protocol, changed_cases(open_folders(plan.data), plan.clips, plan.pairs, plan.seed)
    if protocol is CROSS and is_set(plan.data):
        about = "Cross-reenactment on a set with a known truth for two people, absolute motion"
        known = replace(picture_protocol("cross-truth"), about=about)
        return known, set_cases(plan.data, plan.pairs, plan.seed)
    return protocol, clip_cases(protocol, open_folders(plan.data), plan.clips, plan.pairs, plan.seed)


class _Runner:
    """The cases of a plan, one after the other."""

    def __init__(
        self, plan: Plan, protocol: Protocol, systems: list[str], embedder: IdentityEmbedder | None
    ) -> None:
        self.plan, self.protocol, self.systems = plan, protocol, systems
        self.embedder = embedder
        self.published = published_metrics()
        self.columns = _columns(protocol, embedder, self.published)
        self.figures: dict[str, dict[str, dict[str, float | None]]] = {}
        self.features: dict[str, list[dict[str, Floats]]] = {system: [] for system in systems}
        self.notes = _missing(embedder, self.published)
        self.measured = self.kept = self.rows = 0
        self._tools: Tools | None = None

    @property
    def slug(self) -> str:
        """The protocol's name in files."""
        return self.protocol.name.replace("/", "-")

    def close(self) -> None:
        if self._tools is not None:
            self._tools.finder.close()

    def do(self, case: Case) -> None:
        """Measure what is missing of a case, and take in its figures. A case that cannot be used is noted."""
        folder = self.plan.out / "pairs" / self.slug / case.key
        name = self.embedder.name if self.embedder else None
        stamp = store.stamp_of(case, self.protocol, name, self.published)
        missing = [s for s in self.systems if self.plan.fresh or not store.is_done(folder, s, stamp)]
        try:
            if missing:
                self._measure(case, folder, missing, stamp)
        except ReenactError as error:
            self.notes.append(f"{case.key} was left out: {error}")
            return
        self.kept += len(self.systems) - len(missing)
        rows = {s: store.rows_of(folder, s) for s in self.systems}
        self.rows += len(rows[COPY])
        self.figures[case.key] = {s: summarise(rows[s], self.columns) for s in self.systems}
        for system in self.systems:
            self.features[system].append(store.features_of(folder, system))
        strips = {name: read_still(folder / f"{name}.png") for name in ("driving", *self.systems)}
        target = self.plan.out / "sheets" / f"{self.slug}-{case.key}.png"
        store.write_picture(target, sheet(read_still(folder / "source.png"), strips))

    def _measure(self, case: Case, folder: Path, missing: list[str], stamp: dict[str, Any]) -> None:
        if self._tools is None:
            self._tools = open_tools(self.embedder, self.published)
        scene = case.open(self.protocol, self._tools)
        store.write_picture(folder / "source.png", scene.source)
        store.write_picture(folder / "driving.png", strip(scene.driving))
        for system in missing:
            outcome = scene.run(system)
            store.write_picture(folder / f"{system}.png", strip(outcome.pictures))
            store.keep(folder, case, system, stamp, outcome)
            self.measured += 1


def _missing(embedder: IdentityEmbedder | None, published: Sequence[str]) -> list[str]:
    notes = []
    if embedder is None:
        notes.append("identity was not measured: no embedder (pip install 'reenact[identity]')")
    for name, title, files in (("lpips", "LPIPS", "vgg16, lpips_vgg"), ("fid", "FID", "inception_fid")):
        if name not in published:
            notes.append(f"{title} was not measured: its weights are not here (reenact weights fetch: {files})")
    return notes


def _columns(
    protocol: Protocol, embedder: IdentityEmbedder | None, published: Sequence[str]
) -> dict[str, Column]:
    """The protocol's columns that can be measured, those of identity with the embedder's name."""
    columns: dict[str, Column] = {}
    for key, column in COLUMNS[protocol.columns].items():
        if column.needs == "identity":
            if embedder is not None:
                columns[key] = replace(column, label=f"{column.label} ({embedder.name})")
        elif not column.needs or column.needs in published:
            columns[key] = column
    return columns


def _means(runner: _Runner) -> dict[str, dict[str, float | None]]:
    """Of each system: means over the cases, and what is taken over all pictures at once."""
    means = {s: mean_of([case[s] for case in runner.figures.values()], runner.columns) for s in runner.systems}
    for key, column in runner.columns.items():
        if column.how == "set":
            for system in runner.systems:
                means[system][key] = _distance(runner.features[system], column.keys[0])
    return means


def _distance(parts: Sequence[Mapping[str, Floats]], name: str) -> float | None:
    made, true = ([part[key] for part in parts if key in part] for key in (name, f"{name}_truth"))
    if sum(map(len, made)) < 2 or sum(map(len, true)) < 2:
        return None
    return frechet_distance(np.concatenate(made), np.concatenate(true))


def _written(runner: _Runner) -> Report:
    """Tables out of the figures, on disk and as a report."""
    plan, means = runner.plan, _means(runner)
    columns = {k: c for k, c in runner.columns.items() if any(row[k] is not None for row in means.values())}
    caption = _caption(runner)
    each = {f"{key}: {s}": case[s] for key, case in runner.figures.items() for s in runner.systems}
    table, cases = Table(columns, means, caption), Table(columns, each)
    name = f"table-{runner.slug}"
    notes = "".join(f"- {note}\n" for note in runner.notes)
    text = f"# {runner.protocol.name}\n\n{table.markdown()}\n## Each case\n\n{cases.markdown()}\n{notes}"
    store.write_text(plan.out / f"{name}.md", text)
    store.write_text(plan.out / f"{name}.csv", Table(columns, {**means, **each}).csv())
    content = {
        "protocol": runner.protocol.name,
        "caption": caption,
        "seed": plan.seed,
        "pairs": runner.rows,
        "versions": store.versions(),
        "embedder": runner.embedder.name if runner.embedder else None,
        "systems": means,
        "cases": runner.figures,
        "columns": json.loads(table.json())["columns"],
        "notes": runner.notes,
    }
    store.write_text(plan.out / f"{name}.json", json.dumps(content, indent=1, ensure_ascii=False))
    return Report(table, cases, runner.measured, runner.kept, tuple(runner.notes), runner.protocol.columns)


def _caption(runner: _Runner) -> str:
    protocol, plan, count = runner.protocol, runner.plan, len(runner.figures)
    if protocol.columns == "pictures":
        what = f"{runner.rows} pairs in {count} cases, seed {plan.seed}"
    elif protocol is CROSS:
        what = f"{count} pairs of a still and a clip, seed {plan.seed}; at most {protocol.most} frames each"
    elif protocol is CHANGED:
        what = f"{count} stills, changes by clips of split '{plan.clips}', seed {plan.seed}"
    else:
        what = f"{count} clips of split '{plan.clips}'; at most {protocol.most} frames each"
    used = ", ".join(f"{name} {version}" for name, version in store.versions().items())
    return f"{protocol.about}: {what}; {protocol.size} px, means over cases. {used}."
