"""HR-Net's runs, one function each: `python recipes/hr_net.py table_iv --out RUNS`.

    lic_small    the shipped landmark converter (10 minutes of one core)
    bfr_small    the face generator on prepared faces, `--data DIR`
    joint_small  both together, from the two runs before
    table_iv     the converter with its losses added in turn, at equal steps
    beta1        the converter as in the paper with Adam's beta1 of 0.99 as printed, and of 0.5
    equation_3   the converter as in the paper with equation (3) as meant, and as printed

The last three print a row a run, with the ACE on people that training never drew.
"""

from __future__ import annotations

from pathlib import Path

from common import run_one_of, steps_of

from reenact.training.runs import SYNTHETIC, Order, train

LOSSES = ("weight_adversarial=1", "weight_identity=1", "weight_triplet=10")
"""Lambda 1, 3 and 4; `small` has them all at 0."""


def lic_small(out: Path, data: str, steps: int) -> None:
    """14,000 steps of 256 unless `steps` says otherwise."""
    train(Order("hr_net", "small", SYNTHETIC, out / "lic", "lic", steps_of(steps)))


def bfr_small(out: Path, data: str, steps: int) -> None:
    """90 epochs of 120 pairs of the faces in `data`, or `steps`."""
    train(Order("hr_net", "small", data, out / "bfr", "bfr", steps_of(steps)))


def joint_small(out: Path, data: str, steps: int) -> None:
    """6 epochs of the faces in `data`, or `steps`, from `out/lic` and `out/bfr` on."""
    train(Order("hr_net", "small", data, out / "joint", "joint", (f"start={out}", *steps_of(steps))))


def table_iv(out: Path, data: str, steps: int) -> None:
    """Rows BL, + adversarial, + identity, + triplet on the small preset's network and optimiser."""
    for count in range(len(LOSSES) + 1):
        _row(out / f"table-iv-{count}", "small", LOSSES[:count], steps)


def beta1(out: Path, data: str, steps: int) -> None:
    """The paper's networks and losses, batch 128, 2e-4."""
    for value in ("0.99", "0.5"):
        _row(out / f"beta1-{value}", "paper", (f"beta1={value}",), steps)


def equation_3(out: Path, data: str, steps: int) -> None:
    """Likewise, with beta1 of 0.5."""
    for goal in ("source", "target"):
        _row(out / f"equation-3-{goal}", "paper", (f"identity_of={goal}", "beta1=0.5"), steps)


def _row(folder: Path, preset: str, changes: tuple[str, ...], steps: int) -> None:
    """Of 1,000 steps, or `steps`."""
    changes = (*changes, *steps_of(steps or 1000))
    order = Order("hr_net", preset, SYNTHETIC, folder, "lic", (*changes, "validate_samples=1000"))
    record = train(order, report=lambda line: None)[0]
    figures = record["figures"]
    print(f"| {' '.join(changes)} | {figures['ace_px']:.3f} | {figures['ace_px_copy']:.3f} |", flush=True)


RECIPES = {
    recipe.__name__: recipe for recipe in (lic_small, bfr_small, joint_small, table_iv, beta1, equation_3)
}


def main() -> None:
    """The command line."""
    run_one_of(RECIPES, "hr_net", __doc__)


if __name__ == "__main__":
    main()
