"""What a table of a paper is here: published figures as printed, and what makes the same rows with ours."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["self", "cross", "few-shot"]


@dataclass(frozen=True)
class Metric:
    """One column of a paper's table. name: as printed, with its unit. better: which way is good. own, other,
    pairs: the keys of our figures (`evaluation/tables.py`) that stand beside it in self-reenactment on clips,
    in cross-reenactment on clips, and on pairs of pictures; the first that was measured counts. note: what it
    is held against in the paper, where the papers differ.
    """

    name: str
    better: Literal["up", "down", ""]
    own: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
    pairs: tuple[str, ...] = ()
    note: str = ""

    def keys(self, columns: str) -> tuple[str, ...]:
        """The keys for a protocol's columns: 'self', 'cross' or 'pictures'."""
        return {"self": self.own, "cross": self.other, "pictures": self.pairs}[columns]

    @property
    def head(self) -> str:
        """The name with its arrow."""
        return self.name + {"up": " ↑", "down": " ↓", "": ""}[self.better]


def same(name: str, better: Literal["up", "down"], *keys: str) -> Metric:
    """A metric whose keys are the same wherever it is measured."""
    return Metric(name, better, keys, keys, keys)


FID = same("FID", "down", "fid", "frechet")
SSIM = same("SSIM", "up", "ssim")
PSNR = same("PSNR", "up", "psnr")
LPIPS = same("LPIPS", "down", "lpips")
CSIM_TRUTH = Metric("CSIM", "up", ("csim",), (), ("csim_truth",), "against the true picture")
CSIM_SOURCE = Metric("CSIM", "up", ("csim_source",), ("csim",), ("csim",), "against the source")
PRMSE = same("PRMSE", "down", "prmse")
AUCON = same("AUCON", "up", "aucon")
ACE = Metric("ACE", "down", pairs=("ace",), note="of the converter's landmarks")


@dataclass(frozen=True)
class PaperRow:
    """One row. name: as printed. published: the figures as printed, in the table's order; '' where the paper
    prints none. system: what makes it here, as for `--system` (another converter in front: `copy+hr_net`);
    '' for methods that are not built here. changes: settings of its training that differ from the paper's full
    system, each `STAGE.SETTING=VALUE`; `STAGE.data=NAME` stands for the data that it is trained on. what: the
    same in words, where it needs them. ace: the held-out figure of a training run that is this row's ACE."""

    name: str
    published: tuple[str, ...]
    system: str = ""
    changes: tuple[str, ...] = ()
    what: str = ""
    ace: str = "ace_px"


@dataclass(frozen=True)
class Block:
    """The part of a table that is measured on one data set. data: as in `reenact prepare`. title: the data as
    the paper calls them. protocol: of `data/protocols.py`, '' where it cannot be drawn (data that nobody else
    has). kind: what it is on plain clips. shots: sources a person, for few-shot."""

    data: str
    title: str
    protocol: str
    kind: Kind
    rows: tuple[PaperRow, ...]
    shots: int = 1


@dataclass(frozen=True)
class PaperTable:
    """A table, or a figure whose columns are configurations. name: PAPER/NUMBER. note: what one should know.
    histogram: the field of our rows whose distribution the paper shows, '' for none."""

    name: str
    title: str
    metrics: tuple[Metric, ...]
    blocks: tuple[Block, ...]
    note: str = ""
    histogram: str = ""

    @property
    def rows(self) -> tuple[PaperRow, ...]:
        """The rows of all blocks."""
        return tuple(row for block in self.blocks for row in block.rows)


def leading_number(printed: str) -> float | None:
    """The number that a printed figure begins with; None for 'n.a.', '-' and ''."""
    found = re.match(r"-?\d+(?:\.\d+)?", printed)
    return float(found[0]) if found else None
