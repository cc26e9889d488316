"""`reenact table`: the tables of the five papers, with our rows beside the published ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reenact.cli import console
from reenact.cli.evaluate import embedder_of
from reenact.errors import ReenactError

EXAMPLES = (
    "Examples:\n\nreenact table --list\n\nreenact table hr_net/IV\n\n"
    "reenact table dg/4 --data rafd=RAFD --data multipie=PIE --out results\n\n"
    "reenact table hr_net/I --on synthetic --data SET --out results"
)


def table(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[PAPER/TABLE]", help="As --list shows it.", show_default=False),
    ] = None,
    show: Annotated[bool, typer.Option("--list", help="List all tables.")] = False,
    on: Annotated[
        str,
        typer.Option(
            metavar="paper|synthetic|clips",
            help="The paper's own data, a set with a known truth for two people, or plain clips and stills.",
        ),
    ] = "paper",
    data: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NAME=]DIR",
            help="The data: of one data set by its name, or for all. Without any, nothing is run.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where the table, its sheets and pairs go.", show_default=False),
    ] = None,
    clips: Annotated[str, typer.Option(metavar="SPLIT", help="The folder below clips/.")] = "val",
    pairs: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="So many pairs at most.", show_default="the paper's")
    ] = None,
    guides: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Where driving pictures of another data set come from.", show_default=False
        ),
    ] = None,
    runs: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Training runs, for a converter's ACE.", show_default=False),
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
    json: Annotated[bool, typer.Option("--json", help="Print a machine-readable table.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
) -> int:
    """Print a table of a paper, and run the rows that can be made here."""
    from reenact.evaluation.papers import listed

    if show or name is None:
        if name is None and not show:
            raise ReenactError("name a table, as `reenact table hr_net/IV`; `reenact table --list` shows them")
        _print_list(listed(), json=json)
        return 0
    from reenact.evaluation.paper_report import as_record, markdown
    from reenact.evaluation.paper_runs import Order, fill

    if on not in ("paper", "synthetic", "clips"):
        raise ReenactError(f"--on {on}: choose one of: paper, synthetic, clips")
    order = Order(name, on, _folders(data or []), out, clips, pairs, seed, guides, runs)  # type: ignore[arg-type]
    with console.Bar(show=not (quiet or json), unit="cases") as bar:
        filled = fill(order, embedder_of(arcface), bar)
    if json:
        console.show_json(as_record(filled))
    elif not quiet:
        print(markdown(filled))
    return 0


def _folders(words: list[str]) -> dict[str, Path]:
    """Data sets' names to folders; '' is for all."""
    from reenact.data import DATASETS

    found: dict[str, Path] = {}
    for word in words:
        name, equals, folder = word.partition("=")
        if not equals or name not in DATASETS:
            name, folder = "", word
        if not Path(folder).is_dir():
            raise ReenactError(f"--data {word}: no such folder; give a folder, or NAME=FOLDER")
        found[name] = Path(folder)
    return found


def _print_list(tables: list[tuple[str, str, str]], *, json: bool) -> None:
    if json:
        console.show_json([{"table": name, "paper": paper, "title": title} for name, paper, title in tables])
        return
    last = ""
    for name, paper, title in tables:
        if paper != last:
            print(paper)
            last = paper
        print(f"  {name:16} {title}")
