"""Strips of the morphable landmark model as shaded surfaces.

    python docs/make_model_sheets.py [FOLDER]

One person in ten expressions and poses, and one expression on ten people, into docs/pictures by default.
Nobody is shown: the people are draws from the model's prior.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from reenact.geometry.expressions import expression
from reenact.geometry.face_model import FaceModel, default_face_model, rotation_vector
from reenact.geometry.raster import rasterise
from reenact.geometry.schemes import (
    HOLE_TRIANGLES,
    LEFT_BROW,
    LEFT_IRIS,
    LIPS_INNER,
    LIPS_OUTER,
    MESH_TRIANGLES,
    RIGHT_BROW,
    RIGHT_IRIS,
)
from reenact.perception.head_pose import HeadPose, pose_matrix
from reenact.types import FaceState, Floats, Points
from reenact.types import Image as Picture

SIDE = 200
SKIN, BROW, LIPS = (0.80, 0.62, 0.53), (0.38, 0.27, 0.22), (0.72, 0.38, 0.36)
WHITE, DARK, IRIS, PAPER = (0.93, 0.92, 0.90), (0.28, 0.12, 0.12), (0.24, 0.17, 0.13), (0.97, 0.97, 0.97)
LIGHT = np.array([-0.35, -0.45, -0.82])
POSES: tuple[tuple[str, dict[str, float], tuple[float, float, float]], ...] = (
    ("rest", {}, (0, 0, 0)),
    ("smile", {"smile": 1.0}, (0, 0, 0)),
    ("jaw_open", {"jaw_open": 1.0}, (0, 0, 0)),
    ("blink", {"blink": 1.0}, (0, 0, 0)),
    ("brows_up", {"brows_up": 1.0, "wide_eyes": 0.7}, (0, 0, 0)),
    ("frown", {"frown": 1.0, "sad": 0.7}, (0, 0, 0)),
    ("turned", {"lips_round": 0.8}, (35, 0, 0)),
    ("turned back", {"smile": 0.6, "gaze_right": 1.0}, (-55, 0, 0)),
    ("up", {"jaw_open": 0.4}, (15, 22, -8)),
    ("down", {"wink_left": 1.0}, (-12, -22, 10)),
)
"""Name, expressions, and yaw, pitch, roll in degrees."""
SHARED = {"smile": 0.8, "jaw_open": 0.35, "brows_up": 0.4}


def shaded(points: Points, side: int) -> Picture:
    """The mesh at `points` (478, 3) in pixels as a lit surface with eyes and mouth, (side, side, 3) uint8."""
    colours = np.tile(np.array(SKIN, np.float32), (478, 1))
    for rings, colour in (((RIGHT_BROW, LEFT_BROW), BROW), ((LIPS_OUTER, LIPS_INNER), LIPS)):
        colours[np.concatenate(rings)] = colour
    skin, over = rasterise(points, MESH_TRIANGLES, colours * _light(points)[:, None], (side, side))
    picture = np.tile(np.array(PAPER, np.float32), (side, side, 1))
    for holes, irises, colour in (
        (("right_eye",), RIGHT_IRIS, WHITE),
        (("left_eye",), LEFT_IRIS, WHITE),
        (("mouth",), None, DARK),
    ):
        triangles = np.concatenate([HOLE_TRIANGLES[name] for name in holes])
        _, hole = rasterise(points, triangles, np.ones((478, 1), np.float32), (side, side))
        picture[hole] = colour
        if irises is not None:
            picture[hole & _disc(points[irises, :2], side)] = IRIS
    picture[over] = skin[over]
    return (picture.clip(0, 1) * 255).round().astype(np.uint8)


def _light(points: Points) -> Floats:
    """(478,) how bright each point is under one lamp and the sky."""
    a, b, c = (points[MESH_TRIANGLES[:, corner]] for corner in range(3))
    normals = np.zeros((478, 3))
    for corner in range(3):
        np.add.at(normals, MESH_TRIANGLES[:, corner], np.cross(c - a, b - a))
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    facing = normals @ (LIGHT / np.linalg.norm(LIGHT))
    return (0.35 + 0.75 * np.maximum(facing, 0)).astype(np.float32)


def _disc(ring: Floats, side: int) -> np.ndarray:
    """(side, side) bool: inside the ellipse through left, top, right and bottom of an iris."""
    y, x = np.mgrid[:side, :side] + 0.5
    across, down = (ring[2] - ring[0]) / 2, (ring[3] - ring[1]) / 2
    u, v = np.linalg.pinv(np.stack([across, down], 1)) @ (np.stack([x, y], -1).reshape(-1, 2) - ring.mean(0)).T
    return (u * u + v * v <= 1).reshape(side, side)


def person(seed: int, model: FaceModel) -> Floats:
    """(I,) a draw from the model's prior, not too far out."""
    return np.random.default_rng(seed).standard_normal(len(model.identity)).clip(-2, 2).astype(np.float32)


def posed(
    model: FaceModel, identity: Floats, wishes: dict[str, float], angles: tuple[float, float, float], side: int
) -> Points:
    """Points (478, 3) of a person in an expression and a pose (yaw, pitch, roll), in the middle of `side`
    pixels."""
    turn = rotation_vector(pose_matrix(HeadPose(*angles)))
    place = np.full(2, side / 2, np.float32)
    state = FaceState(turn, 0.41 * side, place, identity, expression(model, wishes))
    points = model.project(state)
    points[:, :2] += side / 2 - (points[:, :2].min(0) + points[:, :2].max(0)) / 2
    return points


def strips(side: int = SIDE) -> Iterator[tuple[str, Picture]]:
    """Name and picture of both strips, two rows of five each."""
    model = default_face_model()
    one = [posed(model, person(15, model), wishes, angles, side) for _, wishes, angles in POSES]
    many = [posed(model, person(seed, model), SHARED, (12, 0, 0), side) for seed in range(10)]
    for name, faces in (("one-person", one), ("ten-people", many)):
        tiles = [shaded(points, side) for points in faces]
        yield name, np.concatenate([np.concatenate(tiles[:5], 1), np.concatenate(tiles[5:], 1)])


def main() -> None:
    """Write the strips."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in strips():
        Image.fromarray(picture).save(folder / f"model-{name}.jpg", quality=88)


if __name__ == "__main__":
    main()
