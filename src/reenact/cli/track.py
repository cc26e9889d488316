"""`reenact track`: the motion of a video as a small file, without its pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reenact.cli import console, failures
from reenact.cli.arguments import read_face, read_time
from reenact.cli.batch import MOVING, STILLS
from reenact.errors import ReenactError

EXAMPLES = "Example: reenact track clip.mp4 -o clip.motion && reenact video portrait.jpg clip.motion -o out.mp4"


def track(
    video: Annotated[
        Path, typer.Argument(metavar="VIDEO", help="A video, a GIF or a folder of frames.", show_default=False)
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="MOTION", help="The file to write, ending in .motion.")
    ],
    start: Annotated[
        str | None, typer.Option(metavar="TIME", help="Where to begin: seconds or [H:]M:S.", show_default=False)
    ] = None,
    end: Annotated[
        str | None, typer.Option(metavar="TIME", help="Where to end: seconds or [H:]M:S.", show_default=False)
    ] = None,
    face: Annotated[
        str, typer.Option(metavar="largest|N", help="Which face: largest, or its number from the left, from 0.")
    ] = "largest",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an output that exists.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print a machine-readable summary.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
) -> int:
    """Write a video's motion (pose, expression, time; no identity, no pixels) as a small file."""
    begin, stop = read_time(start, "--start"), read_time(end, "--end")
    choice = read_face(face, "--face", "largest")
    if output.suffix.lower() in (STILLS | MOVING) - {".motion"}:
        raise ReenactError(f"a motion is no picture or video, so do not call it {output}; end it in .motion")
    from reenact.media.files import check_output
    from reenact.pipeline.motion_file import write_motion
    from reenact.pipeline.track import track_video

    check_output(output, overwrite=overwrite, inputs=[video])
    with console.Bar(show=not (quiet or json)) as bar:
        motion, notes = track_video(video, start=begin, end=stop, face=choice, progress=bar)
    write_motion(output, motion, overwrite=overwrite)
    missing = int(len(motion) - motion.found.sum())
    if json:
        console.show_json(
            {
                "output": str(output),
                "frames": len(motion),
                "held": missing,
                "fps": float(motion.fps),
                "fps_exact": str(motion.fps),
                "duration": float(motion.duration),
                "bytes": output.stat().st_size,
                "notes": list(notes),
            }
        )
    elif not quiet:
        size = output.stat().st_size / 1024
        print(f"{output}: {len(motion)} frames, {float(motion.duration):.2f} s, {size:.0f} KiB")
        if missing:
            notes = (*notes, f"{missing} frames without a face; their motion is held")
        for note in notes:
            failures.say(note, "note")
    return 0
