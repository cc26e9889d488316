"""DG's runs, one function each: `python recipes/dg.py table_1 --out RUNS`.

    idsg_small   the shape generator on synthetic faces (10 minutes of one core)
    rfg_small    the face generator on prepared faces, `--data DIR` (half an hour)
    table_1      the shape generator with its losses added in turn, at equal steps
    figure_6     the face generator with and without faces turned by more than 30 degrees, at equal steps

`table_1` prints a row a run, with the ACE on people that training never drew: mean and standard deviation over
the faces, by the poses of training and by the large-pose protocol.
"""

from __future__ import annotations

from dataclasses import asdict, fields
from pathlib import Path

from common import run_one_of, steps_of

from reenact.data.synthetic import LARGE_POSE, TripleOptions
from reenact.geometry.face_model import default_face_model
from reenact.systems.dg import presets
from reenact.training.runs import SYNTHETIC, Order, train

ROWS = {
    "BL: L_adv + L_C": ("localization", "action", "shape"),
    "+ L_l": ("action", "shape"),
    "+ L_a": ("shape",),
    "DG (+ L_vls)": (),
}
"""Table 1: the losses that a row leaves out."""
PAPER = {
    field.name: getattr(presets.IDSG["paper"], field.name)
    for field in fields(presets.IdsgSettings)
    if field.name.startswith("weight_")
}
FACES = 1000


def idsg_small(out: Path, data: str, steps: int) -> None:
    """The preset's steps, or `steps`."""
    train(Order("dg", "small", SYNTHETIC, out / "idsg", "idsg", steps_of(steps)))


def rfg_small(out: Path, data: str, steps: int) -> None:
    """The preset's epochs of the faces in `data`, or `steps`."""
    train(Order("dg", "small", data, out / "rfg", "rfg", steps_of(steps)))


def table_1(out: Path, data: str, steps: int) -> None:
    """The four rows with the paper's weights on the small preset's network and optimiser, 600 steps each or
    `steps`; finished runs of `out` are measured as they are."""
    print("| row | ACE, px | large pose | copying: ACE, px | large pose |\n| --- | --- | --- | --- | --- |")
    for name, off in ROWS.items():
        folder = out / f"table-1-{len(off)}"
        changes = tuple(f"{weight}={0.0 if weight.endswith(off) else value}" for weight, value in PAPER.items())
        if not (folder / "weights.safetensors").is_file():
            order = Order("dg", "small", SYNTHETIC, folder, "idsg", (*changes, *steps_of(steps or 600)))
            train(order, report=lambda line: None)
        print(f"| {name} | {' | '.join(figures_of(folder))} |", flush=True)


def figure_6(out: Path, data: str, steps: int) -> None:
    """The small preset on all prepared faces of `data`, and on those below 30 degrees of yaw."""
    for name, changes in (("all", ()), ("below-30", ("most_yaw=30",))):
        order = Order("dg", "small", data, out / f"figure-6-{name}", "rfg", (*changes, *steps_of(steps)))
        print(f"| {name} | {train(order, report=lambda line: None)[0]['figures']} |", flush=True)


def figures_of(run: Path) -> list[str]:
    """'mean ± deviation' of a finished run's ACE and of copying, in px, in the training's poses and by the
    large-pose protocol: ours, ours, copying, copying."""
    import torch

    from reenact.systems.dg.train import IdsgStage
    from reenact.training.shapes import HELD_OUT_SEED, SyntheticShapes
    from reenact.training.sources import Share, batch_of_step
    from reenact.training.start import load_weights
    from reenact.training.triples import ModelFaces

    settings = presets.IDSG["small"]
    stage = IdsgStage(settings)
    load_weights(stage, str(run / "weights.safetensors"))
    values = asdict(settings)
    made: dict[str, list[str]] = {"ace_px": [], "ace_px_copy": []}
    usual = TripleOptions(side=settings.side, scheme="ibug68")
    for pose in (usual.pose, LARGE_POSE[0]):
        options = TripleOptions(side=settings.side, scheme="ibug68", pose=pose)
        faces = ModelFaces(default_face_model(), options)
        people = SyntheticShapes(faces, FACES, FACES, values["code_length"], others=True, seed=HELD_OUT_SEED)
        with torch.inference_mode():
            batch = batch_of_step(people, FACES, HELD_OUT_SEED, 0, Share())
            figures = stage.validate(batch, stage.networks)
        for key, of in made.items():
            of.append(f"{float(figures[key].mean()):.3f} ± {float(figures[key].std()):.3f}")
    return [*made["ace_px"], *made["ace_px_copy"]]


RECIPES = {recipe.__name__: recipe for recipe in (idsg_small, rfg_small, table_1, figure_6)}


def main() -> None:
    """The command line."""
    run_one_of(RECIPES, "dg", __doc__)


if __name__ == "__main__":
    main()
