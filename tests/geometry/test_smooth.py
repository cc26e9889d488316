"""Filters in time: quiet where nothing moves, quick where something does."""

from __future__ import annotations

import math

import numpy as np
import pytest

from reenact.geometry.smooth import OneEuro, bridge, noise_level, smooth_track

RATE = 30.0
TIMES = np.arange(150) / RATE
NOISE = 0.1
KNOBS = {"window": 0.08, "most": 1.0}


def noise(columns: int, seed: int = 0, sigma: float = NOISE) -> np.ndarray:
    return (np.random.default_rng(seed).normal(size=(len(TIMES), columns)) * sigma).astype(np.float32)


@pytest.mark.parametrize("columns", [1, 3, 20])
def test_noise_level_is_the_root_of_the_summed_variances(columns):
    assert noise_level(noise(columns)) == pytest.approx(NOISE * math.sqrt(columns), rel=0.3)


def test_noise_level_does_not_count_a_slow_motion():
    slow = 5 * np.sin(TIMES)[:, None]
    assert noise_level(noise(1) + slow) == pytest.approx(NOISE, rel=0.3)


@pytest.mark.parametrize("columns", [2, 20])
def test_a_still_face_gets_quieter(columns):
    track = noise(columns)
    smooth = smooth_track(track, TIMES, 1.0, **KNOBS)
    assert smooth.std() < 0.5 * track.std()
    assert np.abs(smooth.mean(0) - track.mean(0)).max() < 0.02
    stronger = smooth_track(track, TIMES, 2.0, **KNOBS)
    assert stronger.std() < smooth.std()


def test_a_blink_keeps_its_depth_and_its_moment():
    blink = np.exp(-0.5 * ((TIMES - 2.5) / 0.05) ** 2)[:, None] * np.ones(20)
    smooth = smooth_track((blink + noise(20, sigma=0.02)).astype(np.float32), TIMES, 1.0, **KNOBS)
    assert smooth.max(0).mean() > 0.8
    assert abs(TIMES[smooth.mean(1).argmax()] - 2.5) <= 1 / RATE


def test_a_slow_turn_is_kept():
    turn = np.sin(TIMES * 1.5)[:, None].astype(np.float32)
    smooth = smooth_track(turn + noise(1, sigma=0.01), TIMES, 1.0, **KNOBS)
    assert np.abs(smooth - turn).max() < 0.05


def test_zero_phase_time_reversal_commutes():
    track = np.cumsum(noise(4), axis=0)
    uneven = np.cumsum(np.random.default_rng(1).uniform(0.01, 0.08, len(TIMES)))
    forward = smooth_track(track, uneven, 1.0, **KNOBS)
    backward = smooth_track(track[::-1], uneven[-1] - uneven[::-1], 1.0, **KNOBS)
    np.testing.assert_allclose(forward, backward[::-1], atol=1e-5)


def test_distance_in_time_counts_not_in_frames():
    """After a long pause the frames before it have no say."""
    track = np.concatenate([np.zeros(20), np.full(20, 0.05)]).astype(np.float32)[:, None]
    times = np.arange(40) / RATE
    times[20:] += 10
    rough = track + noise(1)[:40]
    smooth = smooth_track(rough, times, 1.0, **KNOBS)
    alone = smooth_track(rough[20:], times[20:], 1.0, window=0.08, most=noise_level(rough))
    assert abs(float((smooth[20] - alone[0])[0])) < 0.03


@pytest.mark.parametrize("strength", [0.0, 1.0])
@pytest.mark.parametrize("frames", [1, 2])
def test_short_or_unwanted_tracks_come_back_unchanged(strength, frames):
    track = noise(3)[: frames if strength else 50]
    np.testing.assert_array_equal(smooth_track(track, TIMES[: len(track)], strength, **KNOBS), track)


def test_a_constant_stays_constant():
    track = np.full((50, 2), 3.25, np.float32)
    np.testing.assert_allclose(smooth_track(track, TIMES[:50], 1.0, **KNOBS), track, rtol=1e-6)


class PaperOneEuro:
    """Algorithm 1 of Casiez, Roussel and Vogel (2012), for one number, in the paper's own form."""

    def __init__(self, min_cutoff: float, beta: float, d_cutoff: float) -> None:
        self.min_cutoff, self.beta, self.d_cutoff = min_cutoff, beta, d_cutoff
        self.x: float | None = None
        self.dx = 0.0
        self.t = 0.0

    @staticmethod
    def alpha(cutoff: float, period: float) -> float:
        tau = 1 / (2 * math.pi * cutoff)
        return 1 / (1 + tau / period)

    def __call__(self, x: float, t: float) -> float:
        if self.x is None:
            self.x, self.t = x, t
            return x
        period = t - self.t
        slope = (x - self.x) / period
        a = self.alpha(self.d_cutoff, period)
        self.dx = a * slope + (1 - a) * self.dx
        a = self.alpha(self.min_cutoff + self.beta * abs(self.dx), period)
        self.x, self.t = a * x + (1 - a) * self.x, t
        return self.x


@pytest.mark.parametrize(("cutoff", "rise"), [(1.0, 0.0), (1.5, 0.3), (0.5, 5.0)])
def test_one_euro_is_the_papers(cutoff, rise):
    rng = np.random.default_rng(2)
    values, times = np.cumsum(rng.normal(size=60)), np.cumsum(rng.uniform(0.01, 0.1, 60))
    ours, paper = OneEuro(cutoff, rise), PaperOneEuro(cutoff, rise, 1.0)
    got = [float(ours(np.array([v], np.float32), t)[0]) for v, t in zip(values, times, strict=True)]
    np.testing.assert_allclose(
        got, [paper(v, t) for v, t in zip(values, times, strict=True)], rtol=1e-4, atol=1e-4
    )


def test_one_euro_outlives_two_frames_at_one_time():
    steady = OneEuro(1.0, 1.0)
    steady(np.zeros(2, np.float32), 0.0)
    assert np.isfinite(steady(np.ones(2, np.float32), 0.0)).all()


def test_bridge_holds_and_eases():
    values = np.arange(60, dtype=np.float32)[:, None]
    found = np.ones(60, bool)
    found[20:30] = False
    values[20:30] = 999
    out = bridge(values, found, TIMES[:60], ease=0.3)[:, 0]
    np.testing.assert_array_equal(out[:20], values[:20, 0])
    np.testing.assert_array_equal(out[20:30], 19)
    steps = np.diff(out[29:41])
    assert (steps >= 0).all() and steps.max() < 4  # 11 in one step without easing
    np.testing.assert_array_equal(out[40:], values[40:, 0])


def test_bridge_begins_with_the_first_find_and_ends_with_the_last():
    values = np.array([[9], [9], [1], [2], [9]], np.float32)
    found = np.array([False, False, True, True, False])
    out = bridge(values, found, np.arange(5.0), ease=0.3)[:, 0]
    np.testing.assert_array_equal(out, [1, 1, 1, 2, 2])


@pytest.mark.parametrize("found", [np.ones(5, bool), np.zeros(5, bool)])
def test_bridge_without_gaps_or_without_finds_changes_nothing(found):
    values = np.arange(5, dtype=np.float32)[:, None]
    np.testing.assert_array_equal(bridge(values, found, np.arange(5.0)), values)


def test_bridge_eases_out_of_each_of_two_gaps():
    values = np.arange(40, dtype=np.float32)[:, None]
    found = np.ones(40, bool)
    found[5:10] = found[12:20] = False
    out = bridge(values, found, TIMES[:40], ease=0.2)[:, 0]
    assert np.abs(np.diff(out)).max() < 8
    assert out[12] == out[19] == out[11]
    np.testing.assert_array_equal(out[27:], values[27:, 0])
