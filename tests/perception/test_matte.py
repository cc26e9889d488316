"""The guided filter against a direct computation, polygons against areas, and the person on a real portrait."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image as Pil
from skimage import data, draw

from reenact.perception.detector import MeshDetector
from reenact.perception.guided import box_mean, guided_filter
from reenact.perception.matte import (
    PersonSegmenter,
    convex_hull,
    face_hull,
    filled,
    matte,
    person_matte,
    square_cut,
)


@pytest.fixture(scope="module")
def astronaut():
    return data.astronaut()


@pytest.fixture(scope="module")
def face(astronaut):
    with MeshDetector() as detector:
        return detector.detect(astronaut)[0]


def window(values, y, x, radius):
    return values[max(y - radius, 0) : y + radius + 1, max(x - radius, 0) : x + radius + 1]


def test_box_mean_is_the_mean_of_each_window():
    values = np.random.default_rng(1).random((9, 13, 2), np.float32)
    mean = box_mean(values, 2)
    for y, x in ((0, 0), (4, 6), (8, 12), (1, 11)):
        assert mean[y, x] == pytest.approx(window(values, y, x, 2).mean((0, 1)), rel=1e-5)


def test_guided_filter_is_the_papers_equation():
    """Equations 14 to 16 of the colour form, solved window by window."""
    random = np.random.default_rng(2)
    guide = random.integers(0, 256, (12, 14, 3), dtype=np.uint8)
    mask = random.random((12, 14), np.float32)
    radius, epsilon = 2, 0.01
    slopes, offsets = np.zeros((12, 14, 3)), np.zeros((12, 14))
    for y in range(12):
        for x in range(14):
            colours = window(guide, y, x, radius).reshape(-1, 3) / 255.0
            values = window(mask, y, x, radius).ravel()
            spread = np.cov(colours.T, bias=True) + epsilon * np.eye(3)
            cross = (colours * values[:, None]).mean(0) - colours.mean(0) * values.mean()
            slopes[y, x] = np.linalg.solve(spread, cross)
            offsets[y, x] = values.mean() - slopes[y, x] @ colours.mean(0)
    result = guided_filter(guide, mask, radius, epsilon)
    for y, x in ((0, 0), (6, 7), (11, 13), (3, 12)):
        slope = window(slopes, y, x, radius).mean((0, 1))
        expected = slope @ (guide[y, x] / 255.0) + window(offsets, y, x, radius).mean()
        assert result[y, x] == pytest.approx(np.clip(expected, 0, 1), abs=2e-4)


def test_guided_filter_moves_an_edge_to_the_pictures_edge():
    guide = np.zeros((40, 40, 3), np.uint8)
    guide[:, 20:] = 200
    rough = np.zeros((40, 40), np.float32)
    rough[:, 17:] = 1  # three pixels off
    fine = guided_filter(guide, rough, 6, 1e-4)
    assert rough[20, 19] == 1 and fine[20, 19] < 0.6 and fine[20, 20] > 0.95


def test_small_mask_is_brought_to_the_size_of_the_guide(astronaut):
    mask = np.asarray(Pil.fromarray(astronaut[..., 0]).resize((64, 64)), np.float32) / 255
    result = guided_filter(astronaut, mask, 3, 1e-3)
    assert result.shape == (512, 512) and result.dtype == np.float32
    assert result.min() >= 0 and result.max() <= 1


def test_hull_holds_all_points_and_is_convex():
    points = np.random.default_rng(3).normal(size=(200, 2)).astype(np.float32)
    hull = convex_hull(points)
    edges = np.roll(hull, -1, 0) - hull
    to_points = points[:, None] - hull[None]
    sides = edges[None, :, 0] * to_points[..., 1] - edges[None, :, 1] * to_points[..., 0]
    assert (sides >= -1e-5).all()


def test_filled_polygon_has_its_area():
    turn = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    circle = np.stack([30.5 + 20 * np.cos(turn), 25.2 + 15 * np.sin(turn)], 1).astype(np.float32)
    mask = filled(circle, 50, 60)
    exact = draw.polygon2mask((50 * 8, 60 * 8), circle[:, ::-1] * 8 - 0.5).reshape(50, 8, 60, 8).mean((1, 3))
    assert mask.sum() == pytest.approx(np.pi * 20 * 15, rel=0.02)
    assert np.abs(mask - exact).max() < 0.45 and np.abs(mask - exact).mean() < 0.006
    assert filled(circle - 200, 50, 60).sum() == 0  # outside the picture
    assert 0 < filled(circle - 25, 50, 60).sum() < mask.sum()  # half outside


def test_person_is_cut_out(astronaut, face):
    mask = person_matte(astronaut, face)
    assert mask.shape == (512, 512) and mask.dtype == np.float32
    assert mask.min() >= 0 and mask.max() <= 1
    assert mask[60:180, 200:250].min() > 0.95  # face and hair
    assert mask[350:450, 100:200].min() > 0.9  # the suit
    assert mask[20:200, 330:500].max() < 0.1 and mask[10:120, 10:110].max() < 0.1  # flag, shuttle
    assert (mask >= face_hull(face, 512, 512) - 1e-6).all()


def test_border_follows_the_hair(astronaut, face):
    """Left of the head at the height of the eyes the hair ends at x = 157, read off the picture by eye."""
    row = person_matte(astronaut, face)[90:100, 120:200].mean(0)
    assert 120 + np.argmax(row > 0.5) == pytest.approx(157, abs=6)


def test_large_pictures_give_the_same_matte(astronaut, face):
    large = np.asarray(Pil.fromarray(astronaut).resize((1536, 1536), Pil.Resampling.BICUBIC))
    points = type(face)(face.points * 3, "mesh478")
    with PersonSegmenter() as segmenter:
        small = person_matte(astronaut, face, segmenter)
        mask = person_matte(large, points, segmenter)
    back = np.asarray(Pil.fromarray(mask).resize((512, 512), Pil.Resampling.BOX))
    assert np.abs(back - small).mean() < 0.03


def test_transparent_pixels_are_outside(astronaut, face):
    alpha = np.full((512, 512, 1), 255, np.uint8)
    alpha[:, 300:] = 0
    mask = person_matte(np.concatenate([astronaut, alpha], -1), face)
    assert mask[:, 300:].max() == 0 and mask[100:150, 210:240].min() > 0.9


def test_olive_print_is_still_a_person(astronaut, face):
    grey = astronaut.mean(-1)
    olive = np.stack([95 + grey * 0.3, 88 + grey * 0.3, 35 + grey * 0.15], -1).astype(np.uint8)
    mask = person_matte(olive, face)
    assert mask[60:180, 200:250].min() > 0.7


def test_matte_without_a_face(astronaut):
    mask = matte(astronaut)
    assert mask[100:170, 200:240].mean() > 0.9 and mask[20:150, 380:500].mean() < 0.1


def test_a_square_repeats_the_edge_wherever_it_lies():
    random = np.random.default_rng(5)
    picture = random.integers(0, 256, (40, 50, 3), dtype=np.uint8)
    for x, y, side in np.column_stack([random.integers(-120, 120, (300, 2)), random.integers(1, 130, 300)]):
        rows, columns = (np.clip(np.arange(at, at + side), 0, most) for at, most in ((y, 39), (x, 49)))
        np.testing.assert_array_equal(square_cut(picture, x, y, side), picture[rows[:, None], columns])
