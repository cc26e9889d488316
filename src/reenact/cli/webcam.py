"""`reenact webcam`: a portrait driven live by a camera."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from reenact.cli import console
from reenact.cli.arguments import MOST
from reenact.errors import ReenactError
from reenact.pipeline.options import MotionMode

EXAMPLES = (
    "Examples:\n\nreenact webcam portrait.jpg\n\n"
    "reenact webcam portrait.jpg other.jpg --camera 1 --virtual-camera --record out.mp4\n\n"
    "reenact webcam portrait.jpg --camera clip.mp4 --no-window --record out.mp4"
)


def webcam(
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="SOURCE...", show_default=False, help="The portrait; several to switch between."
        ),
    ],
    camera: Annotated[
        str, typer.Option(metavar="N|FILE", help="Number of the camera, or a video played once in its place.")
    ] = "0",
    virtual_camera: Annotated[
        bool, typer.Option("--virtual-camera", help="Be a camera for other programs.")
    ] = False,
    record: Annotated[
        Path | None, typer.Option(metavar="OUT.mp4", show_default=False, help="Write what is shown, marked.")
    ] = None,
    window: Annotated[
        bool,
        typer.Option("--window/--no-window", help="Show a window. Keys: n neutral face, s source, space, q."),
    ] = True,
    system: Annotated[
        str, typer.Option(metavar="NAME", help="`reenact systems` lists them; warp is the fastest.")
    ] = "warp",
    motion: Annotated[MotionMode, typer.Option(metavar="MODE", help="As in `reenact video`.")] = "relative",
    strength: Annotated[
        float, typer.Option(min=0, max=MOST, metavar="GAIN", help="Gain on the expression.")
    ] = 1.0,
    smooth: Annotated[
        float, typer.Option(min=0, max=MOST, metavar="AMOUNT", help="Smoothing; 0 is off.")
    ] = 1.0,
    size: Annotated[int, typer.Option(min=64, max=2160, metavar="PIXELS", help="Longer side shown.")] = 512,
    label: Annotated[
        str | None, typer.Option(metavar="TEXT", show_default=False, help="Visible text in every picture.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a recording that exists.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print a machine-readable summary.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
) -> int:
    """Drive a portrait live with a camera. Frames that come too fast are left out; nothing is queued."""
    if not (window or virtual_camera or record):
        raise ReenactError("--no-window shows nothing; add --record or --virtual-camera")
    from reenact.media.files import check_output
    from reenact.pipeline.camera import open_camera
    from reenact.pipeline.options import MotionOptions
    from reenact.pipeline.outlets import Outlet, VirtualCamera, Window, recorder
    from reenact.pipeline.webcam import Cast, perform
    from reenact.systems import find_system

    find_system(system)
    given = [*sources, *([] if camera.isdigit() else [Path(camera)])]
    if record is not None:
        check_output(record, overwrite=overwrite, inputs=given)
        if record.suffix.lower() not in (".mp4", ".mov"):
            raise ReenactError(f"--record: {record} should end in .mp4 or .mov")
    cast = Cast(sources, system, MotionOptions(mode=motion, strength=strength, smooth=smooth), size)
    try:
        source = open_camera(camera)
        finisher = _finisher(system, sources, camera, label)
        with ExitStack() as stack:
            outlets: list[Outlet] = []
            if window:
                outlets.append(stack.enter_context(Window(cast.size)))
            if virtual_camera:
                outlets.append(stack.enter_context(VirtualCamera(cast.size)))
            if record is not None:
                outlets.append(stack.enter_context(recorder(record, cast.size, finisher, overwrite)))
            stack.enter_context(source)
            report = perform(source, cast, lambda image: finisher.frame(image, None, None), outlets)
    finally:
        cast.close()
    if json:
        console.show_json({**asdict(report), "record": None if record is None else str(record)})
    elif not quiet:
        print(report.line() + (f"; recorded {record}" if record else ""))
    return 0


def _finisher(system: str, sources: list[Path], camera: str, label: str | None) -> Any:
    from reenact.pipeline.finish import Finisher
    from reenact.pipeline.options import OutputOptions
    from reenact.systems import find_system
    from reenact.trust.label import label_text
    from reenact.trust.manifest import Role

    inputs: list[tuple[Path, Role]] = [(path, "source") for path in sources]
    inputs += [] if camera.isdigit() else [(Path(camera), "driving")]
    options = OutputOptions(label=None if label is None else label_text(label))
    return Finisher(options, system, find_system(system).learned, inputs)
