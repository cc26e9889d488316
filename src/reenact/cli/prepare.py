"""`reenact prepare`: a data set becomes shards of cropped faces with landmarks and coefficients."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reenact.cli import console, failures
from reenact.errors import ReenactError

if TYPE_CHECKING:
    from reenact.data.extract import Recipe
    from reenact.data.prepare import Outcome

EXAMPLES = "Example: reenact prepare voxceleb1 /data/vox1 prepared/vox1 --recipe fipls --workers 8"


def _show_list(wanted: bool) -> None:
    if not wanted:
        return
    from reenact.data import DATASETS

    for dataset in DATASETS.values():
        rate = f", {dataset.rate} frames/s" if dataset.rate else ""
        print(f"{dataset.name}: {dataset.title}{rate}")
        for form in dataset.layout:
            print(f"    {form}")
    raise typer.Exit


def prepare(
    dataset: Annotated[
        str, typer.Argument(metavar="DATASET", help="Its name, see --list.", show_default=False)
    ],
    source: Annotated[Path, typer.Argument(metavar="IN", help="The folder it lies in.", show_default=False)],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder for the shards.", show_default=False)],
    recipe: Annotated[
        str,
        typer.Option(
            metavar="standard|fipls|osfr",
            help="How faces are cut: standard crops a clip by one square; fipls aligns each frame (faces of "
            "128 px or more); osfr aligns closer.",
        ),
    ] = "standard",
    min_face: Annotated[
        float | None,
        typer.Option(
            min=16, metavar="PX", help="Reject smaller faces: 64 by default, 128 in fipls.", show_default=False
        ),
    ] = None,
    min_sharpness: Annotated[
        float | None,
        typer.Option(
            min=0, metavar="N", help="Reject blurrier faces: 12 by default, 0 keeps all.", show_default=False
        ),
    ] = None,
    size: Annotated[int, typer.Option(min=32, max=1024, metavar="PX", help="Side of the crops.")] = 256,
    rate: Annotated[
        str | None,
        typer.Option(
            metavar="N|all",
            help="Frames a second; by default what the papers take of DATASET.",
            show_default=False,
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Processes; one a core by default.", show_default=False),
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Use the machines of a Ray cluster, all of which see IN and OUT; 'local' starts one here.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the order in which files go into shards.")] = 0,
    shard_size: Annotated[
        int, typer.Option(min=1, metavar="N", help="Pictures a shard; a video counts 64.")
    ] = 512,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Only so many clips and stills.", show_default=False)
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Start again where OUT was prepared with other settings.")
    ] = False,
    listing: Annotated[
        bool, typer.Option("--list", callback=_show_list, is_eager=True, help="Show the data sets and leave.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print a machine-readable summary.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
) -> int:
    """Turn a data set into shards for training; run again after a stop, it goes on where it was."""
    from time import monotonic

    from reenact.data.prepare import default_workers
    from reenact.data.prepare import prepare as run

    chosen = _recipe(dataset, recipe, rate, min_face, min_sharpness, size)
    start = monotonic()
    count = workers or default_workers()
    with console.Bar(show=not (quiet or json), unit="files") as bar:
        outcome = run(
            dataset,
            source,
            out,
            chosen,
            workers=count,
            ray=ray,
            seed=seed,
            shard_size=shard_size,
            limit=limit,
            overwrite=overwrite,
            progress=bar,
        )
    _report(outcome, monotonic() - start, json=json, quiet=quiet)
    return 0


def _recipe(
    dataset: str,
    name: str,
    rate: str | None,
    min_face: float | None,
    min_sharpness: float | None,
    size: int,
) -> Recipe:
    from reenact.data import find_dataset
    from reenact.data.extract import RECIPES

    if name not in RECIPES:
        raise ReenactError(f"there is no recipe {name!r}; choose one of: {', '.join(RECIPES)}")
    own: dict[str, Any] = {"min_face": min_face, "min_sharpness": min_sharpness}
    given = {key: value for key, value in own.items() if value is not None}
    frames = find_dataset(dataset).rate if rate is None else _rate(rate)
    return replace(RECIPES[name], size=size, rate=frames, **given)


def _rate(text: str) -> Fraction | None:
    if text == "all":
        return None
    try:
        rate = Fraction(text)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if not 0 < rate <= 1000:
        raise ReenactError(f"--rate {text} is no number of frames a second; give one such as 1 or 25, or 'all'")
    return rate


def _report(outcome: Outcome, seconds: float, *, json: bool, quiet: bool) -> None:
    manifest = outcome.manifest
    if json:
        console.show_json(
            {
                "output": str(outcome.out),
                "shards": outcome.shards,
                "made": outcome.done,
                "frames": outcome.frames,
                "faces": outcome.faces,
                "people": manifest["counts"]["people"],
                "rejected_frames": manifest["rejected_frames"],
                "skipped_files": manifest["skipped_files"],
                "seconds": round(seconds, 3),
            }
        )
    elif not quiet:
        _print_report(outcome, seconds)


def _print_report(outcome: Outcome, seconds: float) -> None:
    manifest = outcome.manifest
    speed = f", {outcome.frames / seconds:.0f} frames/s" if outcome.frames else ""
    made = f"{outcome.done} of {outcome.shards} shards made now" if outcome.done else "complete already"
    faces = f"{outcome.faces} faces of {manifest['counts']['people']} people"
    print(f"{outcome.out}: {faces} in {outcome.shards} shards ({made}, {seconds:.1f} s{speed})")
    for reason, count in manifest["rejected_frames"].items():
        failures.say(f"{count} frames: {reason}", "note")
    for reason, count in manifest["skipped_files"].items():
        first = next(one["name"] for one in manifest["skipped"] if one["reason"] == reason)
        more = f", the first {first}" if count > 1 else f": {first}"
        failures.say(f"{count} skipped, {reason}{more}; all are named in manifest.json", "note")
