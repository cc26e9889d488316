"""The morphable landmark model in figures: reconstruction, identity, expression at rest, fit time, transfer.

Run: python benchmarks/face_model.py DATA [--write docs/faces.md]

DATA has clips/train, clips/val and stills (or portraits). The model that is measured is the shipped one, which
was learned without the clips of `val`. With --write the section 'The morphable landmark model' of that file is
put there or put anew.
"""

from __future__ import annotations

import argparse
import re
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from reenact.data.folders import FolderData, open_folders
from reenact.data.synthetic import TripleOptions, landmark_triples
from reenact.evaluation.converters import converter_ace, copy_driving, model_transfer, morphable_transfer
from reenact.evaluation.metrics import eye_distance
from reenact.geometry.face_model import FaceModel, default_face_model
from reenact.media.reader import open_frames
from reenact.perception.detector import FaceFollower
from reenact.types import FaceState, Floats, Points

HEADING = "## The morphable landmark model"
SIZES = ((0, 0), (8, 8), (8, 20), (16, 20), (16, 40), (32, 40), (32, 80))
_SIDE = 256


def clip_points(path: Path, every: int) -> Floats:
    """Points (F, 478, 3) of each `every`-th frame of a clip, in pixels of a picture of 256 px."""
    found = []
    with FaceFollower() as follower, open_frames(path, longest=_SIDE) as source:
        for number, frame in enumerate(source):
            face = follower.track(frame.image)
            if face is not None and number % every == 0:
                found.append(face.points)
    return np.array(found, np.float32)


def truncated(model: FaceModel, identity: int, expression: int) -> FaceModel:
    """The model with its first modes only; what the others held counts as noise."""
    dropped = (model.identity[identity:] ** 2).sum(0) + (model.expression[expression:] ** 2).sum(0)
    noise = np.sqrt(model.noise**2 + dropped).astype(np.float32)
    return replace(
        model, identity=model.identity[:identity], expression=model.expression[:expression], noise=noise
    )


def reconstruction(model: FaceModel, clips: list[Floats]) -> tuple[float, float]:
    """Mean distance in the picture between points and their reconstruction: pixels at 256, and per cent of the
    distance between the outer eye corners; the mean over clips."""
    pixels, shares = [], []
    for points in clips:
        away = [_away(model, face) for face in points]
        pixels.append(np.mean(away))
        shares.append(100 * np.mean([a / eye_distance(face) for a, face in zip(away, points, strict=True)]))
    return float(np.mean(pixels)), float(np.mean(shares))


def _away(model: FaceModel, points: Points) -> float:
    return float(np.linalg.norm((model.project(model.fit(points)) - points)[:, :2], axis=1).mean())


def reconstruction_table(model: FaceModel, clips: list[Floats]) -> str:
    lines = ["| identity | expression | px at 256 | % of eye distance |", "| ---: | ---: | ---: | ---: |"]
    for identity, expression in SIZES:
        part = truncated(model, identity, expression) if identity or expression else None
        pixels, share = reconstruction(part, clips) if part else reconstruction(_rigid(model), clips)
        lines.append(f"| {identity} | {expression} | {pixels:.2f} | {share:.2f} |")
    return "\n".join(lines)


def _rigid(model: FaceModel) -> FaceModel:
    """The mean face alone: one mode of each kind that does nothing."""
    none = np.zeros((1, *model.mean.shape), np.float32)
    return replace(model, identity=none, expression=none)


def shape_of(modes: Floats, coefficients: Floats) -> float:
    """Root mean square displacement of the points, in per cent of the eye distance, by coefficients (K,)."""
    moved = np.tensordot(coefficients, modes, 1)
    return float(100 * np.sqrt((moved**2).sum(1).mean()))


def wobble(model: FaceModel, clips: list[list[FaceState]]) -> dict[str, float]:
    """How identity coefficients vary: over a clip of one person, and between the people of all clips.

    within, between: root mean square over coefficients of their standard deviations. within_shape and
    between_shape: the same as movement of the points, in per cent of the eye distance.
    """
    rows = [np.array([state.identity for state in states]) for states in clips]
    means = np.array([row.mean(0) for row in rows])
    inside = np.concatenate([row - row.mean(0) for row in rows])
    outside = means - means.mean(0)
    return {
        "within": float(np.sqrt((inside**2).mean())),
        "between": float(np.sqrt((outside**2).mean() * len(means) / (len(means) - 1))),
        "within_shape": float(np.mean([shape_of(model.identity, row) for row in inside])),
        "between_shape": float(np.mean([shape_of(model.identity, row) for row in outside])),
    }


def resting(model: FaceModel, clips: list[list[FaceState]]) -> tuple[float, float]:
    """How far expressions at rest differ between people, and how far each face moves over its clip: root mean
    square movement of the points in per cent of the eye distance. Rest is the frame of the clip nearest to its
    median expression."""
    rests, moves = [], []
    for states in clips:
        expression = np.array([state.expression for state in states])
        middle = np.median(expression, axis=0)
        rests.append(expression[np.linalg.norm(expression - middle, axis=1).argmin()])
        moves.append(np.mean([shape_of(model.expression, row - middle) for row in expression]))
    mean = np.mean(rests, axis=0)
    return float(np.mean([shape_of(model.expression, rest - mean) for rest in rests])), float(np.mean(moves))


def fit_time(model: FaceModel, points: Floats) -> float:
    """Median milliseconds of one fit."""
    took = []
    for face in points:
        start = time.perf_counter()
        model.fit(face)
        took.append(time.perf_counter() - start)
    return float(1000 * np.median(took))


def transfer_table(model: FaceModel, expressions: Floats, count: int = 1000) -> str:
    """ACE of the analytic converter on triples of people from the prior and moments from `expressions`."""
    lines = [
        "| noise, px | copy driving | transfer with the source's own shape (`warp`) | coefficients alone |",
        "| ---: | ---: | ---: | ---: |",
    ]
    for noise in (0.0, 0.3, 1.0, 2.0):
        options = TripleOptions(noise=noise)
        triples = landmark_triples(model, count, 20261120, expressions=expressions, options=options)
        ways = (copy_driving, morphable_transfer(model), model_transfer(model))
        figures = " | ".join(f"{converter_ace(way, triples):.2f}" for way in ways)
        lines.append(f"| {noise:.1f} | {figures} |")
    return "\n".join(lines)


def section(data: FolderData, every: int) -> str:
    """The Markdown section."""
    model = default_face_model()
    held = [clip_points(path, every) for path in data.split("val")]
    seen = [clip_points(path, 2 * every) for path in data.split("train")]
    people = [[model.fit(face) for face in points] for points in [*held, *seen]]
    moments = np.array([state.expression for states in people[: len(held)] for state in states])
    own = wobble(model, people)
    rest, move = resting(model, people)
    milliseconds = fit_time(model, held[0])
    faces = sum(map(len, held))
    return f"""{HEADING}

Figures of the shipped model ({len(model.identity)} identity and {len(model.expression)} expression modes),
made by `python benchmarks/face_model.py DATA --write docs/faces.md`. Points are the detector's on pictures
of {_SIDE} px; 'eye distance' is that between the outer eye corners.

![one person](pictures/model-one-person.jpg)

One person in ten expressions and poses; below, one expression (a smile, the mouth open, the brows up) on ten
people. All are draws from the model's prior, shaded by `python docs/make_model_sheets.py`.

![ten people](pictures/model-ten-people.jpg)

**Reconstruction** of the {len(held)} clips of `val` ({faces} faces of people that the model was not learned
from), pose and coefficients fitted frame by frame, the bases cut after so many modes:

{reconstruction_table(model, held)}

**Identity** should not follow expression or pose. Over a clip of one person the coefficients have a standard
deviation of {own["within"]:.2f}, between people {own["between"]:.2f} (root mean square over coefficients,
{len(people)} clips, each frame fitted alone); as movement of the points, {own["within_shape"]:.2f} % of the
eye distance against {own["between_shape"]:.2f} %. Clips are therefore fitted with their median identity.

**Expression** should not follow identity. Faces at rest (each clip's frame nearest its median expression)
differ between people by {rest:.2f} % of the eye distance, while a face moves by {move:.2f} % about its own
rest. What differs at rest is partly how people hold their faces, partly identity that a clip cannot tell from
expression; it is why motion is relative by default.

**Time**: {milliseconds:.2f} ms a fit (median, one thread).

**As a converter**: ACE in pixels (x and y, 478 points, crop of {_SIDE} px) on 1,000 synthetic triples: people
from the prior, each with a fixed offset that the model cannot express, expressions from `val`, yaw to 35
degrees.

{transfer_table(model, moments)}

The transfer carries the source's own noise along with its shape; coefficients alone drop both. The truth is
made by the model that is fitted, so these are lower bounds; learned converters are measured on the same
triples.
"""


def put(text: str, path: Path) -> None:
    """Replace the section in a Markdown file, or append it."""
    old = path.read_text("utf-8") if path.exists() else "# Faces as geometry\n"
    found = re.search(rf"^{re.escape(HEADING)}$.*?(?=^## |\Z)", old, re.M | re.S)
    new = old[: found.start()] + text + "\n" + old[found.end() :] if found else f"{old.rstrip()}\n\n{text}"
    path.write_text(new.rstrip() + "\n", "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description="Figures of the morphable landmark model.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--every", type=int, default=5, help="use each N-th frame of val (train: each 2N-th)")
    parser.add_argument("--write", type=Path, help="a Markdown file that gets the section")
    options = parser.parse_args()
    text = section(open_folders(options.data), options.every)
    if options.write:
        put(text, options.write)
    print(text)


if __name__ == "__main__":
    main()
