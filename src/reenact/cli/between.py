"""`reenact between`: from one picture of a person to another one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reenact.cli import console, failures
from reenact.cli.arguments import read_time

EXAMPLES = (
    "Examples:\n\nreenact between monday.jpg friday.jpg -o out.mp4 --frames 75\n\n"
    "reenact between portrait.jpg clip.mp4 --driving --at 2.5 -o out.mp4"
)


def between(
    source_a: Annotated[
        Path, typer.Argument(metavar="SOURCE_A", help="The picture that is drawn.", show_default=False)
    ],
    source_b: Annotated[
        Path,
        typer.Argument(
            metavar="SOURCE_B", help="Another picture of the same person, or a video.", show_default=False
        ),
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="PATH", help="The video to write; its ending names the format."),
    ],
    frames: Annotated[int, typer.Option(min=2, max=10_000, metavar="K", help="Pictures in all.")] = 50,
    driving: Annotated[
        bool,
        typer.Option(
            "--driving", help="SOURCE_B is somebody else: it lends its pose and expression and no identity."
        ),
    ] = False,
    at: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Which frame of SOURCE_B: seconds or [H:]M:S.", show_default=False),
    ] = None,
    sequence: Annotated[
        str,
        typer.Option(
            "--sequence",
            metavar="li|lsg",
            help="li: straight lines between the landmarks. lsg: FIPLS' network, which refines them.",
        ),
    ] = "li",
    system: Annotated[
        str, typer.Option(metavar="NAME", help="What draws; `reenact systems` lists them.")
    ] = "warp",
    fps: Annotated[int, typer.Option(min=1, max=120, metavar="RATE", help="Pictures a second.")] = 25,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an output that exists.")] = False,
    mark: Annotated[
        bool, typer.Option("--mark/--no-mark", help="Sign and mark the output as AI-manipulated.")
    ] = True,
    json: Annotated[bool, typer.Option("--json", help="Print a machine-readable summary.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
) -> int:
    """Make a video that leads smoothly from one picture of a person to another."""
    moment = read_time(at, "--at")
    if not mark:
        failures.say(console.LAW, "note")
    from fractions import Fraction

    from reenact.pipeline.between import Way, animate_between
    from reenact.pipeline.options import OutputOptions

    way = Way(system=system, sequence=sequence, frames=frames, driving=driving, at=moment)
    settings = OutputOptions(fps=Fraction(fps), overwrite=overwrite, mark=mark)
    with console.Bar(show=not (quiet or json)) as bar:
        summary = animate_between(source_a, source_b, output, way, settings, progress=bar)
    return console.show_summary(summary, json=json, quiet=quiet)
