"""The verbs of `reenact` in one table, and the way from an exception to one line and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Annotated

import typer
from typer.main import get_command

from reenact.cli import failures

VERBS = (
    "image",
    "video",
    "webcam",
    "serve",
    "between",
    "edit",
    "track",
    "demo",
    "evaluate",
    "table",
    "export",
    "prepare",
    "systems",
    "doctor",
    "train",
    "weights",
    "verify",
)
"""In the order of the help. A verb is the module of its name beside this one, and there the function of its
name with its `EXAMPLES`, or `app` where it has verbs of its own."""


def make_app(verbs: Iterable[str] = VERBS) -> typer.Typer:
    """The command with these verbs. Reading the options of all takes longer than most command lines have."""
    app = typer.Typer(
        name="reenact",
        help="Animate a portrait with the pose and expression of another face.",
        epilog="Example: reenact video portrait.jpg clip.mp4 -o out.mp4",
        no_args_is_help=True,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["--help", "-h"]},
    )
    app.callback()(_root)
    for verb in verbs:
        module = import_module(f"reenact.cli.{verb}")
        if hasattr(module, "app"):
            app.add_typer(module.app, name=verb)
        else:
            app.command(verb, epilog=module.EXAMPLES)(getattr(module, verb))
    return app


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"reenact {version('reenact')}")
        raise typer.Exit


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
    words = list(sys.argv[1:] if arguments is None else arguments)
    asked = [word for word in words[:1] if word in VERBS]
    command = get_command(make_app(asked or VERBS))
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
