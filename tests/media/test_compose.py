"""Putting pictures together."""

from __future__ import annotations

import numpy as np
from media_samples import coded, number_of

from reenact.media.compose import checkerboard, over, pad_to_even, resize, scale_to, side_by_side


def test_resize_keeps_proportions() -> None:
    image = resize(coded(77, 400, 300), 200)
    assert image.shape == (150, 200, 3)
    assert number_of(image) == 77
    assert resize(coded(77, 300, 400), 800).shape == (800, 600, 3)
    assert resize(coded(1, 500, 2), 50).shape == (1, 50, 3)


def test_scaling_averages_what_it_drops() -> None:
    stripes = np.zeros((256, 256, 3), np.uint8)
    stripes[:, ::2] = 255
    small = scale_to(stripes, 64, 64)
    assert abs(float(small.mean()) - 127.5) < 1
    assert small.std() < 6


def test_transparent_pixels_lend_no_colour() -> None:
    image = np.zeros((64, 64, 4), np.uint8)
    image[:, :32] = (200, 100, 50, 255)
    small = scale_to(image, 7, 7)
    seen = small[..., 3] > 20
    assert (small[seen][:, :3] >= (195, 97, 48)).all()


def test_padding_repeats_the_edge() -> None:
    image = coded(3, 61, 47)
    padded = pad_to_even(image)
    assert padded.shape == (48, 62, 3)
    assert np.array_equal(padded[:47, :61], image)
    assert np.array_equal(padded[47, :61], image[46])
    assert np.array_equal(padded[:47, 61], image[:, 60])
    assert pad_to_even(padded) is padded


def test_laying_over_a_background() -> None:
    image = np.zeros((1, 3, 4), np.uint8)
    image[0, :, :3] = 100
    image[0, :, 3] = (0, 51, 255)
    assert over(image, 255)[0, :, 0].tolist() == [255, 224, 100]
    board = checkerboard(np.zeros((16, 16, 4), np.uint8), cell=8)
    assert board[0, 0, 0] == board[8, 8, 0] == 255
    assert board[0, 8, 0] == board[8, 0, 0] == 204


def test_side_by_side() -> None:
    transparent = np.zeros((20, 40, 4), np.uint8)
    row = side_by_side([coded(9, 64, 48), transparent, coded(200, 48, 96)], 96)
    assert row.shape == (96, 128 + 192 + 48, 3)
    assert number_of(row[:, :128]) == 9
    assert set(np.unique(row[:, 128:320])) == {204, 255}
    assert number_of(row[:, 320:]) == 200
