"""`live` at work: what the network asks for is what the picture shows, at every size."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from skimage import data

from reenact.errors import ReenactError
from reenact.geometry.schemes import LIPS_OUTER
from reenact.pipeline.options import MotionOptions
from reenact.pipeline.portrait import Portrait, Puppet, blend_of, drive_of, read_portrait
from reenact.systems.live.generator import LiveGenerator
from reenact.systems.live.inputs import RESIDUAL_UNIT, SIDE, Crop
from reenact.systems.spec import SystemSpec
from reenact.systems.warp import WARP


@pytest.fixture(scope="module")
def portrait() -> Portrait:
    return read_portrait(np.ascontiguousarray(data.astronaut()[:400, 40:440]))


def system(coarse: np.ndarray, drawn: np.ndarray) -> SystemSpec:
    """`live` with a network that always answers the same."""

    def load(source, threads):
        features = [np.zeros((1, 1), np.float32)] * 4
        return LiveGenerator(source, threads, (lambda _: features, lambda _: [coarse[None], drawn[None]]))

    return SystemSpec("fixed", "", "", 2.6, True, load)


def rendered(portrait: Portrait, spec: SystemSpec, *, paste: bool = True) -> np.ndarray:
    puppet = Puppet(portrait, spec, blend_of(MotionOptions()), paste=paste)
    still = drive_of(puppet.transfer.state)
    return puppet.render(still, still).astype(int)


def nothing() -> tuple[np.ndarray, np.ndarray]:
    """No flow, no light, and all of the warp stays."""
    drawn = np.zeros((4, 256, 256), np.float32)
    drawn[3] = 30
    return np.zeros((5, 64, 64), np.float32), drawn


def test_networks_of_another_version_are_one_line(portrait):
    older = system(np.zeros((2, 64, 64), np.float32), np.zeros((4, 256, 256), np.float32))
    with pytest.raises(ReenactError, match="another version"):
        rendered(portrait, older)


@pytest.mark.parametrize("paste", [True, False])
def test_a_network_that_keeps_everything_is_the_warp(portrait, paste):
    made = rendered(portrait, system(*nothing()), paste=paste)
    assert np.abs(made - rendered(portrait, WARP, paste=paste)).max() <= 1


def test_paint_covers_the_crop_and_fades_at_its_border(portrait):
    coarse, drawn = nothing()
    drawn[:3], drawn[3] = 2.0, -30.0  # white, whatever is below
    made, plain = rendered(portrait, system(coarse, drawn)), rendered(portrait, WARP)
    x, y = portrait.points[1, :2].astype(int)
    assert (made[y - 20 : y + 20, x - 20 : x + 20] == 255).all()
    changed = np.abs(made - plain).max(2) > 1
    assert changed.any() and not changed.all()
    # No hard edge: where the crop begins, the picture is still almost the warp's.
    columns = np.flatnonzero(changed[y])
    assert columns[0] > 0 and columns[-1] < changed.shape[1] - 1
    for column in (columns[0], columns[-1]):
        assert np.abs(made[y, column] - plain[y, column]).max() < 12


def test_light_is_added(portrait):
    coarse, drawn = nothing()
    coarse[2:] = 0.1
    x, y = portrait.points[1, :2].astype(int)
    part = np.s_[y - 20 : y + 20, x - 20 : x + 20]
    off = rendered(portrait, system(coarse, drawn))[part] - rendered(portrait, WARP)[part]
    assert np.median(off) == pytest.approx(12.75, abs=1)


def test_the_residual_flow_shifts(portrait):
    """Four pixels of the crop of 256, in pixels of the portrait."""
    coarse, drawn = nothing()
    coarse[0] = 4.0 / RESIDUAL_UNIT
    made, plain = rendered(portrait, system(coarse, drawn)), rendered(portrait, WARP)
    shift = 4 * Crop.around(portrait.points).side / SIDE
    x, y = portrait.points[1, :2].astype(int)
    part = plain[y - 40 : y + 40, x - 40 : x + 41]
    errors = [np.abs(made[y - 40 : y + 40, x - 40 - n : x + 41 - n] - part).mean() for n in range(10)]
    assert abs(int(np.argmin(errors)) - shift) <= 1


def test_transparency_is_left_alone(portrait):
    height, width = portrait.picture.shape[:2]
    alpha = np.linspace(0, 255, width).astype(np.uint8)[None].repeat(height, 0)
    clear = Portrait(np.dstack([portrait.picture, alpha]), portrait.points)
    made, plain = rendered(clear, system(*nothing())), rendered(clear, WARP)
    assert made.shape[2] == 4 and (made[..., 3] == plain[..., 3]).all()


def test_eyes_and_mouth_of_a_print_keep_its_ink(portrait):
    """Red paint all over: in a grey picture eyes and mouth stay grey, in a colourful one they do not."""
    coarse, drawn = nothing()
    drawn[0], drawn[1:3], drawn[3] = 0.5, -0.5, -30.0
    grey = np.repeat(portrait.picture.mean(2, keepdims=True), 3, 2).astype(np.uint8)
    inside = [np.s_[y - 1 : y + 2, x - 1 : x + 2] for x, y in portrait.points[[14, 468], :2].astype(int)]
    for picture, tinted in ((grey, False), (portrait.picture, True)):
        made = rendered(replace(portrait, picture=picture), system(coarse, drawn))
        for place in inside:
            spread = np.ptp(made[place], axis=2)
            assert (spread > 60).all() if tinted else (spread <= 2).all()
    # Lips painted red by hand are the picture's own.
    lips = np.zeros(grey.shape[:2], np.uint8)
    cv2.fillPoly(lips, [portrait.points[LIPS_OUTER, :2].astype(np.int32)], 1)
    by_hand = np.where(lips[..., None] > 0, np.array([170, 60, 70], np.uint8), grey)
    made = rendered(replace(portrait, picture=by_hand), system(*nothing()))
    plain = rendered(replace(portrait, picture=by_hand), WARP)
    assert np.abs(made - plain).max() <= 1
