"""Warping a real portrait: what must stay stays, and the face goes where it was sent, as a detector sees it."""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np
import pytest

from reenact.geometry.apertures import opening
from reenact.geometry.expressions import expression
from reenact.geometry.face_model import rotation_matrix, rotation_vector
from reenact.geometry.schemes import LEFT_EYE, LIPS_INNER, LIPS_OUTER, RIGHT_EYE
from reenact.geometry.transfer import Blend, Drive, Transfer, neck_travel
from reenact.geometry.warp import FaceWarp, WarpOptions

MATTES = ("with matte", "without")
MOVES = {
    "blink": ({"blink": 1.0}, (0, 0, 0)),
    "open mouth": ({"jaw_open": 1.0}, (0, 0, 0)),
    "smile": ({"smile": 1.0}, (0, 0, 0)),
    "right": ({}, (0, np.deg2rad(20), 0)),
    "left": ({}, (0, np.deg2rad(-20), 0)),
    "nod": ({}, (np.deg2rad(12), 0, 0)),
    "all": ({"jaw_open": 0.7, "smile": 0.4}, (np.deg2rad(6), np.deg2rad(15), np.deg2rad(8))),
}


@pytest.fixture(scope="session")
def transfer(model, face):
    return Transfer(model, face.points, Blend())


@pytest.fixture(scope="session")
def warps(face, matte, transfer):
    return {
        "with matte": FaceWarp(face.picture, face.points, transfer.state, matte),
        "without": FaceWarp(face.picture, face.points, transfer.state),
    }


@pytest.fixture(scope="session")
def goal(model, transfer):
    """The target points and state of each of MOVES."""

    @functools.cache
    def of(name: str):
        names, vector = MOVES[name]
        still = np.zeros(3, np.float32)
        turn = np.array(vector, np.float32)
        rest = Drive(still, 1.0, np.zeros(2, np.float32), np.zeros(len(model.expression), np.float32))
        travel = neck_travel(still, turn)
        return transfer.target(Drive(turn, 1.0, travel, expression(model, names)), rest)

    return of


def difference(first, second):
    return np.abs(first.astype(int) - second.astype(int))


@pytest.mark.parametrize("kind", MATTES)
def test_no_motion_gives_the_picture_back(warps, face, transfer, kind):
    out = warps[kind].render(face.points, transfer.state)
    assert out.shape == face.picture.shape and out.dtype == np.uint8
    off = difference(out, face.picture)
    assert off.mean() < 1
    assert np.percentile(off, 99) <= 6


@pytest.mark.parametrize("name", MOVES)
def test_far_background_does_not_move(warps, face, matte, goal, transfer, name):
    warp = warps["with matte"]
    still, out = warp.render(face.points, transfer.state), warp.render(*goal(name))
    far = np.zeros(matte.shape, bool)
    far[:, :20] = far[:120, -20:] = True
    far &= matte < 0.01
    assert far.sum() > 1000
    assert difference(out, still)[far].max() <= 4
    assert (difference(out, face.picture)[far] > 6).mean() < 0.02


def test_without_a_matte_the_corners_stay(warps, face, goal):
    out = warps["without"].render(*goal("right"))
    for rows, columns in ((slice(0, 12), slice(0, 12)), (slice(0, 12), slice(-12, None))):
        assert difference(out, face.picture)[rows, columns].max() <= 2


@pytest.mark.parametrize("name", MOVES)
def test_a_detector_finds_the_landmarks_where_they_were_sent(warps, detector, face, goal, transfer, name):
    points, state = goal(name)
    seen = detector.detect(warps["with matte"].render(points, state))
    assert seen, "the result is no face any more"
    off = np.linalg.norm((seen[0].points - points)[:468, :2], axis=1).mean() / state.scale
    assert off < 0.07
    if MOVES[name][1] != (0, 0, 0):
        stayed = np.linalg.norm((seen[0].points - face.points)[:468, :2], axis=1).mean() / state.scale
        assert off < 0.5 * stayed


def test_a_turn_of_twenty_degrees_is_seen_as_one(warps, detector, model, goal, transfer):
    for name, sign in (("right", 1), ("left", -1)):
        seen = model.fit(detector.detect(warps["with matte"].render(*goal(name)))[0].points)
        turn = rotation_vector(rotation_matrix(seen.rotation) @ rotation_matrix(transfer.state.rotation).T)
        assert 13 < sign * np.degrees(turn[1]) < 26


def test_eyes_shut_in_the_picture(warps, detector, face, goal):
    seen = detector.detect(warps["with matte"].render(*goal("blink")))[0].points
    for ring in (RIGHT_EYE, LEFT_EYE):
        assert opening(seen, ring).gap < 0.8 * opening(face.points, ring).gap


def test_the_mouth_opens_in_the_picture(warps, detector, face, goal):
    seen = detector.detect(warps["with matte"].render(*goal("open mouth")))[0].points
    assert opening(seen, LIPS_INNER).gap > opening(face.points, LIPS_INNER).gap + 0.15


@pytest.mark.parametrize("name", MOVES)
def test_the_flow_is_finite_and_bounded(warps, face, goal, name):
    for warp in warps.values():
        flow = warp.flow(*goal(name))
        assert np.isfinite(flow).all()
        assert np.abs(flow).max() < max(face.picture.shape)


def test_flow_leads_back_to_the_source_point(warps, face, goal):
    """At a point of the target's front, the flow leads to where that point was."""
    points, state = goal("right")
    flow = warps["with matte"].flow(points, state)
    height, width = flow.shape[:2]
    scale = np.array([width, height]) / face.picture.shape[1::-1]
    for number in (1, 4, 9, 195, 94):  # along the nose
        x, y = (points[number, :2] * scale).astype(int)
        np.testing.assert_allclose(points[number, :2] + flow[y, x], face.points[number, :2], atol=2.5)


def test_fixed_borders_hold(face, matte, transfer, goal):
    options = WarpOptions(fixed=(True, True, True, True))
    out = FaceWarp(face.picture, face.points, transfer.state, matte, options).render(*goal("right"))
    for edge in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]):
        assert np.percentile(difference(out, face.picture)[edge], 95) <= 6


def test_transparency_moves_with_the_person(face, matte, transfer, goal):
    alpha = np.where(matte > 0.5, 255, 0).astype(np.uint8)
    picture = np.dstack([face.picture, alpha])
    for cut in (None, matte):
        warp = FaceWarp(picture, face.points, transfer.state, cut)
        still = warp.render(face.points, transfer.state)
        assert still.shape == picture.shape
        assert (difference(still, picture)[..., 3] > 8).mean() < 0.01
        moved = warp.render(*goal("right"))
        assert 0.8 < (moved[..., 3] > 128).sum() / (alpha > 128).sum() < 1.2
        assert (moved[:20, :20, 3] == 0).all()


@pytest.mark.parametrize("shift", [(-400, 0), (400, 0), (0, 400), (-75, -60)])
def test_a_target_outside_the_picture_is_no_error(warps, face, transfer, shift):
    from dataclasses import replace

    move = np.array(shift, np.float32)
    points = face.points + np.append(move, np.float32(0))
    state = replace(transfer.state, translation=transfer.state.translation + move)
    for warp in warps.values():
        assert warp.render(points, state).shape == face.picture.shape


def test_a_face_at_the_border_of_its_picture_is_no_error(model, face, matte, goal):
    x, y = 130, 90
    picture, points = face.picture[y:, x:], face.points - np.array([x, y, 0], np.float32)
    transfer = Transfer(model, points)
    warp = FaceWarp(picture, points, transfer.state, np.ascontiguousarray(matte[y:, x:]))
    target, state = goal("open mouth")
    assert warp.render(target - np.array([x, y, 0], np.float32), state).shape == picture.shape


@pytest.mark.parametrize("size", [(40, 40), (64, 33)])
def test_tiny_pictures(model, face, size):
    from reenact.media.compose import scale_to

    width, height = size
    factor = np.array([width / 320, height / 320, width / 320], np.float32)
    points = face.points * factor
    state = model.fit(points)
    out = FaceWarp(scale_to(face.picture, width, height), points, state).render(points, state)
    assert out.shape == (height, width, 3)


@pytest.mark.slow
def test_a_source_of_8000_pixels(model, face, goal):
    from reenact.media.compose import resize

    factor = np.float32(8000 / 320)
    picture, points = resize(face.picture, 8000), face.points * factor
    transfer = Transfer(model, points)
    warp = FaceWarp(picture, points, transfer.state, np.ones(picture.shape[:2], np.float32))
    target, _ = goal("open mouth")
    out = warp.render(target * factor, transfer.state)
    assert out.shape == (8000, 8000, 3)


def test_eyes_that_are_shut_to_a_line_can_open(face, matte, goal, transfer):
    """Both lids of the source on one line: no division by its opening, and the eye that opens is painted."""
    points = face.points.copy()
    for ring in (RIGHT_EYE, LEFT_EYE):
        half = len(ring) // 2
        upper, lower = ring[1:half], ring[half + 1 :][::-1]
        points[upper] = points[lower] = (points[upper] + points[lower]) / 2
    shut = FaceWarp(face.picture, points, transfer.state, matte)
    assert opening(points, RIGHT_EYE).gap == pytest.approx(0, abs=1e-3)
    out, flow = shut.render_with_flow(*goal("smile"))
    assert np.isfinite(flow).all()
    centre = face.points[RIGHT_EYE, :2].mean(0).astype(int)
    box = np.s_[centre[1] - 8 : centre[1] + 8, centre[0] - 12 : centre[0] + 12]
    assert difference(out[box], face.picture[box]).mean() < 60


def test_hair_has_the_heads_pose_and_the_face_its_own(warps, face, matte, transfer, model):
    """A head that is turned by 6 degrees while its face stays: hair moves, lips and eyes do not."""
    turn = rotation_matrix(np.array([0, np.deg2rad(6), 0], np.float32)) @ rotation_matrix(
        transfer.state.rotation
    )
    head = replace(transfer.state, rotation=rotation_vector(turn))
    warp = warps["with matte"]
    still = warp.render(face.points, transfer.state)
    np.testing.assert_array_equal(warp.render(face.points, transfer.state, transfer.state), still)
    off = difference(warp.render(face.points, transfer.state, head), still).max(2)
    low, high = face.points[LIPS_OUTER, :2].min(0).astype(int), face.points[LIPS_OUTER, :2].max(0).astype(int)
    brow = int(face.points[:, 1].min())
    assert off[low[1] : high[1], low[0] : high[0]].max() <= 2
    hair = (matte > 0.9) & (np.arange(len(matte))[:, None] < brow - 8)
    assert off[hair].mean() > 4
