from __future__ import annotations

import numpy as np
import pytest
from skimage.data import astronaut

from reenact.errors import ReenactError
from reenact.trust import LABELS, Label, draw_label, label_text


def test_the_label_lies_bottom_left_and_is_light_on_dark() -> None:
    image = np.full((300, 400, 3), 120, np.uint8)
    changed = np.any(draw_label(image, "AI-manipulated") != image, axis=2)
    rows, columns = np.nonzero(changed)
    assert rows.min() > 250 and columns.max() < 200
    drawn = draw_label(image, "AI-manipulated")[rows.min() : rows.max(), columns.min() : columns.max()]
    assert drawn.max() > 240 and drawn.min() < 60
    assert np.all(image == 120)


def test_it_grows_with_the_picture() -> None:
    areas = [
        np.any(draw_label(np.zeros((s, s, 3), np.uint8) + 99, "AI") != 99, axis=2).sum() for s in (500, 1000)
    ]
    assert 3 < areas[1] / areas[0] < 5


def test_it_shows_on_a_transparent_picture() -> None:
    image = np.zeros((200, 200, 4), np.uint8)
    drawn = draw_label(image, "AI-manipulated")
    assert drawn[..., 3].max() == 255 and drawn[:100, :, 3].max() == 0
    opaque = np.dstack([astronaut()[:200, :200], np.full((200, 200), 255, np.uint8)])
    assert np.array_equal(draw_label(opaque, "AI")[..., :3], draw_label(opaque[..., :3], "AI"))
    assert np.all(draw_label(opaque, "AI")[..., 3] == 255)


@pytest.mark.parametrize("size", [(16, 16), (64, 64), (1, 1), (40, 300), (2000, 20)])
def test_it_fits_into_any_picture(size: tuple[int, int]) -> None:
    image = np.full((size[1], size[0], 3), 128, np.uint8)
    assert draw_label(image, label_text("hr")).shape == image.shape


@pytest.mark.parametrize("language", LABELS)
def test_each_language_can_be_drawn(language: str) -> None:
    label = Label(label_text(language), 320, 240)
    assert np.any(label.draw(np.zeros((240, 320, 3), np.uint8)) > 200)


def test_languages() -> None:
    assert label_text("de-AT") == "KI-manipuliert" and label_text("en") == "AI-manipulated"
    assert label_text("EN") == "EN" and label_text("it-girl") == "it-girl" and label_text("") == ""
    for unknown in ("xx", "ja", "zh-CN"):
        with pytest.raises(ReenactError, match=f"no text in the language '{unknown}'; take one of bg, cs"):
            label_text(unknown)


def test_texts_that_cannot_be_drawn() -> None:
    with pytest.raises(ReenactError, match="no text"):
        Label("  ", 100, 100)
    with pytest.raises(ReenactError, match="no font"):
        Label("\U0001fbff\U000e0041", 100, 100)
