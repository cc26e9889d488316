"""`reenact train`: learn from one's own data."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reenact.cli import console
from reenact.errors import ReenactError

if TYPE_CHECKING:
    from reenact.training.runs import Order

app = typer.Typer(help="Learn from your own pictures and videos.", no_args_is_help=True)


SYSTEMS = {
    "live": ("live", "refine, the network that completes the landmark warp"),
    "hr_net": ("HR-Net", "lic, the landmark converter, then bfr, the face generator; joint, both together"),
    "fipls": ("FIPLS", "lsg, the landmark sequence generator, then reenactment, the face generator"),
    "dg": ("DG", "idsg, the shape generator, then rfg, the face generator"),
    "osfr": ("OSFR", "main, on faces without background, then finetune, with it"),
    "glg": ("GLG", "lgan, the landmark GAN, then image; lgan_face and lgan_shape know strangers too"),
}
"""What can be trained: title and stages, for the help; a test holds it to `reenact.systems.TRAINING`."""

_SYSTEM = "Example: reenact train {} --stage {} --preset small --data synthetic --out runs/one"
_FACE_MODEL = "Example: reenact train face-model --data faces/ -o face_model.safetensors"


@app.command("face-model", epilog=_FACE_MODEL)
def face_model(
    data: Annotated[
        Path,
        typer.Option("--data", metavar="DIR", help="Folder of stills, one person each, and videos."),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The model to write, ending in .safetensors.")
    ],
    identity: Annotated[int, typer.Option(min=1, max=200, help="Number of identity coefficients.")] = 32,
    expression: Annotated[int, typer.Option(min=1, max=200, help="Number of expression coefficients.")] = 80,
    hold_out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Text file of names, without suffix, to leave out, one a line."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an output that exists.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print a machine-readable summary.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
) -> int:
    """Learn the morphable landmark model: how faces differ (stills) and how they move (videos)."""
    from reenact.training.face_model import train_face_model

    with console.Bar(show=not (quiet or json)) as bar:
        record = train_face_model(
            data,
            output,
            identity=identity,
            expression=expression,
            hold_out=hold_out,
            overwrite=overwrite,
            progress=bar,
        )
    if json:
        console.show_json({"output": str(output), **record})
    elif not quiet:
        print(
            f"{output}: {record['stills']} stills, {record['clips']} videos, {len(record['skipped'])} skipped"
        )
    return 0


def _add_system(name: str, title: str, stages: str) -> None:
    """`reenact train NAME`: the same options for every system."""

    def system(
        preset: Annotated[
            str, typer.Option(metavar="NAME", help="tiny, small, paper, or one of a stage's own.")
        ] = "small",
        stage: Annotated[
            str | None,
            typer.Option(metavar="NAME", help="One stage; all in the paper's order when left out."),
        ] = None,
        data: Annotated[
            str, typer.Option(metavar="DIR", help="Folder of clips, or 'synthetic' for landmark triples.")
        ] = "synthetic",
        out: Annotated[Path, typer.Option("--out", "-o", metavar="RUN", help="Folder of the run.")] = Path(
            "run"
        ),
        changes: Annotated[
            list[str] | None,
            typer.Option("--set", metavar="NAME=VALUE", help="Change a setting; may be repeated."),
        ] = None,
        resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
        dry_run: Annotated[
            bool,
            typer.Option("--dry-run", help="Print networks, parameters, GFLOPs and memory; train nothing."),
        ] = False,
        device: Annotated[str, typer.Option(metavar="NAME", help="auto, cpu or cuda.")] = "auto",
        json: Annotated[bool, typer.Option("--json", help="Print a machine-readable summary.")] = False,
        quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
    ) -> int:
        order = _order(name, preset, data, out, stage, changes, resume, device)
        return _run(order, dry_run=dry_run, json=json, quiet=quiet)

    first = stages.split(",")[0]
    app.command(name, help=f"Train {title}: {stages}.", epilog=_SYSTEM.format(name, first))(system)


def _order(
    system: str,
    preset: str,
    data: str,
    out: Path,
    stage: str | None,
    changes: list[str] | None,
    resume: bool,
    device: str,
) -> Order:
    _require_torch()
    from reenact.training.runs import Order

    if device not in ("auto", "cpu", "cuda"):
        raise ReenactError(f"--device {device}: choose one of: auto, cpu, cuda")
    return Order(system, preset, data, out, stage, tuple(changes or ()), resume, device)


def _run(order: Order, *, dry_run: bool, json: bool, quiet: bool) -> int:
    from reenact.training import runs

    if dry_run:
        return _show_costs(runs.describe(order), json=json)
    with console.Bar(show=not (quiet or json), unit="images") as bar:
        records = runs.train(order, progress=bar, report=_nothing if quiet or json else _say)
    stopped = records[-1]["stopped"]
    if json:
        console.show_json(records)
    elif not quiet:
        for record in records:
            figures = ", ".join(f"{name} {value:.4g}" for name, value in record["figures"].items())
            print(f"{record['folder']}: step {record['step']:,} of {record['steps']:,}; {figures}")
    if stopped:
        print("stopped and saved; go on with --resume", file=sys.stderr)
    return 128 + stopped if stopped else 0


def _show_costs(records: list[dict[str, Any]], *, json: bool) -> int:
    from reenact.training.dry_run import lines

    if json:
        console.show_json(records)
    else:
        print("\n".join(line for record in records for line in lines(record)))
    return 0


def _require_torch() -> None:
    from importlib.util import find_spec

    missing = [name for name in ("torch", "lightning_fabric") if find_spec(name) is None]
    if missing:
        raise ReenactError(f"training needs {' and '.join(missing)}: pip install 'reenact[train]'")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _nothing(line: str) -> None:
    pass


for _name, (_title, _stages) in SYSTEMS.items():
    _add_system(_name, _title, _stages)
