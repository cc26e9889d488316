"""Does a file end where its own structure says? A cut that the decoder may not report."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import BinaryIO

_MP4_BOXES = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"moof", b"styp", b"sidx", b"uuid", b"mfra"}
_MAX_BOXES = 1_000_000


def break_reason(path: Path) -> str | None:
    """Why the file is known to be cut off, or None where it ends as it says or does not say.

    Knows MP4/MOV, Matroska/WebM, AVI, animated WebP, GIF and PNG; other formats return None. Reads headers
    only.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(16)
        if head[4:8] in _MP4_BOXES:
            return _mp4(file, size)
        if head[:4] == b"\x1a\x45\xdf\xa3":
            return _matroska(file, size)
        if head[:4] == b"RIFF":
            return _riff(head, size)
        if head[:4] == b"GIF8":
            return _ends_with(file, size, b"\x3b", "the end mark of the GIF is missing")
        if head[:8] == b"\x89PNG\r\n\x1a\n":
            return _ends_with(file, size, b"IEND", "the end mark of the PNG is missing")
    return None


def _missing(declared: int, size: int) -> str | None:
    return f"{declared - size} of {declared} bytes are missing" if declared > size else None


def _mp4(file: BinaryIO, size: int) -> str | None:
    """Every top-level box must end within the file, and there must be an index."""
    position, index = 0, False
    for _ in range(_MAX_BOXES):
        file.seek(position)
        header = file.read(16)
        if len(header) < 8:
            break
        length, name = struct.unpack(">I4s", header[:8])
        index |= name == b"moov"
        if length == 1 and len(header) == 16:
            length = struct.unpack(">Q", header[8:])[0]
        if length < 8:  # 0: up to the end of the file
            break
        if reason := _missing(position + length, size):
            return reason
        position += length
    return None if index else "the index (moov) is missing"


def _matroska(file: BinaryIO, size: int) -> str | None:
    """The segment's declared size; a live recording that leaves it open is taken as whole."""
    file.seek(4)
    length = _vint(file)
    if length is None:
        return None
    file.seek(length, os.SEEK_CUR)
    if file.read(4) != b"\x18\x53\x80\x67":
        return None
    length = _vint(file)
    return None if length is None else _missing(file.tell() + length, size)


def _vint(file: BinaryIO) -> int | None:
    """An EBML size, None where unknown (all ones) or unreadable."""
    first = file.read(1)
    if not first or first[0] == 0:
        return None
    extra = 8 - first[0].bit_length()
    value = first[0] & ((1 << (7 - extra)) - 1)
    for byte in file.read(extra):
        value = value << 8 | byte
    return None if value == (1 << (7 * (extra + 1))) - 1 else value


def _riff(head: bytes, size: int) -> str | None:
    if len(head) < 8:
        return "the file ends within its header"
    declared = struct.unpack("<I", head[4:8])[0]
    # A recorder that never came back to write the size leaves 0 or all ones.
    return None if declared in (0, 0xFFFFFFFF) else _missing(declared + 8, size)


def _ends_with(file: BinaryIO, size: int, mark: bytes, reason: str) -> str | None:
    file.seek(max(0, size - 64))
    return None if mark in file.read(64) else reason
