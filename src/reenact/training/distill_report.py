"""What the two small nets are worth, measured on people they never saw, and the files that are shipped."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor, nn

from reenact.geometry.align import FACE_MARGIN
from reenact.geometry.schemes import MESH_FLIP, WEIGHTS
from reenact.media.files import atomic_output
from reenact.nn.identity_net import SIZE as IDENTITY_SIZE
from reenact.nn.identity_net import IdentityNet
from reenact.nn.landmark_net import LandmarkNet
from reenact.nn.shipping import half_precision, parameter_count
from reenact.nn.visibility import visible
from reenact.runtime.weights import sha256_of
from reenact.training.augment import Placement, draw_placement, move_points, sample, spoil
from reenact.training.distill_identity import PLACEMENT, IdentityStep, centre
from reenact.training.faces import MARGIN, FaceStore, stored_crop
from reenact.types import Image, Points

PLACED = Placement(turn=15, zoom=1.35, shift=0.1)
"""How far off the faces are on which the landmark net is measured a second time."""
_BATCH, _SIDE = 32, 256
_MIRROR = MESH_FLIP.tolist()
_OUTER_EYES = (33, 263)
SAME = 0.6
"""dlib's distance between one person and another."""


@torch.no_grad()
def landmark_report(
    net: LandmarkNet, faces: Iterable[tuple[Image, Points]], *, moved: bool = False, spoilt: bool = False
) -> dict[str, float]:
    """Mean distance to the detector's points in per cent of the distance between the outer eye corners.

    faces: pictures of any size with the mesh of one face in them. The net sees face crops of 256 pixels.
    moved: they are turned, shifted, scaled and mirrored. spoilt: recoloured, blurred, partly covered. Keys:
    the 478 mesh points, the 68 and 98 points (2D), the irises, z of the 68, and the share of the 68 whose
    visibility is the one that the detector's points have.
    """
    generator = Generator().manual_seed(7)
    sums: dict[str, list[Tensor]] = {}
    for crops, points in _wide_crops(faces):
        matrices = well_placed(len(crops))
        if moved:
            matrices, mirrored = draw_placement(matrices, PLACED, generator)
            points = torch.where(mirrored[:, None, None], points[:, _MIRROR], points)
        points = move_points(points, matrices)
        images = sample(crops, matrices, _SIDE)
        guess = net((spoil(images, generator) if spoilt else images) * 2 - 1).points / _SIDE
        eyes = (points[:, _OUTER_EYES[0], :2] - points[:, _OUTER_EYES[1], :2]).norm(dim=1)
        for key, value in _landmark_errors(guess, points).items():
            sums.setdefault(key, []).append(100 * value / eyes)
        same = visible(guess * _SIDE, "ibug68") == visible(points * _SIDE, "ibug68")
        sums.setdefault("visibility_right_percent", []).append(100 * same.float().mean(1))
    return {key: round(float(torch.cat(values).mean()), 3) for key, values in sums.items()}


def _wide_crops(faces: Iterable[tuple[Image, Points]]) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches of crops (B, 3, S, S) with room around the face, and their points in the unit square."""
    side = round(_SIDE * MARGIN / FACE_MARGIN)
    for batch in _groups(faces):
        crops, points = zip(*(stored_crop(image, points, side) for image, points in batch), strict=True)
        yield torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2), torch.from_numpy(np.stack(points)) / side


def _groups(faces: Iterable[tuple[Image, Points]]) -> Iterator[list[tuple[Image, Points]]]:
    rest = iter(faces)
    while group := list(islice(rest, _BATCH)):
        yield group


def well_placed(count: int) -> Tensor:
    """(B, 2, 3): the face crop of `geometry.align` (1.85 face heights) within the stored one (2.5)."""
    share = FACE_MARGIN / MARGIN
    return torch.tensor([[share, 0, (1 - share) / 2], [0, share, (1 - share) / 2]]).expand(count, 2, 3)


def _landmark_errors(guess: Tensor, points: Tensor) -> dict[str, Tensor]:
    """(B,) mean distance of each group of points, in units of the picture's side."""
    errors = {"mesh478": _distance(guess, points), "irises": _distance(guess[:, 468:], points[:, 468:])}
    for scheme in ("ibug68", "wflw98"):
        rows = torch.from_numpy(np.ascontiguousarray(WEIGHTS[scheme], np.float32))
        errors[scheme] = _distance(rows @ guess, rows @ points)
    rows = torch.from_numpy(np.ascontiguousarray(WEIGHTS["ibug68"], np.float32))
    errors["ibug68_z"] = ((rows @ guess)[..., 2] - (rows @ points)[..., 2]).abs().mean(1)
    return errors


def _distance(one: Tensor, other: Tensor) -> Tensor:
    return (one[..., :2] - other[..., :2]).norm(dim=2).mean(1)


@torch.no_grad()
def identity_report(
    net: IdentityNet, teacher: nn.Module, store: FaceStore, part: str, *, spoilt: bool = False
) -> dict[str, float]:
    """The pupil against dlib, and both as verifiers on pairs of `part`.

    Keys: mean distance to the teacher's vector, mean distance between different people for scale, correlation
    of all pairwise distances, and for pupil and teacher the share of pairs right at a distance of 0.6 (same
    person where `part` has several pictures of one, different people).
    """
    step = IdentityStep(net, teacher, store)
    generator = Generator().manual_seed(7)
    ours, theirs, people = [], [], []
    for rows in _batches(store.rows(part)):
        wide = step.wide(rows)
        plain = sample(wide, centre(len(rows)), IDENTITY_SIZE)
        theirs.append(step.label(plain))
        if spoilt:
            matrices, _ = draw_placement(centre(len(rows)), PLACEMENT, generator, mirror=False)
            chips = spoil(sample(wide, matrices, IDENTITY_SIZE), generator, cover=0.15)
        else:
            chips = plain
        ours.append(net(chips * 2 - 1))
        people.append(store.person[rows])
    return _compared(torch.cat(ours), torch.cat(theirs), np.concatenate(people))


def _compared(ours: Tensor, theirs: Tensor, people: NDArray[np.int64]) -> dict[str, float]:
    pairs = np.triu_indices(len(people), 1)
    same = people[pairs[0]] == people[pairs[1]]
    found = {
        "distance_to_teacher": float((ours - theirs).norm(dim=1).mean()),
    }
    distances = {}
    for name, vectors in (("pupil", ours), ("teacher", theirs)):
        distances[name] = torch.pdist(vectors).numpy()
        if same.any():
            found[f"{name}_same_right_percent"] = 100 * float((distances[name][same] < SAME).mean())
        found[f"{name}_different_right_percent"] = 100 * float((distances[name][~same] >= SAME).mean())
    found["teacher_between_people"] = float(distances["teacher"][~same].mean())
    found["pairwise_correlation"] = float(np.corrcoef(distances["pupil"], distances["teacher"])[0, 1])
    return {key: round(value, 3) for key, value in found.items()}


@torch.no_grad()
def speed(net: nn.Module, size: int, *, batch: int = 32, rounds: int = 6) -> dict[str, float]:
    """Pictures a second of processor time on one thread of this CPU, forward only, best of `rounds`, in fp32
    and in bf16."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    images = torch.rand(batch, 3, size, size).contiguous(memory_format=torch.channels_last)
    best = {}
    for name, low in (("fp32", False), ("bf16", True)):
        times = []
        for _ in range(rounds):
            start = time.process_time()
            with torch.autocast("cpu", torch.bfloat16, enabled=low):
                net(images)
            times.append(time.process_time() - start)
        best[f"images_per_second_{name}_1_thread"] = round(batch / min(times), 1)
    torch.set_num_threads(before)
    return best


def ship(net: nn.Module, name: str, folder: Path, record: dict[str, Any]) -> Path:
    """Write `name.safetensors` (fp16) and its record `name.json` into `folder`; returns the weights' path."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{name}.safetensors"
    with atomic_output(target, overwrite=True) as partial:
        save_file(half_precision(net), partial)
    entry = {
        "file": target.name,
        "sha256": sha256_of(target),
        **record,
        "bytes": target.stat().st_size,
        "parameters": parameter_count(net),
    }
    with atomic_output(folder / f"{name}.json", overwrite=True) as partial:
        partial.write_text(json.dumps(entry, indent=1) + "\n", encoding="utf-8")
    return target


def _batches(rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    return [rows[i : i + _BATCH] for i in range(0, len(rows), _BATCH)]
