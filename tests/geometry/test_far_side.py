"""A turned source's far side of the head: the near side's, mirrored, and only where the target shows it."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest

from reenact.geometry.face_model import default_face_model
from reenact.geometry.far_side import FarSide
from reenact.geometry.warp import FaceWarp
from reenact.types import FaceState

SIDE = 320
WALL, SKIN, HAIR, EAR = (200, 210, 220), (180, 140, 120), (60, 40, 30), (220, 120, 120)


def state(yaw: float) -> FaceState:
    model = default_face_model()
    none = np.zeros(len(model.identity), np.float32), np.zeros(len(model.expression), np.float32)
    return FaceState(
        np.array([0, np.deg2rad(yaw), 0], np.float32), 80.0, np.array([160, 140], np.float32), *none
    )


def head(yaw: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A face in an oval of hair with an ear on the side that is seen; the points; and the person's matte."""
    points = default_face_model().project(state(yaw))
    near = -np.sign(points[454, 2] - points[234, 2])  # +1 where the right of the picture is seen
    middle = (160 + int(near * 18), 150)
    picture, matte = np.full((SIDE, SIDE, 3), WALL, np.uint8), np.zeros((SIDE, SIDE), np.float32)
    ear = (middle[0] + int(near * 84), 165)
    for colour, centre, axes in ((HAIR, middle, (80, 105)), (EAR, ear, (12, 22))):
        cv2.ellipse(picture, centre, axes, 0, 0, 360, colour, -1)
        cv2.ellipse(matte, centre, axes, 0, 0, 360, 1.0, -1)
    hull = cv2.convexHull(points[:468, :2].astype(np.float32)).astype(np.int32)
    cv2.fillPoly(picture, [hull], SKIN)
    cv2.fillPoly(matte, [hull], 1.0)
    return picture, points, matte


def ears(picture: np.ndarray, middle: float) -> tuple[int, int]:
    """Pixels of an ear's colour left and right of a column."""
    seen = (np.abs(picture.astype(int) - EAR).max(2) < 25).any(0)
    at = np.flatnonzero(seen)
    return int((at < middle).sum()), int((at >= middle).sum())


@pytest.mark.parametrize("yaw", [-32.0, 32.0])
def test_the_far_ear_comes_into_sight(yaw):
    """One ear at the source's own pose and near it; two once the face looks at the viewer."""
    picture, points, matte = head(yaw)
    warp = FaceWarp(picture, points, state(yaw), matte)
    own = ears(picture, 160)
    assert min(own) == 0 < max(own)
    for turned in (yaw, 0.97 * yaw):
        goal = state(turned)
        assert min(ears(warp.render(default_face_model().project(goal), goal), 160)) == 0
    made = warp.render(default_face_model().project(state(0)), state(0))
    assert min(ears(made, 160)) > 5


def test_its_own_pose_is_the_picture_itself():
    picture, points, matte = head(32.0)
    made = FaceWarp(picture, points, state(32.0), matte).render(points, state(32.0))
    assert np.abs(made.astype(int) - picture).mean() < 0.5


def test_a_face_from_the_front_lends_nothing():
    """Hair stays where the bowl takes it: turning a frontal source draws no second ear."""
    picture, points, matte = head(8.0)
    warp = FaceWarp(picture, points, state(8.0), matte)
    goal = state(-12)
    assert min(ears(warp.render(default_face_model().project(goal), goal), 160)) == 0


def test_it_comes_out_little_by_little():
    """Turned back degree by degree, no frame differs much more from the last than others do."""
    picture, points, matte = head(32.0)
    warp = FaceWarp(picture, points, state(32.0), matte)
    frames = [
        warp.render(default_face_model().project(state(yaw)), state(yaw)).astype(int)
        for yaw in np.arange(32.0, 10.0, -1.0)
    ]
    steps = [np.abs(b - a).mean() for a, b in itertools.pairwise(frames)]
    assert max(steps) < 4 * np.median(steps)


def test_what_a_matte_holds_for_the_person_beside_the_head_stays(monkeypatch):
    """Dark ovals of old prints, taken for a person: what is behind them is not known, and is not shown."""
    picture, points, matte = head(32.0)
    picture[:, :70], goal = (90, 20, 120), state(20)
    changed = {}
    for name, wrong in (("right", False), ("wrong", True)):
        mask = matte.copy()
        mask[:, :140] = np.where(wrong, 1, mask[:, :140])
        frames = []
        for lend in (FarSide.lend, lambda *_: None):
            with monkeypatch.context() as patched:
                patched.setattr(FarSide, "lend", lend)
                warp = FaceWarp(picture, points, state(32.0), mask)
                frames.append(warp.render(default_face_model().project(goal), goal).astype(int))
        changed[name] = np.abs(frames[0] - frames[1])[:, 60:100].mean()
    assert changed["right"] > 3 * changed["wrong"]
