"""The weights in a TensorFlow Lite file, by name: tables of a FlatBuffer are read, nothing is run.

A table begins with the distance back to its list of fields, which has an offset for each field by number (0
where the field is not there); strings, vectors and other tables lie behind an offset of their own.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reenact.errors import ReenactError
from reenact.types import Floats

_MARK = b"TFL3"
# Numbers of the fields in the schema, version 3.
_SUBGRAPHS, _BUFFERS = 2, 4  # of the model
_TENSORS = 0  # of a subgraph
_SHAPE, _TYPE, _BUFFER, _NAME = 0, 1, 2, 3  # of a tensor
_DATA = 0  # of a buffer
_FLOATS = {0: "<f4", 1: "<f2"}


def constants(path: Path) -> dict[str, Floats]:
    """Name -> float32 array of every floating-point constant of the first graph, its axes as in the file.

    Raises ReenactError where the file cannot be read or is not such a model.
    """
    try:
        data = path.read_bytes()
        if data[4:8] != _MARK:
            raise ReenactError(f"{path}: not a TensorFlow Lite model")
        model = _Table(data, _at(data, "I", 0))
        buffers = model.tables(_BUFFERS)
        named = [_constant(tensor, buffers) for tensor in model.tables(_SUBGRAPHS)[0].tables(_TENSORS)]
    except OSError as error:
        raise ReenactError(f"{path}: cannot be read ({error.strerror})") from None
    except (struct.error, ValueError, IndexError) as error:
        raise ReenactError(f"{path}: a damaged TensorFlow Lite model ({error})") from None
    return {name: array for name, array in named if array is not None}


def _constant(tensor: _Table, buffers: list[_Table]) -> tuple[str, Floats | None]:
    kind = _FLOATS.get(tensor.number(_TYPE, "b"))
    values = buffers[tensor.number(_BUFFER, "I")].vector(_DATA, "u1")
    if kind is None or len(values) == 0:
        return "", None
    shape = tensor.vector(_SHAPE, "<i4")
    name = tensor.vector(_NAME, "u1").tobytes().decode()
    return name, values.view(kind).astype(np.float32).reshape(shape)


@dataclass(frozen=True)
class _Table:
    data: bytes
    place: int

    def number(self, field: int, kind: str) -> int:
        """A number of the table, 0 where it is left out."""
        place = self._field(field)
        return _at(self.data, kind, place) if place else 0

    def vector(self, field: int, kind: str) -> np.ndarray:
        """A vector of numbers (a string is one of bytes), empty where it is left out."""
        place = self._field(field)
        if not place:
            return np.zeros(0, kind)
        start = place + _at(self.data, "I", place)
        return np.frombuffer(self.data, kind, _at(self.data, "I", start), start + 4)

    def tables(self, field: int) -> list[_Table]:
        """A vector of tables."""
        place = self._field(field)
        start = place + _at(self.data, "I", place)
        count = _at(self.data, "I", start)
        if count > len(self.data) // 4:
            raise ValueError(f"a list of {count} tables")
        first = [start + 4 + 4 * number for number in range(count)]
        return [_Table(self.data, at + _at(self.data, "I", at)) for at in first]

    def _field(self, number: int) -> int:
        fields = self.place - _at(self.data, "i", self.place)
        if 4 + 2 * number >= _at(self.data, "H", fields):
            return 0
        offset = _at(self.data, "H", fields + 4 + 2 * number)
        return self.place + offset if offset else 0


def _at(data: bytes, kind: str, place: int) -> int:
    return int(struct.unpack_from(f"<{kind}", data, place)[0])
