"""The source: found, measured, scaled, and bound to a system."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import PIL.Image
import pytest

from reenact.errors import ReenactError
from reenact.geometry.expressions import expression
from reenact.geometry.transfer import Blend
from reenact.pipeline.options import Gains, MotionOptions
from reenact.pipeline.portrait import (
    Puppet,
    blend_of,
    choose_anchor,
    drives_of,
    face_box,
    nearest_portrait,
    read_portrait,
)


@pytest.fixture(scope="module")
def source(portrait):
    return read_portrait(portrait)


@pytest.fixture(scope="module")
def puppet(source):
    return Puppet(source, "warp", Blend())


def test_a_file_and_an_array_are_read_alike(portrait, picture, source):
    np.testing.assert_allclose(read_portrait(picture).points, source.points, atol=1e-3)
    assert source.picture.shape == picture.shape


def test_it_is_not_enlarged_beyond_reason(source):
    with pytest.raises(ReenactError, match="256 pixels cannot be enlarged to 9999; choose a size of 8192"):
        source.scaled(9999)
    assert max(source.scaled(300).picture.shape[:2]) == 300


def test_a_picture_without_a_face(tmp_path):
    path = tmp_path / "grey.png"
    PIL.Image.new("RGB", (200, 200), (128, 128, 128)).save(path)
    with pytest.raises(ReenactError, match=r"no face was found in .*grey\.png"):
        read_portrait(path)


def test_a_face_that_is_too_small(tmp_path, picture):
    path = tmp_path / "far.png"
    canvas = np.full((160, 160, 3), 128, np.uint8)
    canvas[50:114, 50:114] = np.array(PIL.Image.fromarray(picture).resize((64, 64)))
    PIL.Image.fromarray(canvas).save(path)
    with pytest.raises(ReenactError, match=r"at least 32|no face"):
        read_portrait(path)


def test_the_face_asked_for(tmp_path, picture):
    path = tmp_path / "two.png"
    PIL.Image.fromarray(np.concatenate([picture, picture[:, ::-1]], 1)).save(path)
    left, right = (read_portrait(path, number).points[:, 0].mean() for number in (0, 1))
    assert left < 256 < right
    with pytest.raises(ReenactError, match=r"two\.png.*face 2"):
        read_portrait(path, 2)


@pytest.mark.parametrize("longest", [128, 256, 400])
def test_scaling_takes_the_points_along(source, longest):
    scaled = source.scaled(longest)
    assert max(scaled.picture.shape[:2]) == longest
    np.testing.assert_allclose(scaled.points, source.points * longest / 256, rtol=1e-5)


def test_the_box_lies_in_the_picture_around_the_face(source):
    for margin in (1.5, 2.6, 10):
        box = face_box(source, margin)
        low, high = source.points[:, :2].min(0), source.points[:, :2].max(0)
        assert 0 <= box.left < low[0] and 0 <= box.top < low[1]
        assert high[0] < box.right <= 256 and high[1] < box.bottom <= 256
    assert box.of(source.picture).shape == source.picture.shape


def test_at_the_anchor_the_puppet_is_the_portrait(puppet, motion):
    drive = drives_of(motion, puppet.portrait)[3]
    off = np.abs(puppet.render(drive, drive).astype(int) - puppet.portrait.picture)
    assert off.mean() < 1


def test_rendering_leaves_the_portrait_alone(puppet, motion):
    before = puppet.portrait.picture.copy()
    drives = drives_of(motion, puppet.portrait)
    first = puppet.render(drives[5], drives[0])
    puppet.render(drives[15], drives[0])
    np.testing.assert_array_equal(puppet.render(drives[5], drives[0]), first)
    np.testing.assert_array_equal(puppet.portrait.picture, before)


def test_a_crop_is_the_part_of_the_picture_around_the_face(source, motion):
    crop = Puppet(source, "warp", Blend(), paste=False)
    drives = drives_of(motion, source)
    image = crop.render(drives[0], drives[0])
    assert image.shape == crop.box.of(source.picture).shape
    assert np.abs(image.astype(int) - crop.box.of(source.picture)).mean() < 1
    corner = [crop.box.left, crop.box.top, 0]
    target = crop.target(drives[0], drives[0]) + corner
    np.testing.assert_allclose(target[:, :2], source.points[:, :2], atol=0.05)


def test_in_a_large_picture_only_the_region_changes(picture, motion):
    canvas = np.tile(np.arange(640, dtype=np.uint8)[None, :, None], (600, 1, 3)) // 4
    canvas[100:356, 200:456] = picture
    puppet = Puppet(read_portrait(canvas), "warp", Blend())
    drives = drives_of(motion, puppet.portrait)
    moved = (puppet.render(drives[6], drives[0]) != canvas).any(2)
    inside = np.zeros_like(moved)
    puppet.box.of(inside)[:] = True
    assert moved.any() and not moved[~inside].any()


def test_an_unknown_system(source):
    with pytest.raises(ReenactError, match="there is no system 'magic'; choose one of: live, warp"):
        Puppet(source, "magic", Blend())


def test_a_motion_is_laid_over_the_picture_by_the_longer_side(source, motion):
    drives = drives_of(motion, source.scaled(512))
    assert drives[0].scale == pytest.approx(0.2 * 512)
    np.testing.assert_allclose(drives[0].translation, motion.translation[0] * 512)


def test_the_anchor_is_the_frame_most_like_the_source(puppet, motion, model):
    own = puppet.transfer.state
    faces = np.stack([own.expression + expression(model, {"jaw_open": j}) for j in (1.0, 0.6, 0.0, 0.8)])
    four = replace(
        motion,
        times=motion.times[:4],
        rotation=np.tile(own.rotation, (4, 1)),
        scale=motion.scale[:4],
        translation=motion.translation[:4],
        expression=faces,
        found=np.ones(4, bool),
    )
    drives = drives_of(four, puppet.portrait)
    assert choose_anchor(puppet, four, drives, "auto") == 2
    assert choose_anchor(puppet, replace(four, found=np.array([1, 1, 0, 1], bool)), drives, "auto") == 1
    assert choose_anchor(puppet, replace(four, found=np.zeros(4, bool)), drives, "auto") == 2
    assert choose_anchor(puppet, four, drives, 3) == 3
    for number in (-1, 4):
        with pytest.raises(ReenactError, match="0 to 3"):
            choose_anchor(puppet, four, drives, number)


def test_of_several_sources_the_one_turned_like_the_driving_head(source, puppet, motion, model):
    """Three views of one person; the motion looks to one side."""
    drives = drives_of(motion, source)
    quarter = len(drives) // 4
    views = [
        replace(source, points=puppet.target(drives[n], drives[0]), name=str(n))
        for n in (0, quarter, 3 * quarter)
    ]
    for n, sign in ((0, 0), (1, 1), (2, -1)):
        turned = np.tile(np.array([0, sign * np.deg2rad(15), 0], np.float32), (len(motion), 1))
        own = model.fit(source.points).rotation
        assert nearest_portrait(views, replace(motion, rotation=turned + own)) is views[n]


def test_motion_options_become_a_blend():
    blend = blend_of(
        MotionOptions(mode="absolute", placement="frame", strength=0.5, gains=Gains(eyes=0, head=0.3))
    )
    assert (blend.relative, blend.in_frame, blend.strength, blend.eyes, blend.turn) == (
        False,
        True,
        0.5,
        0,
        0.3,
    )
    assert blend_of(MotionOptions(mode="expression")).head is False
    assert blend_of(MotionOptions(mode="pose")).face is False
    assert blend_of(MotionOptions()) == Blend()
