"""Rasterising against a test of every pixel in every triangle."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.geometry.raster import rasterise
from reenact.geometry.schemes import MESH_TRIANGLES


def brute_force(corners, triangles, values, size):
    """Depth-buffered barycentric fill, one pixel and one triangle at a time, in float64."""
    width, height = size
    out, mask = np.zeros((height, width, values.shape[1])), np.zeros((height, width), bool)
    least = np.full((height, width), np.inf)
    for tri in triangles:
        p = corners[tri].astype(np.float64)
        area = np.cross(p[1, :2] - p[0, :2], p[2, :2] - p[0, :2])
        if area <= 1e-6:
            continue
        for y in range(height):
            for x in range(width):
                at = np.array([x + 0.5, y + 0.5])
                b = np.cross(at - p[0, :2], p[2, :2] - p[0, :2]) / area
                c = np.cross(p[1, :2] - p[0, :2], at - p[0, :2]) / area
                if min(b, c, 1 - b - c) < 0:
                    continue
                z = p[0, 2] + b * (p[1, 2] - p[0, 2]) + c * (p[2, 2] - p[0, 2])
                if z < least[y, x]:
                    least[y, x], mask[y, x] = z, True
                    out[y, x] = np.array([1 - b - c, b, c]) @ values[tri]
    return out, mask


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("seed", range(3))
def test_overlapping_triangles_equal_brute_force(seed):
    rng = np.random.default_rng(seed)
    corners = (rng.uniform(-8, 32, (30, 3)) * [1, 1, 1]).astype(np.float32)
    triangles = rng.integers(0, 30, (14, 3)).astype(np.int32)
    values = rng.normal(size=(30, 2)).astype(np.float32)
    got, mask = rasterise(corners, triangles, values, (24, 20))
    expected, expected_mask = brute_force(corners, triangles, values, (24, 20))
    # A pixel centre on an edge may fall to either side in float32.
    assert (mask != expected_mask).mean() < 0.005
    both = mask & expected_mask
    close = np.isclose(got[both], expected[both], atol=1e-2).all(-1)
    assert close.mean() > 0.99
    assert (got[~mask] == 0).all()


def test_a_value_linear_in_the_plane_stays_linear(face):
    grid = np.array([96, 96])
    scale = (grid / face.picture.shape[0] * 1.6).astype(np.float32)
    corners = face.points * np.append(scale, scale[0])
    corners[:, :2] -= corners[:, :2].mean(0) - 48
    got, mask = rasterise(corners, MESH_TRIANGLES, corners[:, :2].copy(), (96, 96))
    y, x = np.nonzero(mask)
    assert mask.mean() > 0.15
    np.testing.assert_allclose(got[mask], np.stack([x, y], 1) + 0.5, atol=2e-2)


FRONT, BACK = [[0, 1, 2]], [[0, 2, 1]]
CORNERS = np.array([[2, 2, 0], [18, 2, 0], [2, 18, 0]], np.float32)


def test_what_faces_away_is_left_out():
    values = np.ones((3, 1), np.float32)
    assert rasterise(CORNERS, np.array(FRONT, np.int32), values, (20, 20))[1].sum() > 100
    assert not rasterise(CORNERS, np.array(BACK, np.int32), values, (20, 20))[1].any()


@pytest.mark.parametrize("shift", [(-100, 0), (0, -100), (100, 0), (0, 100), (1e6, 1e6)])
def test_outside_the_picture_nothing_is_drawn(shift):
    moved = CORNERS + np.array([*shift, 0], np.float32)
    out, mask = rasterise(moved, np.array(FRONT, np.int32), np.ones((3, 1), np.float32), (20, 20))
    assert not mask.any() and not out.any()


def test_partly_outside_the_rest_is_drawn():
    moved = CORNERS - np.array([5, 5, 0], np.float32)
    _, mask = rasterise(moved * 2, np.array(FRONT, np.int32), np.ones((3, 1), np.float32), (20, 20))
    assert mask[0, 0] and not mask[-1, -1]


def test_the_nearest_wins_whatever_the_order():
    corners = np.concatenate([CORNERS, CORNERS + np.array([0, 0, -5], np.float32)])
    values = np.array([[1], [1], [1], [2], [2], [2]], np.float32)
    for order in ([[0, 1, 2], [3, 4, 5]], [[3, 4, 5], [0, 1, 2]]):
        out, mask = rasterise(corners, np.array(order, np.int32), values, (20, 20))
        assert (out[mask] == 2).all()


def test_no_triangles_give_an_empty_picture():
    out, mask = rasterise(CORNERS, np.zeros((0, 3), np.int32), np.ones((3, 2), np.float32), (5, 4))
    assert out.shape == (4, 5, 2) and not mask.any()
