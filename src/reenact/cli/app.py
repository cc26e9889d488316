"""The verbs of `reenact` in one table, and the way from an exception to one line and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Container, Sequence
from importlib import import_module
from typing import Annotated

import typer
from typer.main import get_command

from reenact.cli import failures

VERBS = {
    "image": "Animate a portrait with the pose and expression of one picture, or with those "
    "asked for in words.",
    "video": "Animate a portrait with the motion of a video; the sound comes along.",
    "webcam": "Drive a portrait live with a camera. Frames that come too fast are left out; nothing is queued.",
    "serve": "Open the web page and the HTTP API on this computer, until Ctrl-C.",
    "between": "Make a video that leads smoothly from one picture of a person to another.",
    "edit": "Change the shape of a face: a wider nose, larger eyes.",
    "track": "Write a video's motion (pose, expression, time; no identity, no pixels) as a small file.",
    "demo": "Animate the public-domain NASA portrait of Eileen Collins: a video, a "
    "side-by-side, a sheet of frames.",
    "evaluate": "Measure systems on clips, stills and test pairs; what was measured before is kept.",
    "table": "Print a table of a paper, and run the rows that can be made here.",
    "export": "Export a system's trained networks; each is compared with PyTorch's and timed.",
    "prepare": "Turn a data set into shards for training; run again after a stop, it goes on where it was.",
    "systems": "List the systems: name, state, title and paper.",
    "doctor": "Say what is installed, what runs and what would be downloaded; exit code 2 if a "
    "needed part is broken.",
    "train": "Learn from your own pictures and videos.",
    "weights": "List, fetch and convert network weights. Animating needs none of the published ones.",
    "verify": "Read a file's marks. Exit code 0: marked and intact; 1: unmarked; 2: "
    "unreadable; 3: tampered with.",
}
"""Verb -> its line in the help, in that order. A verb is the module of its name beside this one, and there the
function of its name with its `EXAMPLES`, or `app` where it has verbs of its own."""


def make_app(verbs: Container[str] = VERBS) -> typer.Typer:
    """The command. Verbs that are not among `verbs` stand in it by name and line alone: reading the options of
    all takes longer than most command lines have."""
    app = typer.Typer(
        name="reenact",
        help="Animate a portrait with the pose and expression of another face.",
        epilog="Example: reenact video portrait.jpg clip.mp4 -o out.mp4",
        no_args_is_help=True,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["--help", "-h"]},
    )
    app.callback()(_root)
    for verb, line in VERBS.items():
        if verb not in verbs:
            app.command(verb, short_help=line)(_named_only)
            continue
        module = import_module(f"reenact.cli.{verb}")
        if hasattr(module, "app"):
            app.add_typer(module.app, name=verb, short_help=line)
        else:
            app.command(verb, short_help=line, epilog=module.EXAMPLES)(getattr(module, verb))
    return app


def _named_only() -> None:
    """Stands for a verb that the command line does not name."""


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
    # The shell asks for a verb's options in an environment variable, not in the words.
    completing = any(name.startswith("_REENACT_COMPLETE") for name in os.environ)
    command = get_command(make_app(VERBS if completing else words))
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
