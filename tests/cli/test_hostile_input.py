"""Files that mean harm, given on the command line: one clear line each, exit code 2, and nothing written.

How much memory and time the readers take with such files is tested in tests/fuzz/test_bombs.py.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path

import PIL.Image
import pytest
from cli_command import Command
from media_samples import patch_box


def chunk(name: bytes, data: bytes) -> bytes:
    """A part of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def large_png(side: int) -> bytes:
    """A PNG whose header declares a square of so many pixels a side, with hardly any behind it."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def large_bmp(side: int) -> bytes:
    """The same as BMP: width and height stand at byte 18."""
    buffer = io.BytesIO()
    PIL.Image.new("RGB", (8, 8)).save(buffer, "BMP")
    data = bytearray(buffer.getvalue())
    data[18:26] = struct.pack("<ii", side, side)
    return bytes(data)


def large_tiff(side: int) -> bytes:
    """The same as TIFF: the entries 256 and 257 of the first directory."""
    buffer = io.BytesIO()
    PIL.Image.new("RGB", (8, 8)).save(buffer, "TIFF")
    data = bytearray(buffer.getvalue())
    (start,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, start)
    for entry in range(start + 2, start + 2 + 12 * count, 12):
        if struct.unpack_from("<H", data, entry)[0] in (256, 257):
            struct.pack_into("<HII", data, entry + 2, 4, 1, side)
    return bytes(data)


def nested_archive(depth: int) -> bytes:
    """An archive in an archive and so on, with names that lead out of their folder."""
    data = bytes(10**6)
    for level in range(depth):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"../../{level}.zip", data)
        data = buffer.getvalue()
    return data


def long_motion(frames: int) -> bytes:
    """A motion file of 32 bytes whose header declares so many frames."""
    shape = f'{{"times":{{"dtype":"I64","shape":[{frames},2],"data_offsets":[0,{frames * 16}]}}}}'.encode()
    return struct.pack("<Q", len(shape)) + shape + bytes(32)


PICTURES = {"a.png": large_png(100_000), "a.bmp": large_bmp(100_000), "a.tif": large_tiff(100_000)}
ARCHIVE = nested_archive(6)
NO_VIDEOS = {
    "a.mp4": ARCHIVE,
    "a.zip": ARCHIVE,
    "a.motion": ARCHIVE,
    "b.motion": long_motion(10**9),
    "a.m3u8": b"#EXTM3U\n#EXTINF:1,\n/etc/hostname\n#EXT-X-ENDLIST\n",
    "b.mp4": b"ffconcat version 1.0\nfile ../../portrait.png\n",
}


def refused(reenact: Command, verb: str, source: Path, driving: Path, named: Path) -> str:
    """Run a verb on hostile input and return its line, which names the file."""
    out = source.parent / f"out{'.mp4' if verb == 'video' else '.png'}"
    result = reenact(verb, source, driving, "-o", out)
    assert (result.code, result.out, out.exists()) == (2, "", False), result
    assert str(named) in result.line()
    return result.line()


@pytest.mark.parametrize("name", PICTURES)
def test_a_hundred_thousand_pixels_a_side(reenact: Command, portrait: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(PICTURES[name])
    assert "too large" in refused(reenact, "image", path, portrait, path)
    assert "too large" in refused(reenact, "image", portrait, path, path)
    found = reenact("verify", path)
    assert found.code == 2 and "too large" in found.out


@pytest.mark.parametrize("box", [b"stts", b"stsz"])
def test_a_billion_frames(reenact: Command, portrait: Path, clip: Path, tmp_path: Path, box: bytes) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(clip.read_bytes())
    patch_box(path, box, 8, struct.pack(">I", 10**9))
    refused(reenact, "video", portrait, path, path)


@pytest.mark.parametrize("name", NO_VIDEOS)
def test_archives_playlists_and_long_headers(
    reenact: Command, portrait: Path, tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(NO_VIDEOS[name])
    refused(reenact, "video", portrait, path, path)
    assert reenact("verify", path).code == 2
    assert [file.name for file in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("target", ["../portrait.png", "/etc/hostname", "."])
def test_links_in_a_folder_of_frames(reenact: Command, portrait: Path, tmp_path: Path, target: str) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    for name in ("0.png", "1.png"):
        (folder / name).write_bytes(portrait.read_bytes())
    link = folder / "2.png"
    link.symlink_to(target)
    assert "link" in refused(reenact, "video", portrait, folder, link)
