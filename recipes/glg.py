"""GLG's runs, one function each: `python recipes/glg.py rows --data PREPARED --out RUNS`.

    lgan_shape_small    the shipped landmark GAN, on made-up people
    lgan_face_small     the landmark GAN by face embedding, on prepared faces
    identities          the landmark GAN by face embedding and by the face model, on the same prepared faces
    image_small         the shipped image generator, on prepared faces
    rows                ViT, ResNet and the landmarks' own flow, with and without style; style alone
    adversary           `image_small` gone on with, without and with the paper's adversarial losses

`identities` prints the landmarks' error on people held out, the last two rows of `held_out.print_rows`.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import held_out
from common import run_one_of, steps_of

from reenact.training.runs import SYNTHETIC, Order, train

STEPS = 600
FURTHER = 600
ROWS = {
    "ViT": ("flow=vit", "style=false"),
    "ResNet": ("flow=resnet34", "style=false"),
    "ViT+Style": ("flow=vit", "style=true"),
    "ResNet+Style": ("flow=resnet34", "style=true"),
    "Style": ("flow=none", "style=true"),
    "landmarks' flow (ours)": ("flow=points", "style=false"),
    "landmarks' flow+Style (ours)": ("flow=points", "style=true"),
    "landmarks' flow+Style in parts": ("flow=points", "style=true", "style_regions=true"),
}
ADVERSARY = {
    "without": (),
    "adversarial 1, matching 1": ("weight_adversarial=1", "weight_matching=1"),
    "adversarial .1, matching 1": ("weight_adversarial=0.1", "weight_matching=1"),
}


def lgan_shape_small(out: Path, data: str, steps: int) -> None:
    """Of the preset's length, or `steps`."""
    train(Order("glg", "small", SYNTHETIC, out / "lgan_shape", "lgan_shape", steps_of(steps)))


def lgan_face_small(out: Path, data: str, steps: int) -> None:
    """Of the preset's length, or `steps`."""
    train(Order("glg", "small", data, out / "lgan_face", "lgan_face", steps_of(steps)))


def identities(out: Path, data: str, steps: int) -> None:
    """2,000 steps of 64 each, or `steps`."""
    print("| identity | held-out ACE, px | mean face, px |\n| --- | ---: | ---: |", flush=True)
    for name in ("lgan_face", "lgan_shape"):
        changes = ("batch=64", "rate=0.001", "validate_samples=512", *steps_of(steps or 2000))
        order = Order("glg", "small", data, out / f"identities-{name}", name, changes)
        figures = train(order, report=lambda line: None)[0]["figures"]
        print(f"| {name} | {figures['ace_px']:.3f} | {figures['ace_px_mean']:.3f} |", flush=True)


def image_small(out: Path, data: str, steps: int) -> None:
    """Of the preset's length, or `steps`."""
    train(Order("glg", "small", data, out / "image", "image", steps_of(steps)))


def rows(out: Path, data: str, steps: int) -> None:
    """`ROWS`, 600 steps each, or `steps`."""
    runs = {}
    for number, (name, changes) in enumerate(ROWS.items()):
        runs[name] = out / "rows" / f"{number}"
        _go(runs[name], data, (*changes, *steps_of(steps or STEPS)))
    held_out.print_rows(runs, Path(data))


def adversary(out: Path, data: str, steps: int) -> None:
    """`ADVERSARY`, 600 further steps each, or `steps`."""
    runs = {}
    done = held_out.steps_done(out / "image")
    for number, (name, changes) in enumerate(ADVERSARY.items()):
        runs[name] = out / "adversary" / f"{number}"
        if not runs[name].is_dir():
            shutil.copytree(out / "image", runs[name])
            (runs[name] / "weights.safetensors").unlink()
            # The best step so far is one without adversary, which no figure here prefers.
            (runs[name] / "checkpoints" / "best.json").unlink(missing_ok=True)
        _go(runs[name], data, (*changes, f"steps={done + (steps or FURTHER)}", "rate=0.0002", "epochs=1000"))
    held_out.print_rows({"before": out / "image", **runs}, Path(data))


def _go(folder: Path, data: str, changes: tuple[str, ...]) -> None:
    """Train an image generator to its end, on from where it stopped."""
    if not (folder / "weights.safetensors").is_file():
        order = Order("glg", "small", data, folder, "image", changes, folder.is_dir())
        train(order, report=lambda line: None)


RECIPES = {
    recipe.__name__: recipe
    for recipe in (lgan_shape_small, lgan_face_small, identities, image_small, rows, adversary)
}


def main() -> None:
    """The command line."""
    run_one_of(RECIPES, "glg", __doc__)


if __name__ == "__main__":
    main()
