"""A still but noisy driver, and a mouth that opens on a still head."""

from __future__ import annotations

import numpy as np
import PIL.Image
import pytest

from reenact.errors import ReenactError
from reenact.evaluation.scenes import portrait_of
from reenact.evaluation.steadiness import (
    head_sizes,
    mouth_motion,
    noisy_frames,
    opening_mouth,
    points_in,
    still_driver,
)
from reenact.geometry.expressions import lips_parted
from reenact.geometry.face_model import default_face_model
from reenact.types import Image


def test_noise_has_the_size_asked_for() -> None:
    grey = np.full((64, 64, 3), 128, np.uint8)
    frames = [frame.astype(float) for frame in noisy_frames(grey, 4, 5.0, seed=0)]
    assert np.std([frame - grey for frame in frames]) == pytest.approx(5, rel=0.03)
    assert not np.array_equal(frames[0], frames[1])


def test_a_result_moves_less_than_its_noisy_driver(face: Image) -> None:
    figures = still_driver(portrait_of(face, 192), face, sigma=5, count=20)
    assert figures.result_jitter < 0.6 * figures.driver_jitter
    assert figures.result_wander < figures.driver_wander


def test_an_opening_mouth_does_not_make_the_head_grow(face: Image) -> None:
    portrait = portrait_of(face, 192)
    growth = opening_mouth(portrait, portrait, count=12)
    assert growth.opened > 8
    assert growth.drift < 1
    assert growth.by_landmarks < 4


def test_a_head_that_does_grow_is_seen_to(face: Image) -> None:
    height, width = face.shape[:2]
    grown = []
    for n in range(4):
        edge = round(0.01 * n * width)
        cut = PIL.Image.fromarray(face[edge : height - edge, edge : width - edge])
        grown.append(np.array(cut.resize((width, height), PIL.Image.Resampling.BICUBIC)))
    sizes = head_sizes(grown, points_in(grown))
    wanted = np.array([width / (width - 2 * round(0.01 * n * width)) for n in range(4)])
    np.testing.assert_allclose(sizes / sizes[0], wanted, atol=0.006)


def test_the_made_motion_opens_the_mouth_and_nothing_else() -> None:
    model, motion = default_face_model(), mouth_motion(11)
    gaps = [lips_parted(model, expression) for expression in motion.expression]
    assert np.argmax(gaps) == 5 and gaps[0] == pytest.approx(gaps[-1], abs=1e-4)
    assert np.ptp(motion.scale) == 0 and not motion.rotation.any()


def test_pictures_without_a_face_are_refused() -> None:
    with pytest.raises(ReenactError, match="no face"):
        points_in([np.zeros((96, 96, 3), np.uint8)])
