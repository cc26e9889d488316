"""The figures of one made picture, whatever the protocol: against the true picture, and against the driving
face. None stands where no face was found, or where what a figure needs is not there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from reenact.evaluation import metrics
from reenact.evaluation.scenes import Clip, Finder
from reenact.geometry.face_model import FaceModel, default_face_model
from reenact.geometry.schemes import convert_points
from reenact.perception.action_units import GLG_UNITS, OSFR_UNITS, ActionUnits, action_units
from reenact.perception.identity import IdentityEmbedder
from reenact.runtime.weights import PUBLISHED, fetched
from reenact.types import Floats, Image, Landmarks, Points

if TYPE_CHECKING:
    from reenact.nn.inception import Inception
    from reenact.nn.lpips import Lpips

Row = dict[str, float | int | None]
"""Figures of one picture."""

_POINT_FIGURES = ("nme", "akd", "mouth_gap", "eye_gap")
_UNIT_FIGURES = ("aucon", "au_correlation")
POSE = ("yaw", "pitch", "roll")


@dataclass
class Tools:
    """What measuring needs, made once. embedder: None where identities cannot be compared. lpips, inception:
    None where their weights were not fetched. clips: those that were read before."""

    finder: Finder = field(default_factory=Finder)
    embedder: IdentityEmbedder | None = None
    lpips: Lpips | None = None
    inception: Inception | None = None
    model: FaceModel = field(default_factory=default_face_model)
    clips: dict[Path, Clip] = field(default_factory=dict)

    def embed(self, image: Image, points: Points | None) -> Floats | None:
        """The identity vector of a face, None without an embedder or a face."""
        if self.embedder is None or points is None:
            return None
        return self.embedder.embed(image, Landmarks(points, "mesh478"))

    def units(self, points: Points) -> ActionUnits:
        """The action units of a face (478, 3), against the same person's face at rest by the model."""
        state = self.model.fit(points)
        return action_units(state, replace(state, expression=np.zeros_like(state.expression)), model=self.model)


def published_metrics() -> tuple[str, ...]:
    """Which of 'lpips' and 'fid' can be measured: their weights were fetched, and PyTorch is there."""
    if find_spec("torch") is None:
        return ()
    needs = {"lpips": ("vgg16", "lpips_vgg"), "fid": ("inception_fid",)}
    return tuple(name for name, wanted in needs.items() if all(fetched(PUBLISHED[w]) for w in wanted))


def open_tools(embedder: IdentityEmbedder | None, published: Sequence[str]) -> Tools:
    """The tools, with the networks of `published_metrics`. Raises ReenactError where their files do not fit."""
    lpips = inception = None
    if "lpips" in published:
        from reenact.nn.lpips import load_lpips

        lpips = load_lpips()
    if "fid" in published:
        from reenact.nn.inception import load_inception

        inception = load_inception()
    return Tools(embedder=embedder, lpips=lpips, inception=inception)


@dataclass(frozen=True)
class Seen:
    """A picture (H, W, 3) with the points (478, 3) that were found in it, None where no face was. exact:
    (478, 3), where they are known better than by looking."""

    image: Image
    points: Points | None
    exact: Points | None = None


def truth_figures(made: Seen, truth: Seen, tools: Tools) -> Row:
    """Against the true picture, in which there must be a face: pixels, regions, landmarks, openings."""
    at = truth.points if truth.exact is None else truth.exact
    if at is None:
        raise ValueError("the true picture shows no face")
    height, width = truth.image.shape[:2]
    face = metrics.face_mask(at, height, width)
    row: Row = {"l1": metrics.l1(made.image, truth.image)}
    row["face_l1"] = metrics.l1(made.image, truth.image, face)
    row["around_l1"] = metrics.l1(made.image, truth.image, ~face)
    for name, part in (("feature_l1", "both"), ("mouth_l1", "mouth"), ("eye_l1", "eyes")):
        mask = metrics.feature_mask(at, height, width, part)  # type: ignore[arg-type]
        row[name] = metrics.l1(made.image, truth.image, mask)
    row["psnr"], row["ssim"] = metrics.psnr(made.image, truth.image), metrics.ssim(made.image, truth.image)
    if tools.lpips is not None:
        row["lpips"] = metrics.lpips(made.image, truth.image, tools.lpips)
    return row | _point_figures(made.points, at)


def _point_figures(found: Points | None, truth: Points) -> Row:
    if found is None:
        return dict.fromkeys((*_POINT_FIGURES, "ace"))
    ours, theirs = (convert_points(points, "ibug68").astype(np.float32) for points in (found, truth))
    return {
        "nme": metrics.nme(found, truth),
        "akd": metrics.akd(ours, theirs),
        "ace": metrics.ace(ours[:, :2], theirs[:, :2]),
        "mouth_gap": metrics.mouth_gap_error(found, truth),
        "eye_gap": metrics.eye_gap_error(found, truth),
    }


def driving_figures(made: Points | None, driving: Points | None, tools: Tools) -> Row:
    """Against the driving face: action units, and the head's angles as they are."""
    if made is None or driving is None:
        return dict.fromkeys((*_UNIT_FIGURES, *POSE))
    turned = [metrics.angles(tools.model.fit(points).rotation) for points in (made, driving)]
    errors = metrics.angle_errors(turned[0], turned[1])
    ours, theirs = tools.units(made), tools.units(driving)
    correlation = metrics.au_correlation(ours.vector(OSFR_UNITS), theirs.vector(OSFR_UNITS))
    return {
        "aucon": metrics.aucon(ours.presence(GLG_UNITS), theirs.presence(GLG_UNITS)),
        "au_correlation": None if math.isnan(correlation) else correlation,
        **dict(zip(POSE, map(float, errors), strict=True)),
    }


def likeness(one: Floats | None, other: Floats | None, tools: Tools) -> tuple[float | None, int | None]:
    """CSIM of two identity vectors, and 1 where the embedder takes both for one person."""
    if one is None or other is None or tools.embedder is None:
        return None, None
    return metrics.csim(one, other), int(tools.embedder.same_person(one, other))


def set_features(
    made: Sequence[Image],
    vectors: Sequence[Floats | None],
    truth: Sequence[Image],
    true_vectors: Sequence[Floats | None],
    tools: Tools,
) -> dict[str, Floats]:
    """What the Fréchet distances of a set are taken over: 'identity' and 'inception' of what was made, and
    '..._truth' of the true pictures, each (N, D); only what can be measured."""
    found = {"identity": _stacked(vectors), "identity_truth": _stacked(true_vectors)}
    if tools.inception is not None:
        found["inception"] = metrics.inception_features(made, tools.inception)
        found["inception_truth"] = metrics.inception_features(truth, tools.inception)
    return {name: features for name, features in found.items() if features.size}


def _stacked(vectors: Sequence[Floats | None]) -> Floats:
    known = [vector for vector in vectors if vector is not None]
    return np.array(known, np.float32) if known else np.zeros((0, 0), np.float32)
