"""What a job does: the pipeline on its uploads, then landmarks and the marks as `verify` sees them."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import asdict, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from reenact.errors import ReenactError
from reenact.geometry.schemes import convert_points
from reenact.pipeline.animate import animate_image, animate_video, still_drive
from reenact.pipeline.motion_file import is_motion, read_motion, write_motion
from reenact.pipeline.options import RunOptions
from reenact.pipeline.portrait import Puppet, blend_of, choose_anchor, driver_of, drives_of, read_portrait
from reenact.pipeline.pose import pose_motion
from reenact.pipeline.track import cut, resampled, smoothed, track_video
from reenact.types import Motion, Points, Summary
from reenact.web.jobs import Job
from reenact.web.limits import Limits, check_driving, check_portrait

SOURCE, DRIVING = "source", "driving"
"""Names of the two uploads, without ending."""
_POINTS = 68


def upload(job: Job, name: str) -> Path | None:
    """The upload of that name, whatever its ending."""
    return next((path for path in job.inputs.glob(f"{name}.*") if path.is_file()), None)


def needed(kind: str) -> tuple[str, ...]:
    """The uploads that a job of that kind must have."""
    return {"pose": (SOURCE,), "track": (DRIVING,)}.get(kind, (SOURCE, DRIVING))


class Worker:
    """Does jobs within limits. Called by the queue's threads."""

    def __init__(self, limits: Limits, threads: int | None = None) -> None:
        self._limits, self._threads = limits, threads

    def __call__(self, job: Job) -> None:
        """Run the job; raises ReenactError for bad input."""
        options = job.options.run_options(self._threads)
        source, driving = upload(job, SOURCE), upload(job, DRIVING)
        if job.options.kind != "track":
            check_portrait(_given(source, SOURCE), self._limits)
        motion, notes = self._motion(job, driving, options)
        path = job.folder / "driving.motion"
        write_motion(path, motion)
        job.kept["motion"] = path
        if job.options.kind == "track":
            job.kept["result"] = path
            job.summary = _tracked(motion, notes)
            return
        result = job.folder / f"result{job.options.suffix}"
        animate = animate_video if job.options.moves else animate_image
        # A pose has no driving file; the motion made from it is what went in, and stands in the record.
        summary = animate([_given(source, SOURCE)], driving or path, result, options, job.progress, motion)
        job.kept["landmarks"] = job.folder / "landmarks.csv"
        write_landmarks(
            job.kept["landmarks"], _given(source, SOURCE), motion, options, still=not job.options.moves
        )
        job.summary = _animated(replace(summary, notes=(*notes, *summary.notes)), result.suffix)
        job.marks = marks_of(result)
        job.kept["result"] = result

    def _motion(self, job: Job, driving: Path | None, options: RunOptions) -> tuple[Motion, tuple[str, ...]]:
        """The driving motion, as given with the job, read, tracked or posed."""
        if isinstance(job.given, Motion):
            return job.given, ()
        if job.options.kind == "pose":
            return pose_motion(job.options.pose.pose()), ()
        driving = _given(driving, DRIVING)
        check_driving(driving, self._limits)
        start, end = options.output.start, options.output.end
        if is_motion(driving):
            return cut(read_motion(driving), start, end), ()
        # A file may be longer than it declares.
        last = (start or Fraction(0)) + Fraction(self._limits.seconds).limit_denominator(1000)
        end = min(end, last) if end is not None else last
        if job.options.kind == "image":
            end = (start or Fraction(0)) + Fraction(1, 1000)

        def tell(stage: str, done: int, total: int | None) -> None:
            if done > self._limits.frames:
                raise ReenactError(
                    f"{driving} has more than the {self._limits.frames} frames this server takes"
                )
            job.progress(stage, done, total)

        return track_video(
            driving, start=start, end=end, face=options.driving_face, progress=tell, threads=self._threads
        )


def marks_of(path: Path) -> dict[str, Any]:
    """What `verify` sees in a file, for JSON, without where the file lies."""
    from reenact.trust import known_roots, verify

    found = verify(path, known_roots()).as_dict()
    found.pop("path")
    found["reason"] = found["reason"].replace(f"{path.parent}/", "")
    return found


def write_landmarks(path: Path, source: Path, motion: Motion, options: RunOptions, *, still: bool) -> None:
    """Write the target landmarks of every frame as a table: frame, time in seconds, 68 points (the iBUG layout)
    in pixels of the portrait as it was given."""
    fields = ["frame", "time", *(f"{axis}_{n}" for axis in "xy" for n in range(_POINTS))]
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(fields)
        for number, (time, points) in enumerate(_targets(source, motion, options, still)):
            rows.writerow([number, f"{float(time):.6f}", *(f"{value:.2f}" for value in points.T.ravel())])


def _targets(
    source: Path, motion: Motion, options: RunOptions, still: bool
) -> Iterator[tuple[Fraction, Points]]:
    portrait = read_portrait(source, options.source_face)
    if not still:
        motion = smoothed(motion, options.motion.smooth)
        motion = motion if options.output.fps is None else resampled(motion, options.output.fps)
    # The landmarks are the transfer's; any system's puppet has it, and this one loads no network.
    puppet = Puppet(portrait, "warp", blend_of(options.motion), driver=driver_of(motion))
    drives = drives_of(motion, portrait)
    if still:
        drive, anchor = still_drive(drives[0])
        drives = [drive]
    else:
        anchor = drives[choose_anchor(puppet, motion, drives, options.motion.anchor)]
    for time, drive in zip(motion.times, drives, strict=False):
        yield time, convert_points(puppet.target(drive, anchor), "ibug68")[:, :2]


def _given(path: Path | None, name: str) -> Path:
    if path is None:
        raise ReenactError(f"the job has no {name} file; upload one")
    return path


def _animated(summary: Summary, suffix: str) -> dict[str, Any]:
    """A summary for JSON, without where the file lies; times and rates in seconds and frames a second."""
    found = asdict(summary)
    del found["output"]
    found["format"] = suffix[1:]
    return {name: float(value) if isinstance(value, Fraction) else value for name, value in found.items()}


def _tracked(motion: Motion, notes: tuple[str, ...]) -> dict[str, Any]:
    return {
        "frames": len(motion),
        "held": int(len(motion) - motion.found.sum()),
        "fps": float(motion.fps),
        "duration": float(motion.duration),
        "notes": list(notes),
    }
