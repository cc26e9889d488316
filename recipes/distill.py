"""The two shipped nets, from faces to weights: `python recipes/distill.py landmark --data DIR`.

landmark_net: 478 points distilled from the detector. identity_net: 128 numbers distilled from dlib's network
(needs the packages of `reenact[identity]`). Faces are cut once into RUNS/faces; a run that was stopped goes on
where it was; weights, record and figures end up in `--out`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from reenact.training.distill import DistillOptions, LandmarkStep, run, start_landmarks
from reenact.training.distill_identity import IdentityStep
from reenact.training.distill_report import identity_report, landmark_report, ship, speed
from reenact.training.faces import FaceStore, prepare

STILLS = 2293
"""People in the stills come first in the store; higher numbers are clips."""
DATA = (
    "2,066 stills and every third frame of 30 clips of the development faces; none of holdout.json, no val clip"
)


def landmark_net(data: Path, runs: Path, out: Path, options: DistillOptions) -> Path:
    """Train, measure and write the landmark net."""
    from reenact.nn.landmark_net import SIZE, LandmarkNet

    store = prepare(data, runs / "faces")
    rows = store.rows("train")
    torch.manual_seed(options.seed)
    net = LandmarkNet()
    start_landmarks(net, store, rows, options.seed)
    trained = run(net, LandmarkStep(net, store), rows, runs / "landmark_net", options)
    assert isinstance(trained, LandmarkNet)
    figures = {
        f"{part}_{kind}": landmark_report(trained, store, part, spoilt=kind == "spoilt")
        for part in ("val", "held")
        for kind in ("placed", "spoilt")
    }
    record = _record("landmarks with gradients, for losses on generated faces", options, SIZE, options.batch)
    record["teacher"] = "MediaPipe face mesh with attention (mediapipe 0.10.21, Apache-2.0)"
    return ship(trained, "landmark_net", out, record | {"figures": figures | speed(trained, SIZE)})


def identity_net(data: Path, runs: Path, out: Path, options: DistillOptions) -> Path:
    """Train, measure and write the identity net."""
    from reenact.nn.dlib_net import load_dlib_net
    from reenact.nn.identity_net import SIZE, IdentityNet

    store = prepare(data, runs / "faces")
    torch.manual_seed(options.seed)
    net, teacher = IdentityNet(), load_dlib_net()
    net.start_from(teacher)
    teacher.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    step = IdentityStep(net, teacher, store)
    trained = run(net, step, identity_pool(store), runs / "identity_net", options)
    assert isinstance(trained, IdentityNet)
    figures = {
        f"{part}_{kind}": identity_report(trained, teacher, store, part, spoilt=kind == "spoilt")
        for part in ("val", "held")
        for kind in ("placed", "spoilt")
    }
    record = _record("identity with gradients, for losses on generated faces", options, SIZE, options.batch * 2)
    record["teacher"] = "dlib_face_recognition_resnet_model_v1 (dlib, CC0-1.0)"
    return ship(trained, "identity_net", out, record | {"figures": figures | speed(trained, SIZE)})


def identity_pool(store: FaceStore) -> np.ndarray:
    """Rows to draw from: each still three times, each frame once, since the stills are the many people."""
    rows = store.rows("train")
    stills = rows[store.person[rows] < STILLS]
    return np.concatenate([stills, stills, stills, rows[store.person[rows] >= STILLS]])


def _record(purpose: str, options: DistillOptions, size: int, images: int) -> dict[str, object]:
    return {
        "purpose": purpose,
        "licence": "Apache-2.0",
        "data": DATA,
        "steps": options.steps,
        "images": options.steps * images,
        "input": f"RGB in [-1, 1], {size} x {size}",
        "precision": "bf16 autocast on a CPU, running mean of the weights, shipped in fp16",
        "seed": options.seed,
    }


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("net", choices=["landmark", "identity"])
    parser.add_argument("--data", type=Path, required=True, help="folder with portraits/ and clips/")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="checkpoints and prepared faces")
    parser.add_argument("--out", type=Path, default=Path("runs/weights"), help="where the weights go")
    parser.add_argument("--steps", type=int, help="optimiser steps in all")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    steps = given.steps or {"landmark": 2400, "identity": 1800}[given.net]
    batch = {"landmark": 64, "identity": 48}[given.net]
    recipe = {"landmark": landmark_net, "identity": identity_net}[given.net]
    options = DistillOptions(steps=steps, batch=batch, threads=given.threads)
    print(recipe(given.data, given.runs, given.out, options))


if __name__ == "__main__":
    main()
