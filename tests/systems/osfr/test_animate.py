"""OSFR at work, with networks as they begin; and FusionNet, on a real face."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from reenact.errors import ReenactError  # noqa: E402
from reenact.geometry.face_model import default_face_model  # noqa: E402
from reenact.geometry.schemes import OSFR_CLASSES, convert_points  # noqa: E402
from reenact.media.compose import scale_to  # noqa: E402
from reenact.perception.detector import MeshDetector  # noqa: E402
from reenact.systems import CONVERTERS, SYSTEMS, find_system  # noqa: E402
from reenact.systems.crop import FaceCrop  # noqa: E402
from reenact.systems.osfr import presets  # noqa: E402
from reenact.systems.osfr.animate import OsfrGenerator  # noqa: E402
from reenact.systems.osfr.decoder import Generator  # noqa: E402
from reenact.systems.osfr.fusion import FusionNet, agreement, piecewise_morph  # noqa: E402
from reenact.systems.osfr.shape import parse  # noqa: E402
from reenact.systems.spec import SourceFace, TargetShape, fits  # noqa: E402

TINY = presets.FINETUNE["tiny"]
DRAWN = replace(TINY, size=128)  # of E alone


@pytest.fixture(scope="module")
def source() -> SourceFace:
    data = pytest.importorskip("skimage.data")
    picture = scale_to(np.ascontiguousarray(data.astronaut()[:256, 96:352]), 192, 192)
    with MeshDetector() as detector:
        points = detector.detect(picture)[0].points
    return SourceFace(picture, points, default_face_model().fit(points), None, (False,) * 4)


def moved(source: SourceFace) -> TargetShape:
    """The lower face 5 px to the right."""
    points = source.points.copy()
    points[:, 0] += np.where(points[:, 1] > points[4, 1], 5, 0)
    return TargetShape(points, source.state)


@pytest.mark.parametrize("fusion", ["none", "warp", "morph"])
def test_a_generator_draws_the_face_and_leaves_the_rest(source: SourceFace, fusion: str) -> None:
    torch.manual_seed(0)
    generator = OsfrGenerator(source, Generator(TINY).eval(), TINY, fusion)  # type: ignore[arg-type]
    target = TargetShape(source.points, source.state)
    out = generator.render(target)
    assert out.shape == source.picture.shape and out.dtype == np.uint8
    np.testing.assert_array_equal(out, generator.render(target))
    x, y = source.points[4, :2].astype(int)
    assert np.abs(out.astype(int) - source.picture)[y - 5 : y + 5, x - 5 : x + 5].mean() > 10


def test_weights_of_the_main_stage_draw_the_face_alone(source: SourceFace) -> None:
    torch.manual_seed(0)
    settings = replace(TINY, masked=True)
    out = OsfrGenerator(source, Generator(settings).eval(), settings, "none").render(moved(source))
    changed = np.abs(out.astype(int) - source.picture).max(-1) > 2
    face = parse(torch.from_numpy(moved(source).points)[None], replace(TINY, size=192))[0, 0].numpy() > 0.5
    assert changed[face].mean() > 0.5 and not changed[~face].mean() > 0.03


def test_without_fusion_landmarks_of_146_points_do(source: SourceFace) -> None:
    torch.manual_seed(0)
    generator = OsfrGenerator(source, Generator(TINY).eval(), TINY, "none")
    mesh = generator.render(TargetShape(source.points, source.state))
    few = TargetShape(convert_points(source.points, "osfr146"), source.state, "osfr146")
    np.testing.assert_array_equal(generator.render(few), mesh)


def test_agreement_is_where_both_show_one_class() -> None:
    one, other = (torch.zeros(len(OSFR_CLASSES), 1, 4) for _ in range(2))
    one[0], other[0] = 1, torch.tensor([1.0, 1, 1, 0])
    one[7, 0, 1], other[7, 0, 2] = 1, 1  # teeth, each where the other shows the face alone
    np.testing.assert_allclose(agreement(one, other), [[1, 0, 0, 0]])
    one[0, 0, 3] = 0  # neither shows a face
    np.testing.assert_allclose(agreement(one, other), [[1, 0, 0, 0]])
    np.testing.assert_allclose(agreement(one, other, around=True), [[1, 0, 0, 1]])


def test_fusion_takes_the_warp_where_both_agree_and_nothing_where_no_face_is(source: SourceFace) -> None:
    """(3.16) with I_o a brighter copy of I_warp: the warp within the face, I_o around it."""
    fusion = FusionNet(source, FaceCrop(source, 128).matrix, DRAWN)
    target = moved(source)
    warped = fusion.warped(target)
    drawn = np.clip(warped.astype(int) + 20, 0, 255).astype(np.uint8)
    fused = fusion.fuse(drawn, target).astype(int)
    x, y = target.points[50, :2].astype(int)  # a cheek
    np.testing.assert_array_equal(fused[y, x], warped[y, x])
    np.testing.assert_array_equal(fused[0], drawn[0])
    mask = fusion.mask(drawn, warped)
    assert mask.shape == (192, 192) and 0.05 < mask.mean() < 0.6 and mask.min() >= 0 and mask.max() <= 1
    whole = FusionNet(source, FaceCrop(source, 128).matrix, replace(DRAWN, fuse_around=True))
    np.testing.assert_array_equal(whole.fuse(drawn, target)[0], warped[0])
    assert whole.mask(drawn, warped).mean() > 0.9
    noise = np.random.default_rng(0).integers(0, 255, warped.shape, np.uint8)
    np.testing.assert_array_equal(fusion.fuse(noise, target), noise)


def test_the_masks_lie_where_the_face_lies(source: SourceFace) -> None:
    """In the region, against the parsing map drawn there at once."""
    fusion = FusionNet(source, FaceCrop(source, 128).matrix, DRAWN)
    mask = fusion.mask(source.picture, source.picture)
    region = replace(TINY, size=192)
    face = parse(torch.from_numpy(source.points)[None], region)[0, 0].numpy()
    assert mask[face < 0.01].mean() < 0.02 and mask[face > 0.99].mean() > 0.8


def test_the_piecewise_morph_moves_the_face_alone(source: SourceFace) -> None:
    still = piecewise_morph(source.picture, source.points, source.points)
    assert np.abs(still.astype(int) - source.picture).max() <= 1
    shifted = source.points + np.array([4, 0, 0], np.float32)
    out = piecewise_morph(source.picture, source.points, shifted)
    x, y = shifted[1, :2].astype(int)
    patch, own = (
        picture[y - 4 : y + 4, at - 4 : at + 4].astype(int)
        for picture, at in ((out, x), (source.picture, x - 4))
    )
    assert np.abs(patch - own).mean() < 4
    np.testing.assert_array_equal(out[0], source.picture[0])


def test_three_names_one_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows with and without FusionNet are names; the paper's converter copies, another can take its place."""
    names = ("osfr", "osfr_plain", "osfr_morph")
    assert all(SYSTEMS[name].converter == "copy" for name in names)
    monkeypatch.setattr("reenact.systems.installed", lambda name: True)
    assert [find_system(f"morphable+{name}").converter for name in names] == ["morphable"] * 3
    assert all(fits(CONVERTERS["lst"].gives, SYSTEMS[name].takes) for name in names)
    with pytest.raises(ReenactError, match="do not become"):
        find_system("lic+osfr")
