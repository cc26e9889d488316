"""Similarities and crops."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.geometry.align import (
    FACE_LIFT,
    Square,
    apply,
    compose,
    crop_matrix,
    face_square,
    invert,
    scale_of,
    similarity,
)

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("count", [2, 5, 68])
def test_similarity_equals_skimages(count):
    transform = pytest.importorskip("skimage.transform")
    source, target = RNG.normal(size=(2, count, 2)) * 50
    expected = transform.estimate_transform("similarity", source, target)
    np.testing.assert_allclose(similarity(source, target), expected.params[:2], atol=1e-9)


def test_similarity_never_mirrors():
    source = RNG.normal(size=(20, 2))
    matrix = similarity(source, source * [-1, 1])
    assert np.linalg.det(matrix[:, :2]) >= 0


def test_weights_choose_the_points():
    source, target = RNG.normal(size=(2, 6, 2))
    weights = np.array([1.0, 1, 1, 0, 0, 0])
    np.testing.assert_allclose(
        similarity(source, target, weights), similarity(source[:3], target[:3]), atol=1e-12
    )


def test_similarity_refuses_what_fixes_nothing():
    with pytest.raises(ValueError, match="coincide"):
        similarity(np.ones((4, 2)), np.ones((4, 2)))
    with pytest.raises(ValueError, match="at least 2"):
        similarity(np.ones((1, 2)), np.ones((1, 2)))


def test_invert_and_compose():
    matrix = np.array([[1.2, -0.5, 7], [0.5, 1.2, -3]])
    points = RNG.normal(size=(4, 5, 2)) * 100
    np.testing.assert_allclose(apply(invert(matrix), apply(matrix, points)), points, atol=1e-9)
    np.testing.assert_allclose(compose(invert(matrix), matrix), np.eye(2, 3), atol=1e-12)


def test_depth_scales_with_the_picture():
    matrix = np.array([[0.0, -2, 5], [2, 0, 1]])
    moved = apply(matrix, np.array([[1, 1, 3]], np.float32))
    assert moved.dtype == np.float32
    np.testing.assert_allclose(moved, [[3, 3, 6]])
    assert scale_of(matrix) == pytest.approx(2)


def test_crop_takes_its_corners_to_the_corners():
    matrix = crop_matrix(Square(100, 60, 40), 256)
    np.testing.assert_allclose(apply(matrix, np.array([[80.0, 40], [120, 80]])), [[0, 0], [256, 256]])


def test_face_square_follows_the_face():
    points = RNG.uniform([20, 10, 0], [80, 110, 50], (478, 3))
    points[10], points[152], points[234], points[454] = [50, 10, 0], [50, 110, 0], [20, 60, 0], [80, 60, 0]
    square = face_square(points)
    assert (square.x, square.y, square.side) == pytest.approx((50, 60 - 100 * FACE_LIFT, 185))
    moved = face_square(points * 2 + [10, 20, 0], margin=1.0)
    assert (moved.x, moved.y, moved.side) == pytest.approx((2 * square.x + 10, 2 * square.y + 20, 200))
