"""Skin is followed by its looks, wherever the detector puts its points."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from reenact.geometry.face_model import default_face_model
from reenact.geometry.schemes import LEFT_EYE, LIPS_OUTER, RIGHT_EYE
from reenact.perception.close_up import CloseUp
from reenact.perception.looks import LooksTracker
from reenact.perception.skin_tracker import SkinTracker
from reenact.types import FaceState, Image, Points

CHEEKS = [50, 280, 205, 425, 36, 266, 117, 346]
FEATURES = np.concatenate([RIGHT_EYE, LEFT_EYE, LIPS_OUTER])


def bulged(picture: Image, centre: Points, size: float, shift: tuple[float, float]) -> Image:
    """The picture with what is around `centre` carried off by `shift` (x, y) pixels, less further out."""
    rows, columns = np.mgrid[: picture.shape[0], : picture.shape[1]].astype(np.float64)
    near = np.exp(-((columns - centre[0]) ** 2 + (rows - centre[1]) ** 2) / (2 * size**2))
    at = [rows - near * shift[1], columns - near * shift[0]]
    planes = [
        map_coordinates(picture[..., c].astype(np.float64), at, order=1, mode="nearest") for c in range(3)
    ]
    return np.stack(planes, -1).round().astype(np.uint8)


def test_a_cheek_that_moves_is_found_where_it_is(picture: Image, points: Points, state: FaceState) -> None:
    tracker = SkinTracker()
    first = tracker.refined(CloseUp.of(picture, state), points)
    np.testing.assert_array_equal(first, points)
    middle = points[CHEEKS, :2].mean(0)
    moved = bulged(picture, middle, 30.0, (2.0, -1.5))
    near = np.exp(-((points[:, :2] - middle) ** 2).sum(1) / (2 * 30.0**2))[:, None]
    truth = points[:, :2] + near * np.array([2.0, -1.5], np.float32)
    found = tracker.refined(CloseUp.of(moved, state), points)
    off, before = (np.linalg.norm(x[CHEEKS, :2] - truth[CHEEKS], axis=1).mean() for x in (found, points))
    assert off < 0.5 * before
    np.testing.assert_array_equal(found[FEATURES], points[FEATURES])


def test_a_detector_that_trembles_is_corrected(picture: Image, points: Points, state: FaceState) -> None:
    tracker = SkinTracker()
    tracker.refined(CloseUp.of(picture, state), points)
    noise = gaussian_filter(np.random.default_rng(3).normal(size=(478, 2)), (6, 0))
    wrong = points.copy()
    wrong[:, :2] += (1.5 * noise / noise.std()).astype(np.float32)
    found = tracker.refined(CloseUp.of(picture, state), wrong)
    rest = np.setdiff1d(np.arange(468), FEATURES)
    off, before = (np.linalg.norm(x[rest, :2] - points[rest, :2], axis=1).mean() for x in (found, wrong))
    assert off < 0.6 * before


def test_what_is_not_seen_stays(picture: Image, points: Points, state: FaceState) -> None:
    tracker = SkinTracker()
    tracker.refined(CloseUp.of(picture, state), points)
    noise = np.random.default_rng(0).integers(0, 255, picture.shape, np.uint8)
    found = tracker.refined(CloseUp.of(noise, state), points)
    assert np.linalg.norm(found - points, axis=1).mean() < 0.6


def test_restart(picture: Image, points: Points, state: FaceState) -> None:
    tracker = SkinTracker()
    tracker.refined(CloseUp.of(picture, state), points)
    tracker.restart()
    shifted = points + np.float32(1.5)
    np.testing.assert_array_equal(tracker.refined(CloseUp.of(picture, state), shifted), shifted)


def test_a_picture_of_any_size(picture: Image, points: Points, state: FaceState) -> None:
    large = np.repeat(np.repeat(picture, 2, 0), 2, 1)
    shift = np.array([1.0, -1.0, 0.0], np.float32)
    made = []
    for one, at in ((picture, points), (large, 2 * points)):
        tracker, fit = SkinTracker(), default_face_model().fit(at)
        tracker.refined(CloseUp.of(one, fit), at)
        made.append(
            tracker.refined(CloseUp.of(one, fit), at + shift * (at[0] / points[0])[0]) / (at[0] / points[0])[0]
        )
    rest = np.setdiff1d(np.arange(468), FEATURES)
    assert np.abs(made[0][rest, :2] - made[1][rest, :2]).mean() < 0.15


def test_face_and_head_together(picture: Image, points: Points) -> None:
    looks = LooksTracker(default_face_model(), skin=True)
    first = looks.follow(picture, points)
    assert first.points is not None
    np.testing.assert_array_equal(first.points, points)
    assert not first.head.any()
    moved = np.roll(picture, (4, 7), (0, 1))
    there = points + np.array([7, 4, 0], np.float32)
    second = looks.follow(moved, there)
    assert second.points is not None and np.abs(second.points - there)[:468].mean() < 0.25
    np.testing.assert_allclose(second.state.translation - first.state.translation, [7, 4], atol=0.05)


def test_without_skin_no_points_are_kept(picture: Image, points: Points) -> None:
    looks = LooksTracker(default_face_model(), skin=False)
    assert looks.follow(picture, points).points is None
