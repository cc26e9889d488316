"""The shipped weights of `live`, from faces to files.

    python recipes/live.py render --data DIR --warps WARPS      landmark warps beside true pictures
    reenact train live --stage refine --preset small --data WARPS --out RUN
    python recipes/live.py ablation --warps WARPS --out RUNS        runs without one of the losses each
    python recipes/live.py ship RUN --warps WARPS [--to FOLDER]     weights, and the networks as ONNX
    python recipes/live.py mean FOLDER FOLDER --warps WARPS [--to FOLDER]   of two such weights, as weights
    python recipes/live.py engines --warps WARPS [--to FOLDER]      the networks alone, of given weights

DIR holds `clips/train/*.mp4` and `portraits/*/*.jpg`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from common import parser_of

from reenact.media.files import atomic_output
from reenact.runtime.engine import Network, open_network
from reenact.runtime.weights import cache_folder, sha256_of
from reenact.systems.live import LIVE_TRAINING
from reenact.systems.live.generator import FRAME_NET, INTEGER_NET, SOURCE_NET, as_input, as_maps, finished
from reenact.systems.live.presets import LiveSettings
from reenact.systems.live.train import LiveStage
from reenact.training.export import as_record, export_network
from reenact.training.quantise import quantise
from reenact.training.runs import Order, train
from reenact.training.ship import ship
from reenact.training.start import load_weights
from reenact.training.warps import WarpSource, render_warps
from reenact.types import Floats

DATA = (
    "30 clips of 30 people (240 pairs of frames each) and 2,190 stills, each warped once by a random motion; "
    "none of holdout.json, no val clip"
)


ABLATION = {
    "all": (),
    "all, another seed": ("seed=2",),
    "without l1": ("weight_l1=0",),
    "without pyramid": ("weight_pyramid=0",),
    "without ssim": ("weight_ssim=0",),
    "without warped": ("weight_warped=0",),
    "without keep": ("weight_keep=0",),
    "without the discriminators": ("weight_adversarial=0", "weight_matching=0"),
    "eyes and mouth as the face": ("features=0",),
    "with perceptual": ("weight_perceptual=0.1",),
    "with landmarks": ("weight_landmarks=0.01",),
    "with identity": ("weight_identity=1",),
    "neighbours drawn": ("weight_temporal=1e-9",),
    "with temporal": ("weight_temporal=5",),
}
_FIGURES = (
    *("l1", "face_l1", "features_l1", "psnr", "dssim"),
    *("perceptual", "landmarks", "identity", "flicker"),
)

SPARED = ("frame.coarse", "frame.layer")
"""Convolutions that stay in floats: what they give is the picture, which should not take steps."""
_CALIBRATION = 96


def ship_live(run: Path, folder: Path, warps: Path, note: str) -> None:
    """The weights of a finished run with their record, and what the engines run."""
    ship(run, folder, DATA, note=note)
    write_engines(folder, warps)


def mean_of(one: Path, other: Path, folder: Path, warps: Path, note: str) -> None:
    """The mean of two folders' weights, the second trained from the first on, and what the engines run; the
    record is the second's."""
    from safetensors.torch import load_file, save_file

    name = "live_refine"
    first, second = (load_file(place / f"{name}.safetensors") for place in (one, other))
    tensors = {key: ((first[key].float() + second[key].float()) / 2).half() for key in first}
    target = folder / f"{name}.safetensors"
    record = json.loads((other / f"{name}.json").read_text(encoding="utf-8"))
    with atomic_output(target, overwrite=True) as partial:
        save_file(tensors, partial, metadata={"step": str(record["steps"])})
    record |= {"sha256": sha256_of(target), "bytes": target.stat().st_size, "figures": {}, "note": note}
    with atomic_output(target.with_suffix(".json"), overwrite=True) as partial:
        partial.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    write_engines(folder, warps)


def write_engines(folder: Path, warps: Path) -> None:
    """The networks of the weights in `folder` as ONNX, the frame's in integers too, each with a record."""
    record = json.loads((folder / "live_refine.json").read_text(encoding="utf-8"))
    settings = LIVE_TRAINING.stages[0].presets[record["preset"]].with_values(record["settings"])
    assert isinstance(settings, LiveSettings)
    stage = LiveStage(settings)
    load_weights(stage, str(folder / record["file"]))
    parts = stage.parts()
    for name, title in ((SOURCE_NET, "once a source"), (FRAME_NET, "once a frame")):
        network, inputs = parts[name.removeprefix("live_")]
        done = export_network(network, inputs, folder / f"{name}.onnx", overwrite=True)
        _write_record(folder, name, record, title, inputs, {"parity": as_record([done])[0]["difference"]})
        print(f"{name}: {done.bytes / 1e6:.2f} MB, {done.milliseconds}")
    network, inputs = parts["frame"]
    seen = list(calibration(folder / f"{SOURCE_NET}.onnx", warps))
    target = folder / f"{INTEGER_NET}.onnx"
    quantise(network, inputs, target, seen[::2], spared=SPARED, overwrite=True)
    plain, whole = (open_network(folder / f"{name}.onnx", precision="f32") for name in (FRAME_NET, INTEGER_NET))
    off = [np.abs(_layer(whole, x) - _layer(plain, x)).mean() for x in seen[1::2]]
    values = {"difference": float(f"{np.mean(off):.3g}"), "calibration": f"{len(seen) // 2} warps"}
    _write_record(folder, INTEGER_NET, record, "once a frame, convolutions in 8-bit integers", inputs, values)
    print(
        f"{INTEGER_NET}: {target.stat().st_size / 1e6:.2f} MB, layers off by {np.mean(off):.4f} of a range of 2"
    )


def ablation(warps: Path, out: Path, epochs: float, weights: str, rows: Sequence[str]) -> None:
    """Print a row a run of `ABLATION` (those named, or all), each from the same `weights` on, from chance where
    there are none: what it makes of the clips that were kept out of training."""
    if unknown := [name for name in rows if name not in ABLATION]:
        raise SystemExit(f"--row {unknown[0]}: choose from: {', '.join(ABLATION)}")
    print(f"| {epochs:g} epochs | {' | '.join(_FIGURES)} |\n| --- |{' ---: |' * len(_FIGURES)}", flush=True)
    for number, name in enumerate(rows or ABLATION):
        schedule = (f"weights={weights}", f"epochs={epochs}", "mean=0.98", "validate_every=0")
        folder = out / name.replace(" ", "-").replace(",", "")
        order = Order("live", "small", str(warps), folder, "refine", (*ABLATION[name], *schedule))
        figures = train(order, report=lambda line: None)[0]["figures"]
        if not number:
            _print_row("the warp", [figures[f"{one}_warp"] for one in _FIGURES])
        _print_row(name, [figures[one] for one in _FIGURES])


def _print_row(name: str, figures: Sequence[float]) -> None:
    print(f"| {name} | {' | '.join(f'{figure:.4g}' for figure in figures)} |", flush=True)


def calibration(source_net: Path, warps: Path) -> Iterator[list[Floats]]:
    """Inputs of the frame's network, from rendered warps drawn at random."""
    once, data = open_network(source_net), WarpSource(warps / "train", augment=False)
    rows = data.draw(np.random.default_rng(20261127), _CALIBRATION)
    for row in rows:
        one = {name: values[0] for name, values in data.load(row[None]).items() if len(values)}
        features = [np.array(x) for x in once((as_input(one["source"]), as_maps(one["source_maps"])))]
        flow = np.ascontiguousarray(one["flow"].transpose(2, 0, 1))[None]
        yield [as_input(one["warp"]), as_maps(one["maps"]), flow, *features]


def _layer(network: Network, inputs: list[Floats]) -> Floats:
    coarse, drawn = network(inputs)
    warp = np.rint((inputs[0][0].transpose(1, 2, 0) + 1) * 127.5).astype(np.uint8)
    return finished(coarse[0], drawn[0], warp)[1]


def _write_record(
    folder: Path, name: str, record: dict[str, Any], title: str, inputs: Sequence[Any], more: dict[str, Any]
) -> None:
    file = folder / f"{name}.onnx"
    values = {
        "file": file.name,
        "sha256": sha256_of(file),
        "purpose": f"live: {title}, exported",
        "licence": record["licence"],
        "weights": record["file"],
        "weights_sha256": record["sha256"],
        "input": [list(x.shape) for x in inputs],
        **more,
    }
    with atomic_output(file.with_suffix(".json"), overwrite=True) as partial:
        partial.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """The command line."""
    parser = parser_of(__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    render = verbs.add_parser("render")
    render.add_argument("--data", type=Path, required=True)
    render.add_argument("--warps", type=Path, required=True)
    render.add_argument("--processes", type=int, default=2)
    shipping = verbs.add_parser("ship")
    shipping.add_argument("run", type=Path)
    engines = verbs.add_parser("engines")
    mean = verbs.add_parser("mean")
    mean.add_argument("folders", type=Path, nargs=2)
    for one in (shipping, engines, mean):
        one.add_argument("--warps", type=Path, required=True)
        one.add_argument("--to", type=Path)
    for one in (shipping, mean):
        one.add_argument("--note", default="")
    tried = verbs.add_parser("ablation")
    tried.add_argument("--warps", type=Path, required=True)
    tried.add_argument("--out", type=Path, default=Path("runs/live/ablation"))
    tried.add_argument("--epochs", type=float, default=0.85, help="how long each run is")
    tried.add_argument("--row", action="append", default=[], help="only this one; may be given again")
    tried.add_argument("--weights", default="", help="what each run begins with, as 'live_refine'")
    given = parser.parse_args()
    if given.verb == "render":
        render_warps(given.data, given.warps, processes=given.processes)
    elif given.verb == "mean":
        one, other = given.folders
        mean_of(one, other, given.to or cache_folder(), given.warps, given.note)
    elif given.verb == "ablation":
        ablation(given.warps, given.out, given.epochs, given.weights, given.row)
    elif given.verb == "ship":
        ship_live(given.run, given.to or cache_folder(), given.warps, given.note)
    else:
        write_engines(given.to or cache_folder(), given.warps)


if __name__ == "__main__":
    main()
