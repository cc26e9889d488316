"""From a run to weights that `--system` uses: `python -m reenact.training.ship RUN --data "what it saw"`.

Writes `SYSTEM_STAGE.safetensors` and its record `SYSTEM_STAGE.json`, into the folder of one's own weights
unless `--to` names another (the package's is `src/reenact/weights`).
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safetensors import safe_open
from safetensors.torch import load_file, save_file

from reenact.errors import ReenactError
from reenact.media.files import atomic_output
from reenact.runtime.weights import cache_folder, sha256_of
from reenact.systems import find_training
from reenact.systems.spec import Settings

LICENCE = "Apache-2.0"


def ship(
    run: Path,
    folder: Path,
    data: str,
    *,
    part: tuple[str, str] | None = None,
    figures: Mapping[str, Any] | None = None,
    note: str = "",
) -> Path:
    """Write the weights of a finished run and their record into `folder`; returns the record's path.

    data: what it was trained on, in words. part: a network of the run and the stage whose weights it becomes,
    for a stage that trains what others began ('generator', 'bfr'). figures: measured elsewhere, beside the
    run's own held-out ones at the step of the weights. note: what else one should know. Raises ReenactError
    where the run has no weights, or no such part.
    """
    order, weights = _order(run), run / "weights.safetensors"
    if not weights.is_file():
        raise ReenactError(f"{run}: no weights.safetensors there; the run is not finished")
    network, name = part or ("", order["stage"])
    stage = find_training(order["system"]).stage(name)
    settings = stage.presets[order["preset"]].with_values(order["settings"])
    tensors = {key: value for key, value in load_file(weights).items() if key.startswith(network)}
    if not tensors:
        raise ReenactError(f"{weights}: holds no network {network!r}")
    with safe_open(weights, "pt") as file:
        step = int(file.metadata()["step"])
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{order['system']}_{name}.safetensors"
    with atomic_output(target, overwrite=True) as partial:
        save_file(tensors, partial, metadata={"step": str(step)})
    record = {
        "file": target.name,
        "sha256": sha256_of(target),
        "purpose": f"{stage.title} of {order['system']}",
        "licence": LICENCE,
        "system": order["system"],
        "stage": order["stage"],
        "preset": order["preset"],
        "settings": asdict(settings),
        "data": data,
        "steps": step,
        "samples": step * order["settings"]["batch"],
        "training": _training(settings),
        "figures": {**held_out(run, step), **(figures or {})},
        "bytes": target.stat().st_size,
        "parameters": sum(value.numel() for value in tensors.values()),
        **({"note": note} if note else {}),
    }
    path = target.with_suffix(".json")
    with atomic_output(path, overwrite=True) as partial:
        partial.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return path


def held_out(run: Path, step: int) -> dict[str, float]:
    """The run's held-out figures at the last validation up to a step, to five digits."""
    with (run / "validation.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if int(row["step"]) <= step]
    last = rows[-1] if rows else {}
    return {name: float(f"{float(value):.5g}") for name, value in last.items() if name != "step" and value}


def _training(settings: Settings) -> str:
    kind = "fp32" if settings.precision == "32" else "bf16 autocast"
    mean = f", running mean of the weights ({settings.mean})" if settings.mean else ""
    return f"{kind}{mean}, shipped in fp16, seed {settings.seed}"


def _order(run: Path) -> dict[str, Any]:
    try:
        values = json.loads((run / "run.json").read_text(encoding="utf-8"))
        return {name: values[name] for name in ("system", "stage", "preset", "settings")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReenactError(f"{run}: not a run of `reenact train` ({error})") from None


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of a finished run")
    parser.add_argument("--data", required=True, help="what it was trained on, in words, for the record")
    parser.add_argument("--to", type=Path, help="folder for the weights (default: that of one's own)")
    parser.add_argument("--part", nargs=2, metavar=("NETWORK", "STAGE"), help="ship this network as that stage")
    parser.add_argument("--figures", type=Path, help="JSON file of further figures")
    parser.add_argument("--note", default="", help="what else one should know")
    given = parser.parse_args()
    figures = json.loads(given.figures.read_text(encoding="utf-8")) if given.figures else None
    part = tuple(given.part) if given.part else None
    print(ship(given.run, given.to or cache_folder(), given.data, part=part, figures=figures, note=given.note))


if __name__ == "__main__":
    main()
