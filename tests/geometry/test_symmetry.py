"""What a turned face hides comes from its other half, and only when it is shown."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.geometry.face_model import default_face_model
from reenact.geometry.symmetry import OtherSide
from reenact.types import FaceState

SIDE = 256
SKIN, WALL = (180, 140, 120), (20, 60, 20)


def face(yaw: float) -> np.ndarray:
    """(478, 3): the mean face turned by `yaw` degrees."""
    model = default_face_model()
    none = np.zeros(len(model.identity), np.float32), np.zeros(len(model.expression), np.float32)
    turn = np.array([0, np.deg2rad(yaw), 0], np.float32)
    return model.project(FaceState(turn, 90.0, np.array([128, 110], np.float32), *none))


def picture(points: np.ndarray, left: float = 1.0, right: float = 1.0) -> np.ndarray:
    """Skin inside the face's outline, its halves as bright as told, and a wall around."""
    import cv2

    out = np.full((SIDE, SIDE, 3), WALL, np.uint8)
    inside = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillPoly(inside, [cv2.convexHull(points[:468, :2].astype(np.float32)).astype(np.int32)], 1)
    bright = np.where(np.arange(SIDE) < points[1, 0], left, right)[None, :, None] * np.array(SKIN)
    return np.where(inside[..., None] > 0, bright, out).astype(np.uint8)


def test_nothing_is_lent_to_the_pose_it_has():
    points = face(32)
    made = picture(points)
    before = made.copy()
    OtherSide(made, points).lend(made, points, (128, 128))
    assert (made == before).all()


@pytest.mark.parametrize("yaw", [-32, 32])
def test_a_hidden_cheek_is_filled_with_skin(yaw):
    points, turned = face(yaw), face(-yaw / 2)
    source = picture(points)
    smeared = np.full((SIDE, SIDE, 3), WALL, np.uint8)  # as if all of it had come from the wall
    OtherSide(source, points).lend(smeared, turned, (128, 128))
    lent = (np.abs(smeared.astype(int) - SKIN).max(2) < 12).sum()
    assert lent > 300
    x = turned[:468, 0]
    changed = np.flatnonzero((smeared != WALL).any(2).any(0))
    hidden_is_left = face(yaw)[234, 2] > face(yaw)[454, 2]  # the side that lies further away in the source
    assert (changed.mean() < x.mean()) == hidden_is_left


def test_light_of_the_new_place():
    """What a darker half lends to a brighter one takes the brighter one's light."""
    points = face(25)
    hidden_is_left = points[234, 2] > points[454, 2]
    lit = {"left": 1.0, "right": 0.75} if hidden_is_left else {"left": 0.75, "right": 1.0}
    made = np.full((SIDE, SIDE, 3), WALL, np.uint8)
    OtherSide(picture(points, **lit), points).lend(made, face(-15), (128, 128))
    lent = made[(made != WALL).any(2)]
    bright, dark = (np.abs(lent - np.array(SKIN) * share).max(1) < 15 for share in (1.0, 0.75))
    assert bright.sum() > 100 and bright.sum() > 2 * dark.sum()


def test_a_frontal_source_lends_nothing():
    points = face(0)
    made = np.full((SIDE, SIDE, 3), WALL, np.uint8)
    OtherSide(picture(points), points).lend(made, face(30), (128, 128))
    assert (made == WALL).all()
