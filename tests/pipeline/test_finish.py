"""The last touches on a frame."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.pipeline.finish import Finisher, draw_points
from reenact.pipeline.options import OutputOptions


def finisher(compare=None, **settings):
    return Finisher(OutputOptions(**{"mark": False, **settings}), "warp", False, [], compare)


GREY = np.full((60, 80, 3), 100, np.uint8)


def test_without_wishes_the_frame_is_not_touched():
    done = finisher()
    assert done.frame(GREY, None, None) is GREY
    assert done.marks == ()


def test_points_are_drawn_on_a_copy_where_they_are():
    points = np.array([[10.5, 20.5, 0], [79.9, 59.9, 0], [-5, 1000, 3]], np.float32)
    out = draw_points(GREY, points)
    changed = np.argwhere((out != GREY).any(2))
    assert (GREY == 100).all()
    assert {(20, 10), (59, 79)} <= {tuple(at) for at in changed}
    assert len(changed) <= 3


def test_points_keep_the_transparency():
    picture = np.dstack([GREY, np.full(GREY.shape[:2], 7, np.uint8)])
    assert (draw_points(picture, np.array([[5, 5]], np.float32))[..., 3] == 7).all()


@pytest.mark.parametrize("driving", [None, np.full((30, 30, 3), 200, np.uint8)])
def test_comparison_puts_source_driving_and_result_in_a_row(driving):
    source = np.full((120, 160, 3), 50, np.uint8)
    out = finisher(source).frame(GREY, driving, None)
    assert out.shape == (60, 160 if driving is None else 220, 3)
    assert (out[:, :80] == 50).all() and (out[:, -80:] == 100).all()
    assert driving is None or (out[:, 80:140] == 200).all()


def test_comparison_has_even_sides():
    odd = np.zeros((61, 83, 3), np.uint8)
    assert [side % 2 for side in finisher(odd).frame(odd, None, None).shape[:2]] == [0, 0]


def test_a_label_is_visible_and_reported():
    done = finisher(label="AI")
    picture = np.full((200, 300, 3), 100, np.uint8)
    assert (done.frame(picture, None, None) != picture).any()
    assert done.marks == ("label",)


def test_a_watermark_is_put_in_where_it_fits():
    done = finisher(mark=True)
    noisy = np.random.default_rng(0).integers(0, 255, (256, 256, 3)).astype(np.uint8)
    out = done.frame(noisy, None, None)
    assert out.shape == noisy.shape and (out != noisy).any()
    assert done.marks == ("c2pa", "watermark")
