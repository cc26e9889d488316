"""The message of the watermark as bits: header, id, checksum, and a convolutional code around them.

Code of rate 1/3 and constraint length 7, generators 133, 145, 175 (octal), ended by six zeros; decoded with
soft values by Viterbi's algorithm. A message of chance passes header and checksum once in 2**24 times.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

VERSION = 1
_KIND_AI = 0b1010
"""Four bits that say 'AI-manipulated'; other kinds are free for later."""

_GENERATORS = (0o133, 0o145, 0o175)
_MEMORY = 6
_STATES = 1 << _MEMORY
_MESSAGE = 8 + 32 + 16
LENGTH = (_MESSAGE + _MEMORY) * len(_GENERATORS)
"""Coded bits of one message: 186."""

CHANCE = 2.0**-24
"""How often header and checksum agree in a word of chance."""


def encode(mark_id: int) -> NDArray[np.int8]:
    """The coded bits, (LENGTH,) of 0 and 1, for a 32-bit id."""
    header = (_KIND_AI << 4 | VERSION) << 32 | mark_id
    word = header << 16 | _crc16(header)
    bits = [word >> i & 1 for i in reversed(range(_MESSAGE))] + [0] * _MEMORY
    out, state = [], 0
    for bit in bits:
        register = bit << _MEMORY | state
        out += [(register & g).bit_count() & 1 for g in _GENERATORS]
        state = register >> 1
    return np.array(out, np.int8)


def decode(soft: NDArray[np.floating]) -> int | None:
    """The id in (LENGTH,) soft values (positive: 0, negative: 1, size: trust), or None where none is sound."""
    steps = soft.reshape(-1, len(_GENERATORS))
    metric = np.full(_STATES, -np.inf)
    metric[0] = 0.0
    choices = np.empty((len(steps), _STATES), np.int64)
    for step, values in enumerate(steps):
        gain = _SIGNS @ values
        candidates = metric[_FROM] + gain
        choices[step] = candidates.argmax(1)
        metric = np.take_along_axis(candidates, choices[step][:, None], 1)[:, 0]
    word = 0
    state = 0
    for step in reversed(range(len(steps))):
        bit = state >> (_MEMORY - 1)
        if step < _MESSAGE:
            word |= bit << (_MESSAGE - 1 - step)
        state = int(_FROM[state, choices[step, state]])
    return _open(word)


def _open(word: int) -> int | None:
    header, checksum = word >> 16, word & 0xFFFF
    if _crc16(header) != checksum or header >> 36 != _KIND_AI or (header >> 32) & 0xF != VERSION:
        return None
    return header & 0xFFFFFFFF


def _crc16(header: int) -> int:
    """CRC-16/CCITT-FALSE over the five bytes of the header and id."""
    value = 0xFFFF
    for byte in header.to_bytes(5, "big"):
        value ^= byte << 8
        for _ in range(8):
            value = (value << 1 ^ 0x1021 if value & 0x8000 else value << 1) & 0xFFFF
    return value


def _trellis() -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """For each state its two predecessors (S, 2), and the signs they put out on the way (S, 2, 3)."""
    origin = np.empty((_STATES, 2), np.int64)
    signs = np.empty((_STATES, 2, len(_GENERATORS)))
    for state in range(_STATES):
        for branch in range(2):
            register = state << 1 | branch
            origin[state, branch] = register & (_STATES - 1)
            signs[state, branch] = [1 - 2 * ((register & g).bit_count() & 1) for g in _GENERATORS]
    return origin, signs


_FROM, _SIGNS = _trellis()
