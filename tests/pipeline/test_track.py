"""The first pass: times, gaps, cuts, rates and smoothing of a driving motion."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import PIL.Image
import pytest

from reenact.errors import ReenactError
from reenact.media.reader import BrokenMedia
from reenact.pipeline.track import bridged, cut, resampled, smoothed, track_video

RATE = Fraction(30000, 1001)


@pytest.fixture(scope="module")
def tracked(driving):
    return track_video(driving)[0]


def test_times_and_duration_are_the_videos(tracked, performance):
    assert tracked.times == tuple(n / RATE for n in range(len(performance)))
    assert tracked.duration == len(performance) / RATE
    assert tracked.fps == RATE and tracked.size == (256, 256)
    assert tracked.found.all()


def test_the_motion_is_the_one_that_was_performed(tracked, motion, model):
    turn = np.degrees(tracked.rotation[:, 1])
    wanted = np.degrees(motion.rotation[:, 1])
    assert np.corrcoef(turn, wanted)[0, 1] > 0.97
    assert np.ptp(turn) == pytest.approx(np.ptp(wanted), rel=0.35)
    shapes = np.tensordot(tracked.expression, model.expression, 1)
    lips = shapes[:, 14, 1] - shapes[:, 13, 1]
    shut = -(shapes[:, 159, 1] - shapes[:, 145, 1])
    half = len(turn) // 2
    assert lips[:half].max() > lips[half:].max() + 0.05
    assert shut[:half].mean() > shut[half:].mean()
    assert np.ptp(np.log(tracked.scale)) < 0.15


def test_a_head_that_goes_with_its_face_is_found_to(tracked):
    """In the film hair turns as the face does."""
    assert tracked.head.shape == (len(tracked), 6) and tracked.head[1:].any()
    assert np.degrees(np.abs(tracked.head[:, :3])).mean() < 2
    assert np.abs(tracked.head[:, 4:]).max() < 0.012, "three pixels of 256"


def test_the_skin_is_followed_of_who_may_be_the_source(tracked, driving, model):
    assert tracked.detail.shape == (len(tracked), 478, 3) and tracked.detail.dtype == np.float16
    assert not tracked.detail[0].any() and tracked.detail[1:].any()
    assert 0.001 < np.abs(tracked.detail[1:].astype(np.float32)).mean() < 0.02
    assert tracked.identity is not None
    own, _ = track_video(driving, end=Fraction(1, 5), person=tracked.identity)
    other, _ = track_video(driving, end=Fraction(1, 5), person=tracked.identity + np.float32(3))
    assert own.detail.any() and not other.detail.any()
    np.testing.assert_array_equal(own.expression, other.expression)


def test_a_detail_goes_through_it_all(motion):
    ramp = np.linspace(0, 0.05, len(motion), dtype=np.float16)[:, None, None] * np.ones((478, 3), np.float16)
    folded = replace(motion, detail=ramp, found=np.arange(len(motion)) != 5)
    np.testing.assert_array_equal(smoothed(folded, 0.0).detail, ramp)
    np.testing.assert_allclose(smoothed(folded, 1.0).detail[3:-3], ramp[3:-3], atol=1e-3)
    np.testing.assert_array_equal(cut(folded, Fraction(1, 3), None).detail, ramp[9:])
    twice = resampled(folded, 2 * motion.fps)
    np.testing.assert_allclose(twice.detail[: len(ramp) : 2], ramp[: (len(ramp) + 1) // 2], atol=1e-4)
    held = bridged(folded).detail
    np.testing.assert_array_equal(held[5], ramp[4])


def test_a_head_apart_from_its_face_goes_through_it_all(motion):
    ramp = np.linspace(0, 0.05, len(motion), dtype=np.float32)[:, None] * np.ones(6, np.float32)
    found = np.arange(len(motion)) != 5
    apart = replace(motion, head=ramp, found=found)
    np.testing.assert_allclose(smoothed(apart, 0.0).head, ramp)
    assert 0.5 < smoothed(apart, 1.0).head[-4, 0] / ramp[-4, 0] < 1.1
    np.testing.assert_array_equal(cut(apart, Fraction(1, 3), None).head, ramp[9:])
    twice = resampled(apart, 2 * motion.fps)
    np.testing.assert_allclose(twice.head[: len(ramp) : 2], ramp[: (len(ramp) + 1) // 2], atol=1e-5)
    held = bridged(apart)
    assert held.head.shape == ramp.shape and np.abs(held.head - ramp).max() < 0.01


def test_a_video_of_uneven_times_keeps_them(film, performance):
    stamps = [0, 40, 55, 120, 180, 300, 310, 400]
    path = film("uneven.mkv", performance[:8], stamps=stamps, tick=Fraction(1, 1000))
    found = track_video(path)[0]
    assert [abs(float(t) - s / 1000) < 0.0011 for t, s in zip(found.times, stamps, strict=True)] == [True] * 8
    assert found.duration > found.times[-1]


@pytest.fixture(scope="module")
def gap(film, performance):
    """Eight frames without a face among the others."""
    images = [np.zeros_like(p) if 8 <= n < 16 else p for n, p in enumerate(performance)]
    return track_video(film("gap.mp4", images))[0]


def test_frames_without_a_face_are_held_and_marked(gap):
    np.testing.assert_array_equal(np.flatnonzero(~gap.found), np.arange(8, 16))
    for name in ("rotation", "scale", "translation", "expression"):
        values = getattr(gap, name)
        np.testing.assert_array_equal(values[8:16], np.repeat(values[7:8], 8, 0))
    steps = np.abs(np.diff(gap.rotation[:, 1]))
    assert steps[14:].max() < 2.5 * np.abs(np.diff(gap.rotation[:8, 1])).max() + 0.02


def test_no_face_at_all_is_refused(film):
    grey = [np.full((64, 64, 3), 128, np.uint8)] * 4
    path = film("grey.mp4", grey)
    with pytest.raises(ReenactError, match=r"no face was found in .*grey\.mp4"):
        track_video(path)


@pytest.fixture(scope="module")
def broken(film, performance):
    """A video of which the last third is missing."""
    path = film("whole.mp4", performance, container={"movflags": "faststart"})
    data = path.read_bytes()
    torn = path.with_name("torn.mp4")
    torn.write_bytes(data[: len(data) * 2 // 3])
    return torn


def test_a_video_that_breaks_off_is_refused_or_kept_in_part(broken, performance):
    with pytest.raises(BrokenMedia):
        track_video(broken)
    motion, notes = track_video(broken, keep_partial=True)
    assert 2 < len(motion) < len(performance)
    assert motion.duration > motion.times[-1]
    assert any(f"{len(motion)} frames" in note for note in notes)


def test_a_still_is_a_motion_of_one_frame(portrait):
    found = track_video(portrait)[0]
    assert len(found) == 1 and found.duration > 0


def test_a_folder_of_pictures(tmp_path, performance):
    for n, image in enumerate(performance[:5]):
        PIL.Image.fromarray(image).save(tmp_path / f"{n:03d}.png")
    found = track_video(tmp_path)[0]
    assert found.times == tuple(Fraction(n, 25) for n in range(5))


def test_progress_counts_to_the_total(driving, performance):
    calls = []
    track_video(driving, progress=lambda *call: calls.append(call))
    assert calls[-1] == ("track", len(performance), len(performance))
    assert [done for _, done, _ in calls] == sorted(done for _, done, _ in calls)


def test_a_part_is_the_same_cut_before_or_after(driving, tracked):
    """--start and --end mean the same for a video and for its motion file."""
    start, end = Fraction(31, 100), Fraction(62, 100)
    of_video = track_video(driving, start=start, end=end)[0]
    of_motion = cut(tracked, start, end)
    assert of_video.times == of_motion.times
    np.testing.assert_allclose(of_video.rotation, of_motion.rotation, atol=0.06)


@pytest.mark.parametrize(
    ("start", "end", "first", "count"),
    [
        (None, None, 0, 24),
        ("0", "1/2", 0, 15),
        ("1/3", None, 9, 15),
        ("1/3", "1/2", 9, 6),
        ("0.79", "5", 23, 1),
    ],
)
def test_cut(motion, start, end, first, count):
    start, end = (None if value is None else Fraction(value) for value in (start, end))
    part = cut(motion, start, end)
    assert len(part) == count and part.times[0] == 0
    np.testing.assert_array_equal(part.rotation, motion.rotation[first : first + count])
    assert part.times == tuple(t - motion.times[first] for t in motion.times[first : first + count])
    stop = motion.duration if end is None else min(end, motion.duration)
    assert part.duration == stop - motion.times[first] > part.times[-1]


@pytest.mark.parametrize(
    ("start", "end"), [("9", None), ("-1", None), ("0.5", "0.5"), ("0.5", "0.2"), (None, "0")]
)
def test_a_cut_that_holds_nothing_is_refused(motion, start, end):
    start, end = (None if value is None else Fraction(value) for value in (start, end))
    with pytest.raises(ReenactError):
        cut(motion, start, end)


@pytest.mark.parametrize("fps", ["10", "25", "24000/1001", "60", "1"])
def test_resampling_fills_the_same_time(motion, fps):
    fps = Fraction(fps)
    other = resampled(motion, fps)
    assert other.fps == fps and other.duration == motion.duration
    assert other.times == tuple(n / fps for n in range(len(other)))
    assert other.times[-1] < motion.duration
    assert abs(other.times[-1] + 1 / fps - motion.duration) <= max(1 / fps / 2, 1 / fps - motion.duration)
    old, new = (np.array([float(t) for t in m.times]) for m in (motion, other))
    for column in range(3):
        expected = np.interp(new, old, motion.rotation[:, column])
        np.testing.assert_allclose(other.rotation[:, column], expected, atol=1e-6)


def test_resampling_to_its_own_rate_changes_nothing(motion):
    same = resampled(motion, motion.fps)
    assert same.times == motion.times
    np.testing.assert_allclose(same.expression, motion.expression, atol=1e-5)


def test_resampling_knows_which_frames_were_held(gap):
    other = resampled(gap, gap.fps * 2)
    old = np.array([float(t) for t in gap.times])
    nearest = [gap.found[np.abs(old - float(t)).argmin()] for t in other.times]
    assert (other.found == nearest).mean() > 0.95


def test_a_long_motion_is_resampled_without_a_table_of_all_pairs(motion):
    many = 4999
    rows = np.arange(many) % len(motion)
    long = replace(
        motion,
        times=tuple(n / RATE for n in range(many)),
        rotation=motion.rotation[rows],
        scale=motion.scale[rows],
        translation=motion.translation[rows],
        expression=motion.expression[rows],
        head=motion.head[rows],
        found=motion.found[rows],
        duration=many / RATE,
    )
    assert len(resampled(long, Fraction(240))) == pytest.approx(many * 8, rel=0.01)


def test_smoothing_quiets_a_trembling_head_and_keeps_the_turn(motion):
    rng = np.random.default_rng(0)
    motion = replace(motion, rotation=motion.rotation * 0.2)
    rough = replace(
        motion,
        rotation=motion.rotation + rng.normal(size=motion.rotation.shape).astype(np.float32) * 0.004,
        scale=motion.scale * np.exp(rng.normal(size=len(motion)).astype(np.float32) * 0.004),
    )
    smooth = smoothed(rough, 1.0)
    for name in ("rotation", "scale"):
        before, after = (
            np.abs(np.diff(getattr(m, name).reshape(len(motion), -1), 2, axis=0)).mean()
            for m in (rough, smooth)
        )
        assert after < 0.7 * before
    assert np.abs(smooth.rotation - motion.rotation).max() < 0.02
    assert smooth.times == motion.times and (smooth.scale > 0).all()


def test_without_smoothing_nothing_changes(motion):
    same = smoothed(motion, 0.0)
    np.testing.assert_array_equal(same.rotation, motion.rotation)
    np.testing.assert_allclose(same.scale, motion.scale, rtol=1e-6)
