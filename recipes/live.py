"""The shipped weights of `live`, from faces to files.

    python recipes/live.py render --data DIR --warps WARPS      landmark warps beside true pictures
    reenact train live --stage refine --preset small --data WARPS --out RUN
    python recipes/live.py ship RUN [--to FOLDER]               weights, and the two networks as ONNX

DIR holds `clips/train/*.mp4` and `portraits/*/*.jpg`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from reenact.media.files import atomic_output
from reenact.runtime.weights import cache_folder, sha256_of
from reenact.systems.live import LIVE_TRAINING
from reenact.systems.live.presets import LiveSettings
from reenact.systems.live.train import LiveStage
from reenact.training.export import as_record, export_network
from reenact.training.ship import ship
from reenact.training.warps import render_warps

DATA = (
    "30 clips of 30 people (240 pairs of frames each) and 2,190 stills, each warped once by a random motion; "
    "none of holdout.json, no val clip"
)


def ship_live(run: Path, folder: Path, note: str) -> None:
    """The weights of a finished run, their record, and both networks as ONNX with records of their own."""
    from safetensors.torch import load_file

    record_path = ship(run, folder, DATA, note=note)
    record = json.loads(record_path.read_text(encoding="utf-8"))
    stage_spec = LIVE_TRAINING.stages[0]
    settings = stage_spec.presets[record["preset"]].with_values(record["settings"])
    assert isinstance(settings, LiveSettings)
    stage = LiveStage(settings)
    tensors = load_file(folder / record["file"])
    stage.live.load_state_dict({name.removeprefix("live."): value.float() for name, value in tensors.items()})
    for name, (network, inputs) in stage.parts().items():
        target = folder / f"live_{name}.onnx"
        done = export_network(network, inputs, target, overwrite=True)
        values = {
            "file": target.name,
            "sha256": sha256_of(target),
            "purpose": f"live: {'once a source' if name == 'source' else 'once a frame'}, exported",
            "licence": record["licence"],
            "weights": record["file"],
            "weights_sha256": record["sha256"],
            "input": [list(x.shape) for x in inputs],
            "parity": as_record([done])[0]["difference"],
        }
        with atomic_output(folder / f"live_{name}.json", overwrite=True) as partial:
            partial.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
        print(f"{target}: {done.bytes / 1e6:.2f} MB, {done.milliseconds}")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    render = verbs.add_parser("render")
    render.add_argument("--data", type=Path, required=True)
    render.add_argument("--warps", type=Path, required=True)
    render.add_argument("--processes", type=int, default=2)
    shipping = verbs.add_parser("ship")
    shipping.add_argument("run", type=Path)
    shipping.add_argument("--to", type=Path)
    shipping.add_argument("--note", default="")
    given = parser.parse_args()
    if given.verb == "render":
        render_warps(given.data, given.warps, processes=given.processes)
    else:
        ship_live(given.run, given.to or cache_folder(), given.note)


if __name__ == "__main__":
    main()
