from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from PIL import Image as Pictures
from skimage.data import astronaut
from skimage.metrics import peak_signal_noise_ratio
from trust_samples import MARK_ID, frames, marked_picture, read_video, write_video

from reenact.errors import ReenactError
from reenact.trust import Watermark, read_clip, read_watermark
from reenact.trust.readout import bit_errors
from reenact.trust.watermark import MIN_SIDE


def jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    buffer = io.BytesIO()
    Pictures.fromarray(image).save(buffer, "JPEG", quality=quality)
    return np.asarray(Pictures.open(buffer))


def scaled(image: np.ndarray, factor: float) -> np.ndarray:
    size = round(image.shape[1] * factor), round(image.shape[0] * factor)
    return np.asarray(Pictures.fromarray(image).resize(size, Pictures.Resampling.LANCZOS))


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee", "rocket"])
def test_it_is_faint_and_read_back(name: str) -> None:
    image = getattr(skimage.data, name)()
    marked = Watermark(image.shape[1], image.shape[0], MARK_ID).embed(image)
    assert peak_signal_noise_ratio(image, marked) > 40
    assert read_watermark(marked).mark_id == MARK_ID
    assert not read_watermark(image).present


@pytest.mark.parametrize(
    "attack",
    [
        lambda image: jpeg(image, 75),
        lambda image: jpeg(image, 50),
        lambda image: scaled(image, 0.5),
        lambda image: scaled(image, 2.0),
        lambda image: image[30:491, 10:471],
        lambda image: image[:, 51:],
        lambda image: jpeg(image[30:491, 10:471], 75),
        lambda image: scaled(image[30:491, 10:471], 1.3),
        lambda image: np.repeat(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2),
        lambda image: np.clip(image * 0.8 + 20, 0, 255).astype(np.uint8),
    ],
    ids=[
        "jpeg75",
        "jpeg50",
        "half",
        "double",
        "crop",
        "crop side",
        "crop jpeg",
        "crop scale",
        "grey",
        "contrast",
    ],
)
def test_a_picture_survives(attack: Callable[[np.ndarray], np.ndarray]) -> None:
    reading = read_watermark(np.ascontiguousarray(attack(marked_picture())))
    assert reading.present and reading.mark_id == MARK_ID and reading.confidence > 0.999999


def test_a_video_survives_and_so_does_each_frame(tmp_path: Path) -> None:
    written = read_video(write_video(tmp_path / "a.mp4", frames()))
    again = read_video(write_video(tmp_path / "b.mp4", written, crf=28, preset="medium"))
    assert read_clip(again).mark_id == MARK_ID
    readings = [read_watermark(frame) for frame in again]
    assert all(r.present for r in readings) and sum(r.mark_id == MARK_ID for r in readings) >= 8
    assert all(r.mark_id in (None, MARK_ID) for r in readings)


@pytest.mark.parametrize("size", [(MIN_SIDE, MIN_SIDE), (160, 120), (321, 179), (1001, 333), (2600, 1100)])
def test_sizes(size: tuple[int, int]) -> None:
    image = np.asarray(Pictures.fromarray(astronaut()).resize(size))
    mark = Watermark(*size, MARK_ID)
    assert mark.fits and read_watermark(mark.embed(image)).mark_id == MARK_ID


@pytest.mark.parametrize("kept", [0, 10_000_000])
def test_strips_meet_without_seams(monkeypatch: pytest.MonkeyPatch, kept: int) -> None:
    image = np.asarray(Pictures.fromarray(astronaut()).resize((701, 1103)))
    whole = []
    monkeypatch.setattr("reenact.trust.watermark._KEPT_PIXELS", kept)
    for pixels in (1 << 24, 1 << 15):
        monkeypatch.setattr("reenact.trust.watermark._STRIP_PIXELS", pixels)
        whole.append(Watermark(701, 1103, MARK_ID).embed(image).astype(int))
    assert np.abs(whole[0] - whole[1]).max() <= 1  # the dither differs, nothing else


def test_a_picture_that_is_too_small_is_left_alone() -> None:
    image = astronaut()[:64, :64]
    mark = Watermark(64, 64, MARK_ID)
    assert not mark.fits and np.array_equal(mark.embed(image), image)
    assert not read_watermark(image).present


def test_alpha_is_untouched_and_the_input_too() -> None:
    image = np.dstack([astronaut(), np.arange(512 * 512).reshape(512, 512).astype(np.uint8)])
    before = image.copy()
    marked = Watermark(512, 512, MARK_ID).embed(image)
    assert np.array_equal(marked[..., 3], image[..., 3]) and np.array_equal(image, before)
    assert np.array_equal(
        marked[..., :3], Watermark(512, 512, MARK_ID).embed(np.ascontiguousarray(image[..., :3]))
    )


@pytest.mark.parametrize("value", [0, 128, 255])
def test_flat_pictures_do_not_wrap_around_and_are_no_false_alarm(value: int) -> None:
    image = np.full((256, 256, 3), value, np.uint8)
    assert np.abs(Watermark(256, 256, MARK_ID).embed(image).astype(int) - value).max() <= 6
    assert not read_watermark(image).present


def test_different_ids_and_unmarked_noise() -> None:
    assert read_watermark(marked_picture(3)).mark_id == 3
    assert bit_errors(marked_picture(3), 3) < 0.05 < 0.2 < bit_errors(marked_picture(3), 0xFFFF0000)
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    assert not read_watermark(noise).present and not read_clip([noise, noise]).present
    assert not read_clip([]).present


def test_wrong_use() -> None:
    with pytest.raises(ReenactError, match="32 bits"):
        Watermark(100, 100, -1)
    with pytest.raises(ValueError, match="100 x 100"):
        Watermark(100, 100, 1).embed(astronaut())
