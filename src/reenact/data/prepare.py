"""`reenact prepare`: a data set becomes shards of prepared faces, by one process or many, resumable.

Which units go into which shard is planned before the first picture is read, from names and sizes alone. A
shard is then a function of its units: it can be made by any process on any machine, in any order, and made
again after a kill, and its bytes are the same. A shard counts as done when its index is there, which is
written last.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from importlib.resources import as_file, files
from pathlib import Path
from random import Random
from typing import IO, Any

from reenact.data import find_dataset
from reenact.data.extract import Extractor, Recipe
from reenact.data.frames import Unit, units_of
from reenact.data.items import Item, Listing, Skipped
from reenact.data.shards import ShardWriter, file_hash, read_manifest, write_json
from reenact.data.workers import run_shards
from reenact.errors import ReenactError
from reenact.geometry.face_model import default_face_model
from reenact.media.files import atomic_output
from reenact.pipeline.progress import Progress, silent

FORMAT = 1
"""Of the shards and their indexes; raised when older ones no longer read."""


@dataclass(frozen=True)
class Job:
    """One shard to make. root: the data set's folder. out: the folder of the shards. name: of the tar file.
    units: what goes into it."""

    root: Path
    out: Path
    name: str
    split: str
    units: tuple[Unit, ...]
    recipe: Recipe

    @property
    def index(self) -> Path:
        """The index, whose presence says that the shard is done."""
        return (self.out / self.name).with_suffix(".json")


@dataclass(frozen=True)
class Outcome:
    """What `prepare` did. shards, done: of how many shards how many were made now. frames: read now. faces: in
    all shards. skipped: files of the whole data set. seconds: of the making."""

    out: Path
    shards: int
    done: int
    frames: int
    faces: int
    skipped: int
    manifest: dict[str, Any]


def prepare(
    dataset: str,
    source: Path,
    out: Path,
    recipe: Recipe,
    *,
    workers: int = 1,
    ray: str | None = None,
    seed: int = 0,
    shard_size: int = 512,
    limit: int | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
) -> Outcome:
    """Prepare a data set's folder `source` into shards in `out`; goes on where a run before it stopped.

    workers: processes on this machine. ray: address of a Ray cluster ('local' starts one here), whose machines
    must all see `source` and `out` under the same paths. seed: of the order of the units. shard_size: about
    so many pictures a shard (a video counts 64). limit: units at most. Raises ReenactError for a folder that
    holds other data or settings, or that another run is writing to.
    """
    listing = find_dataset(dataset).read(Path(source).resolve())
    out = Path(out).resolve()
    _make_folder(out)
    with _locked(out):
        jobs = plan(listing, out, recipe, seed=seed, shard_size=shard_size, limit=limit)
        _agree(listing, jobs, recipe, seed, overwrite)
        _sweep(out)
        todo = [job for job in jobs if not is_done(job)]
        frames = sum(run_shards(make_shard, todo, workers=workers, ray=ray, progress=progress))
        _check_done(jobs, ray)
        manifest = _manifest(listing, jobs, recipe, seed)
        if todo or not _same(out, manifest):
            write_json(out / "manifest.json", manifest)
    counts = manifest["counts"]
    return Outcome(out, len(jobs), len(todo), frames, counts["faces"], counts["skipped"], manifest)


def plan(
    listing: Listing,
    out: Path,
    recipe: Recipe,
    *,
    seed: int = 0,
    shard_size: int = 512,
    limit: int | None = None,
) -> list[Job]:
    """The shards of a data set: units of one split in an order drawn with `seed`, cut where a shard is full."""
    units = units_of(listing.items)
    Random(f"order {seed}").shuffle(units)
    parts: dict[str, list[Unit]] = {}
    for unit in units[:limit]:
        parts.setdefault(unit.items[0].split or "all", []).append(unit)
    jobs = []
    for split, own in sorted(parts.items()):
        for number, some in enumerate(_filled(own, shard_size)):
            jobs.append(Job(listing.root, out, f"{split}-{number:06d}.tar", split, some, recipe))
    return jobs


def _filled(units: list[Unit], size: int) -> Iterator[tuple[Unit, ...]]:
    some: list[Unit] = []
    weight = 0
    for unit in units:
        if some and weight + unit.weight > size:
            yield tuple(some)
            some, weight = [], 0
        some.append(unit)
        weight += unit.weight
    if some:
        yield tuple(some)


def is_done(job: Job) -> bool:
    """Whether a shard and its index are there, the shard whole by its length."""
    try:
        index = json.loads(job.index.read_text("utf-8"))
        size = (job.out / job.name).stat().st_size if index["bytes"] else 0
    except (OSError, ValueError, KeyError):
        return False
    return bool(size == index["bytes"])


def make_shard(job: Job, extractor: Extractor) -> int:
    """Make one shard and then its index; returns the frames read. A shard without a face gets an index only."""
    frames, rejected = 0, Counter[str]()
    skipped: list[Skipped] = []
    path = job.out / job.name
    with atomic_output(path, overwrite=True) as partial:
        writer = ShardWriter(partial, job.recipe.quality)
        for unit in job.units:
            faces, report = extractor.run(unit)
            for face in faces:
                writer.add(face)
            frames += report.frames
            rejected += report.rejected
            skipped += report.skipped
        writer.close()
    empty = not writer.rows
    index = {
        "name": job.name,
        "split": job.split,
        "bytes": 0 if empty else path.stat().st_size,
        "sha256": "" if empty else file_hash(path),
        "frames": frames,
        "rejected": dict(sorted(rejected.items())),
        "skipped": [asdict(_below(job.root, one)) for one in skipped],
        "faces": writer.rows,
    }
    if empty:
        path.unlink()
    write_json(job.index, index)
    return frames


def _below(root: Path, skipped: Skipped) -> Skipped:
    """With paths below the data set's folder, so that the shards do not tell where that lay."""
    return replace(skipped, detail=skipped.detail.replace(f"{root}{os.sep}", ""))


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReenactError(f"cannot make the folder {out} ({error.strerror}); choose another place") from None


@contextmanager
def _locked(out: Path) -> Iterator[None]:
    """Keeps a second run out of the folder; the lock goes with the process, however that ends."""
    lock: IO[str] = (out / ".lock").open("w")
    try:
        import fcntl

        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except ImportError:  # no such locks on this system
        pass
    except OSError:
        lock.close()
        raise ReenactError(
            f"{out}: another 'reenact prepare' is writing there; wait for it, or end it"
        ) from None
    try:
        yield
    finally:
        lock.close()


def _agree(listing: Listing, jobs: list[Job], recipe: Recipe, seed: int, overwrite: bool) -> None:
    """Write down what this folder is being made from; refuse to go on with something else."""
    path = jobs[0].out / "plan.json"
    wanted = {
        "format": FORMAT,
        "dataset": listing.dataset,
        "recipe": _as_json(recipe),
        "seed": seed,
        "versions": _versions(),
        "shards": len(jobs),
        "items": _fingerprint(jobs),
    }
    if path.is_file():
        try:
            before = json.loads(path.read_text("utf-8"))
        except ValueError:
            before = {}
        if before == wanted:
            return
        if not overwrite:
            names = sorted(key for key in wanted if before.get(key) != wanted[key])
            raise ReenactError(
                f"{path.parent}: was prepared with other {', '.join(names)}; "
                "choose a new folder, or add --overwrite to start again"
            )
        _clear(path.parent)
    elif any(path.parent.glob("*.tar")):
        raise ReenactError(f"{path.parent}: holds tar files that are not ours; choose a new folder")
    write_json(path, wanted)


def _fingerprint(jobs: list[Job]) -> str:
    """A hash over the names, labels and sizes of all files, in the order of the plan."""
    digest = hashlib.sha256()
    for job in jobs:
        for unit in job.units:
            for item in unit.items:
                digest.update(f"{job.name}\n{_line(item)}\n".encode())
    return digest.hexdigest()


def _line(item: Item) -> str:
    labels = json.dumps([item.key, item.identity, item.clip, item.split, sorted(item.attributes.items())])
    return f"{labels} {item.path.stat().st_size}"


def _clear(out: Path) -> None:
    """Remove what a run made: by its plan's names only, nothing else."""
    (out / "manifest.json").unlink(missing_ok=True)
    for index in sorted(out.glob("*-[0-9][0-9][0-9][0-9][0-9][0-9].json")):
        index.unlink()
        index.with_suffix(".tar").unlink(missing_ok=True)


def _sweep(out: Path) -> None:
    """Remove the unfinished files of a run that was killed."""
    for partial in [*out.glob(".*.partial-*.tar"), *out.glob(".*.partial-*.json")]:
        partial.unlink(missing_ok=True)


def _check_done(jobs: list[Job], ray: str | None) -> None:
    missing = [job.name for job in jobs if not is_done(job)]
    if missing:
        shared = "; do all machines of the cluster see the folder under the same path?" if ray else ""
        raise ReenactError(
            f"{jobs[0].out}: {len(missing)} shards were not made, the first {missing[0]}{shared}"
        )


def _versions() -> dict[str, str]:
    with as_file(files("reenact") / "assets" / "face_model.safetensors") as path:
        model = file_hash(path)
    packages = ("mediapipe", "numpy", "pillow", "av")
    return {"face_model": model, **{name: version(name) for name in packages}}


def _as_json(recipe: Recipe) -> dict[str, Any]:
    return {**asdict(recipe), "rate": None if recipe.rate is None else str(recipe.rate)}


def _same(out: Path, manifest: dict[str, Any]) -> bool:
    try:
        return read_manifest(out) == manifest
    except ReenactError:
        return False


def _manifest(listing: Listing, jobs: list[Job], recipe: Recipe, seed: int) -> dict[str, Any]:
    """Everything about the finished folder; no times and no machine, so that equal runs give equal bytes."""
    shards, rejected, reasons = [], Counter[str](), Counter(listing.skip_counts())
    skipped = [asdict(one) for one in listing.skipped]
    counts: Counter[str] = Counter()
    people: set[str] = set()
    for job in jobs:
        index = json.loads(job.index.read_text("utf-8"))
        faces = index.pop("faces")
        people.update(face["identity"] for face in faces)
        skipped += index.pop("skipped")
        rejected += Counter(index.pop("rejected"))
        counts.update(frames=index["frames"], faces=len(faces), units=len(job.units))
        shards.append({**index, "faces": len(faces)})
    reasons = Counter(one["reason"] for one in skipped)
    model = default_face_model()
    return {
        "format": FORMAT,
        "dataset": listing.dataset,
        "title": find_dataset(listing.dataset).title if listing.dataset in _names() else listing.dataset,
        "recipe": _as_json(recipe),
        "seed": seed,
        "versions": _versions(),
        "coefficients": {"identity": len(model.identity), "expression": len(model.expression)},
        "counts": {**dict(sorted(counts.items())), "people": len(people), "skipped": len(skipped)},
        "rejected_frames": dict(sorted(rejected.items())),
        "skipped_files": dict(sorted(reasons.items())),
        "skipped": skipped,
        "shards": shards,
    }


def _names() -> set[str]:
    from reenact.data import DATASETS

    return set(DATASETS)


def default_workers() -> int:
    """As many processes as this process may use cores."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
