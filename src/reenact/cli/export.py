"""`reenact export`: trained networks as files for engines other than PyTorch."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from reenact.cli import console
from reenact.errors import ReenactError

EXAMPLES = (
    "Examples:\n\nreenact export live --to onnx -o exported\n\nreenact export hr_net --to openvino -o exported"
)


class Form(StrEnum):
    """What can be written."""

    onnx = "onnx"
    openvino = "openvino"


def export(
    system: Annotated[str, typer.Argument(metavar="SYSTEM", help="A trained system (`reenact systems`).")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the files.")],
    to: Annotated[Form, typer.Option(help="Kind of file.")] = Form.onnx,
    threads: Annotated[int, typer.Option(help="CPU threads for the times.", min=1)] = 2,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print a machine-readable summary.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
) -> int:
    """Export a system's trained networks; each is compared with PyTorch's and timed."""
    from importlib.util import find_spec

    if find_spec("torch") is None:
        raise ReenactError("exporting needs PyTorch: pip install 'reenact[train,export]'")
    from reenact.training import export as exporting

    done = exporting.export(system, to.value, output, threads=threads, overwrite=overwrite)
    if json:
        console.show_json({"system": system, "networks": exporting.as_record(done)})
    elif not quiet:
        for one in done:
            times = ", ".join(f"{name} {value:.1f} ms" for name, value in one.milliseconds.items())
            print(f"{one.path}: {one.bytes / 1e6:.2f} MB, differs by {one.difference:.1e} at most; {times}")
    return 0
