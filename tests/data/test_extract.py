"""Cutting, aligning, rejecting: against independent measures, on a real face."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageFilter
import pytest

from reenact.data.extract import (
    BLURRED,
    NO_FACE,
    SMALL,
    UNREADABLE,
    Extractor,
    Recipe,
    clip_square,
    cut,
    moved_state,
    sharpness,
    template,
)
from reenact.data.frames import Unit
from reenact.data.items import Item
from reenact.geometry.align import FACE_MARGIN, apply, crop_matrix, face_square


def test_cut_agrees_with_pillow(portrait: np.ndarray) -> None:
    """Against Pillow's own resize of a box, which counts pixels from the corner as reenact does."""
    matrix = crop_matrix(type(face_square(np.zeros((478, 2))))(160.0, 140.0, 128.0), 256)
    ours = cut(portrait, matrix, 256, repeat_edge=True).astype(float)
    box = (160 - 64, 140 - 64, 160 + 64, 140 + 64)
    theirs = np.asarray(
        PIL.Image.fromarray(portrait).resize((256, 256), PIL.Image.Resampling.BILINEAR, box), float
    )
    assert np.abs(ours - theirs)[4:-4, 4:-4].mean() < 0.6


def test_beyond_the_border_is_zero_or_the_edge(portrait: np.ndarray) -> None:
    matrix = np.array([[1.0, 0, 40], [0, 1, 0]])
    zero, edge = (cut(portrait, matrix, 320, repeat_edge=repeat) for repeat in (False, True))
    assert zero[:, :39].max() == 0 and np.array_equal(zero[:, 40:], portrait[:, :280])
    assert np.array_equal(edge[:, :39], np.repeat(portrait[:, :1], 39, axis=1))


def test_shrinking_does_not_alias() -> None:
    stripes = np.zeros((512, 512, 3), np.uint8)
    stripes[:, ::2] = 255
    small = cut(stripes, np.array([[0.125, 0, 0], [0, 0.125, 0]]), 64, repeat_edge=True)
    assert np.abs(small.astype(float) - 127.5).max() < 2


def test_sharpness_falls_with_blur(portrait: np.ndarray, points: np.ndarray) -> None:
    values = []
    for radius in (0, 1, 2, 4):
        blurred = PIL.Image.fromarray(portrait).filter(PIL.ImageFilter.GaussianBlur(radius))
        values.append(sharpness(np.asarray(blurred), points))
    assert values == sorted(values, reverse=True) and values[0] > 100 > 12 > values[3]


def test_the_square_of_a_clip_covers_its_travel(points: np.ndarray) -> None:
    still = clip_square([points])
    assert still.side == pytest.approx(face_square(points).side)
    shifted = points + np.array([20, 0, 0], np.float32)
    assert clip_square([points, shifted]).x == pytest.approx(still.x + 10, abs=1e-3)
    far = points + np.array([still.side * 3, 0, 0], np.float32)
    assert clip_square([points, far]).side == pytest.approx(1.5 * still.side)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, portrait: np.ndarray) -> Path:
    """A clip of frames with a head that tilts, and stills to be rejected."""
    folder = tmp_path_factory.mktemp("clip")
    picture = PIL.Image.fromarray(portrait)
    for n in range(4):
        picture.rotate(4 * n, PIL.Image.Resampling.BICUBIC).save(folder / f"{n}.png")
    picture.resize((64, 64)).save(folder / "small.png")
    picture.filter(PIL.ImageFilter.GaussianBlur(5)).save(folder / "blurred.png")
    PIL.Image.new("RGB", (200, 200), "grey").save(folder / "nobody.png")
    (folder / "broken.png").write_bytes((folder / "0.png").read_bytes()[:900])
    return folder


def clip_unit(folder: Path) -> Unit:
    return Unit(tuple(Item(folder / f"{n}.png", f"p/c/{n}", "p", "p/c", n) for n in range(4)))


def run(recipe: Recipe, unit: Unit):  # type: ignore[no-untyped-def]  # faces and the report
    extractor = Extractor(recipe)
    faces, report = extractor.run(unit)
    found = list(faces)
    extractor.close()
    return found, report


def test_a_clip_is_cropped_by_one_square_with_landmarks_in_place(folder: Path, points: np.ndarray) -> None:
    faces, report = run(Recipe(size=128), clip_unit(folder))
    assert (
        [face.facts["frame"] for face in faces] == [0, 1, 2, 3] and report.frames == 4 and not report.rejected
    )
    assert len({tuple(face.facts["matrix"]) for face in faces}) == 1
    matrix = np.array(faces[0].facts["matrix"]).reshape(2, 3)
    expected = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    assert np.abs(faces[0].points[:, :2] - expected).max() < 0.5
    assert all(face.image.shape == (128, 128, 3) for face in faces)
    identities = np.array([face.state.identity for face in faces])
    assert np.ptp(identities, axis=0).max() == 0
    rolls = [face.facts["pose"][2] for face in faces]
    assert np.allclose(np.diff(rolls), -4, atol=1)


def test_aligned_frames_stand_upright_on_the_mean_face(folder: Path, model) -> None:
    faces, _ = run(Recipe(size=256, framing="align"), clip_unit(folder))
    rolls = [face.facts["pose"][2] for face in faces]
    goal = template(model, 256, "align")
    weights = model.rigidity / model.rigidity.sum()
    off = [np.sqrt(weights @ ((face.points[:, :2] - goal) ** 2).sum(1)) for face in faces]
    assert np.ptp(rolls) < 1.5 and max(off) < 6
    close, _ = run(Recipe(size=256, framing="osfr"), clip_unit(folder))
    grown = np.ptp(close[0].points[:, 1]) / np.ptp(faces[0].points[:, 1])
    assert grown == pytest.approx(1.5, abs=0.02)
    assert np.ptp(faces[0].points[:, 1]) == pytest.approx(256 / FACE_MARGIN, rel=0.12)


def test_states_move_with_the_picture(model, points: np.ndarray) -> None:
    """As a fit of the moved points has it."""
    matrix = np.array([[0.6, -0.3, 20.0], [0.3, 0.6, -7.0]])
    moved, fitted = moved_state(model.fit(points), matrix), model.fit(apply(matrix, points))
    assert np.allclose(moved.rotation, fitted.rotation, atol=1e-4)
    assert moved.scale == pytest.approx(fitted.scale, rel=1e-4)
    assert np.allclose(moved.translation, fitted.translation, atol=1e-2)
    assert np.allclose(moved.expression, fitted.expression, atol=1e-3)


def test_an_aligned_crop_is_zero_where_the_picture_ends(tmp_path: Path, portrait: np.ndarray) -> None:
    PIL.Image.fromarray(portrait[30:230, 60:260]).save(tmp_path / "tight.png")
    faces, _ = run(Recipe(framing="align"), Unit((Item(tmp_path / "tight.png", "t", "t"),)))
    assert faces[0].image[:2].max() == 0 and faces[0].image[128].max() > 100


@pytest.mark.parametrize(
    ("name", "reason"), [("small", SMALL), ("blurred", BLURRED), ("nobody", NO_FACE), ("broken", UNREADABLE)]
)
def test_what_is_rejected_is_named_with_its_reason(folder: Path, name: str, reason: str) -> None:
    item = Item(folder / f"{name}.png", name, name)
    faces, report = run(Recipe(), Unit((item,)))
    assert not faces and [(s.name, s.reason) for s in report.skipped] == [(name, reason)]
    assert report.rejected == ({} if reason == UNREADABLE else {reason: 1})


def test_limits_can_be_lifted(folder: Path) -> None:
    for name in ("small", "blurred"):
        item = Item(folder / f"{name}.png", name, name)
        faces, _ = run(Recipe(min_face=16, min_sharpness=0), Unit((item,)))
        assert len(faces) == 1


def test_a_broken_frame_costs_only_itself(folder: Path) -> None:
    items = (*clip_unit(folder).items, Item(folder / "broken.png", "p/c/9", "p", "p/c", 9))
    faces, report = run(Recipe(), Unit(items))
    assert len(faces) == 4 and [(s.name, s.reason) for s in report.skipped] == [("p/c/9", UNREADABLE)]


def test_a_video_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.mp4").write_bytes(b"no video at all")
    faces, report = run(Recipe(), Unit((Item(tmp_path / "x.mp4", "x", "x", "x"),)))
    assert not faces and [s.reason for s in report.skipped] == [UNREADABLE]
