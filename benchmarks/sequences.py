"""Landmark sequences alone, LSG beside linear interpolation: `python benchmarks/sequences.py --clips PREPARED`.

Both ends of a sequence are spoilt by noise of a known size. On made-up people the figure is the mean absolute
error of a coordinate against the true way, in pixels of a 256 px crop; on the prepared frames of held-out
clips, against the straight way between the clean ends, which is what noise alone should not change. Bend: the
largest second difference in time of a point, mean over the sequences, which is how unsteady it looks.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch

from reenact.data.shards import FaceStore
from reenact.systems.fipls import presets
from reenact.systems.fipls.lsg import SequenceGenerator, to_pixels, to_unit, upsample
from reenact.systems.trained import open_trained
from reenact.training.sequences import ClipSequences, open_sequences
from reenact.training.settings import as_json
from reenact.training.sources import Source
from reenact.types import Floats

SEED = 20_261_127
NOISE = (0.0, 1.5, 3.0)
SIDE = 256


def figures(network: SequenceGenerator, source: Source, count: int, noise: float, *, true: bool) -> list[float]:
    """Error and bend of LI, then of LSG, over `count` sequences of a source without noise of its own."""
    batch = source.load(source.draw(np.random.default_rng(SEED), count))
    clean = np.asarray(batch["ends"], np.float32)
    spoilt = clean + noise * np.random.default_rng(SEED).standard_normal(clean.shape).astype(np.float32)
    with torch.inference_mode():
        ends = to_unit(torch.from_numpy(spoilt), SIDE)
        line = to_pixels(upsample(ends, network.frames), SIDE).numpy()
        made = to_pixels(network(ends)[0], SIDE).numpy()
        way = to_pixels(upsample(to_unit(torch.from_numpy(clean), SIDE), network.frames), SIDE).numpy()
    wanted = batch["truth"] if true else way
    return [value for one in (line, made) for value in (float(np.abs(one - wanted).mean()), _bend(one))]


def _bend(way: Floats) -> float:
    bend = np.linalg.norm(way[:, 2:] - 2 * way[:, 1:-1] + way[:, :-2], axis=-1)
    return float(bend.max((1, 2)).mean())


def main() -> None:
    """Print a row for each data set and size of noise."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, help="folder of prepared faces; its held-out clips are used")
    parser.add_argument("--count", type=int, default=512, help="sequences of each kind")
    given = parser.parse_args()
    network, settings = open_trained("fipls_lsg", presets.LSG, SequenceGenerator, "generator")
    values: dict[str, Any] = {**as_json(settings), "noise": 0.0, "gap": 0.0, "validate_samples": given.count}
    kinds: dict[str, tuple[Source, bool]] = {
        "made-up people": (open_sequences("synthetic", values).held_out, True)
    }
    if given.clips:
        kinds["clips"] = (ClipSequences(FaceStore(given.clips, "val"), settings.frames, SIDE, 0.0), False)
    print(
        "| ends of | noise, px | LI | LSG | bend LI, px | bend LSG, px |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: |"
    )
    for name, (source, true) in kinds.items():
        for noise in NOISE:
            li, li_bend, lsg, lsg_bend = figures(network, source, given.count, noise, true=true)
            print(f"| {name} | {noise} | {li:.3f} | {lsg:.3f} | {li_bend:.2f} | {lsg_bend:.2f} |")


if __name__ == "__main__":
    main()
