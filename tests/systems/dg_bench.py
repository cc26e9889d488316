"""Small batches for DG's stages."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import torch
from torch import Tensor

from reenact.geometry.face_model import default_face_model
from reenact.systems.dg import presets
from reenact.systems.dg.rfg import drawn
from reenact.systems.dg.train import in_68
from reenact.training.shapes import open_shapes
from reenact.training.sources import Share, batch_of_step

TINY_IDSG, TINY_RFG = presets.IDSG["tiny"], presets.RFG["tiny"]


def shapes(count: int, *, others: bool = True) -> dict[str, Tensor]:
    """Synthetic landmarks of either phase."""
    settings = replace(TINY_IDSG, cross_from=0 if others else 1000)
    return batch_of_step(open_shapes("synthetic", asdict(settings)).train, count, 1, 0, Share())


def pictures(count: int, size: int, *, known: bool = True) -> dict[str, Tensor]:
    """Pictures whose colour is the source's, with the landmark map of other points in the target."""
    rng = np.random.default_rng(6)
    colour = torch.from_numpy(rng.uniform(-0.6, 0.9, (count, 3, 1, 1)).astype(np.float32))
    face = default_face_model().mean * size / 4 + np.array([0.5, 0.45, 0]) * size
    made: dict[str, Tensor] = {}
    for name, key in (("source", "source_points"), ("target", "points")):
        shift = rng.uniform(-size / 10, size / 10, (count, 1, 3)) * [1, 1, 0]
        made[key] = torch.from_numpy((face + shift).astype(np.float32))
        lines = (drawn(in_68(made[key]), replace(TINY_RFG, size=size)) + 1) / 2
        made[name] = colour * (1 - lines) - lines
    return {**made, "known": torch.full((count,), float(known))}
