"""The verbs of `reenact` in one table, and the way from an exception to one line and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from typer.main import get_command

from reenact.cli import (
    between,
    demo,
    doctor,
    edit,
    evaluate,
    export,
    failures,
    image,
    prepare,
    serve,
    systems,
    table,
    track,
    train,
    verify,
    video,
    webcam,
    weights,
)

app = typer.Typer(
    name="reenact",
    help="Animate a portrait with the pose and expression of another face.",
    epilog="Example: reenact video portrait.jpg clip.mp4 -o out.mp4",
    no_args_is_help=True,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["--help", "-h"]},
)

app.command("image", epilog=image.EXAMPLES)(image.image)
app.command("video", epilog=video.EXAMPLES)(video.video)
app.command("webcam", epilog=webcam.EXAMPLES)(webcam.webcam)
app.command("serve", epilog=serve.EXAMPLES)(serve.serve)
app.command("between", epilog=between.EXAMPLES)(between.between)
app.command("edit", epilog=edit.EXAMPLES)(edit.edit)
app.command("track", epilog=track.EXAMPLES)(track.track)
app.command("demo", epilog=demo.EXAMPLES)(demo.demo)
app.command("evaluate", epilog=evaluate.EXAMPLES)(evaluate.evaluate)
app.command("table", epilog=table.EXAMPLES)(table.table)
app.command("export", epilog=export.EXAMPLES)(export.export)
app.command("prepare", epilog=prepare.EXAMPLES)(prepare.prepare)
app.command("systems", epilog=systems.EXAMPLES)(systems.systems)
app.command("doctor", epilog=doctor.EXAMPLES)(doctor.doctor)
app.add_typer(train.app, name="train")
app.add_typer(weights.app, name="weights")
app.command("verify", epilog=verify.EXAMPLES)(verify.verify)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"reenact {version('reenact')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Animate a portrait with the pose and expression of another face."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line (that of the process by default) and return its exit code.

    0 done; 1 a fault of reenact's own; 2 bad input or a wrong option; 130 interrupted. `verify` has codes of
    its own, which its help lists.
    """
    command = get_command(app)
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = command.main(args=words, prog_name="reenact", standalone_mode=False)
    except BaseException as exception:
        code = failures.report(exception)
    if code == failures.INTERRUPTED:
        print("interrupted", file=sys.stderr)
    return _flushed(code if isinstance(code, int) else 0)


def _flushed(code: int) -> int:
    """`code`, after standard output is written; a reader that went away (`reenact ... | head`) is no error."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code
