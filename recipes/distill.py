"""The two small nets: `python recipes/distill.py landmark|identity --data DIR` makes weights, record and
figures.

landmark_net: the detector's own network, taken over from MediaPipe's file. identity_net: 128 numbers
distilled from dlib's network (needs the packages of `reenact[identity]`); faces are cut once into RUNS/faces,
and a run that was stopped goes on where it was. All of it ends up in `--out`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import parser_of

from reenact.training.distill import DistillOptions, run
from reenact.training.distill_identity import IdentityStep
from reenact.training.distill_report import identity_report, landmark_report, ship, speed
from reenact.training.faces import FaceStore, faces, prepare
from reenact.training.precision import cpu_has_bf16

STILLS = 2293
"""People in the stills come first in the store; higher numbers are clips."""
DATA = (
    "2,062 stills and every third frame of 30 clips of the development faces; none of holdout.json, no val clip"
)


def landmark_net(data: Path, out: Path) -> Path:
    """Take over the detector's network, measure it and write it."""
    from reenact.nn.landmark_net import LandmarkNet
    from reenact.nn.mesh_net import SIZE, load_mediapipe

    net = LandmarkNet().eval().requires_grad_(False)
    load_mediapipe(net.net)
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    figures: dict[str, Any] = {}
    for part in ("val", "held"):
        for kind in ("placed", "moved", "moved_spoilt"):
            shown = ((image, points) for image, points, *_ in faces(data, [part]))
            how = {"moved": kind != "placed", "spoilt": kind == "moved_spoilt"}
            figures[f"{part}_{kind}"] = landmark_report(net, shown, **how)
    record = {
        "purpose": "landmarks with gradients, for losses on generated faces",
        "licence": "Apache-2.0",
        "data": "none of ours: the weights of MediaPipe's face mesh with attention (mediapipe 0.10.21)",
        "input": f"RGB in [-1, 1], any size; the network itself sees {SIZE} x {SIZE}",
        "precision": "fp16, as in MediaPipe's own file",
    }
    return ship(net.net, "landmark_net", out, record | {"figures": figures | speed(net, 256)})


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
    kind = "bf16 autocast" if cpu_has_bf16() else "fp32"
    record = {
        "purpose": "identity with gradients, for losses on generated faces",
        "licence": "Apache-2.0",
        "data": DATA,
        "steps": options.steps,
        "images": options.steps * options.batch * 2,
        "input": f"RGB in [-1, 1], {SIZE} x {SIZE}",
        "precision": f"{kind} on a CPU, running mean of the weights, shipped in fp16",
        "seed": options.seed,
        "teacher": "dlib_face_recognition_resnet_model_v1 (dlib, CC0-1.0)",
    }
    return ship(trained, "identity_net", out, record | {"figures": figures | speed(trained, SIZE)})


def identity_pool(store: FaceStore) -> np.ndarray:
    """Rows to draw from: each still three times, each frame once, since the stills are the many people."""
    rows = store.rows("train")
    stills = rows[store.person[rows] < STILLS]
    return np.concatenate([stills, stills, stills, rows[store.person[rows] >= STILLS]])


def main() -> None:
    """The command line."""
    parser = parser_of(__doc__)
    parser.add_argument("net", choices=["landmark", "identity"])
    parser.add_argument("--data", type=Path, required=True, help="folder with portraits/ and clips/")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="checkpoints and prepared faces")
    parser.add_argument("--out", type=Path, default=Path("runs/weights"), help="where the weights go")
    parser.add_argument("--steps", type=int, default=1500, help="optimiser steps of the identity net in all")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    if given.net == "landmark":
        print(landmark_net(given.data, given.out))
        return
    options = DistillOptions(steps=given.steps, batch=48, threads=given.threads)
    print(identity_net(given.data, given.runs, given.out, options))


if __name__ == "__main__":
    main()
