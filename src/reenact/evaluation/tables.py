"""From rows of figures to a table: Markdown for reading, CSV for spreadsheets, JSON for programs."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

Row = Mapping[str, float | int | None]


@dataclass(frozen=True)
class Column:
    """One figure. keys: the fields of a row that it is made of. label: its head in tables, with the unit.
    digits: after the point. how: over the frames of a case, their mean, the root of their mean square, or their
    mean in per cent; 'set' is over all pictures of a system at once. better: which way is good. needs: what
    must be there to measure it: an identity embedder, or the published weights of LPIPS or FID."""

    keys: tuple[str, ...]
    label: str
    digits: int
    how: Literal["mean", "rms", "percent", "set"] = "mean"
    better: Literal["up", "down"] = "down"
    needs: Literal["", "identity", "lpips", "fid"] = ""


_TRUTH = {
    "l1": Column(("l1",), "L1", 4),
    "face_l1": Column(("face_l1",), "face L1", 4),
    "around_l1": Column(("around_l1",), "surroundings L1", 4),
    "feature_l1": Column(("feature_l1",), "eye+mouth L1", 4),
    "eye_l1": Column(("eye_l1",), "eye L1", 4),
    "mouth_l1": Column(("mouth_l1",), "mouth L1", 4),
    "psnr": Column(("psnr",), "PSNR dB", 2, better="up"),
    "ssim": Column(("ssim",), "SSIM", 3, better="up"),
    "lpips": Column(("lpips",), "LPIPS (VGG-16)", 4, needs="lpips"),
    "nme": Column(("nme",), "NME %", 2),
    "akd": Column(("akd",), "AKD px", 2),
    "mouth_gap": Column(("mouth_gap",), "mouth-gap error %", 2),
    "eye_gap": Column(("eye_gap",), "eye-gap error %", 2),
}
_PERSON = {
    "csim": Column(("csim",), "CSIM", 3, better="up", needs="identity"),
    "id": Column(("same",), "ID %", 1, "percent", better="up", needs="identity"),
}
_UNITS = {
    "aucon": Column(("aucon",), "AUCON (geometric)", 3, better="up"),
    "au_correlation": Column(("au_correlation",), "AU corr. % (geometric)", 1, better="up"),
}
_SETS = {
    "frechet": Column(("identity",), "Fréchet", 4, "set", needs="identity"),
    "fid": Column(("inception",), "FID", 2, "set", needs="fid"),
}
_ANGLES = ("yaw", "pitch", "roll")
_POSE = {
    "pose_mae": Column(_ANGLES, "pose MAE °", 2),
    "prmse": Column(_ANGLES, "PRMSE °", 2, "rms"),
}
COLUMNS: dict[str, dict[str, Column]] = {
    "self": {
        **_TRUTH,
        **_POSE,
        **_UNITS,
        "csim": Column(("csim",), "CSIM", 3, better="up", needs="identity"),
        "csim_source": Column(("csim_source",), "CSIM to source", 3, better="up", needs="identity"),
        **_SETS,
        "lost": Column(("lost",), "lost %", 1, "percent"),
    },
    "cross": {
        **_PERSON,
        "expression": Column(("expression",), "expression error %", 2),
        **_POSE,
        **_UNITS,
        "lost": Column(("lost",), "lost %", 1, "percent"),
    },
    "pictures": {
        **_PERSON,
        "csim_truth": Column(("csim_truth",), "CSIM to truth", 3, better="up", needs="identity"),
        **_TRUTH,
        "ace": Column(("ace",), "ACE px, found in the picture", 2),
        **_POSE,
        **_UNITS,
        **_SETS,
        "lost": Column(("lost",), "lost %", 1, "percent"),
    },
}
"""The figures of each protocol, in the order of the table. `pictures` has those of pairs with and without a
true picture."""


@dataclass(frozen=True)
class Table:
    """Figures of systems. columns: key to Column. rows: name (of a system, or 'case: system') to figures, None
    where there is none. caption: what was done, with embedder, seed and versions."""

    columns: dict[str, Column]
    rows: dict[str, dict[str, float | None]]
    caption: str = ""

    def markdown(self) -> str:
        """A table for documents; what was not measured shows as a dash."""
        heads = ["", *(column.label for column in self.columns.values())]
        lines = [_bar(heads), _bar(["---", *["---:"] * len(self.columns)])]
        for name, figures in self.rows.items():
            lines.append(_bar([name, *(_shown(figures.get(k), c) for k, c in self.columns.items())]))
        return "\n".join([*([self.caption, ""] if self.caption else []), *lines, ""])

    def csv(self) -> str:
        """The same with all digits; empty where nothing was measured."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["name", *self.columns])
        for name, figures in self.rows.items():
            writer.writerow([name, *("" if figures.get(k) is None else figures[k] for k in self.columns)])
        return stream.getvalue()

    def json(self) -> str:
        """Caption, columns and rows; what was not measured is null."""
        columns = {key: asdict(column) for key, column in self.columns.items()}
        content = {"caption": self.caption, "columns": columns, "rows": self.rows}
        return json.dumps(content, indent=1, ensure_ascii=False)


def summarise(rows: Sequence[Row], columns: Mapping[str, Column]) -> dict[str, float | None]:
    """The figures of one case: each column over the frames that have its values, None where none has."""
    return {key: _over_frames(rows, column) for key, column in columns.items()}


def mean_of(
    cases: Sequence[Mapping[str, float | None]], columns: Mapping[str, Column]
) -> dict[str, float | None]:
    """The mean over cases of each figure; cases without it are left out."""
    out: dict[str, float | None] = {}
    for key in columns:
        values = [case[key] for case in cases]
        known = [value for value in values if value is not None]
        out[key] = float(np.mean(known)) if known else None
    return out


def _over_frames(rows: Sequence[Row], column: Column) -> float | None:
    if column.how == "set":
        return None
    values = [row.get(key) for row in rows for key in column.keys]
    known = np.array([v for v in values if v is not None and math.isfinite(v)], np.float64)
    if not len(known):
        return None
    if column.how == "rms":
        return float(np.sqrt((known**2).mean()))
    return float(known.mean() * (100 if column.how == "percent" else 1))


def _bar(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _shown(value: float | None, column: Column) -> str:
    return "-" if value is None else f"{value:.{column.digits}f}"
