"""How still a result holds on a still but noisy driver, and whether an opening mouth makes the head grow.

Run: python benchmarks/jitter.py [SOURCE [STILL]] [--system warp] [--frames 50]

SOURCE and STILL are pictures of a face; without them the public-domain portrait of scikit-image is both.
Figures are in per cent of the distance between the outer eye corners; the driver is one frame repeated under
Gaussian noise.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import skimage.data

from reenact.evaluation.scenes import area_resized, portrait_of
from reenact.evaluation.steadiness import opening_mouth, still_driver
from reenact.media.compose import over
from reenact.media.stills import read_still
from reenact.pipeline.options import MotionOptions
from reenact.types import Image

_HEAD = "| noise, levels | driver | smoothing | jitter in | jitter out | wander in | wander out |"


def picture(path: Path | None) -> Image:
    """The picture in a file, or the astronaut's head and shoulders."""
    return over(read_still(path), 128) if path else skimage.data.astronaut()[:280, 90:370].copy()


def main() -> None:
    parser = argparse.ArgumentParser(description="Jitter on a still driver, and scale drift.")
    parser.add_argument("source", type=Path, nargs="?")
    parser.add_argument("still", type=Path, nargs="?")
    parser.add_argument("--system", default="warp")
    parser.add_argument("--frames", type=int, default=50)
    parser.add_argument("--side", type=int, default=256)
    options = parser.parse_args()
    portrait = portrait_of(picture(options.source), options.side)
    still = area_resized(picture(options.still), options.side)
    print(f"{_HEAD}\n| ---: | --- | --- | ---: | ---: | ---: | ---: |")
    for sigma in (2.0, 4.0, 6.0):
        for encoded in (False, True):
            for smooth in (0.0, 1.0):
                figures = still_driver(
                    portrait,
                    still,
                    system=options.system,
                    sigma=sigma,
                    encoded=encoded,
                    count=options.frames,
                    motion=MotionOptions(smooth=smooth),
                )
                kind, on = "H.264" if encoded else "PNG", "on" if smooth else "off"
                values = (
                    figures.driver_jitter,
                    figures.result_jitter,
                    figures.driver_wander,
                    figures.result_wander,
                )
                shown = " | ".join(f"{value:.3f}" for value in values)
                print(f"| {sigma:.0f} | {kind} | {on} | {shown} |", flush=True)
    growth = opening_mouth(
        portrait, portrait_of(still, options.side), system=options.system, count=options.frames
    )
    print(
        f"\nOpening mouth: gap {growth.opened:.1f} % of the eye distance, scale drift {growth.drift:.2f} % "
        f"({growth.by_landmarks:.2f} % by the detector's points)"
    )


if __name__ == "__main__":
    main()
