"""What is compared with what: self-reenactment, where the driving frame is the truth, and cross-reenactment.

`self` is the measure of `docs/log.md`: source is frame 0 of a clip, the driving motion all of it, absolute and
in the frame's own place; every 10th frame, at most 12 a clip; 256 px, area means; then the mean over clips.
`cross` drives portraits of other people, motion relative; there is no true picture, so identity, expression and
head pose are read from the result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from reenact.data.folders import FolderData
from reenact.errors import ReenactError
from reenact.evaluation import metrics
from reenact.evaluation.scenes import Clip, Finder, Performer, portrait_of, read_clip
from reenact.geometry.face_model import default_face_model, rotation_matrix
from reenact.geometry.schemes import convert_points
from reenact.geometry.transfer import Drive
from reenact.perception.identity import IdentityEmbedder
from reenact.pipeline.options import MotionOptions
from reenact.pipeline.portrait import Portrait
from reenact.types import FaceState, Floats, Image, Landmarks, Points

COPY = "copy"
"""The baseline that does nothing: the source as it is."""

Row = dict[str, float | int | None]
"""Figures of one picture; None where no face was found in it."""


@dataclass(frozen=True)
class Protocol:
    """How a comparison is made. size: longer side of all pictures. most: frames of a clip that are compared."""

    name: Literal["self", "cross"]
    motion: MotionOptions
    size: int = 256
    most: int = 12


PROTOCOLS: dict[str, Protocol] = {
    "self": Protocol("self", MotionOptions(mode="absolute", placement="frame")),
    "cross": Protocol("cross", MotionOptions(), most=6),
}


@dataclass(frozen=True)
class Case:
    """One source and one driving clip. key: its name in files and tables. source: a still, or the clip."""

    key: str
    source: Path
    clip: Path


@dataclass
class Tools:
    """What measuring needs, made once. embedder: None where identities cannot be compared."""

    finder: Finder = field(default_factory=Finder)
    embedder: IdentityEmbedder | None = None

    def embed(self, image: Image, points: Points | None) -> Floats | None:
        """The identity vector of a face, None without an embedder or a face."""
        if self.embedder is None or points is None:
            return None
        return self.embedder.embed(image, Landmarks(points, "mesh478"))


@dataclass(frozen=True)
class Outcome:
    """rows: a measured frame each. pictures: the same frames as made by the system."""

    rows: list[Row]
    pictures: list[Image]


def cases_of(protocol: Protocol, data: FolderData, split: str, pairs: int | None, seed: int) -> list[Case]:
    """The pairs of a protocol. self: each clip once, the first `pairs`. cross: `pairs` stills (24 by default)
    drawn with `seed`, the clips in turn. Raises ReenactError where there is nothing to pair."""
    clips = data.split(split)
    if protocol.name == "self":
        return [Case(clip.stem, clip, clip) for clip in clips[:pairs]]
    stills = data.unseen_stills()
    if not stills:
        raise ReenactError(f"{data.root}: no stills to animate; put portraits into {data.root / 'stills'}")
    drawn = np.random.default_rng(seed).permutation(len(stills))[: 24 if pairs is None else pairs]
    chosen = [(stills[n], clips[k % len(clips)]) for k, n in enumerate(drawn.tolist())]
    return [Case(f"{still.stem}--{clip.stem}", still, clip) for still, clip in chosen]


def prepare(case: Case, protocol: Protocol, finder: Finder, clip: Clip | None = None) -> tuple[Portrait, Clip]:
    """The source and the clip of a case, `clip` where it was read before. Raises ReenactError where either
    cannot be used."""
    clip = clip or read_clip(case.clip, protocol.size, protocol.most, finder)
    source = clip.first if protocol.name == "self" else case.source
    return portrait_of(source, protocol.size), clip


def run(system: str, portrait: Portrait, clip: Clip, protocol: Protocol, tools: Tools) -> Outcome:
    """Animate the source with one system and measure each compared frame. Copying moves nothing, but its
    figures need the drives and the anchor, which do not depend on the system."""
    performer = Performer(portrait, "warp" if system == COPY else system, clip.motion, protocol.motion)
    draw: Callable[[int], Image] = performer.picture
    if system == COPY:
        still = np.ascontiguousarray(portrait.picture[..., :3])
        draw = lambda frame: still  # noqa: E731
    frames = clip.frames.tolist()
    pictures = [draw(frame) for frame in frames]
    measure = _self_rows if protocol.name == "self" else _cross_rows
    return Outcome(measure(pictures, portrait, clip, performer, tools), pictures)


def _self_rows(
    pictures: list[Image], portrait: Portrait, clip: Clip, performer: Performer, tools: Tools
) -> list[Row]:
    """Frames in which the detector finds no true face are left out."""
    rows: list[Row] = []
    for n, made in enumerate(pictures):
        truth, at = clip.pictures[n], clip.points[n]
        if at is None:
            continue
        height, width = truth.shape[:2]
        face = metrics.face_mask(at, height, width)
        row: Row = {"frame": int(clip.frames[n]), "l1": metrics.l1(made, truth)}
        row["face_l1"] = metrics.l1(made, truth, face)
        row["around_l1"] = metrics.l1(made, truth, ~face)
        row["feature_l1"] = metrics.l1(made, truth, metrics.feature_mask(at, height, width))
        row["psnr"], row["ssim"] = metrics.psnr(made, truth), metrics.ssim(made, truth)
        found = tools.finder(made)
        row |= _point_errors(found, at)
        row["csim"], row["same"] = _alike(tools, (made, found), (truth, at))
        rows.append(row)
    return rows


def _point_errors(found: Points | None, truth: Points) -> Row:
    names = ("nme", "akd", "mouth_gap", "eye_gap", "yaw", "pitch", "roll")
    if found is None:
        return {"lost": 1, **dict.fromkeys(names)}
    model = default_face_model()
    turned = [metrics.angles(model.fit(points).rotation) for points in (found, truth)]
    errors = metrics.angle_errors(turned[0], turned[1])
    sixty_eight = [convert_points(points, "ibug68").astype(np.float32) for points in (found, truth)]
    values = (
        metrics.nme(found, truth),
        metrics.akd(sixty_eight[0], sixty_eight[1]),
        metrics.mouth_gap_error(found, truth),
        metrics.eye_gap_error(found, truth),
        *(float(error) for error in errors),
    )
    return {"lost": 0, **dict(zip(names, values, strict=True))}


def _cross_rows(
    pictures: list[Image], portrait: Portrait, clip: Clip, performer: Performer, tools: Tools
) -> list[Row]:
    """Wanted is the driving face's change since the anchor; read is the result's change from the source."""
    model = default_face_model()
    own = model.fit(portrait.points)
    anchor = performer.drives[performer.anchor_frame]
    source = (np.ascontiguousarray(portrait.picture[..., :3]), portrait.points)
    rows: list[Row] = []
    for n, made in enumerate(pictures):
        frame = int(clip.frames[n])
        drive, found = performer.drives[frame], tools.finder(made)
        row: Row = {"frame": frame, "lost": int(found is None)}
        row |= dict.fromkeys(("expression", "yaw", "pitch", "roll"))
        if found is not None:
            state = model.with_identity(model.fit(found), own.identity)
            change = state.expression - own.expression
            wanted = drive.expression - anchor.expression
            row["expression"] = metrics.expression_error(change, wanted, model)
            errors = metrics.angle_errors(_turn(state, own), _turn(drive, anchor))
            row |= dict(zip(("yaw", "pitch", "roll"), map(float, errors), strict=True))
        row["csim"], row["same"] = _alike(tools, (made, found), source)
        rows.append(row)
    return rows


def _turn(now: FaceState | Drive, before: FaceState | Drive) -> Floats:
    """Angles (3,) in degrees of the rotation from one head pose to another."""
    matrix = rotation_matrix(now.rotation) @ rotation_matrix(before.rotation).T
    return metrics.angles(matrix)


def _alike(
    tools: Tools, result: tuple[Image, Points | None], truth: tuple[Image, Points]
) -> tuple[float | None, int | None]:
    """CSIM, and 1 where the embedder takes both for one person."""
    one, other = tools.embed(*result), tools.embed(*truth)
    if one is None or other is None or tools.embedder is None:
        return None, None
    return metrics.csim(one, other), int(tools.embedder.same_person(one, other))
