"""What is compared with what: self-reenactment, where the driving frame is the truth, and cross-reenactment.

`self` is the measure of `docs/log.md`: source is frame 0 of a clip, the driving motion all of it, absolute and
in the frame's own place; every 10th frame, at most 12 a clip; 256 px, area means; then the mean over clips.
`cross` drives portraits of other people, motion relative; there is no true picture, so identity, expression and
head pose are read from the result. Stills with a known truth are in `changed.py`; pairs of pictures, `few-shot`
and the test pairs of the papers in `pictures.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from typing import Protocol as Interface

import numpy as np

from reenact.data.folders import FolderData
from reenact.errors import ReenactError
from reenact.evaluation import metrics
from reenact.evaluation.measure import (
    POSE,
    Row,
    Seen,
    Tools,
    driving_figures,
    likeness,
    set_features,
    truth_figures,
)
from reenact.evaluation.scenes import Clip, Performer, portrait_of, read_clip
from reenact.geometry.face_model import rotation_matrix
from reenact.geometry.transfer import Drive
from reenact.pipeline.options import MotionOptions
from reenact.pipeline.portrait import Portrait
from reenact.types import FaceState, Floats, Image

COPY = "copy"
"""The baseline that does nothing: the source as it is."""


@dataclass(frozen=True)
class Protocol:
    """How a comparison is made. columns: which table of figures. size: longer side of all pictures. most:
    frames of a clip that are compared. about: what is compared, for the caption."""

    name: str
    motion: MotionOptions
    columns: Literal["self", "cross", "pictures"]
    about: str
    size: int = 256
    most: int = 12


_ABSOLUTE = MotionOptions(mode="absolute", placement="frame")
SELF = Protocol(
    "self",
    _ABSOLUTE,
    "self",
    "Self-reenactment: source is frame 0, absolute motion",
)
CROSS = Protocol(
    "cross", MotionOptions(), "cross", "Cross-reenactment of a still by a clip, relative motion", most=6
)
FEW_SHOT = Protocol(
    "few-shot",
    _ABSOLUTE,
    "pictures",
    "Few-shot cross-reenactment (OSFR 4.7.3): of k pictures of a person the one nearest in pose is animated",
)
CHANGED = Protocol(
    "changed",
    _ABSOLUTE,
    "self",
    "Stills made anew: source is the still warped by a random change, absolute motion",
)
PROTOCOLS: dict[str, Protocol] = {one.name: one for one in (SELF, CROSS, CHANGED, FEW_SHOT)}


def picture_protocol(name: str) -> Protocol:
    """The protocol of test pairs of pictures."""
    return Protocol(name, _ABSOLUTE, "pictures", f"Pairs of pictures ({name}), absolute motion")


@dataclass(frozen=True)
class Outcome:
    """rows: a measured frame each. pictures: the same frames as made by the system. names: what each row is of.
    features: what set figures are taken over, see `measure.set_features`."""

    rows: list[Row]
    pictures: list[Image]
    names: list[str]
    features: dict[str, Floats] = field(default_factory=dict)


class Scene(Interface):
    """A case that was read: source and driving pictures for the sheet, and what a system makes of them."""

    source: Image
    driving: list[Image]

    def run(self, system: str) -> Outcome:
        """Animate with one system and measure each compared picture."""


class Case(Interface):
    """One entry of an evaluation. key: its name in files and tables. files: what it depends on. signature: what
    of them it takes."""

    @property
    def key(self) -> str: ...
    @property
    def files(self) -> tuple[Path, ...]: ...
    @property
    def signature(self) -> str: ...

    def open(self, protocol: Protocol, tools: Tools) -> Scene:
        """Read it. Raises ReenactError where it cannot be used."""


@dataclass(frozen=True)
class ClipCase:
    """One source and one driving clip. source: a still, or the clip."""

    key: str
    source: Path
    clip: Path

    @property
    def files(self) -> tuple[Path, ...]:
        """Source and clip."""
        return self.source, self.clip

    @property
    def signature(self) -> str:
        """All of both."""
        return ""

    def open(self, protocol: Protocol, tools: Tools) -> Scene:
        """Read source and clip, the clip once for all cases."""
        clip = tools.clips.get(self.clip) or read_clip(self.clip, protocol.size, protocol.most, tools.finder)
        tools.clips[self.clip] = clip
        source = clip.first if protocol is SELF else self.source
        return ClipScene(portrait_of(source, protocol.size), clip, protocol, tools)


def clip_cases(
    protocol: Protocol, data: FolderData, split: str, pairs: int | None, seed: int
) -> list[ClipCase]:
    """The pairs of a protocol. self: each clip once, the first `pairs`. cross: `pairs` stills (24 by default)
    drawn with `seed`, the clips in turn. Raises ReenactError where there is nothing to pair."""
    clips = data.split(split)
    if protocol is SELF:
        return [ClipCase(clip.stem, clip, clip) for clip in clips[:pairs]]
    stills = data.unseen_stills()
    if not stills:
        raise ReenactError(f"{data.root}: no stills to animate; put portraits into {data.root / 'stills'}")
    drawn = np.random.default_rng(seed).permutation(len(stills))[: 24 if pairs is None else pairs]
    chosen = [(stills[n], clips[k % len(clips)]) for k, n in enumerate(drawn.tolist())]
    return [ClipCase(f"{still.stem}--{clip.stem}", still, clip) for still, clip in chosen]


class ClipScene:
    """A portrait and a driving clip."""

    def __init__(self, portrait: Portrait, clip: Clip, protocol: Protocol, tools: Tools) -> None:
        self._portrait, self._clip, self._protocol, self._tools = portrait, clip, protocol, tools
        self.source: Image = np.ascontiguousarray(portrait.picture[..., :3])
        self.driving = clip.pictures
        self._source_vector = tools.embed(self.source, portrait.points)
        self._vectors = [
            tools.embed(picture, points) for picture, points in zip(clip.pictures, clip.points, strict=True)
        ]

    def run(self, system: str) -> Outcome:
        """Copying moves nothing, but its figures need the drives and the anchor, which do not depend on the
        system."""
        clip = self._clip
        performer = Performer(
            self._portrait,
            "warp" if system == COPY else system,
            clip.motion,
            self._protocol.motion,
        )
        draw: Callable[[int], Image] = performer.picture
        if system == COPY:
            draw = lambda frame: self.source  # noqa: E731
        frames = clip.frames.tolist()
        pictures = [draw(frame) for frame in frames]
        seen = [Seen(picture, self._tools.finder(picture)) for picture in pictures]
        vectors = [self._tools.embed(one.image, one.points) for one in seen]
        if self._protocol is not SELF:
            return Outcome(self._cross_rows(seen, vectors, performer), pictures, [str(n) for n in frames])
        # Frames in which the detector finds no true face are left out.
        kept = [n for n, points in enumerate(clip.points) if points is not None]
        rows = [self._self_row(n, seen[n], vectors[n]) for n in kept]
        features = set_features(
            [pictures[n] for n in kept],
            [vectors[n] for n in kept],
            [clip.pictures[n] for n in kept],
            [self._vectors[n] for n in kept],
            self._tools,
        )
        return Outcome(rows, pictures, [str(frames[n]) for n in kept], features)

    def _self_row(self, n: int, made: Seen, vector: Floats | None) -> Row:
        truth = Seen(self._clip.pictures[n], self._clip.points[n])
        row: Row = {"frame": int(self._clip.frames[n]), "lost": int(made.points is None)}
        row |= truth_figures(made, truth, self._tools)
        row |= driving_figures(made.points, truth.points, self._tools)
        row["csim"], row["same"] = likeness(vector, self._vectors[n], self._tools)
        row["csim_source"], row["same_source"] = likeness(vector, self._source_vector, self._tools)
        return row

    def _cross_rows(self, seen: list[Seen], vectors: list[Floats | None], performer: Performer) -> list[Row]:
        """Wanted is the driving face's change since the anchor; read is the result's change from the source."""
        model = self._tools.model
        own = model.fit(self._portrait.points)
        anchor = performer.drives[performer.anchor_frame]
        rows: list[Row] = []
        for n, made in enumerate(seen):
            frame = int(self._clip.frames[n])
            drive = performer.drives[frame]
            row: Row = {"frame": frame, "lost": int(made.points is None), "expression": None}
            row |= driving_figures(made.points, self._clip.points[n], self._tools) | dict.fromkeys(POSE)
            if made.points is not None:
                state = model.with_identity(model.fit(made.points), own.identity)
                change = state.expression - own.expression
                wanted = drive.expression - anchor.expression
                row["expression"] = metrics.expression_error(change, wanted, model)
                errors = metrics.angle_errors(_turn(state, own), _turn(drive, anchor))
                row |= dict(zip(POSE, map(float, errors), strict=True))
            row["csim"], row["same"] = likeness(vectors[n], self._source_vector, self._tools)
            rows.append(row)
        return rows


def _turn(now: FaceState | Drive, before: FaceState | Drive) -> Floats:
    """Angles (3,) in degrees of the rotation from one head pose to another."""
    matrix = rotation_matrix(now.rotation) @ rotation_matrix(before.rotation).T
    return metrics.angles(matrix)
