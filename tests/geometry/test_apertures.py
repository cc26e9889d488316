"""Eyes and mouth as slits with an axis of their own."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.geometry.apertures import (
    eye_source,
    mouth_source,
    opening,
    paint_eye,
    paint_mouth,
    seam,
    tone_of,
)

RING = np.arange(8)


def slit(width=40.0, gap=8.0, turn=0.0, at=(50.0, 50.0)) -> np.ndarray:
    """Eight points of a lens-shaped slit: corner, three above, corner, three below; turned about its corner."""
    upper = [(0.25, -0.5), (0.5, -0.5), (0.75, -0.5)]
    ring = [(0, 0), *upper, (1, 0), (0.75, 0.5), (0.5, 0.5), (0.25, 0.5)]
    points = np.array(ring) * [width, gap]
    c, s = np.cos(turn), np.sin(turn)
    return (points @ np.array([[c, s], [-s, c]]) + at).astype(np.float32)


@pytest.mark.parametrize("turn", [0.0, 0.4, -1.0])
def test_frame_there_and_back(turn):
    found = opening(slit(turn=turn), RING)
    at = np.random.default_rng(0).uniform(40, 90, (6, 5, 2)).astype(np.float32)
    local = found.local(at)
    np.testing.assert_allclose(found.picture(local[..., 0], local[..., 1]), at, atol=1e-3)


@pytest.mark.parametrize("turn", [0.0, 0.4, -1.0])
@pytest.mark.parametrize("gap", [0.0, 4.0, 12.0])
def test_gap_counts_the_opening_whatever_the_turn_and_size(turn, gap):
    found = opening(slit(gap=gap, turn=turn), RING)
    assert found.width == pytest.approx(40, rel=1e-4)
    assert found.gap == pytest.approx(gap / 40, abs=1e-3)
    assert opening(slit(gap=gap, turn=turn) * 3, RING).gap == pytest.approx(found.gap, abs=1e-4)


def test_lids_that_cross_count_as_shut():
    assert opening(slit(gap=-5), RING).gap == 0


def test_a_mirrored_ring_is_read_from_the_left_too():
    right = np.roll(slit(), -4, axis=0)[[0, 7, 6, 5, 4, 3, 2, 1]]
    assert opening(right, RING).gap == pytest.approx(opening(slit(), RING).gap, abs=1e-4)


def grid(left, top, right, bottom):
    y, x = np.mgrid[top:bottom, left:right]
    return np.stack([x, y], -1).astype(np.float32) + 0.5


def test_an_unmoved_eye_comes_from_itself():
    eye = opening(slit(gap=16), RING)
    iris = np.array([70, 50], np.float32)
    at = grid(60, 46, 80, 54)
    np.testing.assert_allclose(eye_source(eye, eye, iris, iris, 1.0, at), at, atol=0.05)


def test_a_moved_iris_comes_from_where_it_was():
    eye = opening(slit(gap=16), RING)
    before, after = np.array([70, 50], np.float32), np.array([74, 51], np.float32)
    got = eye_source(eye, eye, after, before, 1.0, after[None, None])
    np.testing.assert_allclose(got[0, 0], before, atol=0.05)


def test_what_an_eye_takes_never_lies_on_the_lids():
    wide, narrow = opening(slit(gap=20), RING), opening(slit(gap=6), RING)
    iris = np.array([70, 50], np.float32)
    got = narrow.local(eye_source(wide, narrow, iris, iris, 1.0, grid(52, 41, 88, 59)))
    top, bottom = narrow.edges(got[..., 0])
    inside = (got[..., 0] > 0) & (got[..., 0] < 1)
    assert (got[..., 1] >= top - 0.01)[inside].all() and (got[..., 1] <= bottom + 0.01)[inside].all()


def test_an_unmoved_mouth_comes_from_itself_and_lacks_nothing():
    mouth = opening(slit(gap=16), RING)
    at = grid(62, 46, 78, 54)
    where, unknown = mouth_source(mouth, mouth, 1.0, at)
    np.testing.assert_allclose(where, at, atol=0.05)
    assert unknown.max() < 0.05


def test_a_mouth_that_opens_lacks_its_middle():
    shut, wide = opening(slit(gap=8), RING), opening(slit(gap=30), RING)
    _, unknown = mouth_source(wide, shut, 1.0, np.array([[[70.0, 37], [70, 50], [70, 63]]], np.float32))
    assert unknown[0, 1] > 0.9 and unknown[0, 0] < 0.3 and unknown[0, 2] < 0.3


def test_a_source_with_closed_lips_shows_no_teeth_at_all():
    shut, wide = opening(slit(gap=0.2), RING), opening(slit(gap=30), RING)
    _, unknown = mouth_source(wide, shut, 1.0, grid(60, 40, 80, 60))
    assert unknown.min() > 0.9


CHEEKS = np.full((2, 5, 3), 128, np.float32)
COLOURFUL = np.random.default_rng(4).integers(0, 256, (40, 40, 3)).astype(np.uint8)


@pytest.mark.parametrize("light", [20, 120, 250])
@pytest.mark.parametrize("colour", ["grey", "skin"])
def test_paintings_fit_the_picture(light, colour):
    skin = np.full((20, 3), light, np.float32) * (1 if colour == "grey" else np.array([1.0, 0.75, 0.6]))
    tone = tone_of(skin.astype(np.float32), CHEEKS, COLOURFUL)
    wide = opening(slit(gap=30), RING)
    at = grid(52, 36, 88, 64)
    for painted in (
        paint_mouth(wide, at, 90.0, 0.1, tone),
        paint_eye(wide, np.array([70, 50], np.float32), 8.0, at, tone),
    ):
        assert painted.shape == (*at.shape[:2], 3)
        assert np.isfinite(painted).all() and painted.min() >= 0 and painted.max() <= 262
        spread = (painted.max(-1) - painted.min(-1)).max()
        assert spread < 3 if colour == "grey" else spread > 0.05 * light
        assert painted.mean() < 1.6 * light


def test_a_print_of_one_hue_keeps_it():
    """What is painted into a sepia picture lies on its own curve from black to white."""
    grey = np.linspace(0, 255, 64)[:, None] * np.ones((1, 64))
    sepia = np.stack([grey, grey * 0.85, grey * 0.6], -1).astype(np.uint8)
    tone = tone_of(sepia[40:44, :5].reshape(-1, 3).astype(np.float32), CHEEKS, sepia)
    assert tone.print is not None
    red, green, blue = tone.tinted((0.8, 0.4, 0.4))
    assert green / red == pytest.approx(0.85, abs=0.03) and blue / red == pytest.approx(0.6, abs=0.03)
    assert tone_of(sepia[40:44, :5].reshape(-1, 3).astype(np.float32), CHEEKS, COLOURFUL).print is None


def test_a_print_in_two_inks_keeps_both():
    """Black to yellow to white: no parabola, but one colour a brightness; a mouth in it is yellow, too."""
    grey = np.linspace(0, 1, 128)[:, None] * np.ones((1, 64))
    ink = np.stack([np.minimum(2 * grey, 1), np.minimum(1.8 * grey, 1), np.maximum(2 * grey - 1, 0)], -1)
    picture = (ink * 255).astype(np.uint8)
    tone = tone_of(picture[60:64, :5].reshape(-1, 3).astype(np.float32), CHEEKS, picture)
    assert tone.print is not None
    red, green, blue = tone.tinted((0.45, 0.24, 0.23)) / 255
    assert red > green > 3 * blue and 1.8 * red == pytest.approx(2 * green, abs=0.1)


def test_warm_light_warms_what_is_painted():
    cold, warm = (
        tone_of(np.full((9, 3), hue, np.float32), CHEEKS, COLOURFUL).tinted((0.9, 0.9, 0.9))
        for hue in ((150, 115, 110), (190, 110, 60))
    )
    assert warm[0] / warm[2] > 1.3 * cold[0] / cold[2]


def test_what_is_painted_is_darker_beside_the_darker_cheek():
    skin, sides = np.full((9, 3), 160, np.float32), CHEEKS.copy()
    sides[0] = 60
    wide, at = opening(slit(gap=30), RING), grid(52, 36, 88, 64)
    one = paint_mouth(wide, at, 90.0, 0.1, tone_of(skin, sides, COLOURFUL))
    other = paint_mouth(wide, at, 90.0, 0.1, tone_of(skin, sides[::-1], COLOURFUL))
    half = at.shape[1] // 2
    assert one[:, :half].mean() < 0.8 * other[:, :half].mean()
    assert one[:, half:].mean() > 1.15 * other[:, half:].mean()


def test_a_grin_shows_teeth_all_over():
    """As wide as two thirds of the eyes' distance, and not open far: no dark below the teeth."""
    tone = tone_of(np.full((9, 3), 160, np.float32), CHEEKS, COLOURFUL)
    at = grid(62, 48, 78, 52)
    grin, spoken = (paint_mouth(opening(slit(gap=7), RING), at, unit, 0.0, tone) for unit in (52.0, 90.0))
    assert grin.mean() > 1.2 * spoken.mean()


def test_inked_has_the_prints_colours_alone():
    grey = np.linspace(0, 255, 64)[:, None] * np.ones((1, 64))
    sepia = np.stack([grey, grey * 0.85, grey * 0.6], -1).astype(np.uint8)
    tone = tone_of(sepia[40:44, :5].reshape(-1, 3).astype(np.float32), CHEEKS, sepia)
    made = tone.inked(COLOURFUL).astype(float)
    bright = made[..., 0] > 60
    np.testing.assert_allclose((made[..., 2] / made[..., 0])[bright], 0.6, atol=0.06)
    plain = tone_of(CHEEKS[0], CHEEKS, COLOURFUL)
    assert plain.inked(COLOURFUL) is COLOURFUL


@pytest.mark.parametrize("turn", [0.0, 0.5])
def test_lips_that_meet_show_no_teeth(turn):
    """A picture that is 1 inside the source's slit and 0 outside of it is not seen at a seam."""
    apart, shut = opening(slit(gap=12, turn=turn), RING), opening(slit(gap=0.0, turn=turn), RING)
    where, cover, shadow = seam(shut, apart, 1.0, 6.0, grid(30, 20, 100, 90))
    local = apart.local(where)
    top, bottom = apart.edges(local[..., 0])
    inside = (local[..., 1] > top + 0.1) & (local[..., 1] < bottom - 0.1)
    assert cover.max() > 0.99 and not inside[cover > 0.05].any()
    off = np.abs(shut.local(grid(30, 20, 100, 90))[..., 1])
    assert (cover[off > 6.1] == 0).all()
    assert shadow.min() < 0.8 and (shadow[off > 4] > 0.97).all()
    # Far from the line all is as far from the lip's edge as it is from the line.
    beyond = np.maximum(top - local[..., 1], local[..., 1] - bottom)
    far = (off > 5) & (off < 6) & (cover > 0)
    np.testing.assert_allclose(beyond[far], off[far], atol=0.35)
