"""Schemes: topology, conversion, mirrors, groups, visibility."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

import numpy as np
import pytest

from reenact.errors import ReenactError
from reenact.geometry.schemes import (
    COUNT,
    DG_REGIONS,
    FACE_OVAL,
    FLIP,
    HOLE_TRIANGLES,
    HR_NET_PARTS,
    LEFT_EYE,
    LEFT_IRIS_CENTRE,
    MESH_FLIP,
    MESH_GROUPS,
    MESH_TRIANGLES,
    OSFR_FILLS,
    PARTS,
    RIGHT_EYE,
    RIGHT_IRIS_CENTRE,
    WEIGHTS,
    convert,
    convert_outline,
    convert_points,
    flip_points,
    signed_area,
    visible,
)
from reenact.types import Landmarks

LAYOUTS = ("ibug68", "wflw98", "osfr146")


@lru_cache
def astronaut() -> tuple[np.ndarray, np.ndarray]:
    """Mesh points of the astronaut's portrait and of its mirrored picture, by MediaPipe itself."""
    mediapipe = pytest.importorskip("mediapipe")
    data = pytest.importorskip("skimage.data")
    picture = data.astronaut()
    found = []
    with mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=True, refine_landmarks=True) as mesh:
        for image in (picture, np.ascontiguousarray(picture[:, ::-1])):
            face = mesh.process(image).multi_face_landmarks[0]
            found.append(np.array([[p.x, p.y, p.z] for p in face.landmark], np.float32) * 512)
    return found[0], found[1]


def turned(yaw: float) -> np.ndarray:
    """The astronaut's points turned about the upright axis, in degrees."""
    points = astronaut()[0]
    centre = points[FACE_OVAL].mean(axis=0)
    c, s = np.cos(np.radians(yaw)), np.sin(np.radians(yaw))
    return ((points - centre) @ np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]]) + centre).astype(np.float32)


def test_mesh_is_a_disc_with_three_holes():
    edges = Counter(
        frozenset(pair) for t in MESH_TRIANGLES.tolist() for pair in zip(t, t[1:] + t[:1], strict=True)
    )
    assert set(edges.values()) == {1, 2}
    assert 468 - len(edges) + len(MESH_TRIANGLES) == 1 - 3
    filled = np.concatenate([MESH_TRIANGLES, *HOLE_TRIANGLES.values()])
    directed = Counter(pair for t in filled.tolist() for pair in zip(t, t[1:] + t[:1], strict=True))
    assert len(filled) == 898
    assert max(directed.values()) == 1, "neighbours are wound alike"
    border = {pair for pair in directed if pair[::-1] not in directed}
    assert {point for pair in border for point in pair} == set(FACE_OVAL.tolist())


def test_mesh_edges_are_mediapipes():
    connections = pytest.importorskip("mediapipe.python.solutions.face_mesh_connections")
    ours = {frozenset(pair) for t in MESH_TRIANGLES.tolist() for pair in zip(t, t[1:] + t[:1], strict=True)}
    assert ours == {frozenset(edge) for edge in connections.FACEMESH_TESSELATION}
    for ring, edges in ((LEFT_EYE, connections.FACEMESH_LEFT_EYE), (RIGHT_EYE, connections.FACEMESH_RIGHT_EYE)):
        closed = {frozenset(pair) for pair in zip(ring.tolist(), np.roll(ring, -1).tolist(), strict=True)}
        assert closed == {frozenset(edge) for edge in edges}


def test_triangles_of_a_frontal_face_are_positive():
    areas = signed_area(astronaut()[0])
    assert (areas > 0).mean() > 0.95
    assert areas.sum() > 0.95 * np.abs(areas).sum()


def test_mirror_agrees_with_the_mirrored_picture():
    points, mirrored = astronaut()
    between_eyes = np.linalg.norm(points[33, :2] - points[263, :2])
    gap = np.linalg.norm(flip_points(points, "mesh478", 512.0)[:, :2] - mirrored[:, :2], axis=1)
    assert gap.mean() < 0.03 * between_eyes
    assert gap.max() < 0.12 * between_eyes


@pytest.mark.parametrize("scheme", COUNT)
def test_mirror_commutes_with_conversion(scheme):
    flip = FLIP[scheme]
    assert (flip[flip] == np.arange(COUNT[scheme])).all()
    np.testing.assert_allclose(WEIGHTS[scheme][flip][:, MESH_FLIP], WEIGHTS[scheme], atol=1e-6)


@pytest.mark.parametrize("scheme", LAYOUTS)
def test_conversion_is_translation_free_and_batched(scheme):
    points = astronaut()[0]
    shift = np.float32([3, -5, 2])
    moved = convert_points(points + shift, scheme)
    assert moved.shape == (COUNT[scheme], 3)
    np.testing.assert_allclose(moved, convert_points(points, scheme) + shift, atol=1e-3)
    batch = convert_points(np.stack([points, points * 2]), scheme)
    np.testing.assert_allclose(batch[1], convert_points(points, scheme) * 2, rtol=1e-5, atol=1e-2)


def test_jaw_steps_are_even_and_run_from_picture_left_over_the_chin():
    for scheme, count in (("ibug68", 17), ("wflw98", 33), ("osfr146", 33)):
        jaw = convert_points(astronaut()[0], scheme)[:count, :2]
        steps = np.linalg.norm(np.diff(jaw, axis=0), axis=1)
        assert steps.max() / steps.min() < 1.8
        assert (np.diff(jaw[:, 0]) > -2).all()
        assert abs(jaw[:, 1].argmax() - count // 2) <= 1


def test_the_subjects_right_comes_first():
    points = astronaut()[0]
    assert points[RIGHT_IRIS_CENTRE, 0] < points[LEFT_IRIS_CENTRE, 0]
    for scheme in LAYOUTS:
        converted = convert_points(points, scheme)
        middle = {part.name: converted[list(part.indices), 0].mean() for part in PARTS[scheme]}
        assert middle["right_eye"] < middle["nose_bridge"] < middle["left_eye"]
        assert middle["right_brow"] < middle["left_brow"]


def test_pupils_and_gaze_lie_on_the_irises():
    points = astronaut()[0]
    wflw, osfr = convert_points(points, "wflw98"), convert_points(points, "osfr146")
    np.testing.assert_array_equal(wflw[96:], points[[RIGHT_IRIS_CENTRE, LEFT_IRIS_CENTRE]])
    for start, centre, ring in ((106, 468, range(469, 473)), (126, 473, range(474, 478))):
        radius = np.linalg.norm(points[list(ring), :2] - points[centre, :2], axis=1).mean()
        gaze = osfr[start : start + 20, :2]
        np.testing.assert_allclose(np.linalg.norm(gaze - points[centre, :2], axis=1), radius, rtol=0.2)
        # Each iris starts beside the nose.
        nose = osfr[43, 0]
        assert np.abs(gaze[:, 0] - nose).argmin() == 0


def test_parts_cover_their_layouts():
    assert [len(HR_NET_PARTS), len({part.name for part in HR_NET_PARTS})] == [13, 13]
    assert {i for part in HR_NET_PARTS for i in part.indices} == set(range(68))
    assert sorted(i for region in DG_REGIONS.values() for i in region) == list(range(68))
    assert {i for part in PARTS["wflw98"] for i in part.indices} == set(range(98))
    used = {i for part in PARTS["osfr146"] for i in part.indices}
    assert set(range(146)) - used == {74, 77, 78, 79, 104, 105}, "centres and sides of the bridge are not drawn"
    assert len(OSFR_FILLS) == 8
    assert all(max(group) < 478 for group in MESH_GROUPS.values())


def test_a_frontal_face_is_visible():
    assert visible(astronaut()[0]).mean() > 0.98


@pytest.mark.parametrize("side", [1, -1])
def test_a_profile_hides_its_far_side(side):
    points = turned(65.0 * side)
    seen = visible(points)
    near, far = (RIGHT_EYE, LEFT_EYE) if points[4, 0] > points[FACE_OVAL, 0].mean() else (LEFT_EYE, RIGHT_EYE)
    assert seen[near].all()
    assert seen[far].mean() < 0.4
    ibug = convert(Landmarks(points, "mesh478", seen), "ibug68").visible
    assert ibug is not None
    jaw = (ibug[:8], ibug[9:17])
    assert (jaw[0].mean() > 0.8) != (jaw[1].mean() > 0.8)
    assert min(jaw[0].mean(), jaw[1].mean()) < 0.3


def contour_area(points: np.ndarray) -> float:
    x, y = points[list(OSFR_FILLS["face_contour"][0]), :2].T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


def test_outline_leaves_a_frontal_face_and_fills_a_turned_one():
    frontal = astronaut()[0]
    moved = convert_outline(frontal, "osfr146") - convert_points(frontal, "osfr146")
    assert np.abs(moved).max() < 0.05 * np.linalg.norm(frontal[33, :2] - frontal[263, :2])
    assert (moved[33:] == 0).all()
    for side in (-55.0, 55.0):
        bone, outline = (make(turned(side), "osfr146") for make in (convert_points, convert_outline))
        assert contour_area(outline) > 1.2 * contour_area(bone)
        near = slice(0, 12) if bone[0, 2] < bone[32, 2] else slice(21, 33)
        np.testing.assert_allclose(outline[near], bone[near], atol=4)


@pytest.mark.parametrize("scheme", LAYOUTS)
def test_outline_commutes_with_the_mirror(scheme):
    points = turned(40.0)
    mirrored = convert_outline(flip_points(points, "mesh478", 512.0), scheme)
    expected = flip_points(convert_outline(points, scheme), scheme, 512.0)
    np.testing.assert_allclose(mirrored, expected, atol=1e-2)


def test_conversion_refuses_what_it_cannot_do():
    ibug = convert(Landmarks(astronaut()[0], "mesh478"), "ibug68")
    assert convert(ibug, "ibug68") is ibug
    assert ibug.visible is None
    with pytest.raises(ReenactError, match="478 mesh points"):
        convert(ibug, "wflw98")
    with pytest.raises(ReenactError, match="68 points"):
        convert_points(ibug.points, "wflw98")
