"""What is behind the person: it goes on as in a mirror near the edge, and ends in its mean colours."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.geometry.layers import Layers, without_person

SCALE = 40.0


def stripes() -> tuple[np.ndarray, np.ndarray]:
    """Horizontal stripes (200, 300, 3) of 10 pixels, and a hole of 120 pixels a side in their middle."""
    rows = np.where(np.arange(200) // 10 % 2, 200, 40).astype(np.uint8)
    picture = np.repeat(np.repeat(rows[:, None], 300, 1)[..., None], 3, 2)
    hidden = np.zeros((200, 300), bool)
    hidden[40:160, 90:210] = True
    picture[hidden] = (255, 0, 0)
    return picture, hidden


def test_stripes_go_on_behind_the_edge_and_fade_with_depth() -> None:
    picture, hidden = stripes()
    plate = without_person(picture, hidden, SCALE).astype(float)
    rows = np.where(np.arange(200) // 10 % 2, 200, 40)[80:120]
    assert np.array_equal(plate[~hidden], picture[~hidden])
    near, deep = plate[80:120, 93, 0], plate[80:120, 150, 0]
    assert np.corrcoef(near, rows)[0, 1] > 0.9 and near.std() > 25
    assert deep.std() < 0.4 * near.std()


def test_nothing_of_the_person_is_left() -> None:
    picture, hidden = stripes()
    plate = without_person(picture, hidden, SCALE).astype(int)
    assert np.abs(plate[..., 0] - plate[..., 1]).max() <= 1  # the stripes are grey, the person is red


@pytest.mark.parametrize("everywhere", [False, True])
def test_a_picture_without_a_person_and_one_of_nothing_else(everywhere: bool) -> None:
    picture, _ = stripes()
    plate = without_person(picture, np.full((200, 300), everywhere), SCALE)
    assert plate.shape == picture.shape and (everywhere or np.array_equal(plate, picture))


def test_a_large_picture_is_mirrored_at_the_same_place_as_a_small_one() -> None:
    picture, hidden = stripes()
    large = without_person(picture.repeat(4, 0).repeat(4, 1), hidden.repeat(4, 0).repeat(4, 1), 4 * SCALE)
    small = without_person(picture, hidden, SCALE)
    shrunk = large.reshape(200, 4, 300, 4, 3).mean((1, 3))
    assert np.abs(shrunk - small)[80:120, 90:100].mean() < 16


def test_where_nothing_moves_the_source_comes_back() -> None:
    picture, hidden = stripes()
    layers = Layers(picture, hidden.astype(np.float32), SCALE)
    still = np.dstack(np.meshgrid(np.arange(300), np.arange(200))).astype(np.float32)
    assert np.abs(layers.compose(still).astype(int) - picture).max() <= 1
