"""Still pictures: any common file in, upright 8-bit sRGB out."""

from __future__ import annotations

import functools
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import PIL.ExifTags
import PIL.Image
import PIL.ImageCms

from reenact.errors import ReenactError
from reenact.media.limits import MAX_STILL_PIXELS, check_still_size, require_file
from reenact.types import Image

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "HEIF", "AVIF")
"""What is read, by content and not by suffix. Formats that run other programs or follow links are left out."""

_STRIP_PIXELS = 1 << 23
"""Pixels that are converted at a time."""

STILL_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
"""What is written."""


@functools.cache
def _prepare_pillow() -> None:
    import pillow_heif

    pillow_heif.register_heif_opener()
    # Pillow's own limit warns at a third of ours; the header is checked below before anything is decoded.
    PIL.Image.MAX_IMAGE_PIXELS = MAX_STILL_PIXELS
    # What it can read in spite of damage is no news to a user.
    warnings.filterwarnings("ignore", module=r"PIL\.")


def read_still(path: Path) -> Image:
    """The picture in `path`: (H, W, 3) or, where it has transparency, (H, W, 4); upright, 8 bit, sRGB.

    Reads JPEG, PNG, WebP, HEIC, AVIF, BMP, TIFF and GIF (first frame), 16-bit, grey, palette and CMYK ones
    too; a colour profile is applied. Raises ReenactError where the file is missing, empty, truncated, not a
    picture, or larger than the limits.
    """
    with _explained(path) as found:
        return _upright(*_decoded(found))


def still_size(path: Path) -> tuple[int, int]:
    """Width and height of the picture in `path` as they are stored, from its header alone.

    Raises ReenactError as `read_still` does, but sees no damage behind the header.
    """
    with _explained(path) as found, PIL.Image.open(found, formats=FORMATS) as picture:
        return picture.size


@contextmanager
def _explained(path: Path) -> Iterator[Path]:
    """What Pillow raises for a file comes up as the one line that a user reads."""
    path = require_file(Path(path), "picture")
    _prepare_pillow()
    try:
        yield path
    except ReenactError:
        raise
    except PIL.UnidentifiedImageError:
        raise ReenactError(f"not a picture that can be read: {path}; use JPEG, PNG, WebP or HEIC") from None
    except PIL.Image.DecompressionBombError:
        limit = MAX_STILL_PIXELS // 10**6
        raise ReenactError(f"picture is too large: {path}; at most {limit} megapixels are read") from None
    except MemoryError:
        raise ReenactError(f"picture does not fit into memory: {path}; make it smaller") from None
    except Exception as error:
        # Decoders answer a damaged file with a dozen kinds of exception (OSError, SyntaxError, ...).
        reason = str(error).strip() or type(error).__name__
        raise ReenactError(f"picture is damaged or cut off: {path} ({reason}); get it again") from error


def still_suffix(path: Path) -> str:
    """The ending of a picture's name, by which `write_still` goes. Raises ReenactError for another one."""
    suffix = Path(path).suffix.lower()
    if suffix not in STILL_SUFFIXES:
        what = suffix or "a name without ending"
        raise ReenactError(f"cannot write a picture as {what}: {path}; use {', '.join(STILL_SUFFIXES)}")
    return suffix


def write_still(path: Path, image: Image, quality: int = 75) -> None:
    """Writes `image` (H, W, 3 or 4) as PNG, JPEG or WebP by the suffix of `path`, replacing what is there.

    quality: 0 to 100; PNG is lossless always, WebP at 100. JPEG has no transparency: it is laid on white.
    Raises ReenactError for another suffix. Writes in place: use it inside `files.atomic_output`.
    """
    suffix = still_suffix(path)
    picture = PIL.Image.fromarray(np.ascontiguousarray(image))
    # 75 gives JPEG 90, where a face shows no blocks; 0 gives 60, the least that the watermark is made for.
    level = round(60 + 0.4 * min(max(quality, 0), 100))
    if suffix == ".png":
        picture.save(path, "PNG", compress_level=4)
    elif suffix == ".webp":
        picture.save(path, "WEBP", quality=level, lossless=quality >= 100, method=3)
    else:
        subsampling = 0 if level >= 90 else 2
        _on_white(picture).save(path, "JPEG", quality=level, subsampling=subsampling, optimize=True)


def _on_white(picture: PIL.Image.Image) -> PIL.Image.Image:
    if picture.mode != "RGBA":
        return picture
    white = PIL.Image.new("RGBA", picture.size, "white")
    return PIL.Image.alpha_composite(white, picture).convert("RGB")


def _decoded(path: Path) -> tuple[Image, int]:
    """The picture as it is stored, in sRGB, and its EXIF orientation."""
    with PIL.Image.open(path, formats=FORMATS) as picture:
        progressive = bool(picture.info.get("progressive"))
        coefficients = len(picture.getbands()) if progressive else 0
        check_still_size(picture.width, picture.height, picture.format, coefficients, path)
        picture.load()
        return _to_srgb(picture), _orientation(picture)


def _orientation(picture: PIL.Image.Image) -> int:
    try:
        return int(picture.getexif().get(PIL.ExifTags.Base.Orientation, 1))
    except Exception:
        return 1  # a picture with a damaged EXIF block is still a picture


def _upright(image: Image, orientation: int) -> Image:
    """The picture turned as its EXIF orientation, 1 to 8, says (TIFF 6.0, tag 274)."""
    if orientation not in range(2, 9):
        return image
    if orientation in (3, 4, 6, 7):
        image = image[::-1]
    if orientation in (2, 3, 7, 8):
        image = image[:, ::-1]
    return np.ascontiguousarray(image.swapaxes(0, 1) if orientation >= 5 else image)


def _to_srgb(picture: PIL.Image.Image) -> Image:
    """Strip by strip, since each step of the way makes a copy: a large picture is held twice, not six times."""
    strips = list(_strips(picture))
    top = _deep_top(picture, strips) if _is_deep(picture) else None
    see_through = top is None and any(_alpha(picture.crop(box)) is not None for box in strips)
    image: Image | None = None
    for left, upper, right, lower in strips:
        part = picture if len(strips) == 1 else picture.crop((left, upper, right, lower))
        values = _from_deep_grey(part, top) if top is not None else _from_colours(part, see_through)
        if len(strips) == 1:
            return values
        if image is None:
            image = np.empty((picture.height, picture.width, values.shape[2]), np.uint8)
        image[upper:lower] = values
    assert image is not None
    return image


def _strips(picture: PIL.Image.Image) -> Iterator[tuple[int, int, int, int]]:
    """Boxes (left, upper, right, lower) that cover the picture from top to bottom."""
    rows = max(1, _STRIP_PIXELS // picture.width)
    for upper in range(0, picture.height, rows):
        yield 0, upper, picture.width, min(picture.height, upper + rows)


def _from_colours(picture: PIL.Image.Image, see_through: bool) -> Image:
    profile = picture.info.get("icc_profile")
    colour = _apply_profile(picture, profile) if profile else None
    if colour is None:
        colour = picture.convert("RGB")
    if see_through:
        colour.putalpha(picture.convert("RGBA").getchannel("A"))
    return np.array(colour, dtype=np.uint8)


def _alpha(picture: PIL.Image.Image) -> PIL.Image.Image | None:
    """The alpha channel, or None where the picture is opaque everywhere."""
    if not picture.has_transparency_data:
        return None
    alpha = picture.convert("RGBA").getchannel("A")
    return None if alpha.getextrema() == (255, 255) else alpha


def _apply_profile(picture: PIL.Image.Image, profile: bytes) -> PIL.Image.Image | None:
    """The picture in sRGB, or None where its profile is sRGB already, damaged, or of another colour space."""
    try:
        source = PIL.ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "srgb" in PIL.ImageCms.getProfileDescription(source).lower():
            return None
        space = source.profile.xcolor_space.strip()
        modes = {"RGB": "RGB", "CMYK": "CMYK", "GRAY": "L", "Lab": "LAB"}
        if (mode := modes.get(space)) is None:
            return None
        if mode == "CMYK" and picture.mode != "CMYK":
            return None
        return _transform(picture.convert(mode), source)
    except (PIL.ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _transform(picture: PIL.Image.Image, source: Any) -> PIL.Image.Image:
    result = PIL.ImageCms.profileToProfile(
        picture,
        source,
        PIL.ImageCms.createProfile("sRGB"),
        renderingIntent=PIL.ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
        flags=PIL.ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    assert result is not None  # None stands for a change in place, which was not asked for
    return result


def _is_deep(picture: PIL.Image.Image) -> bool:
    return picture.mode.startswith("I") or picture.mode == "F"


def _deep_top(picture: PIL.Image.Image, strips: list[tuple[int, int, int, int]]) -> float:
    """The brightest value that is a number."""
    return max(float(np.nan_to_num(np.asarray(picture.crop(box))).max(initial=0)) for box in strips)


def _from_deep_grey(picture: PIL.Image.Image, top: float) -> Image:
    """16-bit, 32-bit and float grey to 8-bit RGB(A): Pillow's own conversion would clip at 255.

    top: the brightest value of the whole picture, which tells what stands for white.
    """
    values = np.asarray(picture)
    full = (
        1.0
        if picture.mode == "F" and top <= 1.0
        else 255.0
        if top <= 255 and picture.mode != "I;16"
        else 65535.0
    )
    bright = np.nan_to_num(values.astype(np.float32)) * np.float32(255.0 / full)
    grey = np.clip(np.rint(bright), 0, 255).astype(np.uint8)
    layers = [grey, grey, grey]
    if isinstance(key := picture.info.get("transparency"), int):
        layers.append(np.where(values == key, 0, 255).astype(np.uint8))
    return np.stack(layers, axis=-1)
