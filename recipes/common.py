"""What the recipes share: a command line that explains itself by the recipe's docstring, and the one of those
recipes that are runs of a system, one function each."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

Recipe = Callable[[Path, str, int], None]
"""(out, data, steps): the folder of the runs, the folder that `reenact prepare` wrote, and the number of steps
to take instead of the recipe's own, 0 for its own."""


def parser_of(docstring: str | None) -> argparse.ArgumentParser:
    """A parser whose help shows a recipe's docstring as it stands there."""
    return argparse.ArgumentParser(description=docstring, formatter_class=argparse.RawDescriptionHelpFormatter)


def run_one_of(recipes: Mapping[str, Recipe], system: str, docstring: str | None) -> None:
    """Do the recipe that the command line names, into `runs/SYSTEM` where that gives no other folder."""
    parser = parser_of(docstring)
    parser.add_argument("recipe", choices=recipes)
    parser.add_argument("--out", type=Path, default=Path("runs") / system, help="folder of the runs")
    parser.add_argument("--data", default="", help="folder that `reenact prepare` wrote")
    parser.add_argument("--steps", type=int, default=0, help="instead of the recipe's own")
    given = parser.parse_args()
    recipes[given.recipe](given.out, given.data, given.steps)


def steps_of(steps: int) -> tuple[str, ...]:
    """The change of settings that takes that many steps; none for 0, which leaves the preset's."""
    return (f"steps={steps}",) if steps else ()
