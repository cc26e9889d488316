"""`reenact edit`: a face of another shape, by its landmarks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from reenact.cli import console, failures
from reenact.errors import ReenactError

EXAMPLES = (
    "Examples:\n\nreenact edit portrait.jpg --nose-width 1.3 -o out.png\n\n"
    "reenact edit portrait.jpg --eyes 1.2 --jaw 0.9 -o out.mp4 --frames 50"
)


def _factor(help_: str) -> Any:
    return typer.Option(
        min=0.5, max=2.0, metavar="FACTOR", help=help_, rich_help_panel="Shape (1 changes nothing)"
    )


def edit(
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="The portrait.", show_default=False)],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="PATH", help="A picture, or a video that goes there from the source."
        ),
    ],
    nose_width: Annotated[float, _factor("Width of the nose.")] = 1.0,
    nose_length: Annotated[float, _factor("Length of the nose.")] = 1.0,
    mouth_width: Annotated[float, _factor("Width of the mouth.")] = 1.0,
    lips: Annotated[float, _factor("Fullness of the lips.")] = 1.0,
    eyes: Annotated[float, _factor("Size of the eyes.")] = 1.0,
    brows: Annotated[float, _factor("Height of the brows above the eyes.")] = 1.0,
    jaw: Annotated[float, _factor("Width of the jaw.")] = 1.0,
    sequence: Annotated[
        str,
        typer.Option(
            metavar="li|lsg", help="li: the edited landmarks as they are. lsg: refined by FIPLS' network."
        ),
    ] = "li",
    frames: Annotated[int, typer.Option(min=2, max=10_000, metavar="K", help="Pictures of a video.")] = 50,
    system: Annotated[
        str, typer.Option(metavar="NAME", help="What draws; `reenact systems` lists them.")
    ] = "warp",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an output that exists.")] = False,
    mark: Annotated[
        bool, typer.Option("--mark/--no-mark", help="Sign and mark the output as AI-manipulated.")
    ] = True,
    json: Annotated[bool, typer.Option("--json", help="Print a machine-readable summary.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
) -> int:
    """Change the shape of a face: a wider nose, larger eyes."""
    given = {
        "nose_width": nose_width,
        "nose_length": nose_length,
        "mouth_width": mouth_width,
        "lips": lips,
        "eyes": eyes,
        "brows": brows,
        "jaw": jaw,
    }
    changes = {name: factor for name, factor in given.items() if factor != 1.0}
    if not changes:
        raise ReenactError("nothing to change; give at least one factor, such as --nose-width 1.3")
    if not mark:
        failures.say(console.LAW, "note")
    from reenact.pipeline.between import Way, animate_edit
    from reenact.pipeline.options import OutputOptions

    way = Way(system=system, sequence=sequence, frames=frames)
    settings = OutputOptions(overwrite=overwrite, mark=mark)
    with console.Bar(show=not (quiet or json)) as bar:
        summary = animate_edit(source, changes, output, way, settings, progress=bar)
    return console.show_summary(summary, json=json, quiet=quiet)
