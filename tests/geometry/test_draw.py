"""Drawings against slow, independent definitions."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.geometry import draw
from reenact.geometry.align import apply, similarity
from reenact.geometry.face_model import default_face_model
from reenact.geometry.schemes import DG_REGIONS, OSFR_CLASSES, OSFR_CONTOUR, OSFR_FILLS, convert_points
from reenact.geometry.schemes.parts import HR_NET_PARTS, IBUG_PARTS, WFLW_PARTS
from reenact.geometry.strokes import spline_matrix

SIZE = 96


def face(scheme, seed: int = 0) -> np.ndarray:
    """The mean face with its mouth open, a little turned, shifted and shaken."""
    rng = np.random.default_rng(seed)
    mesh = default_face_model().mean.astype(np.float32) * 40 + rng.normal(0, 0.1, (478, 3)).astype(np.float32)
    mesh[[14, 87, 317, 88, 178, 402, 318, 95, 324, 17, 84, 314, 91, 181, 405, 321, 152], 1] += 6
    turn = np.array([[0.98, -0.2, 48 + rng.normal()], [0.2, 0.98, 36 + rng.normal()]])
    return convert_points(apply(turn, mesh), scheme)


def dense_distance(points: np.ndarray, edges, height: int = SIZE, width: int = SIZE) -> np.ndarray:
    """Distance of every pixel centre from the nearest edge, all against all, in double precision."""
    edges = np.array(list(edges))
    start, stop = (points[edges[:, k], :2].astype(float) for k in range(2))
    y, x = np.mgrid[:height, :width] + 0.5
    pixels, along = np.stack([x, y], -1)[:, :, None], stop - start
    share = ((pixels - start) * along).sum(-1) / np.maximum((along**2).sum(-1), 1e-12)
    nearest = start + np.clip(share, 0, 1)[..., None] * along
    return np.linalg.norm(pixels - nearest, axis=-1).min(axis=-1)


def chain_edges(parts):
    return [edge for part in parts for edge in part.edges]


def test_boundary_image_is_the_gaussian_of_the_distance():
    points = face("ibug68")
    image = draw.boundary_image(points, SIZE, sigma=1.5)
    distance, floor = dense_distance(points, chain_edges(HR_NET_PARTS)), np.exp(-4.5)
    expected = np.maximum(np.exp(-(distance**2) / 4.5) - floor, 0) / (1 - floor)
    assert image.shape == (3, SIZE, SIZE)
    assert image.dtype == np.float32
    for channel in image:
        np.testing.assert_allclose(channel, expected, atol=1e-5)


def test_blur_by_distance_is_near_a_filtered_line():
    # HR-Net blurs a drawn line; along a straight one the two definitions are the same curve.
    filters = pytest.importorskip("scipy.ndimage")
    points = np.full((68, 2), -100.0)
    points[0], points[1:17] = [-50, 48.5], [150, 48.5]
    image = draw.boundary_image(points, SIZE, sigma=2.0)[0]
    line = np.zeros((SIZE, SIZE))
    line[48] = 1
    blurred = filters.gaussian_filter(line, 2.0, mode="nearest")
    np.testing.assert_allclose(image[:, 40], blurred[:, 40] / blurred.max(), atol=0.012)


def test_sketch_has_lines_and_pupils():
    points = face("wflw98")
    image = draw.sketch_map(points, SIZE, width=1.5, pupil=4.0)
    lines = np.clip(1.25 - dense_distance(points, chain_edges(WFLW_PARTS)), 0, 1)
    pupils = np.clip(2.5 - dense_distance(points, [(96, 96), (97, 97)]), 0, 1)
    np.testing.assert_allclose(image[0], np.maximum(lines, pupils), atol=1e-5)
    assert (image == image[:1]).all()


def test_landmark_map_is_binary_and_leaves_out_hidden_points():
    points = face("ibug68")
    image = draw.landmark_map(points, SIZE)
    edges, dots = (
        dense_distance(points, chain_edges(IBUG_PARTS)),
        dense_distance(points, [(i, i) for i in range(68)]),
    )
    sure = (np.abs(edges - 0.5) > 1e-4) & (np.abs(dots - 1.5) > 1e-4)
    np.testing.assert_array_equal(image[0][sure], ((edges < 0.5) | (dots < 1.5))[sure])
    seen = np.ones(68, bool)
    seen[list(DG_REGIONS["left_eye"])] = False
    hidden = draw.landmark_map(points, SIZE, visible=seen)
    x, y = points[[42, 45], :2].mean(axis=0).astype(int)
    assert hidden[0, y - 3 : y + 3, x - 3 : x + 3].sum() == 0
    assert (hidden <= image).all()


def test_spline_is_scipys():
    interpolate = pytest.importorskip("scipy.interpolate")
    rng = np.random.default_rng(3)
    points = rng.normal(size=(7, 2))
    t = np.arange(6 * 5 + 1) / 5
    natural = interpolate.CubicSpline(np.arange(7), points, bc_type="natural")
    np.testing.assert_allclose(spline_matrix(7, False, 5) @ points, natural(t), atol=1e-5)
    periodic = interpolate.CubicSpline(np.arange(8), np.concatenate([points, points[:1]]), bc_type="periodic")
    np.testing.assert_allclose(spline_matrix(7, True, 5) @ points, periodic(np.arange(35) / 5), atol=1e-5)


def test_heatmap_passes_through_the_points():
    points = face("ibug68")
    image = draw.spline_heatmap(points, SIZE)
    x, y = np.floor(points[:, :2]).astype(int).T
    assert image.shape == (1, SIZE, SIZE)
    assert (image[0, y, x] == 1).all()


def supersampled(points: np.ndarray, ring, factor: int = 16) -> np.ndarray:
    """Share of each pixel that a polygon covers, by counting on a finer grid."""
    polygon = pytest.importorskip("skimage.draw").polygon
    fine = np.zeros((SIZE * factor, SIZE * factor))
    corners = points[list(ring), :2] * factor - 0.5
    rows, columns = polygon(corners[:, 1], corners[:, 0], fine.shape)
    fine[rows, columns] = 1
    return fine.reshape(SIZE, factor, SIZE, factor).mean(axis=(1, 3))


@pytest.mark.parametrize("name", ["face_contour", "brows", "eyes", "nose", "upper_lip", "lower_lip", "teeth"])
def test_parsing_classes_cover_their_polygons(name):
    points = face("osfr146")
    image = draw.parsing_map(points, SIZE)[OSFR_CLASSES.index(name)]
    area = np.max([supersampled(points, ring) for ring in OSFR_FILLS[name]], axis=0)
    # A ramp over the nearest edge is not the exact area near corners; inside, outside and the sum must agree.
    assert image[area == 0].max() < 0.51
    assert image[area == 1].min() > 0.49
    assert np.abs(image - area).mean() < 0.01
    perimeter = (np.abs(area - 0.5) < 0.49).sum()
    assert abs(image.sum() - area.sum()) < 0.12 * perimeter


def test_gaze_is_cut_by_the_eyes():
    points = face("osfr146")
    image = draw.parsing_map(points, SIZE)
    gaze, eyes = image[OSFR_CLASSES.index("gaze")], image[OSFR_CLASSES.index("eyes")]
    assert gaze.sum() > 1
    assert (gaze <= eyes + 1e-6).all()
    assert image.shape == (9, SIZE, SIZE)
    assert image.min() >= 0
    assert image.max() <= 1


def test_boundary_resampling_takes_only_the_contour():
    points, donor = face("osfr146", 0), face("osfr146", 1)
    donor[list(OSFR_CONTOUR), 0] += np.linspace(-6, 6, 33)
    resampled = draw.resample_boundary(points, donor * 2 + 5)
    np.testing.assert_array_equal(resampled[33:], points[33:])
    inner = similarity(donor[33:104, :2], points[33:104, :2])
    np.testing.assert_allclose(resampled[:33, :2], apply(inner, donor)[:33, :2], atol=0.01)
    depth = donor[:33, 2] - donor[33:104, 2].mean()
    np.testing.assert_allclose(resampled[:33, 2] - points[33:104, 2].mean(), depth, rtol=0.1, atol=0.3)
    maps = draw.parsing_map(points, SIZE), draw.parsing_map(resampled, SIZE)
    changed = [bool((a != b).any()) for a, b in zip(*maps, strict=True)]
    assert changed == [True] + [False] * 8


def test_crops_are_centred_and_go_back():
    points = face("ibug68") * (224 / SIZE)
    image = draw.spline_heatmap(points)
    corners, sizes = draw.crop_corners(points), draw.crop_sizes()
    canvas = np.zeros_like(image)
    for name, corner in corners.items():
        crop = draw.cut(image, corner, sizes[name])
        assert crop.shape == (1, sizes[name][1], sizes[name][0])
        assert crop.sum() > 10
        canvas = draw.paste(canvas, crop, corner)
    assert set(np.unique(canvas[canvas != image])) <= {0.0}
    mouth = points[48:68, :2].mean(axis=0)
    centre = np.add(corners["mouth"], np.divide(sizes["mouth"], 2))
    assert np.abs(centre - mouth).max() <= 0.5


def test_crops_beyond_the_picture_are_padded():
    image = np.arange(20.0).reshape(1, 4, 5)
    crop = draw.cut(image, (-2, 3), (4, 3))
    np.testing.assert_array_equal(crop[0], [[0, 0, 15, 16], [0, 0, 0, 0], [0, 0, 0, 0]])
    np.testing.assert_array_equal(draw.paste(np.zeros_like(image), crop, (-2, 3))[0, 3], [15, 16, 0, 0, 0])
    assert draw.cut(image, (50, 50), (4, 3)).sum() == 0


def test_size_may_be_a_rectangle_and_lines_may_leave_it():
    points = face("ibug68") + 40
    image = draw.landmark_map(points, (50, SIZE), binary=False)
    square = draw.landmark_map(points, SIZE, binary=False)
    np.testing.assert_array_equal(image, square[:, :50])
    assert draw.landmark_map(points + 1e7, SIZE).sum() == 0


def test_wrong_points_are_refused():
    points = face("ibug68")
    with pytest.raises(ValueError, match=r"\(98, 2\)"):
        draw.sketch_map(points)
    points[3, 0] = np.nan
    with pytest.raises(ValueError, match="finite"):
        draw.boundary_image(points)
