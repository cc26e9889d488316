"""The motion of the demo, made from named expressions: nobody's face, written by hand as key frames.

`python -m reenact.data.demo_motion OUT.motion` writes the file that is shipped in `assets/`.
"""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import numpy as np

from reenact.geometry.expressions import expression
from reenact.geometry.face_model import default_face_model
from reenact.geometry.transfer import neck_travel
from reenact.pipeline.motion_file import write_motion
from reenact.types import Floats, Motion

FPS = Fraction(30)
SECONDS = 8
_SCALE = 0.2

_KEYS: dict[str, str] = {
    "yaw": "0:0 0.6:0 1.2:20 1.7:20 2.5:-20 3:-20 3.6:0 5.5:6 6.3:-5 7.4:0",
    "pitch": "0:0 3.5:0 3.8:9 4.1:-6 4.4:7 4.8:0 6:-5 7.4:0",
    "roll": "0:0 4.8:0 5.4:9 6.2:-7 7.2:0",
    "smile": "0:0 0.3:0 0.9:0.9 1.9:0.9 2.4:0 6.4:0 6.9:1.1 7.5:0.8 8:0",
    "brows_up": "0:0 2.4:0 2.7:1.1 3.2:1.1 3.5:0 5:0 5.2:0.8 5.6:0",
    "frown": "0:0 3.6:0 3.9:0.8 4.4:0.8 4.8:0",
    "blink": "0:0 0.42:0 0.5:1 0.6:0 2.1:0 2.18:1 2.28:0 4.5:0 4.6:1 4.72:0 7.2:0 7.3:1 7.42:0",
    "wink_left": "0:0 6.3:0 6.42:1 6.6:1 6.75:0",
    "jaw_open": "0:0 4.7:0 4.85:0.55 5:0.15 5.15:0.7 5.35:0.1 5.5:0.35 5.65:0.1 5.85:1 6.1:0.9 6.3:0",
    "lips_round": "0:0 4.9:0 5.05:0.7 5.2:0 5.4:0.9 5.6:0 8:0",
    "gaze_left": "0:0 0.8:0 1:1 1.6:1 1.9:-1 2.8:-1 3.1:0",
}
"""Key frames as second:value; angles in degrees (yaw to the subject's left, pitch down, roll clockwise)."""


def demo_motion() -> Motion:
    """Eight seconds at 30 frames/s: turns, a nod, blinks, a smile, speech, a wide mouth, a wink."""
    count = SECONDS * FPS.numerator
    moments = np.arange(count) / float(FPS)
    tracks = {name: _eased(keys, moments) for name, keys in _KEYS.items()}
    pose = [tracks.pop(name) for name in ("pitch", "yaw", "roll")]
    rotation = np.deg2rad(np.stack([-pose[0], -pose[1], pose[2]], 1)).astype(np.float32)
    model = default_face_model()
    names = list(tracks)
    modes = np.stack([expression(model, {name: 1.0}) for name in names])
    travel = np.stack([neck_travel(np.zeros(3, np.float32), turn) for turn in rotation])
    return Motion(
        times=tuple(Fraction(n) / FPS for n in range(count)),
        rotation=rotation,
        scale=np.full(count, _SCALE, np.float32),
        translation=(0.5 + _SCALE * travel).astype(np.float32),
        expression=(np.stack([tracks[name] for name in names], 1) @ modes).astype(np.float32),
        found=np.ones(count, bool),
        fps=FPS,
        size=(512, 512),
        duration=Fraction(SECONDS),
    )


def _eased(keys: str, moments: Floats) -> Floats:
    """Values at `moments` (F,): from key to key along a smooth step, at rest in each."""
    pairs = [key.split(":") for key in keys.split()]
    times, values = np.array(pairs, float).T
    after = np.searchsorted(times, moments, side="right").clip(1, len(times) - 1)
    share = ((moments - times[after - 1]) / (times[after] - times[after - 1])).clip(0, 1)
    share = share * share * (3 - 2 * share)
    return (values[after - 1] + share * (values[after] - values[after - 1])).astype(np.float32)


if __name__ == "__main__":
    write_motion(Path(sys.argv[1]), demo_motion(), overwrite=True)
