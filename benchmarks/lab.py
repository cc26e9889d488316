"""What the laboratory costs: `python benchmarks/lab.py prepare [FOLDER]` and `... train [RUN]`.

prepare: frames a CPU second, end to end, and of decoding and the detector alone on the same frames; the
folder's clips and stills, or a made clip of scikit-image's portrait. CPU seconds and their ratios hold on a
loaded machine better than times by the clock.

train: shares of the time in data, forward and backward pass, from the `losses.csv` of a run, or of short runs
of HR-Net's two stages that are made for it. They are shares of the clock, as samples a second are.
"""

from __future__ import annotations

import csv
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import numpy as np
import PIL.Image
from skimage.data import astronaut

from reenact.data.extract import RECIPES, Extractor
from reenact.data.frames import UnitFrames, units_of
from reenact.data.plain import read
from reenact.data.prepare import make_shard, plan, prepare
from reenact.media.writer import open_writer
from reenact.perception.detector import MeshDetector

FRAMES = 250
MOST = 1500  # frames held in memory for the detector alone
PARTS = ("data", "forward", "backward", "update", "other")


def made_clip(folder: Path) -> Path:
    """A folder with one clip of 10 s at 384 px: the astronaut, rolling to and fro."""
    face = PIL.Image.fromarray(astronaut()[0:280, 90:370]).resize((384, 384))
    (folder / "clips").mkdir(parents=True)
    with open_writer(
        folder / "clips" / "roll.mp4", width=384, height=384, fps=Fraction(25), quality=80
    ) as sink:
        for n in range(FRAMES):
            turned = face.rotate(12 * np.sin(n / 20), PIL.Image.Resampling.BICUBIC)
            sink.write(np.asarray(turned), Fraction(n, 25))
    return folder


@contextmanager
def counted(name: str, frames: Callable[[], int], rates: dict[str, float]) -> Iterator[None]:
    """Note frames a CPU second of a block."""
    start = time.process_time()
    yield
    rates[name] = frames() / max(time.process_time() - start, 1e-9)


def measure_prepare(folder: Path) -> dict[str, float]:
    """Frames a CPU second of decoding, of the detector alone, and of making shards, all of it included; in one
    process, on the same files."""
    listing = read(folder)
    recipe, rates, counts = RECIPES["standard"], {}, {"n": 0}

    def frames() -> int:
        return counts["n"]

    with counted("decode", frames, rates):
        images = [shot.image for unit in units_of(listing.items) for shot in UnitFrames(unit, None)][:MOST]
        counts["n"] = len(images)
    with MeshDetector(video=True) as detector, counted("detector alone", frames, rates):
        for image in images:
            detector.detect(image)
    del images
    with tempfile.TemporaryDirectory() as out:
        extractor = Extractor(recipe)
        with counted("prepare", frames, rates):
            counts["n"] = sum(make_shard(job, extractor) for job in plan(listing, Path(out), recipe))
        extractor.close()
    return rates


def shares(run: Path) -> dict[str, float]:
    """Means over the rows of `losses.csv`, the first left out, which holds the start."""
    with (run / "losses.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[1:]
    names = ("samples_per_second", *PARTS)
    return {name: float(np.median([float(row[name]) for row in rows])) for name in names}


def short_runs(folder: Path) -> list[Path]:
    """HR-Net's LIC and BFR, a few steps of each; BFR on a made clip."""
    from reenact.training.runs import Order, train

    prepare("folders", made_clip(folder / "clips-in"), folder / "prepared", RECIPES["standard"])
    common = ("validate_every=0", "save_every=0", "sheet_every=0", "threads=1")
    lic = Order("hr_net", "small", "synthetic", folder / "lic", "lic", (*common, "steps=120", "log_every=20"))
    data = str(folder / "prepared")
    bfr = Order(
        "hr_net", "small", data, folder / "bfr", "bfr", (*common, "steps=6", "log_every=2", "block=none")
    )
    for order in (lic, bfr):
        train(order, report=lambda line: None)
    return [folder / "lic", folder / "bfr"]


def main(words: list[str]) -> None:
    """Command line: prepare [FOLDER] or train [RUN]."""
    with tempfile.TemporaryDirectory() as made:
        if words[:1] == ["prepare"]:
            folder = Path(words[1]) if words[1:] else made_clip(Path(made) / "in")
            rates = measure_prepare(folder)
            for name, rate in rates.items():
                print(f"{name:20} {rate:7.1f} frames a CPU second  {rate / rates['detector alone']:5.2f}")
        elif words[:1] == ["train"]:
            for run in [Path(words[1])] if words[1:] else short_runs(Path(made)):
                found = shares(run)
                speed = found.pop("samples_per_second")
                print(f"{run.name}: {speed:,.1f} samples/s;", *(f"{k} {v:.0%}" for k, v in found.items()))
        else:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
