"""Constants out of a TensorFlow Lite file, written here field by field."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

flatbuffers = pytest.importorskip("flatbuffers")

from reenact.errors import ReenactError  # noqa: E402
from reenact.nn.tflite import constants  # noqa: E402

KINDS = {"float32": 0, "float16": 1, "int32": 2}


def model(arrays: dict[str, np.ndarray]) -> bytes:
    """A model of one graph that holds these constants, and a tensor without data."""
    builder = flatbuffers.Builder(0)

    def table(fields: int, values: dict[int, tuple[str, int]]) -> int:
        builder.StartObject(fields)
        for slot, (kind, value) in values.items():
            getattr(builder, f"Prepend{kind}Slot")(slot, value, 0)
        return int(builder.EndObject())

    def tables(items: list[int]) -> int:
        builder.StartVector(4, len(items), 4)
        for item in reversed(items):
            builder.PrependUOffsetTRelative(item)
        return int(builder.EndVector())

    buffers, tensors = [table(1, {})], []
    for name, array in arrays.items():
        data = builder.CreateNumpyVector(array.reshape(-1).view(np.uint8))
        buffers.append(table(1, {0: ("UOffsetTRelative", data)}))
        shape, label = builder.CreateNumpyVector(np.array(array.shape, np.int32)), builder.CreateString(name)
        fields = {0: ("UOffsetTRelative", shape), 1: ("Int8", KINDS[array.dtype.name])}
        fields |= {2: ("Uint32", len(buffers) - 1), 3: ("UOffsetTRelative", label)}
        tensors.append(table(4, fields))
    label = builder.CreateString("made on the way")
    tensors.append(table(4, {3: ("UOffsetTRelative", label)}))
    graph = table(1, {0: ("UOffsetTRelative", tables(tensors))})
    graphs, kept = tables([graph]), tables(buffers)
    builder.Finish(table(5, {2: ("UOffsetTRelative", graphs), 4: ("UOffsetTRelative", kept)}), b"TFL3")
    return bytes(builder.Output())


@pytest.fixture
def written(tmp_path):
    def write(data: bytes) -> Path:
        path = tmp_path / "model.tflite"
        path.write_bytes(data)
        return path

    return write


def test_constants_by_name(written):
    rng = np.random.default_rng(0)
    full = rng.normal(size=(2, 3, 1)).astype(np.float32)
    half = rng.normal(size=5).astype(np.float16)
    found = constants(written(model({"full": full, "half": half, "sizes": np.arange(4, dtype=np.int32)})))
    assert set(found) == {"full", "half"}
    np.testing.assert_array_equal(found["full"], full)
    np.testing.assert_array_equal(found["half"], half.astype(np.float32))


def test_damaged_files_are_refused(written):
    data = model({"full": np.ones(300, np.float32)})
    for length in (0, 6, 9, 40, len(data) // 2):
        with pytest.raises(ReenactError):
            constants(written(data[:length]))
    with pytest.raises(ReenactError, match="not a TensorFlow Lite model"):
        constants(written(b"\0" * 100))
    with pytest.raises(ReenactError, match="cannot be read"):
        constants(Path("no-such-file.tflite"))


def test_changed_bytes_never_raise_anything_else(written):
    data = bytearray(model({"full": np.ones(6, np.float32)}))
    rng = np.random.default_rng(1)
    for _ in range(300):
        spoilt = bytearray(data)
        for place in rng.integers(8, len(data), 4):
            spoilt[place] = rng.integers(256)
        try:
            constants(written(bytes(spoilt)))
        except ReenactError:
            continue


def test_mediapipes_file():
    spec = importlib.util.find_spec("mediapipe")
    assert spec is not None and spec.origin is not None
    name = "face_landmark_with_attention.tflite"
    found = constants(Path(spec.origin).parent / "modules" / "face_landmark" / name)
    assert found["conv2d/Kernel"].shape == (16, 3, 3, 3)
    assert found["output_mesh/Bias"].shape == (1404,)
