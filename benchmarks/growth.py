"""What a run costs as the work grows: frames, pixels of the source, faces in the driving picture, jobs at once.

    python benchmarks/growth.py [--system live] [--to docs/pictures] [--quick]

Each point is a run of the `reenact` command in a process of its own, on made material: the astronaut, driven by
itself. Prints the tables as Markdown and draws one plot each. Absolute times wander on shared machines: the
points of a curve are taken in turn, twice, and the better one stands.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import FPS, SIDE, face_picture, rendered

from reenact.media.compose import scale_to, side_by_side
from reenact.media.stills import write_still
from reenact.media.writer import open_writer
from reenact.types import Image

ROUNDS = 2


@dataclass(frozen=True)
class Cost:
    """Of one point: seconds by the clock, and peak resident MiB of the largest process."""

    seconds: float
    mib: int


@dataclass(frozen=True)
class Curve:
    """A quantity that grows. points: its values; run: what one costs. per: what seconds are divided by."""

    name: str
    unit: str
    points: Sequence[int]
    run: Callable[[int], Cost]
    per: Callable[[int], float]
    shown: str


def command(arguments: Sequence[str | Path]) -> Cost:
    """What one `reenact` command costs."""
    return together([arguments])


def together(commands: Sequence[Sequence[str | Path]]) -> Cost:
    """What several commands cost that run at once."""
    began = time.perf_counter()
    running = [
        subprocess.Popen(
            [sys.executable, __file__, "--child", *map(str, one)], stdout=subprocess.PIPE, text=True
        )
        for one in commands
    ]
    answers = [process.communicate()[0] for process in running]
    seconds = time.perf_counter() - began
    if any(process.returncode for process in running):
        raise SystemExit("a run failed")
    return Cost(seconds, max(int(answer.split()[-1]) for answer in answers))


def child(arguments: list[str]) -> None:
    """One command, then its own peak memory."""
    from reenact.cli import main as reenact

    try:
        reenact([*arguments, "--quiet", "--overwrite"])
    except SystemExit as end:
        if end.code:
            raise
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)


def crowd(frames: list[Image], count: int) -> list[Image]:
    """The frames with `count` faces side by side, each as tall as one alone would be in that width."""
    if count == 1:
        return frames
    small = [scale_to(frame, SIDE // count * 2, SIDE // count * 2) for frame in frames]
    return [side_by_side([frame] * count, frame.shape[0]) for frame in small]


def write_video(path: Path, frames: list[Image], count: int) -> Path:
    """`count` frames, the given ones over and over."""
    height, width = (side - side % 2 for side in frames[0].shape[:2])
    with open_writer(path, width=width, height=height, fps=FPS, quality=75) as sink:
        for n in range(count):
            sink.write(frames[n % len(frames)][:height, :width], n / FPS)
    return path


def curves(system: str, folder: Path, quick: bool) -> list[Curve]:
    """The four, with their material in `folder`."""
    picture = face_picture()
    frames = rendered(picture)[:: 8 if quick else 2]
    base = 60 if quick else 150
    portrait = folder / "portrait.png"
    write_still(portrait, picture)
    short = write_video(folder / "short.mp4", frames, base)

    def video(source: Path, driving: Path, *more: str) -> list[str | Path]:
        out = folder / f"out-{time.monotonic_ns()}.mp4"
        return ["video", source, driving, "-o", out, "--system", system, *more]

    def by_frames(count: int) -> Cost:
        return command(video(portrait, write_video(folder / "long.mp4", frames, count)))

    def by_pixels(side: int) -> Cost:
        source = folder / f"portrait-{side}.png"
        write_still(source, scale_to(picture, side, side))
        return command(video(source, short, "--size", "source"))

    def by_faces(count: int) -> Cost:
        driving = write_video(folder / f"crowd-{count}.mp4", crowd(frames, count), base)
        return command(["track", driving, "-o", folder / "crowd.motion"])

    def by_jobs(count: int) -> Cost:
        return together([video(portrait, short) for _ in range(count)])

    lengths = (base, 2 * base, 4 * base) if quick else (base, 300, 600, 1200, 2400)
    sides = (256, 512, 1024) if quick else (256, 512, 1024, 1536, 2048)
    return [
        Curve("frames", "frames of the driving video", lengths, by_frames, lambda n: n, "ms a frame"),
        Curve("pixels", "source side, px", sides, by_pixels, lambda n: base, "ms a frame"),
        Curve(
            "faces", "faces in the driving picture", (1, 2, 4), by_faces, lambda n: base, "ms a frame (track)"
        ),
        Curve("jobs", "jobs at once", (1, 2, 3, 4), by_jobs, lambda n: n * base, "ms a frame, all jobs"),
    ]


def measured(curve: Curve) -> dict[int, Cost]:
    """Each point's better run of `ROUNDS`, taken in turn."""
    found: dict[int, list[Cost]] = {point: [] for point in curve.points}
    for _ in range(ROUNDS):
        for point in curve.points:
            found[point].append(curve.run(point))
    return {point: min(costs, key=lambda cost: cost.seconds) for point, costs in found.items()}


def plot(curve: Curve, costs: dict[int, Cost], target: Path) -> None:
    """Time a unit of work, and memory, over what grows."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(8, 2.8), constrained_layout=True)
    points = list(costs)
    left.plot(points, [costs[p].seconds / curve.per(p) * 1e3 for p in points], "o-", color="#24557a")
    right.plot(points, [costs[p].mib for p in points], "o-", color="#8a4b2a")
    for axes, title in ((left, curve.shown), (right, "peak MiB of a process")):
        axes.set(xlabel=curve.unit, title=title, ylim=(0, None))
        axes.grid(alpha=0.3)
    figure.savefig(target, dpi=90)
    pyplot.close(figure)


def main() -> None:
    """Measure, print, draw."""
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--system", default="live")
    parser.add_argument("--to", type=Path, help="folder for the plots")
    parser.add_argument("--only", nargs="*", help="names of curves")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter runs")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        for curve in curves(given.system, Path(name), given.quick):
            if given.only and curve.name not in given.only:
                continue
            costs = measured(curve)
            print(f"\n{given.system}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
            print(f"| {curve.unit} | seconds | {curve.shown} | peak MiB |\n| ---: | ---: | ---: | ---: |")
            for point, cost in costs.items():
                each = cost.seconds / curve.per(point) * 1e3
                print(f"| {point} | {cost.seconds:.1f} | {each:.1f} | {cost.mib} |", flush=True)
            print(json.dumps({curve.name: {p: [c.seconds, c.mib] for p, c in costs.items()}}), file=sys.stderr)
            if given.to:
                plot(curve, costs, given.to / f"growth-{curve.name}.png")


if __name__ == "__main__":
    main()
