"""`reenact evaluate`: figures, tables and sheets of systems on a folder of clips and stills."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reenact.cli import console, failures

if TYPE_CHECKING:
    from reenact.perception.identity import IdentityEmbedder

EXAMPLES = "Example: reenact evaluate --system warp --data DIR --protocol self --out results"


def evaluate(
    data: Annotated[
        Path, typer.Option(metavar="DIR", help="A folder with clips/SPLIT/ and stills/.", show_default=False)
    ],
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Where tables, sheets and pairs go.", show_default=False)
    ],
    system: Annotated[
        str, typer.Option(metavar="S[,S...]", help="Systems; copy and warp are always in the table.")
    ] = "warp",
    protocol: Annotated[
        str,
        typer.Option(
            metavar="self|cross|changed|few-shot|PAPER/DATA",
            help="One person (true pictures known), two, stills made anew from changed ones, one of k "
            "pictures of a person, or a paper's pairs.",
        ),
    ] = "self",
    clips: Annotated[str, typer.Option(metavar="SPLIT", help="The folder below clips/.")] = "val",
    pairs: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="So many pairs at most.", show_default="all; cross on clips 24"),
    ] = None,
    shots: Annotated[int, typer.Option(min=1, max=7, metavar="K", help="Sources a person in few-shot.")] = 3,
    guides: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Where driving pictures of another data set come from.", show_default=False
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Of every choice of pairs.")] = 0,
    arcface: Annotated[
        Path | None,
        typer.Option(
            metavar="ONNX",
            help="Compare identities with this ArcFace model.",
            show_default="fetched, else dlib",
        ),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Measure every pair again.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print a machine-readable summary.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
) -> int:
    """Measure systems on clips, stills and test pairs; what was measured before is kept."""
    from reenact.evaluation.report import Plan, evaluate

    systems = [name.strip() for name in system.split(",") if name.strip()]
    plan = Plan(systems, data, protocol, out, clips, pairs, seed, shots, guides, fresh)
    with console.Bar(show=not (quiet or json), unit="cases") as bar:
        report = evaluate(plan, embedder_of(arcface), bar)
    if json:
        console.show_json(
            {
                "protocol": protocol,
                "out": str(out),
                "systems": report.table.rows,
                "cases": report.cases.rows,
                "measured": report.measured,
                "kept": report.kept,
                "notes": list(report.notes),
            }
        )
    elif not quiet:
        print(report.table.markdown())
        print(f"{out}: {report.measured} pairs measured, {report.kept} kept from before")
        for note in report.notes:
            failures.say(note, "note")
    return 0


def embedder_of(arcface: Path | None) -> IdentityEmbedder | None:
    """ArcFace where its file is given; else dlib where it is installed; else none, which the table notes."""
    from reenact.errors import ReenactError
    from reenact.perception.identity import open_identity

    try:
        return open_identity(arcface)
    except ReenactError:
        if arcface is not None:
            raise
        return None
