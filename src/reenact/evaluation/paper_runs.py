"""A paper's table with our rows filled in: on the paper's data, on a set with a known truth, or on clips."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from reenact.data import find_dataset
from reenact.data.protocols import PAIR_PROTOCOLS
from reenact.errors import ReenactError
from reenact.evaluation import store
from reenact.evaluation.measure import published_metrics
from reenact.evaluation.paper_report import Filled, FilledBlock, FilledTable, as_csv, as_json, markdown
from reenact.evaluation.papers import find_table
from reenact.evaluation.papers.layout import Block, PaperRow, PaperTable
from reenact.evaluation.papers.making import ace_of_runs, configuration, fault, trained_by
from reenact.evaluation.pictures import is_set, kind_of_set
from reenact.evaluation.protocols import COPY
from reenact.evaluation.report import BASELINES, Plan, Progress, Report, evaluate
from reenact.perception.identity import IdentityEmbedder

On = Literal["paper", "synthetic", "clips"]
CONVERTER_ACE = "ACE px of the converter, on the held-out samples of its run"
_LARGE_POSE = "dg/multipie-large-pose"
_BINS = np.round(np.arange(-1, 1.0001, 0.02), 2)


@dataclass(frozen=True)
class Order:
    """What is asked for. name: of the table. on: the paper's own data, a set with a known truth, or plain
    clips. data: folders by the data set's name; '' stands for all; without any, nothing is run. out: where the
    evaluation goes. runs: a folder with training runs, whose held-out ACE is shown beside a converter's. The
    others as in `Plan`."""

    name: str
    on: On = "paper"
    data: Mapping[str, Path] = field(default_factory=dict)
    out: Path | None = None
    clips: str = "val"
    pairs: int | None = None
    seed: int = 0
    guides: Path | None = None
    runs: Path | None = None


def fill(
    order: Order, embedder: IdentityEmbedder | None = None, progress: Progress | None = None
) -> FilledTable:
    """The table, with what can be run and was asked for. Files go below `order.out`: the evaluations, and
    `table.md`, `.csv` and `.json`. Raises ReenactError for a table that is not there, or data that do not fit.
    """
    table = find_table(order.name)
    if order.data and order.out is None:
        raise ReenactError("a table that is run needs --out DIR for its pairs, sheets and files")
    if order.on != "paper" and not order.data:
        raise ReenactError(f"--on {order.on} needs --data DIR")
    filler = _Filler(order, table, embedder, progress)
    blocks = tuple(filler.block(block) for block in table.blocks)
    filled = FilledTable(table, blocks, tuple(dict.fromkeys([*filler.missing, *_weights(table, embedder)])))
    if order.out is not None:
        for suffix, text in (("md", markdown(filled)), ("csv", as_csv(filled)), ("json", as_json(filled))):
            store.write_text(order.out / f"table.{suffix}", text)
    return filled


class _Filler:
    """Block after block of a table; what is missing is collected."""

    def __init__(
        self,
        order: Order,
        table: PaperTable,
        embedder: IdentityEmbedder | None,
        progress: Progress | None,
    ) -> None:
        self.order, self.table = order, table
        self.embedder, self.progress = embedder, progress
        self.missing: list[str] = []

    def block(self, block: Block) -> FilledBlock:
        """Run what can be run of a block."""
        faults = {row: fault(self.table, row) for row in block.rows if row.system}
        self.missing += [f"rows: {said}" for said in faults.values() if said]
        plan = self._plan(block, [row.system for row, said in faults.items() if not said])
        report = None if plan is None else evaluate(plan, self.embedder, self.progress)
        if plan is not None and report is not None and self.table.histogram:
            _write_histogram(plan, report, self.table.histogram)
        heads = self._heads(report)
        rows = [self._row(row, faults.get(row, ""), report, heads) for row in block.rows]
        if report is not None:
            rest = [name for name in BASELINES if name not in {row.system for row in block.rows}]
            rows += [Filled(name, (), "baseline", here=_figures(report, name, heads)) for name in rest]
        shown = {name: (label, digits) for name, (label, digits, _) in heads.items()}
        if any(CONVERTER_ACE in row.here for row in rows):
            shown[CONVERTER_ACE] = (CONVERTER_ACE, 3)
        return FilledBlock(block.title, report.table.caption if report else "", shown, tuple(rows))

    def _plan(self, block: Block, systems: Sequence[str]) -> Plan | None:
        """How a block is run, None where it is not."""
        order = self.order
        if order.on == "paper" and not block.protocol:
            self.missing.append(f"data: {block.title} cannot be had; use --on clips or --on synthetic instead")
            return None
        data = order.data.get(block.data, order.data.get(""))
        if data is None or order.out is None:
            title = (
                f"{find_dataset(block.data).title}, pairs {block.protocol}" if block.protocol else block.title
            )
            self.missing.append(f"data: {title}; give the folder with --data {block.data}=DIR")
            return None
        protocol = self._protocol(block, data)
        other = PAIR_PROTOCOLS[protocol].guides if protocol in PAIR_PROTOCOLS else ""
        guides = order.guides or order.data.get(other)
        if other and guides is None:
            self.missing.append(
                f"data: driving pictures ({find_dataset(other).title}); give the folder with --guides DIR"
            )
            return None
        return Plan(
            [system for system in systems if system != COPY],
            data,
            protocol,
            order.out,
            order.clips,
            order.pairs,
            order.seed,
            block.shots,
            guides,
        )

    def _protocol(self, block: Block, data: Path) -> str:
        if self.order.on == "paper":
            return block.protocol
        if self.order.on == "clips" or block.kind == "few-shot":
            return block.kind
        if not is_set(data):
            raise ReenactError(
                f"{data}: no set with a known truth; make one: python -m reenact.data.synthetic_pictures rafd "
                "STILLS OUT"
            )
        wide = block.protocol == _LARGE_POSE and kind_of_set(data) == "multipie"
        return _LARGE_POSE if wide else "cross"

    def _heads(self, report: Report | None) -> dict[str, tuple[str, int, str]]:
        """The paper's metric to label, digits and key of the first of our figures that was measured."""
        found: dict[str, tuple[str, int, str]] = {}
        if report is None:
            return found
        for metric in self.table.metrics:
            for key in metric.keys(report.columns):
                if key in report.table.columns and metric.name not in found:
                    column = report.table.columns[key]
                    found[metric.name] = column.label, column.digits, key
        return found

    def _row(
        self, row: PaperRow, said: str, report: Report | None, heads: Mapping[str, tuple[str, int, str]]
    ) -> Filled:
        if not row.system:
            return Filled(row.name, row.published, "published")
        here: dict[str, float | None] = {}
        ace = None
        if self.order.runs is not None and "ACE" in [metric.name for metric in self.table.metrics]:
            ace = ace_of_runs(self.table, row, self.order.runs)
            here = {} if ace is None else {CONVERTER_ACE: ace[0]}
        status = f"not run: {said or 'no data'}"
        if report is not None and not said:
            status = f"run{trained_by(row.system)}"
            here = {**_figures(report, row.system, heads), **here}
        elif ace is not None:
            status = f"run: the converter alone, preset {ace[1]}"
        return Filled(row.name, row.published, status, configuration(row), here)


def _figures(report: Report, system: str, heads: Mapping[str, tuple[str, int, str]]) -> dict[str, float | None]:
    figures = report.table.rows.get(system, {})
    return {metric: figures.get(key) for metric, (_, _, key) in heads.items()}


def _weights(table: PaperTable, embedder: IdentityEmbedder | None) -> list[str]:
    """What the paper's metrics are read by that is not here, and what stands in for it."""
    names, published = {metric.name for metric in table.metrics}, published_metrics()
    notes = []
    if "FID" in names and "fid" not in published:
        notes.append("weights: FID (reenact weights fetch inception_fid); a distance over identities stands in")
    if "LPIPS" in names and "lpips" not in published:
        notes.append("weights: LPIPS (reenact weights fetch vgg16 and lpips_vgg); nothing stands in")
    if names & {"CSIM", "Id%"} and (embedder is None or embedder.name != "arcface"):
        stands = "dlib's stands in" if embedder else "nothing stands in (pip install 'reenact[identity]')"
        notes.append(f"weights: the papers' identity network (reenact weights fetch arcface); {stands}")
    if names & {"AU %", "AUCON", "PRMSE", "Pose"}:
        notes.append("readers: the papers' units and angles (OpenFace and others); geometric ones stand in")
    return notes


def _write_histogram(plan: Plan, report: Report, name: str) -> None:
    """`histogram.csv`: how many of each system's pictures lie in each bin of 0.02, from the kept pairs."""
    counts = {}
    for system in report.table.rows:
        files = sorted((plan.out / "pairs").rglob(f"{system}.json"))
        rows = [row for path in files for row in store.rows_of(path.parent, system)]
        values = [value for row in rows if (value := row.get(name, row.get("csim"))) is not None]
        counts[system] = np.histogram(values, _BINS)[0].tolist()
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["from", *counts])
    writer.writerows(zip(_BINS[:-1].tolist(), *counts.values(), strict=True))
    store.write_text(plan.out / "histogram.csv", stream.getvalue())
