"""`reenact image`: a portrait with the pose and expression of one picture, or with those asked for in words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from reenact.cli import console
from reenact.cli.animate import Run, animate
from reenact.cli.arguments import MOTION_PANEL, Arguments, unfold
from reenact.errors import ReenactError

if TYPE_CHECKING:
    from reenact.pipeline.pose import Pose

EXAMPLES = (
    "Examples:\n\nreenact image portrait.jpg smile.jpg -o out.png\n\n"
    "reenact image 'portraits/*.jpg' smiles/ --out-dir out\n\n"
    "reenact image portraits/*.jpg --driving smile.jpg --out-dir out\n\n"
    "reenact image portrait.jpg --action-units AU12=1,AU25=0.5 --pose yaw=20 -o out.png"
)
_ANGLES = ("yaw", "pitch", "roll")


@dataclass(frozen=True)
class ImageArguments(Arguments):
    """What `reenact image` takes besides: a pose in words, in place of a driving picture."""

    action_units: Annotated[
        str | None,
        typer.Option(
            "--action-units",
            help="The expression as action units, 0 to 1 each, 1 being full (FACS 5): AU12=1,AU25=0.5. "
            "Takes the place of the driving picture.",
            rich_help_panel=MOTION_PANEL,
            metavar="AU=STRENGTH,...",
        ),
    ] = None
    pose: Annotated[
        str | None,
        typer.Option(
            "--pose",
            help="The turn of the head in degrees: yaw (to the picture's right), pitch (up), roll (clockwise): "
            "yaw=20,pitch=-5. Takes the place of the driving picture.",
            rich_help_panel=MOTION_PANEL,
            metavar="ANGLE=DEGREES,...",
        ),
    ] = None


@unfold(ImageArguments)
def image(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="SOURCE DRIVING",
            show_default=False,
            help="The portrait, and the picture that gives pose and expression: files, folders or quoted "
            "patterns. With --driving, --pose or --action-units all of them are sources, with --source all are "
            "drivings.",
        ),
    ] = None,
    *,
    arguments: ImageArguments,
) -> int:
    """Animate a portrait with the pose and expression of one picture, or with those asked for in words."""
    if arguments.action_units is None and arguments.pose is None:
        return animate(files or [], arguments, _run, video=False, suffix=".png")
    with TemporaryDirectory() as folder:
        try:
            driving = _write_pose(Path(folder), arguments)
        except ReenactError as error:
            if arguments.json:
                console.show_json({"error": str(error)})
            raise
        sources = [*(arguments.source or []), *(files or [])]
        posed = replace(arguments, source=sources, driving=[driving])
        return animate([], posed, _run, video=False, suffix=".png")


def read_pose(action_units: str | None, angles: str | None) -> Pose:
    """`AU12=1,AU25=0.5` (0 to 1) and `yaw=20,pitch=-5` (degrees) as a `Pose`; None is none of them. Raises
    ReenactError where the words are not that."""
    from reenact.perception.action_units import MOST
    from reenact.pipeline.pose import Pose

    units: dict[int, float] = {}
    for name, strength in _pairs(action_units, "--action-units", "AU12=1,AU25=0.5").items():
        number = name.upper().removeprefix("AU")
        if not (number.isascii() and number.isdigit()):
            raise ReenactError(f"--action-units: {name!r} is no action unit; write AU12=1,AU25=0.5")
        if not 0 <= strength <= 1:
            raise ReenactError(f"--action-units: {name} is {strength:g}; give 0 to 1, 1 being full")
        units[int(number)] = MOST * strength
    turns = _pairs(angles, "--pose", "yaw=20,pitch=-5")
    for name in turns:
        if name not in _ANGLES:
            raise ReenactError(f"--pose: {name!r} is none of {', '.join(_ANGLES)}; write yaw=20,pitch=-5")
    yaw, pitch, roll = (turns.get(name, 0.0) for name in _ANGLES)
    return Pose(yaw, pitch, roll, units=units)


def _pairs(text: str | None, option: str, example: str) -> dict[str, float]:
    values: dict[str, float] = {}
    for item in (text or "").split(",") if text is not None else []:
        name, _, value = (part.strip() for part in item.partition("="))
        try:
            number = float(value)
        except ValueError:
            raise ReenactError(f"{option}: {item.strip()!r} is not NAME=NUMBER; write {example}") from None
        if name in values:
            raise ReenactError(f"{option}: {name} is given twice")
        values[name] = number
    return values


def _write_pose(folder: Path, given: ImageArguments) -> Path:
    """The pose as a motion file, which drives like any other and stands in the record of what went in."""
    from reenact.pipeline.motion_file import write_motion
    from reenact.pipeline.pose import pose_motion

    if given.driving:
        raise ReenactError("--pose and --action-units take the place of a driving picture; leave out --driving")
    path = folder / "pose.motion"
    write_motion(path, pose_motion(read_pose(given.action_units, given.pose)))
    return path


def _run() -> Run:
    from reenact.pipeline.animate import animate_image

    return animate_image
