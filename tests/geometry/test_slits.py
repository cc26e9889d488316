"""Eyes and mouth as slits, and what a driver's own open and shut to."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.geometry.apertures import opening
from reenact.geometry.expressions import expression
from reenact.geometry.schemes import LIPS_INNER
from reenact.geometry.slits import SLITS, Driver, gap_of, opened, with_lids
from reenact.geometry.smooth import smooth_track
from reenact.geometry.transfer import Blend, Drive, Transfer


def clip(model, blink: float, mouth: float = 0.0, count: int = 60) -> np.ndarray:
    """(count, E): a face at rest that blinks by so much over three frames, and opens its mouth in the end."""
    names = [{"blink": blink * max(1 - abs(n - 20) / 2, 0), "jaw_open": mouth * (n > 50)} for n in range(count)]
    return np.stack([expression(model, name) for name in names])


def test_the_gap_is_the_distance_of_the_edges(model):
    """Against the points themselves, the middle of an opened mouth over the width of a neutral one."""
    wide = model.mean + np.tensordot(expression(model, {"jaw_open": 1.0}), model.expression, 1)
    width = np.linalg.norm(model.mean[78, :2] - model.mean[308, :2])
    middle = (wide[14, 1] - wide[13, 1]) / width
    assert 0.6 * middle < gap_of(wide, "mouth") < middle


def test_a_pursed_mouth_is_not_open_further(model):
    pursed = model.mean.copy()
    pursed[:, 0] *= 0.5
    assert gap_of(pursed, "mouth") == pytest.approx(gap_of(model.mean, "mouth"), rel=0.02)
    assert opening(pursed, LIPS_INNER).gap == pytest.approx(2 * opening(model.mean, LIPS_INNER).gap, rel=0.02)


def test_a_blink_is_not_blunted(model):
    times = np.arange(60) / 30
    rng = np.random.default_rng(0)
    seen = clip(model, 1.0) + rng.normal(0, 0.15, (60, len(model.expression))).astype(np.float32)
    smooth = smooth_track(seen, times, 2.0, window=0.1, most=4.0)
    kept = with_lids(smooth, seen)
    lowest = [opened(model, track[20])["right_eye"] for track in (seen, smooth, kept)]
    assert lowest[1] > lowest[0] + 0.06, "the filter blunts it"
    assert lowest[2] < lowest[0] + 0.03
    still = slice(30, 50)
    tremble = [np.diff([opened(model, e)["right_eye"] for e in track[still]]).std() for track in (seen, kept)]
    assert tremble[1] < 0.5 * tremble[0]


def test_nothing_is_given_back_where_nothing_was_smoothed(model):
    seen = clip(model, 1.0)
    np.testing.assert_array_equal(with_lids(seen, seen), seen)
    np.testing.assert_array_equal(with_lids(seen[:2], seen[:2]), seen[:2])


def test_what_a_driver_who_blinks_is_read_at_counts_as_shut(model):
    whole = opened(model, expression(model, {}))["right_eye"]
    for blink, shut in ((1.0, False), (0.8, True), (0.3, False)):
        known = Driver.of(None, clip(model, blink))
        lowest = opened(model, expression(model, {"blink": blink}))["right_eye"]
        read = lowest if shut else 0.05
        assert known.shut[0] == pytest.approx(max(read, 0.05), abs=0.02), (blink, lowest / whole)


@pytest.mark.parametrize("blink", [1.0, 0.8])
def test_both_kinds_of_driver_shut_the_sources_eyes(model, face, blink):
    frames = clip(model, blink)
    still = np.zeros(3, np.float32)
    moments = [Drive(still, 80.0, np.zeros(2, np.float32), e) for e in frames]
    transfer = Transfer(model, face.points, Blend(), Driver.of(None, frames))
    points, _ = transfer.target(moments[20], moments[0])
    for name in ("right_eye", "left_eye"):
        assert opening(points, SLITS[name]).gap < 0.25 * opening(face.points, SLITS[name]).gap


def test_a_smile_is_shut_by_a_driver_who_is_nearest_with_shut_lips(model, face):
    """The anchor's lips are shut and the source's are not; elsewhere the driver opens as far."""
    frames = clip(model, 0.0, mouth=1.0)
    still = np.zeros(3, np.float32)
    moments = [Drive(still, 80.0, np.zeros(2, np.float32), e) for e in frames]
    own = opening(face.points, LIPS_INNER).gap
    assert own > 0.05, "the portrait smiles"
    gaps = []
    for driver in (None, Driver.of(None, frames)):
        transfer = Transfer(model, face.points, Blend(), driver)
        found = [opening(transfer.target(moments[n], moments[0])[0], LIPS_INNER).gap for n in (30, 55)]
        gaps.append(found)
    (left, wider), (shut, wide) = gaps
    assert left == pytest.approx(own, abs=0.01)
    assert shut == pytest.approx(opened(model, frames[30])["mouth"], rel=0.3) and shut < 0.45 * own
    assert own < wide < wider


@pytest.mark.parametrize("share", [0.5, 0.7, 0.79, 0.81, 1.2])
def test_a_mouth_that_never_opens_as_far_does_not_stand_for_the_smile(model, face, share):
    """The anchor shows the source as it is, and the opening comes in softly from .8 of the source's on."""
    still = Drive(np.zeros(3, np.float32), 80.0, np.zeros(2, np.float32), clip(model, 0.0)[0])
    transfer = Transfer(model, face.points, Blend())
    own = gap_of(transfer.shape, "mouth")
    transfer.opened_to(share * own)
    points, _ = transfer.target(still, still)
    off = np.abs(points - face.points)[:, :2].max() / transfer.state.scale
    assert off < 1e-3 if share < 0.8 else off < 0.003 if share < 0.82 else off > 0.02


@pytest.mark.parametrize("gain", [{"strength": 2.0}, {"lips": 3.0}, {"lips": 10.0}])
def test_large_gains_neither_fail_nor_cross_the_lips(model, face, gain):
    frames = clip(model, 0.0, mouth=1.0)
    driver = Driver.of(None, frames)
    shut = expression(model, {"jaw_open": -0.3})
    for moment in (frames[0], frames[55], shut):
        drives = [Drive(np.zeros(3, np.float32), 80.0, np.zeros(2, np.float32), e) for e in (moment, frames[0])]
        points, _ = Transfer(model, face.points, Blend(**gain), driver).target(*drives)
        upper, lower = points[LIPS_INNER[1:10], 1], points[LIPS_INNER[11:], 1][::-1]
        assert np.isfinite(points).all() and (lower - upper).min() > -1.0


def test_one_moment_says_nothing_of_the_rest(model):
    wide = expression(model, {"jaw_open": 1.0, "blink": 0.8})
    for frames in (wide[None], np.zeros((0, len(wide)), np.float32)):
        known = Driver.of(wide[:3], frames)
        assert (known.widest, known.shut) == (0.0, (0.05, 0.05)) and known.identity is not None


def test_what_is_learned_on_the_way_counts_like_what_is_known_ahead(model, face):
    frames = clip(model, 0.0, mouth=1.0)
    moments = [Drive(np.zeros(3, np.float32), 80.0, np.zeros(2, np.float32), e) for e in frames]
    ahead = Transfer(model, face.points, Blend(), Driver.of(None, frames))
    learning = Transfer(model, face.points, Blend())
    first = learning.target(moments[30], moments[0])[0]
    learning.opened_to(Driver.of(None, frames).widest)
    later = learning.target(moments[30], moments[0])[0]
    np.testing.assert_allclose(later, ahead.target(moments[30], moments[0])[0], atol=1e-4)
    assert np.abs(later - first).max() > 1
