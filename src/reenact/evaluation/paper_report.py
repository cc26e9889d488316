"""A paper's table with our figures beside the published ones, as Markdown, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from reenact.evaluation import store
from reenact.evaluation.papers.layout import PaperTable


@dataclass(frozen=True)
class Filled:
    """A row. status: 'published', 'run', or 'not run: ...'. here: our figures by the paper's metric."""

    name: str
    published: tuple[str, ...]
    status: str
    configuration: str = ""
    here: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class FilledBlock:
    """A part of a table. ran_on: what our figures are of, '' where nothing was run. heads: the paper's metric
    to the name and digits of ours that stands beside it."""

    title: str
    ran_on: str
    heads: Mapping[str, tuple[str, int]]
    rows: tuple[Filled, ...]


@dataclass(frozen=True)
class FilledTable:
    """table: as published. missing: what keeps it from being run in full, one line each."""

    table: PaperTable
    blocks: tuple[FilledBlock, ...]
    missing: tuple[str, ...]


def markdown(filled: FilledTable) -> str:
    """The table for reading: each metric as published, and beside it ours where anything was run."""
    table = filled.table
    lines = [f"# {table.name}: {table.title}", ""]
    for block in filled.blocks:
        lines += [
            f"## {block.title}",
            "",
            *([block.ran_on, ""] if block.ran_on else []),
            *_grid(table, block),
            "",
        ]
    known = dict.fromkeys(
        (row.name, row.configuration) for b in filled.blocks for row in b.rows if row.configuration
    )
    if known:
        lines += ["Configurations of ours:", "", *(f"- {name}: {told}" for name, told in known), ""]
    if filled.missing:
        lines += ["Missing for the whole of it:", "", *(f"- {line}" for line in filled.missing), ""]
    return "\n".join([*lines, *([table.note, ""] if table.note else [])])


def _grid(table: PaperTable, block: FilledBlock) -> list[str]:
    heads = ["row", "status"]
    for metric in table.metrics:
        heads += [
            metric.head,
            *([f"here: {block.heads[metric.name][0]}"] if metric.name in block.heads else []),
        ]
    further = [name for name in block.heads if name not in {metric.name for metric in table.metrics}]
    heads += [f"here: {block.heads[name][0]}" for name in further]
    lines = [_bar(heads), _bar(["---", "---", *["---:"] * (len(heads) - 2)])]
    for row in block.rows:
        cells = [row.name, row.status]
        for number, metric in enumerate(table.metrics):
            cells.append(row.published[number] if row.published else "")
            cells += [_shown(row, block, metric.name)] if metric.name in block.heads else []
        cells += [_shown(row, block, name) for name in further]
        lines.append(_bar(cells))
    return lines


def _shown(row: Filled, block: FilledBlock, name: str) -> str:
    value = row.here.get(name)
    return "" if value is None else f"{value:.{block.heads[name][1]}f}"


def _bar(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def as_csv(filled: FilledTable) -> str:
    """One line a row and metric, with all digits."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["table", "data", "row", "status", "metric", "published", "here_metric", "here"])
    names = [metric.name for metric in filled.table.metrics]
    for block in filled.blocks:
        for row in block.rows:
            printed = dict(zip(names, row.published, strict=False))
            for name in dict.fromkeys([*names, *row.here]):
                value = row.here.get(name)
                ours = ("", "") if value is None else (block.heads[name][0], value)
                place = (filled.table.name, block.title, row.name, row.status)
                writer.writerow([*place, name, printed.get(name, ""), *ours])
    return stream.getvalue()


def as_json(filled: FilledTable) -> str:
    """Everything, for programs."""
    return json.dumps(as_record(filled), indent=1, ensure_ascii=False)


def as_record(filled: FilledTable) -> dict[str, Any]:
    """The same as plain values."""
    table = filled.table
    return {
        "table": table.name,
        "title": table.title,
        "note": table.note,
        "metrics": [{"name": m.name, "better": m.better, "note": m.note} for m in table.metrics],
        "blocks": [asdict(block) for block in filled.blocks],
        "missing": list(filled.missing),
        "versions": store.versions(),
    }
