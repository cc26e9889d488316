"""Frames per second of a system, end to end and by stage, and peak memory as a video grows: `make bench`.

Everything is made on the spot: the portrait is scikit-image's, the driving videos are it, animated by the
demo's motion at 512 px. Absolute times wander on shared machines: compare figures of one run. `--system` names
another than the default; `--long` adds the five minute video of the memory row.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command has it; before NumPy loads

import numpy as np
from skimage.data import astronaut

from reenact.data.demo_motion import demo_motion
from reenact.geometry.face_model import default_face_model
from reenact.media.compose import scale_to
from reenact.media.reader import open_frames
from reenact.media.writer import open_writer
from reenact.perception.detector import FaceFollower
from reenact.perception.looks import LooksTracker
from reenact.pipeline.animate import animate_video
from reenact.pipeline.finish import Finisher
from reenact.pipeline.options import DEFAULT_SYSTEM, MotionOptions, OutputOptions, RunOptions
from reenact.pipeline.portrait import Puppet, blend_of, drives_of, read_portrait
from reenact.types import Image

SIDE = 512
FPS = Fraction(30)


def face_picture(*, other: bool = False) -> Image:
    """The astronaut's head, 512 px; other: half as broad again, which makes it another person's."""
    if other:
        return scale_to(np.ascontiguousarray(astronaut()[0:230, 146:300]), SIDE, SIDE)
    return scale_to(np.ascontiguousarray(astronaut()[0:230, 108:338]), SIDE, SIDE)


def rendered(picture: Image) -> list[Image]:
    """The demo's 240 frames at 512 px."""
    portrait = read_portrait(picture)
    puppet = Puppet(portrait, "warp", blend_of(MotionOptions()))
    drives = drives_of(demo_motion(), portrait)
    return [puppet.render(drive, drives[0]) for drive in drives]


def write_video(path: Path, frames: list[Image], seconds: int) -> None:
    """A video of `seconds`, the frames over and over."""
    with open_writer(path, width=SIDE, height=SIDE, fps=FPS, quality=75) as sink:
        for n in range(seconds * FPS.numerator):
            sink.write(frames[n % len(frames)], n / FPS)


def each(work: Callable[[int], object], count: int) -> float:
    """Median milliseconds of one call."""
    times = []
    for n in range(count):
        began = time.perf_counter()
        work(n)
        times.append((time.perf_counter() - began) * 1e3)
    return statistics.median(times[3:])


def stages(system: str, video: Path, picture: Image, frames: list[Image], folder: Path) -> dict[str, float]:
    """Median milliseconds a frame of each stage, alone."""
    portrait = read_portrait(picture)
    puppet = Puppet(portrait, system, blend_of(MotionOptions()))
    drives = drives_of(demo_motion(), portrait)
    finisher = Finisher(OutputOptions(), system, False, [])
    out = {}
    with open_frames(video) as source:
        reader: Iterator = iter(source)
        out["decode"] = each(lambda n: next(reader), 200)
    with FaceFollower() as follower:
        out["detect"] = each(lambda n: follower.track(frames[n]), 100)
        faces = [face.points for frame in frames[:100] if (face := follower.track(frame)) is not None]
    for name, skin in (("follow the head", False), ("follow head and skin", True)):
        looks = LooksTracker(default_face_model(), skin=skin)
        out[name] = each(lambda n, looks=looks: looks.follow(frames[n], faces[n]), len(faces))
    out["transfer"] = each(lambda n: puppet.transfer.target(drives[n], drives[0]), 100)
    out["render"] = each(lambda n: puppet.render(drives[n], drives[0]), 100)
    out["watermark"] = each(lambda n: finisher.frame(frames[n], None, None), 100)
    with open_writer(folder / "stage.mp4", width=SIDE, height=SIDE, fps=FPS, quality=75) as sink:
        out["encode"] = each(lambda n: sink.write(frames[n], n / FPS), 200)
    return out


def end_to_end(system: str, video: Path, portrait: Path, folder: Path, rounds: int) -> list[float]:
    """Frames a second of whole runs: track, render, mark, encode, sign."""
    rates = []
    for n in range(rounds):
        began = time.perf_counter()
        options = RunOptions(system=system, output=OutputOptions(overwrite=True))
        summary = animate_video([portrait], video, folder / f"out{n}.mp4", options)
        rates.append(summary.frames / (time.perf_counter() - began))
    return rates


def peak_memory(system: str, portrait: Path, video: Path, folder: Path) -> int:
    """Peak resident MiB of a run in a process of its own."""
    code = subprocess.run(
        [sys.executable, __file__, "--child", system, str(portrait), str(video), str(folder / "memory.mp4")],
        capture_output=True,
        text=True,
        check=True,
    )
    return int(code.stdout.split()[-1])


def child(system: str, portrait: str, video: str, out: str) -> None:
    """One run, then its own peak memory."""
    options = RunOptions(system=system, output=OutputOptions(overwrite=True))
    animate_video([Path(portrait)], Path(video), Path(out), options)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)


def main() -> None:
    """Print the table as Markdown, and as JSON with --json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--system", default=DEFAULT_SYSTEM)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--long", action="store_true", help="also run the five minute video")
    parser.add_argument("--other", action="store_true", help="whole runs animate another person than drives")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(*options.child)
        return
    with tempfile.TemporaryDirectory() as name:
        report(options, Path(name))


def report(options: argparse.Namespace, folder: Path) -> None:
    """Run everything in `folder` and print it."""
    from reenact.media.stills import write_still

    system, picture = options.system, face_picture()
    portrait, video = folder / "portrait.png", folder / "driving.mp4"
    write_still(portrait, face_picture(other=options.other))
    frames = rendered(picture)
    write_video(video, frames, 10)
    figures: dict[str, object] = {"machine": f"{platform.machine()}, {os.cpu_count()} cores", "side": SIDE}
    figures["stage_ms"] = stages(system, video, picture, frames, folder)
    rates = end_to_end(system, video, portrait, folder, options.rounds)
    figures["frames_per_second"] = {"median": statistics.median(rates), "all": rates}
    memory = {"10 s": peak_memory(system, portrait, video, folder)}
    if options.long:
        write_video(folder / "long.mp4", frames, 300)
        memory["300 s"] = peak_memory(system, portrait, folder / "long.mp4", folder)
    figures["peak_mib"] = memory
    if options.json:
        print(json.dumps(figures, indent=1))
        return
    print(f"{system}, {SIDE} px in and out, {figures['machine']}, load {os.getloadavg()[0]:.1f}\n")
    print("| stage | ms a frame (median) |\n| --- | --- |")
    for stage, value in figures["stage_ms"].items():  # type: ignore[attr-defined]
        print(f"| {stage} | {value:.2f} |")
    runs = ", ".join(f"{rate:.1f}" for rate in rates)
    print(f"\nEnd to end: {statistics.median(rates):.1f} frames/s (runs: {runs})")
    print("Peak memory: " + ", ".join(f"{span} video {mib} MiB" for span, mib in memory.items()))


if __name__ == "__main__":
    main()
