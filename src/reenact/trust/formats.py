"""What kind of file it is, from its first bytes: names lie, and a file being written has none yet."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

Kind = Literal["picture", "video"]


class Format(NamedTuple):
    """A media type. kind: 'picture' or 'video'. embeds: whether a C2PA manifest can lie inside the file."""

    mime: str
    kind: Kind
    embeds: bool


_BRANDS = {
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"hevc": "image/heic",
    b"heim": "image/heic",
    b"mif1": "image/heif",
    b"msf1": "image/heif",
    b"avif": "image/avif",
    b"avis": "image/avif",
}


def sniff(path: Path) -> Format | None:
    """The media type of a file by its content, or None where it is no picture or video known here."""
    with path.open("rb") as file:
        head = file.read(64)
    return _still(head) or _moving(head)


def _still(head: bytes) -> Format | None:
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return Format("image/png", "picture", True)
    if head.startswith(b"\xff\xd8\xff"):
        return Format("image/jpeg", "picture", True)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return Format("image/webp", "picture", True)
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return Format("image/gif", "picture", True)
    if head[:4] in (b"II*\0", b"MM\0*"):
        return Format("image/tiff", "picture", True)
    if head[:2] == b"BM":
        return Format("image/bmp", "picture", False)
    return None


def _moving(head: bytes) -> Format | None:
    """ISO media (MP4, MOV, HEIC, AVIF), Matroska and AVI."""
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        if brand in _BRANDS:
            return Format(_BRANDS[brand], "picture", True)
        return Format("video/quicktime" if brand == b"qt  " else "video/mp4", "video", True)
    if head[4:8] in (b"moov", b"mdat", b"wide", b"free"):  # QuickTime of old has no ftyp
        return Format("video/quicktime", "video", True)
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return Format("video/webm" if b"webm" in head else "video/x-matroska", "video", False)
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return Format("video/x-msvideo", "video", True)
    return None
