"""What tests of all systems' stages share: small batches of each kind of data, and the loop's part of steps."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from reenact.geometry.face_model import default_face_model
from reenact.geometry.schemes import WEIGHTS, convert_points
from reenact.nn.draw import boundary_image, parsing_map
from reenact.systems.spec import Settings, Stage, StageSpec

KINDS = ("triples", "pairs", "crossed", "stills")


class Steps:
    """The loop's part of a stage's steps: an optimiser a network. terms: the last value of each loss."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.optimisers = {name: stage.optimiser(name) for name in stage.networks}
        self.terms: dict[str, float] = {}

    def __call__(self, network: str, terms: Mapping[str, Tensor], weights: Mapping[str, float]) -> None:
        self.terms |= {name: float(value.detach()) for name, value in terms.items()}
        total = sum(weights[name] * value for name, value in terms.items())
        self.optimisers[network].zero_grad()
        total.backward(inputs=list(self.stage.networks[network].parameters()))  # type: ignore[union-attr]
        self.optimisers[network].step()

    def run(self, batch: Mapping[str, Tensor], count: int = 1) -> dict[str, float]:
        """So many steps on one batch; the losses of the last."""
        for _ in range(count):
            self.terms = {}
            self.stage.step(batch, self)
        return self.terms


def triples(count: int, seed: int = 5) -> dict[str, Tensor]:
    """Faces that are a mean and a few shifts of it: the target has the driving shift and the source's size."""
    rng = np.random.default_rng(seed)
    face = convert_points(default_face_model().mean, "ibug68")[:, :2] * 60 + 128
    size, shift = rng.uniform(0.9, 1.1, (2, count, 1, 1)), rng.uniform(-8, 8, (2, count, 1, 2))
    made = {
        "driving": (face - 128) * size[0] + 128 + shift[0],
        "source": (face - 128) * size[1] + 128 + shift[1],
        "target": (face - 128) * size[1] + 128 + shift[0],
    }
    return {name: torch.from_numpy(points.astype(np.float32)) for name, points in made.items()}


def pairs(count: int, size: int) -> dict[str, Tensor]:
    """Pictures whose colour is the source's and whose dark shape is the landmarks'."""
    rng = np.random.default_rng(6)
    colour = torch.from_numpy(rng.uniform(-0.6, 0.9, (count, 3, 1, 1)).astype(np.float32))
    faces = triples(count)
    points = {name: faces[name] / 256 * size for name in ("target", "source")}
    pictures = {}
    for name, at in points.items():
        shape = boundary_image(at, size)
        pictures[name] = colour * (1 - shape) - shape
    return {**pictures, "landmarks": points["target"], "source_landmarks": points["source"]}


def crossed(count: int, size: int) -> dict[str, Tensor]:
    """Pairs, with a driving face."""
    return {**pairs(count, size), "driving": triples(count)["driving"] / 256 * size}


def stills(count: int, size: int) -> dict[str, Tensor]:
    """A face of one colour with dark features, and the same under another shape; mesh points and masks."""
    rng = np.random.default_rng(7)
    mean = default_face_model().mean[None, :, :2] * size / 4
    colour = torch.from_numpy(rng.uniform(-0.6, 0.9, (count, 3, 1, 1)).astype(np.float32))
    made = {}
    for picture, points, mask in (("source", "source_points", "source_mask"), ("target", "points", "mask")):
        zoom, shift = rng.uniform(0.8, 1.2, (count, 1, 2)), rng.uniform(-0.1, 0.1, (count, 1, 2))
        made[points] = torch.from_numpy((mean * zoom + size * (0.5 + shift)).astype(np.float32))
        parsing = parsing_map(torch.as_tensor(WEIGHTS["osfr146"]) @ made[points], size)
        face, features = parsing[:, :1], parsing[:, 1:].amax(1, keepdim=True)
        made[picture] = colour * face * (1 - features) - 0.8 * features
        made[mask] = (face > 0.5).float() * 2 - 1
    return made


def batch_for(stage: StageSpec, settings: Settings, count: int) -> dict[str, Tensor]:
    """A batch of the stage's kind of data."""
    if stage.data == "triples":
        return triples(count)
    size = settings.size  # type: ignore[attr-defined]
    return {"pairs": pairs, "crossed": crossed, "stills": stills}[stage.data](count, size)


def without_gradient(stage: Stage, batch: Mapping[str, Tensor]) -> dict[str, list[str]]:
    """For each network, the parameters that one step's losses do not reach."""
    missing: dict[str, list[str]] = {}

    def update(network: str, terms: Mapping[str, Tensor], weights: Mapping[str, float]) -> None:
        named: dict[str, nn.Parameter] = dict(stage.networks[network].named_parameters())
        total = torch.stack([weights[name] * value for name, value in terms.items()]).sum()
        grads = torch.autograd.grad(total, list(named.values()), allow_unused=True, retain_graph=True)
        missing[network] = [name for name, grad in zip(named, grads, strict=True) if grad is None]

    stage.step(batch, update)
    return missing
