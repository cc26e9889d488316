"""The options of `reenact image` and `reenact video`: one table, its defaults those of `RunOptions`.

`Arguments` are the options of both verbs, `VideoArguments` those that need time. `unfold` turns such a table
into parameters that Typer reads, so that neither verb repeats the list; `run_options` turns the values into
`RunOptions`. The same names are the keys of an options file (`--config`).
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_type_hints

import typer

from reenact.cli import config
from reenact.errors import ReenactError
from reenact.pipeline.options import (
    Codec,
    FaceChoice,
    Gains,
    MotionMode,
    MotionOptions,
    OutputOptions,
    RunOptions,
)

_DEFAULT = RunOptions()
_MOTION, _OUT, _GAINS = _DEFAULT.motion, _DEFAULT.output, _DEFAULT.motion.gains
_FILES, _HOW, _REGION, _WHERE, _TIME, _LOOK, _TRUST, _MACHINE, _OUTPUT = _PANELS = (
    "Files",
    "Motion",
    "Gain of a region (0: the source's own, 1: as driven)",
    "Faces",
    "Time",
    "Picture",
    "Marking",
    "Machine",
    "Output",
)
"""Groups of the help, in its order."""
MOTION_PANEL = _HOW
MOST = 10.0
"""Of a gain or the smoothing; far beyond what makes sense, and short of what breaks the arithmetic."""
_AMOUNT: dict[str, Any] = {"min": 0, "max": MOST, "metavar": "AMOUNT"}
_GAIN = {**_AMOUNT, "metavar": "GAIN"}
_LARGEST = 1 << 15
"""Pixels of the longest side that is ever read or written."""


def _option(help_: str, panel: str, *names: str, **more: Any) -> Any:
    return typer.Option(*names, help=help_, rich_help_panel=panel, show_default=more.pop("show", True), **more)


@dataclass(frozen=True)
class Arguments:
    """What both verbs take beside their positional files; every field is one option."""

    source: Annotated[
        list[Path] | None,
        _option(
            "A source: file, folder or quoted pattern. May be repeated.", _FILES, "--source", metavar="PATH"
        ),
    ] = None
    same_person: Annotated[
        bool,
        _option(
            "All sources show one person: animate the one nearest in pose to the driving.",
            _FILES,
            "--same-person",
            show=False,
        ),
    ] = False
    driving: Annotated[
        list[Path] | None,
        _option(
            "A driving: file, folder or quoted pattern. May be repeated.", _FILES, "--driving", metavar="PATH"
        ),
    ] = None
    output: Annotated[
        Path | None,
        _option("The file to write; its ending names the format.", _FILES, "--output", "-o", metavar="PATH"),
    ] = None
    out_dir: Annotated[
        Path | None,
        _option(
            "Folder for every pair of several sources and drivings: SOURCE__DRIVING.*",
            _FILES,
            "--out-dir",
            metavar="FOLDER",
        ),
    ] = None
    overwrite: Annotated[bool, _option("Replace an output that exists.", _FILES, "--overwrite", show=False)] = (
        _OUT.overwrite
    )
    config: Annotated[
        Path | None,
        _option(
            "TOML file of options, keys named as here; the command line wins.",
            _FILES,
            "--config",
            callback=config.load,
            is_eager=True,
            metavar="OPTIONS.toml",
        ),
    ] = None

    system: Annotated[str, _option("`reenact systems` lists them.", _HOW, "--system", metavar="NAME")] = (
        _DEFAULT.system
    )
    motion: Annotated[
        MotionMode,
        _option(
            "relative: the change from the anchor. absolute: pose and expression as driven. "
            "expression: the head stays. pose: the face stays.",
            _HOW,
            "--motion",
            metavar="MODE",
        ),
    ] = _MOTION.mode
    strength: Annotated[float, _option("Gain on the expression.", _HOW, "--strength", **_GAIN)] = (
        _MOTION.strength
    )
    smooth: Annotated[
        float,
        _option("Smoothing of the motion in time; 0 is off.", _HOW, "--smooth", **_AMOUNT),
    ] = _MOTION.smooth
    anchor: Annotated[
        str,
        _option(
            "The driving frame that stands for the source's own state: auto (the nearest) or a number.",
            _HOW,
            "--anchor",
            metavar="auto|FRAME",
        ),
    ] = str(_MOTION.anchor)
    placement: Annotated[
        str,
        _option(
            "For absolute motion: the head at the source's own place, or where it is in the driving frame.",
            _HOW,
            "--placement",
            metavar="source|frame",
        ),
    ] = _MOTION.placement

    eyes: Annotated[float, _option("Eyelids.", _REGION, "--eyes", **_GAIN)] = _GAINS.eyes
    brows: Annotated[float, _option("Eyebrows.", _REGION, "--brows", **_GAIN)] = _GAINS.brows
    lips: Annotated[float, _option("Lips.", _REGION, "--lips", **_GAIN)] = _GAINS.lips
    jaw: Annotated[float, _option("Jaw and cheeks.", _REGION, "--jaw", **_GAIN)] = _GAINS.jaw
    gaze: Annotated[float, _option("Direction of the eyes.", _REGION, "--gaze", **_GAIN)] = _GAINS.gaze
    head: Annotated[float, _option("Turn, tilt and place of the head.", _REGION, "--head", **_GAIN)] = (
        _GAINS.head
    )

    face: Annotated[
        str | None,
        _option(
            "Which face, in source and driving: largest, or its number from the left, from 0.",
            _WHERE,
            "--face",
            metavar="largest|N",
        ),
    ] = None
    source_face: Annotated[
        str | None, _option("The same for the source alone.", _WHERE, "--source-face", metavar="largest|N")
    ] = None
    driving_face: Annotated[
        str | None, _option("The same for the driving alone.", _WHERE, "--driving-face", metavar="largest|N")
    ] = None

    paste: Annotated[
        bool,
        _option(
            "Put the face back into the whole source picture, or write the crop.", _LOOK, "--paste/--no-paste"
        ),
    ] = _OUT.paste
    size: Annotated[
        str | None,
        _option(
            "Longer side in pixels, or source for the source's own. (Otherwise stills keep their size, "
            "and videos have at most 2160.)",
            _LOOK,
            "--size",
            metavar="PIXELS|source",
        ),
    ] = None
    compare: Annotated[
        bool, _option("Write source, driving and result side by side.", _LOOK, "--compare", show=False)
    ] = _OUT.compare
    landmarks: Annotated[bool, _option("Draw the target landmarks.", _LOOK, "--landmarks", show=False)] = (
        _OUT.landmarks
    )
    quality: Annotated[
        int, _option("Of the encoding, 0 to 100.", _LOOK, "--quality", min=0, max=100, metavar="0-100")
    ] = _OUT.quality

    label: Annotated[
        str | None,
        _option(
            "Visible text on the picture; a language code (de, fr, ...) stands for 'AI-manipulated' in it.",
            _TRUST,
            "--label",
            metavar="TEXT|LANGUAGE",
        ),
    ] = None
    consent: Annotated[
        str | None,
        _option(
            "Who agreed to this picture's use: recorded in the manifest.", _TRUST, "--consent", metavar="TEXT"
        ),
    ] = None
    sign_with: Annotated[
        Path | None,
        _option("PEM file with a certificate chain and key of your own.", _TRUST, "--sign-with", metavar="PEM"),
    ] = None
    mark: Annotated[
        bool,
        _option(
            "Sign and mark the output as AI-manipulated (or, with a word on the law, do not).",
            _TRUST,
            "--mark/--no-mark",
        ),
    ] = _OUT.mark

    threads: Annotated[
        int | None,
        _option(
            "CPU threads. (Otherwise as many as there are cores.)", _MACHINE, "--threads", min=1, metavar="N"
        ),
    ] = _DEFAULT.threads
    device: Annotated[str, _option("Where networks run: cpu.", _MACHINE, "--device", metavar="NAME")] = (
        _DEFAULT.device
    )
    json: Annotated[
        bool, _option("Print a machine-readable summary, and no progress.", _OUTPUT, "--json", show=False)
    ] = False
    quiet: Annotated[bool, _option("Print errors only.", _OUTPUT, "--quiet", "-q", show=False)] = False


@dataclass(frozen=True)
class VideoArguments(Arguments):
    """What `reenact video` takes besides: the options that need time."""

    start: Annotated[
        str | None,
        _option("Where to begin in the driving: seconds or [H:]M:S.", _TIME, "--start", metavar="TIME"),
    ] = None
    end: Annotated[
        str | None, _option("Where to end in the driving: seconds or [H:]M:S.", _TIME, "--end", metavar="TIME")
    ] = None
    fps: Annotated[
        str | None,
        _option(
            "Frame rate: 30, 29.97 or 30000/1001. (Otherwise the driving's.)", _TIME, "--fps", metavar="RATE"
        ),
    ] = None
    codec: Annotated[Codec, _option("Video codec.", _TIME, "--codec")] = _OUT.codec
    format: Annotated[
        str, _option("Kind of file that --out-dir gets.", _FILES, "--format", metavar="mp4|webm|gif|png")
    ] = "mp4"
    keep_partial: Annotated[
        bool,
        _option(
            "When the driving breaks off or the run is interrupted, keep what was done.",
            _TIME,
            "--keep-partial",
            show=False,
        ),
    ] = _OUT.keep_partial


T = TypeVar("T", bound=Arguments)


def unfold(table: type[T]) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Give a verb whose last parameter is `arguments: table` one parameter for each field of the table."""

    def decorate(verb: Callable[..., int]) -> Callable[..., int]:
        hints = get_type_hints(table, include_extras=True)
        own = [p for p in inspect.signature(verb, eval_str=True).parameters.values() if p.name != "arguments"]
        options = [
            inspect.Parameter(
                field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name]
            )
            for field in fields(table)
        ]
        options.sort(key=lambda option: _PANELS.index(option.annotation.__metadata__[0].rich_help_panel))

        @functools.wraps(verb)
        def wrapper(**values: Any) -> int:
            chosen = {field.name: values.pop(field.name) for field in fields(table)}
            return verb(**values, arguments=table(**chosen))

        parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own] + options
        wrapper.__signature__ = inspect.Signature(parameters, return_annotation=int)  # type: ignore[attr-defined]
        wrapper.__annotations__ = {p.name: p.annotation for p in parameters} | {"return": int}
        return wrapper

    return decorate


def run_options(given: Arguments) -> RunOptions:
    """The values as `RunOptions`; raises ReenactError for one that says nothing."""
    if given.device != _DEFAULT.device:
        raise ReenactError(
            f"--device: {given.device!r} cannot be used; networks run on the cpu in this version"
        )
    face = read_face(given.face, "--face", _DEFAULT.source_face)
    return RunOptions(
        system=given.system,
        motion=_motion_options(given),
        output=_output_options(given),
        source_face=read_face(given.source_face, "--source-face", face),
        driving_face=read_face(given.driving_face, "--driving-face", face),
        threads=given.threads,
        device=given.device,
    )


def _motion_options(given: Arguments) -> MotionOptions:
    if given.placement not in ("source", "frame"):
        raise ReenactError(f"--placement: {given.placement!r} is neither source nor frame")
    return MotionOptions(
        mode=given.motion,
        strength=given.strength,
        smooth=given.smooth,
        anchor="auto" if given.anchor == "auto" else _count(given.anchor, "--anchor", "auto or a frame number"),
        gains=Gains(given.eyes, given.brows, given.lips, given.jaw, given.gaze, given.head),
        placement="frame" if given.placement == "frame" else "source",
    )


def _output_options(given: Arguments) -> OutputOptions:
    timed = _times(given) if isinstance(given, VideoArguments) else {}
    return OutputOptions(
        paste=given.paste,
        size=_size(given.size),
        compare=given.compare,
        landmarks=given.landmarks,
        label=_label(given.label),
        quality=given.quality,
        overwrite=given.overwrite,
        mark=given.mark,
        consent=given.consent,
        sign_with=given.sign_with,
        **timed,
    )


def _label(text: str | None) -> str | None:
    if text is None:
        return None
    from reenact.trust.label import Label, label_text

    Label(label_text(text), 64, 64)  # letters that no font has should show before the work begins
    return label_text(text)


def _times(given: VideoArguments) -> dict[str, Any]:
    start, end = read_time(given.start, "--start"), read_time(given.end, "--end")
    if start is not None and end is not None and end <= start:
        raise ReenactError(f"--end {given.end} is not after --start {given.start}")
    return {
        "start": start,
        "end": end,
        "fps": read_rate(given.fps),
        "codec": given.codec,
        "keep_partial": given.keep_partial,
    }


def read_time(text: str | None, name: str) -> Fraction | None:
    """Seconds, exact, from `12.5`, `1:02.5` or `1:00:02.5`; None stays None."""
    if text is None:
        return None
    try:
        parts = [Fraction(part) for part in str(text).split(":")]
    except (ValueError, ZeroDivisionError):
        parts = []
    if not 1 <= len(parts) <= 3 or any(part < 0 for part in parts):
        raise ReenactError(f"{name}: {text!r} is no time; give seconds (12.5) or minutes and seconds (1:02.5)")
    return sum((part * 60**power for power, part in enumerate(reversed(parts))), Fraction(0))


def read_rate(text: str | None) -> Fraction | None:
    """Frames a second, exact: 29.97 means 30000/1001, as broadcast does; None stays None."""
    if text is None:
        return None
    try:
        rate = Fraction(str(text))
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if not 0 < rate <= 1000:
        raise ReenactError(f"--fps: {text!r} is no frame rate; give 25, 29.97 or 30000/1001")
    broadcast = Fraction(round(rate) * 1000, 1001)
    return broadcast if rate.denominator > 1 and abs(rate - broadcast) < Fraction(1, 200) else rate


def read_face(text: str | None, name: str, otherwise: FaceChoice) -> FaceChoice:
    """`largest` or a face's number from the left; None is `otherwise`."""
    if text is None:
        return otherwise
    return "largest" if text == "largest" else _count(text, name, "largest or a number from 0")


def _size(text: str | None) -> Any:
    if text is None or text == "source":
        return text
    size = _count(text, "--size", "a number of pixels or source")
    if size < 16:
        raise ReenactError(f"--size: {size} is too small; the smallest is 16")
    if size > _LARGEST:
        raise ReenactError(f"--size: {size} is too large; the largest is {_LARGEST}")
    return size


def _count(text: str, name: str, wanted: str) -> int:
    if not str(text).isascii() or not str(text).isdigit():
        raise ReenactError(f"{name}: {text!r} is not {wanted}")
    return int(text)
