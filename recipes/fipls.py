"""FIPLS' runs, one function each: `python recipes/fipls.py weights --data PREPARED --out RUNS`.

    lsg_small           the shipped landmark sequence generator, on made-up sequences
    reenactment_small   the shipped face generator on prepared faces
    weights             the face generator with other weights of (5) to (8)
    figure_6            with the losses added in turn
    figure_9            with and without the pose-aware sampling

The last three print rows of `held_out.print_rows`, each a run of some steps of 8 from the shipped weights on: a
young generator only copies, whatever its losses.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import held_out
from common import run_one_of, steps_of

from reenact.training.runs import SYNTHETIC, Order, train

_FIRST = ("weight_adversarial=0.1", "weight_boundary=0.1", "weight_perceptual=1")
"""What `small` had before the experiment."""
WEIGHTS = {
    "as it was": _FIRST,
    "D at the rate of G": (*_FIRST, "critic_rate=0"),
    "no discriminators": (*_FIRST, "weight_adversarial=0", "weight_features=0"),
    "adversarial 1": (*_FIRST, "weight_adversarial=1"),
    "identity 5": (*_FIRST, "weight_identity=5"),
    "boundary .5": (*_FIRST, "weight_boundary=0.5"),
    "perceptual 10": (*_FIRST, "weight_perceptual=10"),
    "as `paper`": (
        "weight_adversarial=1",
        "weight_features=0",
        "weight_identity=5",
        "weight_boundary=0.5",
        "weight_perceptual=10",
        "weight_pixels=0",
    ),
}
_VANILLA = ("weight_identity=0", "weight_mask=0", "weight_boundary=0", "weight_pixels=0", "weight_features=0")
ADDED = {
    "vanilla": (),
    "+identity loss": ("weight_identity=1",),
    "+mask loss": ("weight_mask=10",),
    "+boundary loss": ("weight_boundary=0.1",),
}
"""Figure 6. What the source covers is taught in all rows (`weight_drawn`), else nothing would be drawn."""


def lsg_small(out: Path, data: str, steps: int) -> None:
    """Of the preset's length, or `steps`."""
    train(Order("fipls", "small", SYNTHETIC, out / "lsg", "lsg", steps_of(steps)))


def reenactment_small(out: Path, data: str, steps: int) -> None:
    """Of the preset's length, or `steps`."""
    train(Order("fipls", "small", data, out / "reenactment", "reenactment", steps_of(steps)))


def weights(out: Path, data: str, steps: int) -> None:
    """`WEIGHTS`, one row each."""
    _rows(out / "weights", data, steps or 400, WEIGHTS)


def figure_6(out: Path, data: str, steps: int) -> None:
    """`ADDED`, each with those before."""
    rows: dict[str, tuple[str, ...]] = {}
    changes: tuple[str, ...] = (*_FIRST, *_VANILLA)
    for name, more in ADDED.items():
        changes = (*changes, *more)
        rows[name] = changes
    _rows(out / "figure-6", data, steps or 250, rows)


def figure_9(out: Path, data: str, steps: int) -> None:
    """Rows (a) and (b), whose threshold rises every third epoch, that it gets to its end."""
    rising = (*_FIRST, "pose_aware=true", "pose_every=3", "pose_step=0.1")
    rows = {"(a) without": (*_FIRST, "pose_aware=false"), "(b) with": rising}
    _rows(out / "figure-9", data, steps or 400, rows)


def _rows(out: Path, data: str, steps: int, rows: Mapping[str, tuple[str, ...]]) -> None:
    runs = {}
    for number, (name, changes) in enumerate(rows.items()):
        folder = runs[name] = out / f"{number}"
        if not (folder / "weights.safetensors").is_file():
            settings = (*changes, "weights=fipls_reenactment", *steps_of(steps))
            order = Order("fipls", "small", data, folder, "reenactment", settings, folder.is_dir())
            train(order, report=lambda line: None)
    held_out.print_rows(runs, Path(data))


RECIPES = {recipe.__name__: recipe for recipe in (lsg_small, reenactment_small, weights, figure_6, figure_9)}


def main() -> None:
    """The command line."""
    run_one_of(RECIPES, "fipls", __doc__)


if __name__ == "__main__":
    main()
