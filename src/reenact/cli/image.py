"""`reenact image`: a portrait with the pose and expression of one picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reenact.cli.animate import Run, animate
from reenact.cli.arguments import Arguments, unfold

EXAMPLES = (
    "Examples:\n\nreenact image portrait.jpg smile.jpg -o out.png\n\n"
    "reenact image 'portraits/*.jpg' smiles/ --out-dir out\n\n"
    "reenact image portraits/*.jpg --driving smile.jpg --out-dir out"
)


@unfold(Arguments)
def image(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="SOURCE DRIVING",
            show_default=False,
            help="The portrait, and the picture that gives pose and expression: files, folders or quoted "
            "patterns. With --driving all of them are sources, with --source all are drivings.",
        ),
    ] = None,
    *,
    arguments: Arguments,
) -> int:
    """Animate a portrait with the pose and expression of one picture."""
    return animate(files or [], arguments, _run, video=False, suffix=".png")


def _run() -> Run:
    from reenact.pipeline.animate import animate_image

    return animate_image
