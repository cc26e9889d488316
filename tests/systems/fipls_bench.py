"""Small batches of FIPLS' two kinds of data."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from reenact.geometry.face_model import default_face_model
from reenact.geometry.schemes import convert_points
from reenact.nn.draw import sketch_map
from reenact.systems.fipls.lsg import to_pixels, to_unit, upsample
from reenact.types import Floats

PEOPLE = 8


def sequences(count: int, frames: int = 4, side: int = 256) -> dict[str, Tensor]:
    """People who are wide or narrow and go in a straight line; the ends come in with a quarter of a stranger's
    width, and with noise."""
    rng = np.random.default_rng(3)
    face = convert_points(default_face_model().mean, "wflw98")[:, :2] * 60
    person, width = np.arange(count) % PEOPLE, np.linspace(0.85, 1.15, PEOPLE)
    other = (person + 1 + rng.integers(0, PEOPLE - 1, count)) % PEOPLE
    place = rng.uniform(-8, 8, (5, count, 1, 2)) + 128

    def shown(wide: Floats, moment: int) -> Floats:
        return face * np.stack([wide, np.ones(count)], 1)[:, None] + place[moment]

    own, foreign = width[person], width[other]
    seen = own + (foreign - own) / 4
    way = _tensor(shown(own, 0), shown(own, 1))
    return {
        "ends": _tensor(shown(seen, 0), shown(seen, 1)) + torch.from_numpy(rng.normal(0, 1, way.shape)).float(),
        "truth": to_pixels(upsample(to_unit(way, side), frames), side),
        "real": _tensor(shown(own, 2), shown(own, 3)),
        "other": torch.from_numpy(shown(foreign, 4).astype(np.float32)),
        "person": torch.from_numpy(person),
    }


def _tensor(*moments: Floats) -> Tensor:
    return torch.from_numpy(np.stack(moments, 1).astype(np.float32))


def posed(count: int, size: int) -> dict[str, Tensor]:
    """Pictures whose colour is the source's and whose dark lines are the landmarks'."""
    rng = np.random.default_rng(6)
    face = default_face_model().mean * 60 * size / 256 + size / 2
    meshes = (face + rng.uniform(-0.03, 0.03, (2, count, 1, 3)) * size).astype(np.float32)
    colour = torch.from_numpy(rng.uniform(-0.6, 0.9, (count, 3, 1, 1)).astype(np.float32))
    marks = [
        torch.from_numpy(np.stack([convert_points(one, "wflw98")[:, :2] for one in faces]).astype(np.float32))
        for faces in meshes
    ]
    source, target = (colour * (1 - lines) - lines for lines in (sketch_map(one, size) for one in marks))
    mask = torch.full((count, 1, size, size), -1.0)
    mask[:, :, size // 4 : 3 * size // 4, size // 4 : 3 * size // 4] = 1
    return {
        "source": source,
        "target": target,
        "mask": mask,
        "landmarks": marks[1],
        "points": torch.from_numpy(meshes[1, ..., :2]),
        "source_points": torch.from_numpy(meshes[0, ..., :2]),
    }
