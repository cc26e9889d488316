"""What a picture generator's run makes of people that it never saw, for rows of an experiment:

    python recipes/held_out.py RUN ... --data PREPARED

Pairs of two frames of one clip, of all clips of the prepared folder that are in split 'val' or 'test', at the
run's own size; `everyday` any two frames, `turned` such whose yaw differs by 15 degrees or more (of those clips
alone that have any). Nothing of what measures here was a loss: landmarks are MediaPipe's, identities dlib's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import parser_of
from numpy.typing import NDArray

from reenact.data.pairs import SamePerson
from reenact.data.shards import FaceStore
from reenact.evaluation.metrics.identity import csim
from reenact.evaluation.metrics.l1 import l1
from reenact.evaluation.metrics.nme import nme
from reenact.evaluation.metrics.regions import face_mask
from reenact.evaluation.metrics.ssim import ssim
from reenact.perception.detector import MeshDetector
from reenact.perception.identity import DlibIdentity
from reenact.systems import find_training
from reenact.systems.spec import Stage
from reenact.systems.trained import to_picture
from reenact.training import checkpoint
from reenact.training.loop import to_device
from reenact.training.pairs import PairSource, resized
from reenact.training.posed import EpochPairs
from reenact.training.sources import Source
from reenact.training.start import load_weights
from reenact.types import Image, Landmarks, Points

COLUMNS = ("l1", "face_l1", "ssim", "nme_%", "csim", "unseen_%")
"""L1 in [0, 1], all of it and within the face; SSIM; mean distance of the mesh in per cent of the eyes'; dlib's
cosine between result and source; share of results in which no face is found, which have no landmarks."""
_TURNED = 15.0
_SEED = 20_261_127


def print_rows(runs: Mapping[str, Path], prepared: Path, count: int = 96) -> None:
    """Two tables, of `count` pairs of either kind: the sources as they are, and a row a run."""
    store = held_out(prepared)
    stages = {name: _opened(run) for name, run in runs.items()}
    for kind, pairs in (("everyday", everyday(store, count)), ("turned", turned(store, count))):
        print(f"| {kind} | {' | '.join(COLUMNS)} |\n| --- |{' ---: |' * len(COLUMNS)}")
        side = next(iter(stages.values()))[2]
        print(_row("the source as it is", compared(None, store, pairs, side)))
        for name, (stage, data, side) in stages.items():
            results = results_of(stage, _source(data, store, side), pairs)
            print(_row(name, compared(results, store, pairs, side)), flush=True)


def _row(name: str, figures: Mapping[str, float]) -> str:
    return f"| {name} | " + " | ".join(f"{figures[column]:.4g}" for column in COLUMNS) + " |"


def _opened(run: Path) -> tuple[Stage, str, int]:
    """A finished run's stage with its weights, the kind of its data, and the side of its pictures."""
    order = json.loads((run / "run.json").read_text(encoding="utf-8"))
    spec = find_training(order["system"]).stage(order["stage"])
    stage = spec.build(spec.presets[order["preset"]].with_values(order["settings"]))
    load_weights(stage, str(run / "weights.safetensors"))
    for network in stage.networks.values():
        network.eval()
    return stage, spec.data, order["settings"]["size"]


def steps_done(run: Path) -> int:
    """How many steps a run has taken; its weights may be of an earlier, better one."""
    return checkpoint.steps(run / "checkpoints")[-1]


def held_out(prepared: Path) -> FaceStore:
    """The frames of clips of splits 'val' and 'test'."""
    store = FaceStore(prepared)
    store.entries = [entry for entry in store.entries if entry.split in ("val", "test") and entry.clip]
    return store


def everyday(store: FaceStore, count: int) -> NDArray[np.int64]:
    """(count, 2) numbers of two frames of one clip."""
    clips = len({entry.clip for entry in store.entries})
    return SamePerson(store.entries, _SEED, -(-count // clips)).epoch(0)[:count]


def turned(store: FaceStore, count: int) -> NDArray[np.int64]:
    """(count, 2) likewise, the second turned away from the first by `_TURNED` degrees."""
    yaw = np.array([entry.pose[0] for entry in store.entries])
    clip = np.array([entry.clip for entry in store.entries])
    far = (np.abs(yaw[:, None] - yaw) >= _TURNED) & (clip[:, None] == clip)
    rows = np.argwhere(far)
    return rows[np.random.default_rng(_SEED).choice(len(rows), min(count, len(rows)), replace=False)]


def _source(kind: str, store: FaceStore, side: int) -> Source:
    if kind == "posed":
        return EpochPairs(store, SamePerson(store.entries, 0, 1), side, 1, len(store))
    return PairSource(store, side)


def results_of(stage: Stage, source: Source, pairs: NDArray[np.int64]) -> list[Image]:
    """The generator's pictures of some pairs."""
    made: list[Image] = []
    extra = source.draw(np.random.default_rng(0), 1).shape[1] - 2
    for pair in pairs:
        whole = np.concatenate([pair, np.zeros(extra, np.int64)])[None]
        batch = to_device(
            {name: torch.from_numpy(value) for name, value in source.load(whole).items()}, torch.device("cpu")
        )
        with torch.inference_mode():
            made.append(to_picture(stage.sheet(batch, stage.networks)["result"]))
    return made


def compared(
    results: list[Image] | None, store: FaceStore, pairs: NDArray[np.int64], side: int
) -> dict[str, float]:
    """Means of `COLUMNS` over pairs; results: None takes the sources themselves."""
    embed, rows = _embedder(), []
    with MeshDetector() as detector:
        for number, (first, second) in enumerate(pairs.tolist()):
            source, source_points = resized(store.read(first), side)
            truth, points = resized(store.read(second), side)
            result = source if results is None else results[number]
            faces = detector.detect(result)
            one: dict[str, Any] = {
                "l1": l1(result, truth),
                "face_l1": l1(result, truth, face_mask(points, side, side)),
                "ssim": ssim(result, truth),
                "unseen_%": 0.0 if faces else 100.0,
            }
            if faces:
                one["nme_%"] = nme(faces[0].points, points)
            one["csim"] = csim(
                embed(result, source_points if results is None else points), embed(source, source_points)
            )
            rows.append(one)
    return {column: float(np.mean([one[column] for one in rows if column in one])) for column in COLUMNS}


def _embedder() -> Callable[[Image, Points], NDArray[np.float32]]:
    net = DlibIdentity()
    return lambda image, points: net.embed(image, Landmarks(points, "mesh478"))


def main() -> None:
    """The command line."""
    parser = parser_of(__doc__)
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="folders of finished runs")
    parser.add_argument("--data", type=Path, required=True, help="folder that `reenact prepare` wrote")
    given = parser.parse_args()
    print_rows({str(run): run for run in given.runs}, given.data)


if __name__ == "__main__":
    main()
