"""`reenact video`: a portrait with the motion of a video, a folder of frames, a GIF or a motion file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reenact.cli.animate import Run, animate
from reenact.cli.arguments import VideoArguments, unfold
from reenact.errors import ReenactError

EXAMPLES = (
    "Examples:\n\nreenact video portrait.jpg clip.mp4 -o out.mp4\n\n"
    "reenact video portrait.png clip.motion -o out.gif --compare\n\n"
    "reenact video portraits/*.jpg --driving clip.mp4 --out-dir out\n\n"
    "reenact video portrait.jpg clip.mp4 -o frames/ --start 1:05 --end 1:20"
)
_ENDINGS = {"mp4": ".mp4", "webm": ".webm", "gif": ".gif", "png": ""}
"""An output name without an ending is a folder of PNG frames."""


@unfold(VideoArguments)
def video(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="SOURCE DRIVING",
            show_default=False,
            help="The portrait, and what drives it (a video, a GIF, a folder of frames or a motion file): "
            "files, folders or quoted patterns. With --driving all of them are sources, with --source all are "
            "drivings.",
        ),
    ] = None,
    *,
    arguments: VideoArguments,
) -> int:
    """Animate a portrait with the motion of a video; the sound comes along."""
    if arguments.format not in _ENDINGS:
        raise ReenactError(f"--format: {arguments.format!r} is none of {', '.join(_ENDINGS)}")
    return animate(files or [], arguments, _run, video=True, suffix=_ENDINGS[arguments.format])


def _run() -> Run:
    from reenact.pipeline.animate import animate_video

    return animate_video
