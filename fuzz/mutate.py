"""Damage, by seeded chance: bits, numbers, lengths, cuts and splices, blind and by the file's own structure."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Sequence
from random import Random

Edit = Callable[[bytearray, Random, Sequence[bytes]], None]
"""Changes one file in place; the last argument has other files to take parts from."""

LONGEST = 1 << 18
"""Bytes; what grows beyond is cut."""

_NUMBERS = (
    0,
    1,
    -1,
    127,
    128,
    255,
    256,
    32_767,
    65_535,
    100_000,
    10**9,
    2**31 - 1,
    -(2**31),
    2**32 - 1,
    2**63 - 1,
)
_TAG = re.compile(rb"[A-Za-z][A-Za-z0-9 ]{3}")
_FIGURE = re.compile(rb"[0-9]+")
_FIGURES = (b"0", b"-1", b"1e999", b"nan", b"999999999999999999999", b"1/0", b"0x7fffffff", b"9" * 400)
_WORDS = (
    b"null",
    b"[",
    b"{",
    b'"',
    b"[" * 3000,
    b"{" * 3000,
    b"\\u0000",
    b"\xff\xfe",
    b"\n",
    b"..",
    b"/",
    b"\x00",
)


def mutated(data: bytes, random: Random, others: Sequence[bytes] = ()) -> bytes:
    """`data` with one to eight changes; the same for the same state of `random`."""
    edited = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 3, 5, 8))):
        if edited:
            random.choice(EDITS)(edited, random, others)
    if random.random() < 0.5:
        _mend_png(edited)
    return bytes(edited[:LONGEST])


def _bit(data: bytearray, random: Random, others: Sequence[bytes]) -> None:
    data[_near_start(data, random)] ^= 1 << random.randrange(8)


def _byte(data: bytearray, random: Random, others: Sequence[bytes]) -> None:
    data[_near_start(data, random)] = random.choice((0, 1, 0x7F, 0x80, 0xFF, random.randrange(256)))


def _number(data: bytearray, random: Random, others: Sequence[bytes]) -> None:
    _put(data, _near_start(data, random), _packed(random))


def _length(data: bytearray, random: Random, others: Sequence[bytes]) -> None:
    """The number before or after four letters: a chunk's, box's or atom's length in most containers."""
    tags = list(_TAG.finditer(data[: 1 << 16]))
    if tags:
        tag = random.choice(tags)
        _put(data, max(0, tag.start() + random.choice((-4, 4, 4, 8, 12))), _packed(random))


def _cut(data: bytearray, random: Random, others: Sequence[bytes]) -> None:
    del data[random.randrange(len(data)) :]


def _remove(data: bytearray, random: Random, others: Sequence[bytes]) -> None:
    begin, end = _span(data, random)
    del data[begin:end]


def _repeat(data: bytearray, random: Random, others: Sequence[bytes]) -> None:
    begin, end = _span(data, random)
    data[end:end] = data[begin:end] * random.choice((1, 1, 4, 40))


def _splice(data: bytearray, random: Random, others: Sequence[bytes]) -> None:
    if others and (other := random.choice(others)):
        begin, end = _span(bytearray(other), random)
        at = random.randrange(len(data))
        data[at : at + random.choice((0, end - begin))] = other[begin:end]


def _swap(data: bytearray, random: Random, others: Sequence[bytes]) -> None:
    begin, end = _span(data, random)
    at = random.randrange(len(data))
    part = data[begin:end]
    del data[begin:end]
    data[at:at] = part


def _figure(data: bytearray, random: Random, others: Sequence[bytes]) -> None:
    """A number written in digits, as in JSON and TOML."""
    found = list(_FIGURE.finditer(data[: 1 << 14]))
    if found:
        place = random.choice(found)
        data[place.start() : place.end()] = random.choice(_FIGURES)


def _word(data: bytearray, random: Random, others: Sequence[bytes]) -> None:
    at = _near_start(data, random)
    data[at:at] = random.choice(_WORDS)


EDITS: tuple[Edit, ...] = (
    _bit, _bit, _byte, _byte, _number, _number, _length, _length, _length,
    _cut, _remove, _repeat, _splice, _swap, _figure, _word,
)  # fmt: skip


def _near_start(data: bytearray, random: Random) -> int:
    """A place, half of the time in the first kilobyte, where headers lie."""
    return random.randrange(min(len(data), 1024) if random.random() < 0.5 else len(data))


def _span(data: bytearray, random: Random) -> tuple[int, int]:
    begin = random.randrange(len(data))
    return begin, min(len(data), begin + random.choice((1, 4, 16, 64, 512, 4096)))


def _packed(random: Random) -> bytes:
    form, size = random.choice(("B", "H", "I", "I", "I", "Q")), random.choice("<>")
    width = struct.calcsize(form) * 8
    return struct.pack(size + form, random.choice(_NUMBERS) % (1 << width))


def _put(data: bytearray, at: int, part: bytes) -> None:
    data[at : at + len(part)] = part


def _mend_png(data: bytearray) -> None:
    """Right check sums for the chunks of a PNG, so that damage gets past them."""
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        return
    at = 8
    while at + 12 <= len(data):
        length = struct.unpack(">I", data[at : at + 4])[0]
        end = at + 8 + length
        if end + 4 > len(data):
            return
        data[end : end + 4] = struct.pack(">I", zlib.crc32(data[at + 4 : end]))
        at = end + 4
