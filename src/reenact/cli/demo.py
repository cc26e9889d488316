"""`reenact demo`: a portrait that comes with scikit-image, animated by the motion that comes with reenact."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reenact.cli import console
from reenact.errors import ReenactError

if TYPE_CHECKING:
    from reenact.types import Image, Summary

EXAMPLES = "Example: reenact demo -o demo/"
MOTION = Path(__file__).parent.parent / "assets" / "demo.motion"
_VIDEO, _BESIDE, _SHEET, _SOURCE = "demo.mp4", "side-by-side.mp4", "sheet.png", "source.png"
_COLUMNS, _ROWS, _CELL = 5, 2, 256
_HEAD = slice(0, 288), slice(80, 368)
"""Rows and columns of the head in the portrait, which is 512 pixels square."""


def demo(
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FOLDER", help="Folder to write; made where it is missing."),
    ] = Path("demo"),
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the files of an earlier demo.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print a machine-readable summary.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
) -> int:
    """Animate the public-domain NASA portrait of Eileen Collins: a video, a side-by-side, a sheet of frames."""
    _check_folder(output, overwrite)
    source = _portrait(output / _SOURCE)
    results = [
        _animate(source, output / name, compare=compare, overwrite=overwrite, show=not (quiet or json))
        for name, compare in ((_VIDEO, False), (_BESIDE, True))
    ]
    _write_sheet(source, output / _VIDEO, output / _SHEET, results[0])
    if json:
        rows = [console.summary_as_json(summary) for summary in results]
        console.show_json({"results": rows, "sheet": str(output / _SHEET), "source": str(source)})
    elif not quiet:
        for summary in results:
            print(console.summary_line(summary))
        print(f"{output / _SHEET}: frames of it beside the source\n\nNow your own:\n  {_own_command()}")
    return 0


def _check_folder(folder: Path, overwrite: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise ReenactError(f"{folder}: is a file; name a folder")
    there = [name for name in (_VIDEO, _BESIDE, _SHEET, _SOURCE) if (folder / name).exists()]
    if there and not overwrite:
        raise ReenactError(f"{folder / there[0]}: exists already; add --overwrite to replace it")
    if not folder.absolute().parent.is_dir():
        raise ReenactError(f"{folder}: the folder {folder.absolute().parent} does not exist; make it first")
    folder.mkdir(exist_ok=True)


def _portrait(path: Path) -> Path:
    from skimage.data import astronaut

    from reenact.media.files import atomic_output
    from reenact.media.stills import write_still

    with atomic_output(path, overwrite=True) as partial:
        write_still(partial, astronaut())
    return path


def _animate(source: Path, target: Path, *, compare: bool, overwrite: bool, show: bool) -> Summary:
    from reenact.pipeline.animate import animate_video
    from reenact.pipeline.options import OutputOptions, RunOptions

    options = RunOptions(output=OutputOptions(compare=compare, overwrite=overwrite))
    with console.Bar(show=show, title=target.name) as bar:
        return animate_video([source], MOTION, target, options, bar)


def _write_sheet(source: Path, video: Path, sheet: Path, summary: Summary) -> None:
    """The source's head and that of evenly spaced frames as one picture, marked like the video."""
    from reenact.media.files import atomic_output
    from reenact.media.stills import read_still, write_still
    from reenact.pipeline.finish import Finisher
    from reenact.pipeline.options import OutputOptions
    from reenact.systems import find_system

    cells = [read_still(source), *_frames(video, summary.frames, _COLUMNS * _ROWS - 1)]
    learned = find_system(summary.system).learned
    finisher = Finisher(OutputOptions(), summary.system, learned, [(source, "source"), (MOTION, "driving")])
    with atomic_output(sheet, overwrite=True) as partial:
        write_still(partial, finisher.frame(_grid(cells), None, None))
        finisher.sign(partial, sheet)


def _frames(video: Path, count: int, wanted: int) -> list[Image]:
    from reenact.media.reader import open_frames

    numbers = {round((index + 0.5) * count / wanted) for index in range(wanted)}
    with open_frames(video) as frames:
        return [frame.image for number, frame in enumerate(frames) if number in numbers]


def _grid(cells: list[Image]) -> Image:
    import numpy as np

    from reenact.media.compose import scale_to

    heads = [scale_to(cell[_HEAD][..., :3], _CELL, _CELL) for cell in cells]
    rows = [np.concatenate(heads[row * _COLUMNS : (row + 1) * _COLUMNS], axis=1) for row in range(_ROWS)]
    return np.concatenate(rows)


def _own_command() -> str:
    """The command for one's own files, as it can be typed here (inside a virtual environment, its path)."""
    name = "reenact"
    if shutil.which("reenact") is None and Path(sys.argv[0]).name == "reenact":
        near = os.path.relpath(sys.argv[0])
        name = console.shown(sys.argv[0] if near.startswith("..") else near)
    return f"{name} video YOUR_PORTRAIT.jpg YOUR_VIDEO.mp4 -o out.mp4"
