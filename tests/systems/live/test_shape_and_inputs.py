"""What the network of `live` sees: shape maps, the crop, and the flow into the crop."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.geometry.face_model import default_face_model
from reenact.geometry.schemes import LEFT_EYE, LIPS_INNER, LIPS_OUTER
from reenact.geometry.transfer import Blend, Drive, Transfer
from reenact.systems.live.inputs import FLOW_SIDE, MAP_SIDE, SIDE, Crop, LiveInputs
from reenact.systems.live.shape import MAPS, shape_maps
from reenact.systems.spec import SourceFace, TargetShape


@pytest.fixture(scope="module")
def points() -> np.ndarray:
    """The mean face, 100 pixels from eye to eye, in a picture of 400 x 360."""
    return (default_face_model().mean * 100 + np.array([180, 150, 0])).astype(np.float32)


@pytest.fixture(scope="module")
def source(points) -> SourceFace:
    """A picture of smooth noise around that face."""
    rng = np.random.default_rng(3)
    coarse = rng.integers(0, 255, (20, 18, 3), dtype=np.uint8)
    picture = coarse.repeat(20, 0).repeat(20, 1)
    transfer = Transfer(default_face_model(), points, Blend())
    return SourceFace(picture, points, transfer.state, None, (False,) * 4)


def polygon_area(ring: np.ndarray) -> float:
    x, y = ring[:, 0], ring[:, 1]
    return abs(float(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1)))) / 2


def test_areas_are_those_of_the_polygons(points):
    """Shoelace formula as the reference."""
    at = points * np.float32(0.25)
    maps = shape_maps(at, MAP_SIDE).astype(float) / 255
    assert maps.shape == (MAP_SIDE, MAP_SIDE, len(MAPS))
    assert maps[..., MAPS.index("lips")].sum() == pytest.approx(
        polygon_area(at[LIPS_OUTER, :2]), rel=0.1
    )  # outlines are filled, too
    both = 2 * polygon_area(at[LEFT_EYE, :2])
    assert maps[..., MAPS.index("eyes")].sum() == pytest.approx(both, rel=0.25)
    # Irises lie in the eyes, the open mouth in the lips, all of it in the face.
    assert (maps[..., MAPS.index("irises")] <= maps[..., MAPS.index("eyes")] + 1e-6).all()
    assert (maps[..., MAPS.index("mouth")] <= maps[..., MAPS.index("lips")] + 0.5).all()
    assert maps[..., MAPS.index("face")].sum() > 5 * maps[..., MAPS.index("lips")].sum()


def test_an_open_mouth_is_larger(points):
    wide = points.copy()
    half = len(LIPS_INNER) // 2
    wide[LIPS_INNER[half + 1 :], 1] += 20
    index = MAPS.index("mouth")
    shut, open_ = (shape_maps(p * np.float32(0.25), MAP_SIDE)[..., index].sum() for p in (points, wide))
    assert open_ > shut + 10 * 255


def test_a_crop_that_leaves_the_picture_repeats_its_edge():
    picture = np.arange(100, dtype=np.uint8).repeat(100).reshape(100, 100, 1).repeat(3, 2)
    cut = Crop(-20, 10, 64).cut(picture)
    assert cut.shape == (SIDE, SIDE, 3)
    assert abs(int(cut[0, 0, 0]) - 10) <= 1 and abs(int(cut[-1, -1, 0]) - 73) <= 1
    assert (cut[:, :70] == cut[:, :1]).all()


def test_points_and_pixels_of_the_crop_agree():
    picture = np.zeros((300, 300, 3), np.uint8)
    picture[150:154, 100:104] = 255
    crop = Crop(50, 60, 128)
    cut = crop.cut(picture)[..., 0].astype(float)
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5
    seen = np.array([(x * cut).sum(), (y * cut).sum()]) / cut.sum()
    wanted = crop.inside(np.array([[102, 152]], np.float32))[0]
    assert seen == pytest.approx(wanted, abs=0.1)


@pytest.mark.parametrize("shift", [(0, 0), (12, -8)])
def test_the_flow_of_a_moved_head_points_back(source, points, shift):
    """In the middle of the face the flow is minus the shift, in pixels of the crop."""
    inputs = LiveInputs(source)
    transfer = Transfer(default_face_model(), points, Blend(relative=False, in_frame=True))
    state = transfer.state
    step = np.array(shift, np.float32)
    drive = Drive(state.rotation, state.scale, state.translation + step, state.expression)
    target, moved = transfer.target(drive, drive)
    picture, seen = inputs.frame(TargetShape(target, moved))
    assert picture.shape == source.picture.shape
    assert seen.flow.shape == (FLOW_SIDE, FLOW_SIDE, 2) and seen.picture.shape == (SIDE, SIDE, 3)
    middle = inputs.crop.inside(points)[1, :2] * FLOW_SIDE / SIDE
    x, y = middle.astype(int)
    wanted = -step * SIDE / inputs.crop.side
    assert seen.flow[y, x] == pytest.approx(wanted, abs=1.0)


def test_the_source_is_seen_with_its_matte(source):
    seen = LiveInputs(source).source
    assert seen.picture.shape == (SIDE, SIDE, 3)
    assert seen.maps.shape == (MAP_SIDE, MAP_SIDE, len(MAPS) + 1)
    assert (seen.maps[..., -1] == 255).all()  # no matte: everything counts as the person
