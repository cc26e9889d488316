"""The Python API, and live use frame by frame."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from reenact import Animator
from reenact.errors import ReenactError
from reenact.pipeline.live import LiveDrive
from reenact.pipeline.options import MotionOptions

BLACK = np.zeros((256, 256, 3), np.uint8)


@pytest.fixture
def animator(portrait):
    made = Animator(portrait, threads=1)
    yield made
    made.close()


def test_before_any_face_the_portrait_is_shown(animator, picture):
    np.testing.assert_array_equal(animator.frame(BLACK, at=0.0), picture)


def test_the_first_face_is_the_anchor_and_then_it_moves(animator, performance, picture):
    first = animator.frame(performance[0], at=0.0)
    assert np.abs(first.astype(int) - picture).mean() < 1
    moved = [animator.frame(p, at=n / 30) for n, p in enumerate(performance[1:8], 1)]
    assert np.abs(moved[-1].astype(int) - picture).mean() > 3
    held = animator.frame(BLACK, at=8 / 30)
    np.testing.assert_array_equal(held, moved[-1])


def test_recalibrating_takes_the_next_frame_as_neutral(animator, performance, picture):
    for n in range(7):
        animator.frame(performance[n], at=n / 30)
    animator.recalibrate()
    again = animator.frame(performance[6], at=7 / 30)
    assert np.abs(again.astype(int) - picture).mean() < 1.5


def test_how_far_the_mouth_has_opened_is_known_until_the_next_anchor(animator, performance):
    """A smile can be shut by a mouth that has been open as far (`Transfer.opened_to`)."""
    known = []
    for n, picture in enumerate([*performance[:7], performance[0]]):
        animator.frame(picture, at=n / 30)
        known.append(animator._live.widest)
    assert known == sorted(known) and known[-1] > known[0] + 0.05
    assert animator.puppet.transfer._widest == known[-1]
    animator.recalibrate()
    animator.frame(performance[0], at=1.0)
    assert animator.puppet.transfer._widest < known[-1] - 0.05


def test_a_larger_camera_picture_moves_the_portrait_alike(portrait, performance):
    """Where the camera's picture has twice the pixels, the result is the same."""
    results = []
    for factor in (1, 2):
        with_size = [np.repeat(np.repeat(p, factor, 0), factor, 1) for p in (performance[0], performance[6])]
        animator = Animator(portrait, motion=MotionOptions(smooth=0))
        results.append([animator.frame(p, at=n / 30) for n, p in enumerate(with_size)][-1].astype(int))
        animator.close()
    assert np.abs(results[0] - results[1]).mean() < 4


def test_smoothing_lags_and_no_smoothing_does_not(performance, motion):
    turns = {}
    for smooth in (0.0, 3.0):
        drive = LiveDrive(smooth, 256)
        turns[smooth] = [drive.update(p, n / 30).rotation[1] for n, p in enumerate(performance[:8])]
        drive.close()
    assert abs(turns[3.0][4] - turns[3.0][0]) < abs(turns[0.0][4] - turns[0.0][0])


def test_an_array_as_source_and_a_crop_as_result(picture, performance):
    animator = Animator(picture, paste=False)
    image = animator.frame(performance[0], at=0.0)
    assert image.shape == animator.puppet.box.of(picture).shape
    assert animator.frame(BLACK, at=0.1).shape == image.shape
    with pytest.raises(ReenactError, match="source file"):
        animator.video("a.mp4", "b.mp4")
    animator.close()
    animator.close()


def test_a_video_through_the_api(animator, driving, tmp_path):
    summary = animator.video(driving, tmp_path / "out.mp4", mark=False, end=Fraction(1, 5))
    assert summary.output.exists() and summary.frames == 6


@pytest.mark.parametrize("settings", [{"system": "magic"}, {"face": 3}])
def test_wrong_settings_are_refused_at_once(portrait, settings):
    with pytest.raises(ReenactError):
        Animator(portrait, **settings)


def test_a_scaled_portrait(portrait, performance):
    animator = Animator(portrait, size=128)
    assert animator.frame(performance[0], at=0.0).shape == (128, 128, 3)
    animator.close()
