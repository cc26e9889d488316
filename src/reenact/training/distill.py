"""Training of the two small nets on what the big ones say: landmarks from the detector, identity from dlib.

Both run on a CPU: bf16 autocast, channels_last, one memory-mapped file of faces (`training.faces`). A run is
resumed from its folder; what is shipped is the running mean of the weights.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor, nn
from torch.nn import functional

from reenact.geometry.align import FACE_MARGIN
from reenact.geometry.schemes import FLIP, LIPS_INNER, MESH_FLIP, WEIGHTS
from reenact.nn.landmark_net import SIZE, LandmarkNet
from reenact.training.augment import Placement, draw_placement, move_points, sample, spoil
from reenact.training.faces import MARGIN, FaceStore

Step = Callable[[NDArray[np.int64], Generator], dict[str, Tensor]]

LANDMARK_PLACEMENT = Placement(turn=15, zoom=1.35, shift=0.1)
PAIRS = ((159, 145), (386, 374), (13, 14), (12, 15), (61, 291), (105, 159), (334, 386), (468, 33), (473, 263))
"""Points whose distance is the expression: lids, lips, corners, brows over lids, irises in the eyes."""


@dataclass(frozen=True)
class DistillOptions:
    """steps: optimiser steps in all. batch: faces a step. rate: peak learning rate (AdamW, one cosine cycle
    after a warm-up of a twentieth). decay: of the weights. mean: of the running mean. threads: of the CPU.
    save: seconds between checkpoints. seed: of everything random."""

    steps: int = 3000
    batch: int = 64
    rate: float = 2e-3
    decay: float = 0.02
    mean: float = 0.998
    threads: int = 1
    save: float = 120.0
    seed: int = 20261120


def run(
    net: nn.Module,
    step: Step,
    rows: NDArray[np.int64],
    folder: Path,
    options: DistillOptions,
    report: Callable[[str], None] = print,
) -> nn.Module:
    """Train `net` on faces `rows`, resumed from `folder` where it has a checkpoint; returns the mean net.

    step: numbers of faces and a generator to named losses, whose sum is minimised.
    """
    torch.set_num_threads(options.threads)
    folder.mkdir(parents=True, exist_ok=True)
    net.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    mean = copy.deepcopy(net).requires_grad_(False)
    optimiser = torch.optim.AdamW(
        [p for p in net.parameters() if p.requires_grad], lr=options.rate, weight_decay=options.decay
    )
    first = _resume(folder, net, mean, optimiser)
    saved = start = time.monotonic()
    for number in range(first, options.steps):
        generator = Generator().manual_seed(options.seed + number)
        for group in optimiser.param_groups:
            group["lr"] = options.rate * _cycle(number / options.steps)
        chosen = rows[torch.randint(len(rows), (options.batch,), generator=generator).numpy()]
        losses = step(chosen, generator)
        optimiser.zero_grad(set_to_none=True)
        torch.stack(list(losses.values())).sum().backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        _follow(mean, net, min(options.mean, (number + 1) / (number + 10)))
        if number % 50 == 0:
            pace = (time.monotonic() - start) / (number - first + 1)
            terms = " ".join(f"{name} {float(value.detach()):.4f}" for name, value in losses.items())
            report(f"{number} {pace:.2f} s/step {terms}")
        if time.monotonic() - saved > options.save or number + 1 == options.steps:
            _save(folder, number + 1, net, mean, optimiser, options)
            saved = time.monotonic()
    return mean.eval()


def _cycle(share: float) -> float:
    warm = min(1.0, share / 0.05 + 1e-3)
    return warm * (0.02 + 0.98 * (1 + math.cos(math.pi * share)) / 2)


@torch.no_grad()
def _follow(mean: nn.Module, net: nn.Module, decay: float) -> None:
    for own, new in zip(mean.state_dict().values(), net.state_dict().values(), strict=True):
        if own.is_floating_point():
            own.lerp_(new, 1 - decay)
        else:
            own.copy_(new)


def _save(
    folder: Path,
    done: int,
    net: nn.Module,
    mean: nn.Module,
    optimiser: torch.optim.Optimizer,
    options: DistillOptions,
) -> None:
    state = {
        "done": done,
        "net": net.state_dict(),
        "mean": mean.state_dict(),
        "optimiser": optimiser.state_dict(),
    }
    partial = folder / "checkpoint.partial"
    torch.save({**state, "options": asdict(options)}, partial)
    partial.replace(folder / "checkpoint.pt")


def _resume(folder: Path, net: nn.Module, mean: nn.Module, optimiser: torch.optim.Optimizer) -> int:
    path = folder / "checkpoint.pt"
    if not path.is_file():
        return 0
    state = torch.load(path, map_location="cpu", weights_only=True)
    net.load_state_dict(state["net"])
    mean.load_state_dict(state["mean"])
    optimiser.load_state_dict(state["optimiser"])
    return int(state["done"])


class Pictures:
    """Stored faces as batches for a net: placed, spoilt, in [-1, 1], with their points."""

    def __init__(self, store: FaceStore, size: int, place: Placement) -> None:
        self._store, self._size, self._place = store, size, place
        self._mirror = torch.from_numpy(MESH_FLIP.astype(np.int64))

    def draw(self, rows: NDArray[np.int64], generator: Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Pictures (B, 3, S, S), points (B, 478, 3) in the unit square, (B,) bool whether mirrored."""
        crops, points = self._read(rows)
        matrices, mirrored = draw_placement(well_placed(len(rows)), self._place, generator)
        moved = move_points(points, matrices)
        moved = torch.where(mirrored[:, None, None], moved[:, self._mirror], moved)
        images = spoil(sample(crops, matrices, self._size), generator)
        return images * 2 - 1, moved, mirrored

    def plain(self, rows: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """The same without anything random."""
        crops, points = self._read(rows)
        base = well_placed(len(rows))
        return sample(crops, base, self._size) * 2 - 1, move_points(points, base)

    def _read(self, rows: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        crops = torch.from_numpy(np.ascontiguousarray(self._store.crops[rows])).permute(0, 3, 1, 2)
        return crops, torch.from_numpy(self._store.points[rows]) / crops.shape[-1]


def well_placed(count: int) -> Tensor:
    """(B, 2, 3): the face crop of `geometry.align` (1.85 face heights) within the stored one (2.5)."""
    share = FACE_MARGIN / MARGIN
    return torch.tensor([[share, 0, (1 - share) / 2], [0, share, (1 - share) / 2]]).expand(count, 2, 3)


class LandmarkStep:
    """Losses of the landmark net: points, the distances of `PAIRS`, and visibility."""

    def __init__(self, net: LandmarkNet, store: FaceStore) -> None:
        self._net, self._seen = net, torch.from_numpy(store.seen.astype(np.float32))
        self._pictures = Pictures(store, SIZE, LANDMARK_PLACEMENT)
        self._pairs = torch.tensor(PAIRS)
        self._mirror = torch.from_numpy(_mirror68())
        self._weight = _point_weights()

    def __call__(self, rows: NDArray[np.int64], generator: Generator) -> dict[str, Tensor]:
        images, points, mirrored = self._pictures.draw(rows, generator)
        seen = self._seen[torch.from_numpy(rows)]
        seen = torch.where(mirrored[:, None], seen[:, self._mirror], seen)
        with torch.autocast("cpu", torch.bfloat16):
            guess, logits = self._net.unit(images.contiguous(memory_format=torch.channels_last))
        return {
            "points": 100 * (self._weight * (guess - points).abs()).mean(),
            "pairs": 20 * (self._spans(guess) - self._spans(points)).abs().mean(),
            "seen": 0.1 * functional.binary_cross_entropy_with_logits(logits, seen),
        }

    def _spans(self, points: Tensor) -> Tensor:
        ends = points[:, self._pairs, :2]
        return ends[:, :, 0] - ends[:, :, 1]


def start_landmarks(net: LandmarkNet, store: FaceStore, rows: NDArray[np.int64], seed: int) -> None:
    """Begin with the faces' own principal components as the last layer, so that every guess is a face."""
    generator = Generator().manual_seed(seed)
    points = torch.from_numpy(store.points[rows]) / store.crops.shape[1]
    matrices, mirrored = draw_placement(well_placed(len(rows)), LANDMARK_PLACEMENT, generator)
    moved = move_points(points, matrices)
    moved = torch.where(mirrored[:, None, None], moved[:, torch.from_numpy(MESH_FLIP.astype(np.int64))], moved)
    flat = moved.flatten(1)
    mean = flat.mean(0)
    count = min(net.shape.in_features, len(rows))
    _, values, vectors = torch.svd_lowrank(flat - mean, q=count, niter=4)
    with torch.no_grad():
        net.shape.weight[:, :count] = vectors * (values / math.sqrt(len(rows))).clamp(min=1e-4)
        net.shape.bias.copy_(mean)


def _mirror68() -> NDArray[np.int64]:

    return FLIP["ibug68"].astype(np.int64)


def _point_weights() -> Tensor:
    """(478, 1): points that the 68 and 98 schemes read count more, the irises and the inner lips most."""
    used = np.abs(WEIGHTS["ibug68"]).sum(0) + np.abs(WEIGHTS["wflw98"]).sum(0) > 0
    weight = np.where(used, 2.0, 1.0)
    weight[468:] = 3.0
    weight[LIPS_INNER] = 3.0
    return torch.from_numpy((weight / weight.mean()).astype(np.float32))[:, None]
