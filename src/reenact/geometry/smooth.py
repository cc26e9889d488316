"""Steadying fitted coefficients: zero-phase for files, One-Euro for live use.

A detector's landmarks tremble on a face that does not move. Both filters take the tremble out of what is
still and leave a blink its speed.
"""

from __future__ import annotations

import numpy as np

from reenact.types import Floats


def noise_level(values: Floats) -> float:
    """Root mean square tremble of a track (F, D) over its dimensions, from the median second difference
    (which a slow motion does not move; 6 is the sum of squares of the weights 1, -2, 1; 0.675 the median of
    a normal value's size)."""
    if len(values) < 3:
        return 0.0
    second = np.abs(np.diff(values, 2, axis=0))
    per_dimension = np.median(second, axis=0) / (0.675 * np.sqrt(6))
    return float(np.sqrt((per_dimension**2).sum()))


def smooth_track(values: Floats, times: Floats, strength: float, *, window: float, most: float) -> Floats:
    """Zero-phase smoothing of a track (F, D) at `times` (F,) seconds: a bilateral filter in time (Tomasi and
    Manduchi 1998), which averages over `window` seconds (one standard deviation) but only frames that lie
    within the noise of this one.

    strength: 0 is off, 1 ordinary, 2 doubles the window. most: ceiling on the noise, in units of the values
    (norm over D), so that a lively track is not taken for a noisy one.
    """
    if strength <= 0 or len(values) < 3:
        return values.copy()
    sigma = window * strength
    noise = min(noise_level(values), most) + 1e-9
    step = float(np.median(np.diff(times))) or 1 / 30
    reach = int(np.clip(np.ceil(2.5 * sigma / max(step, 1e-3)), 1, 60))
    total = np.zeros_like(values, np.float64)
    weights = np.zeros(len(values))
    guide = averaged(values, times, min(sigma, 0.7 * step))
    for shift in range(-reach, reach + 1):
        here, there = _overlap(len(values), shift)
        apart = np.linalg.norm(guide[here] - guide[there], axis=1) / (2.0 * noise)
        later = (times[there] - times[here]) / sigma
        weight = np.exp(-0.5 * (apart**2 + later**2))
        total[here] += weight[:, None] * values[there]
        weights[here] += weight
    return (total / weights[:, None]).astype(np.float32)


def averaged(values: Floats, times: Floats, sigma: float) -> Floats:
    """A light Gaussian average of a track (F, D) at `times` (F,) seconds, over three frames to each side at
    most: by it the bilateral filter tells motion from noise. sigma: seconds; 0 is off."""
    if sigma <= 0:
        return values.copy()
    total = np.zeros_like(values, np.float64)
    weights = np.zeros(len(values))
    for shift in range(-3, 4):
        here, there = _overlap(len(values), shift)
        weight = np.exp(-0.5 * ((times[there] - times[here]) / sigma) ** 2)
        total[here] += weight[:, None] * values[there]
        weights[here] += weight
    return total / weights[:, None]


def _overlap(length: int, shift: int) -> tuple[slice, slice]:
    """The frames that have another one `shift` frames later, and those others; empty for a shorter track."""
    shift = max(-length, min(length, shift))
    start, stop = max(0, -shift), min(length, length - shift)
    return slice(start, stop), slice(start + shift, stop + shift)


class OneEuro:
    """The One-Euro filter (Casiez, Roussel and Vogel 2012) on a vector: a low-pass whose cut-off rises with
    the vector's speed.

    cutoff: hertz at rest. rise: hertz per unit of speed. Causal: the delay is short when much moves.
    """

    def __init__(self, cutoff: float, rise: float, speed_cutoff: float = 1.0) -> None:
        self.cutoff, self.rise, self.speed_cutoff = cutoff, rise, speed_cutoff
        self._value: Floats | None = None
        self._speed: Floats | None = None
        self._time = 0.0

    def __call__(self, value: Floats, time: float) -> Floats:
        """The filtered value (D,) at `time` seconds; times must not fall."""
        value = np.asarray(value, np.float32)
        if self._value is None or self._speed is None:
            self._value, self._speed, self._time = value, np.zeros_like(value), time
            return value
        step = max(time - self._time, 1e-4)
        speed = (value - self._value) / step
        self._speed = self._speed + _share(self.speed_cutoff, step) * (speed - self._speed)
        cutoff = self.cutoff + self.rise * float(np.linalg.norm(self._speed))
        self._value = (self._value + _share(cutoff, step) * (value - self._value)).astype(np.float32)
        self._time = time
        return self._value


def _share(cutoff: float, step: float) -> float:
    """Weight of a new value in a first-order low-pass (the paper's equation 3 in another form)."""
    turn = 2 * np.pi * cutoff * step
    return turn / (turn + 1)


def bridge(values: Floats, found: np.ndarray, times: Floats, ease: float = 0.3) -> Floats:
    """A track (F, D) without its gaps: where nothing was `found` (F,) the last value is held, and for `ease`
    seconds after the gap the held value runs into the found ones. Before the first find that one stands."""
    if found.all() or not found.any():
        return values.copy()
    out = values.copy()
    first = int(np.argmax(found))
    out[:first] = values[first]
    held, gap_end = out[first], None
    for frame in range(first, len(out)):
        if not found[frame]:
            out[frame], gap_end = held, None
            continue
        if frame and not found[frame - 1] and frame > first:
            gap_end, start = times[frame], held.copy()
        if gap_end is not None and times[frame] - gap_end < ease:
            t = (times[frame] - gap_end) / ease
            share = t * t * (3 - 2 * t)
            out[frame] = start + (values[frame] - start) * share
        held = out[frame]
    return out
