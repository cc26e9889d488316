"""Stills: any common file in, upright 8-bit sRGB out; clear refusals."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import PIL.ImageCms
import PIL.ImageOps
import pillow_heif
import pytest
from media_samples import coded

from reenact.errors import ReenactError
from reenact.media import stills
from reenact.media.stills import read_still, write_still

pytestmark = pytest.mark.filterwarnings("ignore:::PIL")

PICTURE = coded(0b10110010, 96, 64)
RGBA = np.dstack([PICTURE, np.full(PICTURE.shape[:2], 255, np.uint8)])
RGBA[:10, :10, 3] = 0
RGBA[10:20, :10, 3] = 128


def near(image: np.ndarray, expected: np.ndarray, limit: float = 3) -> bool:
    return bool(np.abs(image.astype(float) - expected).mean() < limit)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp", ".tif", ".avif", ".gif"])
def test_formats(tmp_path: Path, suffix: str) -> None:
    PIL.Image.fromarray(PICTURE).save(tmp_path / f"in{suffix}")
    image = read_still(tmp_path / f"in{suffix}")
    assert image.dtype == np.uint8
    assert image.shape == PICTURE.shape
    assert near(image, PICTURE, 5)


def test_heic(tmp_path: Path) -> None:
    pillow_heif.from_pillow(PIL.Image.fromarray(PICTURE)).save(str(tmp_path / "in.heic"), quality=95)
    assert near(read_still(tmp_path / "in.heic"), PICTURE)


def test_the_content_counts_not_the_suffix(tmp_path: Path) -> None:
    PIL.Image.fromarray(PICTURE).save(tmp_path / "in.jpg", "PNG")
    assert np.array_equal(read_still(tmp_path / "in.jpg"), PICTURE)


@pytest.mark.parametrize(
    ("tag", "stored"),
    [
        (2, lambda image: image[:, ::-1]),
        (3, lambda image: np.rot90(image, 2)),
        (6, lambda image: np.rot90(image, 1)),
        (8, lambda image: np.rot90(image, -1)),
        (5, lambda image: image.swapaxes(0, 1)),
    ],
)
def test_exif_orientation(tmp_path: Path, tag: int, stored: Any) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = tag
    turned = PIL.Image.fromarray(np.ascontiguousarray(stored(PICTURE)))
    for name in ("in.png", "in.jpg"):
        turned.save(tmp_path / name, exif=exif.tobytes(), quality=95)
        assert near(read_still(tmp_path / name), PICTURE)


@pytest.mark.parametrize("tag", range(10))
def test_every_exif_orientation_is_as_pillow_turns_it(tmp_path: Path, tag: int) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = tag
    PIL.Image.fromarray(PICTURE).save(tmp_path / "in.png", exif=exif.tobytes())
    with PIL.Image.open(tmp_path / "in.png") as picture:
        expected = np.asarray(PIL.ImageOps.exif_transpose(picture))
    assert np.array_equal(read_still(tmp_path / "in.png"), expected)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L", "LA", "CMYK", "I;16", "F", "1"])
def test_a_large_picture_is_read_in_strips_that_meet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    path = tmp_path / "in.tif"
    grey = np.arange(40 * 30, dtype=np.uint16).reshape(30, 40) * 50
    if mode == "I;16":
        PIL.Image.fromarray(grey).save(path)
    elif mode == "F":
        values = grey.astype(np.float32)
        values[3, 3] = np.nan
        PIL.Image.fromarray(values).save(path)
    else:
        colour = PIL.Image.fromarray(np.dstack([grey % 256, grey // 256, grey // 99]).astype(np.uint8))
        if "A" in mode:
            # Only the last strip can be seen through.
            colour.putalpha(PIL.Image.fromarray(np.where(grey > 55_000, 60, 255).astype(np.uint8)))
        colour.convert(mode).save(path)
    whole = read_still(path)
    monkeypatch.setattr(stills, "_STRIP_PIXELS", 7 * 40)
    assert np.array_equal(read_still(path), whole)
    assert whole.shape == (30, 40, 4 if "A" in mode else 3)


def test_damaged_exif_is_passed_over(tmp_path: Path) -> None:
    PIL.Image.fromarray(PICTURE).save(tmp_path / "in.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\xff" + bytes(9))
    assert read_still(tmp_path / "in.jpg").shape == PICTURE.shape


def png(width: int, height: int, depth: int, colour: int, rows: bytes, extra: bytes = b"") -> bytes:
    """A PNG written by hand (ISO/IEC 15948), for the kinds that Pillow does not write."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + extra
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(("colour", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_sixteen_bit_png(tmp_path: Path, colour: int, channels: int) -> None:
    deep = (np.arange(4 * 8 * channels).reshape(4, 8 * channels) * 65535 / (32 * channels - 1)).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in deep)
    (tmp_path / "in.png").write_bytes(png(8, 4, 16, colour, rows))
    image = read_still(tmp_path / "in.png")
    values = deep.reshape(4, 8, channels).astype(float) / 257
    grey = channels < 3
    expected = values[..., [0, 0, 0]] if grey else values[..., :3]
    assert np.abs(image[..., :3] - expected).max() <= 1
    assert image.shape[2] == (4 if channels in (2, 4) else 3)
    if image.shape[2] == 4:
        assert np.abs(image[..., 3] - values[..., -1]).max() <= 1


def test_sixteen_bit_grey_tiff(tmp_path: Path) -> None:
    deep = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    PIL.Image.fromarray(deep).save(tmp_path / "in.tif")
    assert np.abs(read_still(tmp_path / "in.tif")[..., 0] - deep / 257.0).max() <= 0.51


def test_grey_and_bilevel(tmp_path: Path) -> None:
    picture = PIL.Image.fromarray(PICTURE)
    for mode in ("L", "1", "LA"):
        picture.convert(mode).save(tmp_path / "in.png")
        image = read_still(tmp_path / "in.png")
        assert image.shape == PICTURE.shape
        assert np.array_equal(image, np.asarray(picture.convert(mode).convert("RGB")))


def test_transparency_is_kept_where_there_is_some(tmp_path: Path) -> None:
    PIL.Image.fromarray(RGBA).save(tmp_path / "in.png")
    assert np.array_equal(read_still(tmp_path / "in.png"), RGBA)
    grey_alpha = PIL.Image.fromarray(RGBA).convert("LA")
    grey_alpha.save(tmp_path / "la.png")
    assert np.array_equal(read_still(tmp_path / "la.png")[..., 3], RGBA[..., 3])
    opaque = np.dstack([PICTURE, np.full(PICTURE.shape[:2], 255, np.uint8)])
    PIL.Image.fromarray(opaque).save(tmp_path / "opaque.png")
    assert np.array_equal(read_still(tmp_path / "opaque.png"), PICTURE)


def test_palette_with_transparency(tmp_path: Path) -> None:
    picture = PIL.Image.fromarray(PICTURE).quantize(16)
    picture.save(tmp_path / "in.png", transparency=3)
    image = read_still(tmp_path / "in.png")
    indices = np.asarray(picture)
    assert np.array_equal(image[..., 3] == 0, indices == 3)
    shown = indices != 3
    assert np.array_equal(image[..., :3][shown], np.asarray(picture.convert("RGB"))[shown])


def test_cmyk(tmp_path: Path) -> None:
    PIL.Image.fromarray(PICTURE).convert("CMYK").save(tmp_path / "in.jpg", quality=95)
    assert near(read_still(tmp_path / "in.jpg"), PICTURE, 6)
    PIL.Image.fromarray(PICTURE).convert("CMYK").save(tmp_path / "in.tif")
    assert near(read_still(tmp_path / "in.tif"), PICTURE, 1)


def matrix_profile(primaries: np.ndarray, gamma: float) -> bytes:
    """An ICC v2 display profile from XYZ columns (D50) and one gamma, written by hand."""

    def xyz(values: np.ndarray) -> bytes:
        return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(float(value) * 65536) for value in values))

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    text = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"Wide\0" + bytes(4 + 4 + 2 + 1 + 67)
    text += bytes(-len(text) % 4)
    white = xyz(np.array([0.9642, 1.0, 0.8249]))
    tags = [(b"desc", text), (b"wtpt", white), (b"cprt", b"text\0\0\0\0none\0\0\0\0")]
    tags += [(name, xyz(column)) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries.T, strict=True)]
    tags += [(name, curve) for name in (b"rTRC", b"gTRC", b"bTRC")]
    table, body, offset = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for name, data in tags:
        table += name + struct.pack(">II", offset + len(body), len(data))
        body += data
    head = struct.pack(">I4sI4s4s4s", offset + len(body), b"lcms", 0x02100000, b"mntr", b"RGB ", b"XYZ ")
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + table + body


# Display P3 adapted to D50 (the columns in Apple's published profile).
P3 = np.array([[0.51512, 0.29198, 0.15710], [0.24120, 0.69225, 0.06657], [-0.00105, 0.04189, 0.78407]])
SRGB = np.array([[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]])


def test_wide_gamut_becomes_srgb(tmp_path: Path) -> None:
    image = np.random.default_rng(1).integers(90, 150, (16, 16, 3)).astype(np.uint8)
    PIL.Image.fromarray(image).save(tmp_path / "in.png", icc_profile=matrix_profile(P3, 2.2))
    linear = (image / 255.0) ** 2.2 @ P3.T @ np.linalg.inv(SRGB).T
    expected = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.abs(linear) ** (1 / 2.4) - 0.055) * 255
    assert np.abs(read_still(tmp_path / "in.png") - expected).max() < 2
    assert np.abs(expected - image).max() > 5


def test_srgb_profile_changes_nothing_and_damaged_one_is_ignored(tmp_path: Path) -> None:
    profile = io.BytesIO(PIL.ImageCms.ImageCmsProfile(PIL.ImageCms.createProfile("sRGB")).tobytes()).getvalue()
    for data in (profile, b"not a profile"):
        PIL.Image.fromarray(PICTURE).save(tmp_path / "in.png", icc_profile=data)
        assert np.array_equal(read_still(tmp_path / "in.png"), PICTURE)


def test_sides_over_8000_pixels(tmp_path: Path) -> None:
    PIL.Image.new("RGB", (9000, 40), (10, 200, 30)).save(tmp_path / "in.png")
    assert read_still(tmp_path / "in.png").shape == (40, 9000, 3)


# What is refused ------------------------------------------------------------------------------------------


def refused(path: Path, match: str) -> None:
    with pytest.raises(ReenactError, match=match) as caught:
        read_still(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp", ".tif", ".avif", ".heic"])
def test_truncated_files_are_refused(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (128, 128, 3)).astype(np.uint8)
    path = tmp_path / f"in{suffix}"
    pillow_heif.register_heif_opener()
    PIL.Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 7 // 10])
    refused(path, "damaged or cut off|not a picture")


def test_bombs_are_refused_by_their_header(tmp_path: Path) -> None:
    (tmp_path / "bomb.png").write_bytes(png(100_000, 100_000, 8, 2, bytes(1000)))
    refused(tmp_path / "bomb.png", "too large")
    (tmp_path / "wide.png").write_bytes(png(20_000, 13_000, 8, 2, bytes(1000)))
    refused(tmp_path / "wide.png", "too large")


def test_other_files_are_refused(tmp_path: Path) -> None:
    refused(tmp_path / "none.jpg", "not found")
    refused(tmp_path, "folder")
    (tmp_path / "text.jpg").write_text("dear diary")
    refused(tmp_path / "text.jpg", "not a picture")
    (tmp_path / "empty.jpg").touch()
    refused(tmp_path / "empty.jpg", "empty")
    # PostScript would be run by another program.
    (tmp_path / "in.eps").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n")
    refused(tmp_path / "in.eps", "not a picture")


def test_mutated_files_never_escape_as_other_errors(tmp_path: Path) -> None:
    random = np.random.default_rng(7)
    for suffix in (".jpg", ".png", ".webp", ".tif", ".gif", ".bmp"):
        path = tmp_path / f"in{suffix}"
        PIL.Image.fromarray(PICTURE).save(path)
        original = np.frombuffer(path.read_bytes(), np.uint8)
        for _ in range(40):
            data = original.copy()
            places = random.integers(0, len(data), 12)
            data[places] = random.integers(0, 256, 12)
            path.write_bytes(data.tobytes())
            try:
                image = read_still(path)
            except ReenactError:
                continue
            assert image.dtype == np.uint8
            assert image.shape[2] in (3, 4)


# What is written ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("suffix", "limit"), [(".png", 0.001), (".webp", 4), (".jpg", 3)])
def test_written_files_come_back(tmp_path: Path, suffix: str, limit: float) -> None:
    write_still(tmp_path / f"out{suffix}", PICTURE)
    assert near(read_still(tmp_path / f"out{suffix}"), PICTURE, limit)


def test_transparency_is_written(tmp_path: Path) -> None:
    write_still(tmp_path / "out.png", RGBA)
    assert np.array_equal(read_still(tmp_path / "out.png"), RGBA)
    write_still(tmp_path / "out.webp", RGBA, quality=100)
    assert np.array_equal(read_still(tmp_path / "out.webp")[..., 3], RGBA[..., 3])
    write_still(tmp_path / "out.jpg", RGBA)
    assert read_still(tmp_path / "out.jpg")[5, 5].min() > 240


def test_quality_changes_the_size(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    sizes = []
    for quality in (0, 50, 100):
        write_still(tmp_path / "out.jpg", noise, quality)
        sizes.append((tmp_path / "out.jpg").stat().st_size)
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[2] / 2


def test_unknown_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReenactError, match=r"cannot write a picture as \.xyz"):
        write_still(tmp_path / "out.xyz", PICTURE)
