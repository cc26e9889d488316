"""The analytic converter: what it must keep of the source, and what it must take of the driving face."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reenact.geometry.apertures import opening
from reenact.geometry.expressions import expression
from reenact.geometry.face_model import rotation_matrix, rotation_vector
from reenact.geometry.schemes import (
    LEFT_BROW,
    LEFT_EYE,
    LEFT_IRIS,
    LEFT_IRIS_CENTRE,
    LIPS_INNER,
    LIPS_OUTER,
    RIGHT_BROW,
    RIGHT_EYE,
)
from reenact.geometry.slits import Driver
from reenact.geometry.transfer import Blend, Drive, Transfer, neck_travel
from reenact.types import FaceState, Floats

STILL = np.zeros(3, np.float32)
MODES = {"relative": Blend(), "absolute": Blend(relative=False)}


def drive(expression: Floats, rotation: Floats = STILL, scale: float = 80.0, at=(200.0, 180.0)) -> Drive:
    return Drive(np.asarray(rotation, np.float32), scale, np.array(at, np.float32), expression)


def own_drive(transfer: Transfer) -> Drive:
    """The source itself as a driving moment."""
    s = transfer.state
    return Drive(s.rotation, s.scale, s.translation, s.expression)


def turned(own: Drive, vector: tuple[float, float, float]) -> Drive:
    """A moment turned by a rotation vector in radians."""
    turn = rotation_matrix(np.array(vector, np.float32)) @ rotation_matrix(own.rotation)
    return replace(own, rotation=rotation_vector(turn))


def angle(first: Floats, second: Floats) -> float:
    turn = rotation_matrix(first) @ rotation_matrix(second).T
    return float(np.degrees(np.linalg.norm(rotation_vector(turn))))


def neutral(model) -> Floats:
    return np.zeros(len(model.expression), np.float32)


@pytest.mark.parametrize("mode", MODES)
def test_driven_by_itself_the_source_stays(model, face, mode):
    transfer = Transfer(model, face.points, MODES[mode])
    own = own_drive(transfer)
    points, state = transfer.target(own, own)
    np.testing.assert_allclose(points[:, :2], face.points[:, :2], atol=0.02)
    assert state.scale == pytest.approx(transfer.state.scale, rel=1e-5)


def test_driven_by_itself_in_frame_the_source_stays(model, face):
    transfer = Transfer(model, face.points, Blend(relative=False, in_frame=True))
    own = own_drive(transfer)
    elsewhere = replace(own, translation=own.translation + 50)
    points, _ = transfer.target(own, elsewhere)
    np.testing.assert_allclose(points[:, :2], face.points[:, :2], atol=0.02)


def test_at_the_anchor_the_source_stays_whatever_the_driving_face_does_there(model, face):
    transfer = Transfer(model, face.points)
    anchor = drive(expression(model, {"jaw_open": 1.0, "blink": 1.0}), rotation=[0.2, -0.3, 0.1])
    points, _ = transfer.target(anchor, anchor)
    np.testing.assert_allclose(points[:, :2], face.points[:, :2], atol=0.02)


def test_absolute_expression_does_not_depend_on_the_anchors(model, face):
    """The first frame with an open mouth must not leave the mouth open, or closed, for the whole video."""
    transfer = Transfer(model, face.points, MODES["absolute"])
    own = own_drive(transfer)
    shouting = replace(own, expression=own.expression + expression(model, {"jaw_open": 1.0}))
    points, _ = transfer.target(own, shouting)
    np.testing.assert_allclose(points[:, :2], face.points[:, :2], atol=0.02)


def test_a_source_that_is_turned_far_stays_too(model):
    """The limit of the turn must not straighten a source near profile."""
    rotation = np.array([0.1, 0.65, 0.05], np.float32)
    rest = FaceState(
        rotation,
        90.0,
        np.array([200, 200], np.float32),
        np.zeros(len(model.identity), np.float32),
        neutral(model),
    )
    points = model.project(rest)
    transfer = Transfer(model, points)
    anchor = drive(neutral(model))
    got, _ = transfer.target(anchor, anchor)
    np.testing.assert_allclose(got, points, atol=0.05)


def test_the_driving_persons_proportions_are_not_carried_over(model, face):
    """One performance by two people, each tracked as the pipeline does, moves the source alike."""
    rng = np.random.default_rng(0)
    moves = [
        expression(model, {"jaw_open": 0.8 * n / 5, "smile": 0.5, "blink": (n == 3) * 1.0}) for n in range(6)
    ]
    targets = []
    for _ in range(2):
        person = rng.normal(size=len(model.identity)).astype(np.float32)
        states = [
            model.fit(model.project(FaceState(STILL, 100, np.array([200, 150], np.float32), person, e)))
            for e in [neutral(model), *moves]
        ]
        known = np.median([s.identity for s in states], axis=0).astype(np.float32)
        drives = [
            Drive(s.rotation, s.scale, s.translation, s.expression)
            for s in (model.with_identity(s, known) for s in states)
        ]
        transfer = Transfer(model, face.points)
        targets.append(np.stack([transfer.target(d, drives[0])[0] for d in drives]))
    difference = np.linalg.norm(targets[0] - targets[1], axis=-1)[..., :]
    moved = np.linalg.norm(targets[0] - face.points, axis=-1).max()
    unit = Transfer(model, face.points).state.scale
    assert moved > 0.12 * unit
    assert difference.mean() < 0.012 * unit
    assert np.percentile(difference, 99) < 0.06 * unit


@pytest.mark.parametrize("scale", [40.0, 160.0])
def test_the_size_of_the_driving_face_does_not_matter(model, face, scale):
    transfer = Transfer(model, face.points)
    smile = expression(model, {"smile": 1.0})
    sizes = [transfer.target(drive(smile, scale=s), drive(neutral(model), scale=s))[0] for s in (80.0, scale)]
    np.testing.assert_allclose(sizes[0], sizes[1], atol=1e-3)


def test_travel_is_measured_in_heads(model, face):
    transfer = Transfer(model, face.points)
    start = drive(neutral(model), scale=80, at=(100, 100))
    points, state = transfer.target(replace(start, translation=np.array([140, 100], np.float32)), start)
    moved = (points - face.points)[:, :2]
    np.testing.assert_allclose(moved, np.tile([0.5 * transfer.state.scale, 0], (478, 1)), atol=0.05)
    _, grown = transfer.target(replace(start, scale=96.0), start)
    assert grown.scale == pytest.approx(1.2 * transfer.state.scale, rel=1e-5)
    assert state.scale == pytest.approx(transfer.state.scale, rel=1e-5)


def test_the_turn_of_the_driving_head_is_added(model, face):
    transfer = Transfer(model, face.points)
    start = drive(neutral(model), rotation=[0.1, 0.2, 0])
    goal = turned(start, (0, 0.25, 0))
    _, state = transfer.target(goal, start)
    assert angle(state.rotation, transfer.state.rotation) == pytest.approx(np.degrees(0.25), abs=0.5)


def test_the_absolute_turn_is_the_driving_heads(model, face):
    transfer = Transfer(model, face.points, MODES["absolute"])
    goal = drive(neutral(model), rotation=[-0.2, 0.3, 0.1])
    _, state = transfer.target(goal, drive(neutral(model)))
    assert angle(state.rotation, goal.rotation) < 0.1


@pytest.mark.parametrize("degrees", [60, 90, 120])
def test_relative_turns_run_into_a_limit(model, face, degrees):
    transfer = Transfer(model, face.points)
    start = drive(neutral(model))
    _, state = transfer.target(turned(start, (0, np.deg2rad(degrees), 0)), start)
    assert 30 < np.degrees(np.linalg.norm(state.rotation)) < 45


def test_small_turns_are_not_dampened(model, face):
    transfer = Transfer(model, face.points)
    start = drive(neutral(model))
    _, state = transfer.target(turned(start, (0, np.deg2rad(8), 0)), start)
    assert angle(state.rotation, transfer.state.rotation) == pytest.approx(8, abs=0.2)


REGIONS = {
    "eyes": np.concatenate([RIGHT_EYE, LEFT_EYE]),
    "brows": np.concatenate([RIGHT_BROW, LEFT_BROW]),
    "lips": np.concatenate([LIPS_OUTER, LIPS_INNER]),
}


@pytest.mark.parametrize("region", REGIONS)
def test_a_gain_of_nought_keeps_the_region_still(model, face, region):
    own_gain = {region: 0.0}
    transfer = Transfer(model, face.points, Blend(**own_gain))
    lively = expression(model, {"jaw_open": 1.0, "blink": 1.0, "brows_up": 1.0, "smile": 0.5})
    points, _ = transfer.target(drive(lively), drive(neutral(model)))
    still = REGIONS[region]
    np.testing.assert_allclose(points[still, :2], face.points[still, :2], atol=0.02)
    others = np.setdiff1d(np.concatenate(list(REGIONS.values())), still)
    assert np.linalg.norm((points - face.points)[others], axis=1).mean() > 0.02 * transfer.state.scale


def test_no_gaze_keeps_the_irises_in_their_eyes(model, face):
    look = drive(expression(model, {"gaze_left": 1.0}))
    iris = np.append(LEFT_IRIS, LEFT_IRIS_CENTRE)

    def travel(blend: Blend) -> float:
        points, _ = Transfer(model, face.points, blend).target(look, drive(neutral(model)))
        within = points[iris].mean(0) - points[LEFT_EYE].mean(0)
        before = face.points[iris].mean(0) - face.points[LEFT_EYE].mean(0)
        return float(np.linalg.norm((within - before)[:2]))

    assert travel(Blend(gaze=0.0)) < 0.15 * travel(Blend())
    assert travel(Blend(gaze=2.0)) > 1.5 * travel(Blend())


def test_no_turn_keeps_the_head(model, face):
    transfer = Transfer(model, face.points, Blend(turn=0.0))
    start = drive(neutral(model))
    goal = replace(turned(start, (0.2, 0.3, 0.1)), scale=120.0, translation=start.translation + 30)
    points, _ = transfer.target(goal, start)
    np.testing.assert_allclose(points[:, :2], face.points[:, :2], atol=0.02)


def test_no_strength_keeps_the_whole_face(model, face):
    lively = expression(model, {"jaw_open": 1.0, "blink": 1.0, "brows_up": 1.0})
    transfer = Transfer(model, face.points, Blend(strength=0.0))
    points, _ = transfer.target(drive(lively), drive(neutral(model)))
    np.testing.assert_allclose(points[:, :2], face.points[:, :2], atol=0.02)


def test_expression_alone_leaves_the_head_and_pose_alone_the_face(model, face):
    start = drive(neutral(model))
    goal = replace(turned(start, (0, 0.3, 0)), expression=expression(model, {"jaw_open": 1.0}))
    _, kept = Transfer(model, face.points, Blend(head=False)).target(goal, start)
    own = Transfer(model, face.points).state
    np.testing.assert_array_equal(kept.rotation, own.rotation)
    transfer = Transfer(model, face.points, Blend(face=False))
    points, state = transfer.target(goal, start)
    np.testing.assert_allclose(model.canonical(state, points), transfer.shape, atol=1e-3)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("ring", [RIGHT_EYE, LEFT_EYE], ids=["right", "left"])
def test_lids_close_where_the_driving_lids_close(model, face, mode, ring):
    transfer = Transfer(model, face.points, MODES[mode])
    open_eyes = opening(face.points, ring).gap
    points, _ = transfer.target(drive(expression(model, {"blink": 1.0})), drive(neutral(model)))
    assert opening(points, ring).gap < 0.3 * open_eyes
    half, _ = transfer.target(drive(expression(model, {"blink": 0.5})), drive(neutral(model)))
    assert opening(points, ring).gap < opening(half, ring).gap < open_eyes


def test_a_wink_closes_one_eye(model, face):
    transfer = Transfer(model, face.points)
    points, _ = transfer.target(drive(expression(model, {"wink_left": 1.0})), drive(neutral(model)))
    assert opening(points, LEFT_EYE).gap < 0.4 * opening(face.points, LEFT_EYE).gap
    assert opening(points, RIGHT_EYE).gap > 0.7 * opening(face.points, RIGHT_EYE).gap


def test_a_mouth_opens_and_lids_do_not_pass_each_other(model, face):
    transfer = Transfer(model, face.points)
    points, _ = transfer.target(drive(expression(model, {"jaw_open": 1.0})), drive(neutral(model)))
    assert opening(points, LIPS_INNER).gap > opening(face.points, LIPS_INNER).gap + 0.15
    shut, _ = transfer.target(drive(expression(model, {"blink": 2.0})), drive(neutral(model)))
    for ring in (RIGHT_EYE, LEFT_EYE):
        upper, lower = shut[ring[1:8], 1], shut[ring[9:], 1][::-1]
        assert (upper - lower).max() < 0.03 * transfer.state.scale


def test_the_anchor_nearest_to_the_source_looks_like_it(model, face):
    transfer = Transfer(model, face.points)
    own = own_drive(transfer)
    worse = [
        replace(own, expression=own.expression + expression(model, {name: 1.0}))
        for name in ("jaw_open", "blink", "smile", "brows_up")
    ]
    assert transfer.distance(own) == pytest.approx(0, abs=1e-6)
    assert all(transfer.distance(w) > 0.3 for w in [*worse, turned(own, (0, 0.3, 0))])
    assert transfer.distance(turned(own, (0, 0.4, 0))) > transfer.distance(turned(own, (0, 0.2, 0)))


def test_neck_travel_is_nought_without_a_turn_and_sideways_in_one():
    np.testing.assert_array_equal(neck_travel(STILL, STILL), [0, 0])
    left = neck_travel(STILL, np.array([0, 0.3, 0], np.float32))
    right = neck_travel(STILL, np.array([0, -0.3, 0], np.float32))
    assert abs(left[0]) > 0.2 and left[0] == pytest.approx(-right[0], abs=1e-5)


def apart(own: Drive, degrees: float, shift: float = 0.0) -> Drive:
    """The moment with a head that is turned and shifted apart from its face."""
    return replace(own, head=np.array([0, np.deg2rad(degrees), 0, 0, shift, 0], np.float32))


@pytest.mark.parametrize("mode", MODES)
def test_a_head_goes_with_its_face_unless_it_is_said(model, face, mode):
    transfer = Transfer(model, face.points, MODES[mode])
    own = own_drive(transfer)
    assert transfer.head(turned(own, (0, 0.2, 0)), own) is None
    assert Transfer(model, face.points, Blend(head=False)).head(apart(own, 5), own) is None
    points, _ = transfer.target(apart(own, 5), own)
    np.testing.assert_array_equal(points, transfer.target(own, own)[0], "the face asks its landmarks alone")


def test_a_head_that_stands_still_while_the_face_is_read_as_turned(model, face):
    transfer = Transfer(model, face.points)
    own = own_drive(transfer)
    grimace = replace(turned(own, (0, np.deg2rad(4), 0)), head=apart(own, -4).head)
    _, state = transfer.target(grimace, own)
    head = transfer.head(grimace, own)
    assert angle(state.rotation, transfer.state.rotation) == pytest.approx(4, abs=0.1)
    assert angle(head.rotation, transfer.state.rotation) < 0.1
    # What the anchor has as well is no motion; a gain weakens what is left.
    assert angle(transfer.head(grimace, grimace).rotation, transfer.state.rotation) < 0.01
    half = Transfer(model, face.points, Blend(turn=0.5)).head(apart(own, 6, 8.0), own)
    assert angle(half.rotation, transfer.state.rotation) == pytest.approx(3, abs=0.05)
    assert half.translation[0] - transfer.state.translation[0] == pytest.approx(4, abs=0.05)


def test_an_absolute_head_is_the_drivers_own(model, face):
    transfer = Transfer(model, face.points, Blend(relative=False, in_frame=True))
    own = own_drive(transfer)
    head = transfer.head(apart(turned(own, (0, 0.2, 0)), 5, 3.0), own)
    wanted = apart(turned(own, (0, 0.2, 0)), 5, 3.0).of_head()
    assert angle(head.rotation, wanted.rotation) < 0.05
    np.testing.assert_allclose(head.translation, own.translation + np.array([3, 0]), atol=0.02)


def test_a_persons_own_skin_moves_in_detail_and_nobody_elses(model, face):
    own = model.fit(face.points).identity
    fold = np.zeros((478, 3), np.float32)
    fold[[50, 280, 101, 330, 117, 346, 123, 352], :2] = 0.02
    for mode in MODES.values():
        for driver, share in ((Driver(own), 1.0), (Driver(own + 3.0), 0.0), (None, 0.0)):
            transfer = Transfer(model, face.points, mode, driver)
            start = own_drive(transfer)
            plain = transfer.target(start, start)[0]
            made = transfer.target(replace(start, detail=fold), start)[0]
            turn = rotation_matrix(start.rotation)
            wanted = share * start.scale * (fold @ turn.T)[:, :2]
            np.testing.assert_allclose((made - plain)[:, :2], wanted, atol=2e-3)
            anchored = transfer.target(replace(start, detail=fold), replace(start, detail=fold))[0]
            left = wanted if not mode.relative else 0 * wanted
            np.testing.assert_allclose((anchored - plain)[:, :2], left, atol=2e-3)


def test_one_person_read_with_one_identity_comes_back_exactly(model, face):
    """Absolute motion of the source's own moments, of which many frames told the identity."""
    single = model.fit(face.points)
    rng = np.random.default_rng(9)
    person = single.identity + rng.normal(0, 0.25, len(single.identity)).astype(np.float32)
    assert model.apart(single.identity, person) < 1.9
    known = model.with_identity(single, person)
    moment = Drive(known.rotation, known.scale, known.translation, known.expression)
    absolute = Blend(relative=False, in_frame=True)
    off = [
        np.linalg.norm(
            (Transfer(model, face.points, absolute, driver).target(moment, moment)[0] - face.points)[:, :2],
            axis=1,
        )
        for driver in (Driver(person), None)
    ]
    assert off[0].mean() < 0.3 * off[1].mean()
