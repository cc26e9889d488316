"""Motion files: exact there and back, and nothing that is not one gets in."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, replace
from fractions import Fraction

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from reenact.errors import ReenactError
from reenact.pipeline.motion_file import is_motion, read_motion, write_motion

KEPT = {"times", "rotation", "scale", "translation", "expression", "found"}


@pytest.fixture
def path(tmp_path, motion):
    target = tmp_path / "take.motion"
    write_motion(target, motion)
    return target


def same(first, second):
    for field in fields(first):
        one, other = getattr(first, field.name), getattr(second, field.name)
        np.testing.assert_array_equal(one, other) if isinstance(one, np.ndarray) else None
        assert isinstance(one, np.ndarray) or one == other, field.name


def test_round_trip_is_exact(path, motion):
    same(read_motion(path), motion)


def test_a_head_apart_from_its_face_is_kept(tmp_path, motion):
    apart = replace(motion, head=np.full((len(motion), 6), 0.01, np.float32))
    write_motion(tmp_path / "apart.motion", apart)
    same(read_motion(tmp_path / "apart.motion"), apart)


def test_what_is_one_persons_is_not_written(tmp_path, motion):
    rng = np.random.default_rng(2)
    detail = rng.normal(0, 0.01, (len(motion), 478, 3)).astype(np.float16)
    write_motion(tmp_path / "own.motion", replace(motion, detail=detail, identity=np.ones(32, np.float32)))
    same(read_motion(tmp_path / "own.motion"), replace(motion, identity=None))
    assert set(load_file(tmp_path / "own.motion")) == KEPT


def test_uneven_times_and_gaps_too(tmp_path, motion):
    times = tuple(Fraction(n * n + n, 90_000) for n in range(len(motion)))
    found = np.arange(len(motion)) % 3 > 0
    odd = replace(motion, times=times, found=found, duration=times[-1] + Fraction(1, 3), size=(1920, 1081))
    write_motion(tmp_path / "odd.motion", odd)
    same(read_motion(tmp_path / "odd.motion"), odd)


def test_it_is_small_and_carries_no_identity(path, motion):
    assert path.stat().st_size < 500 * len(motion) + 2000
    assert set(load_file(path)) == KEPT


def test_an_existing_file_is_kept(path, motion):
    before = path.read_bytes()
    with pytest.raises(ReenactError, match="exists"):
        write_motion(path, motion)
    assert path.read_bytes() == before
    write_motion(path, motion, overwrite=True)


@pytest.mark.parametrize(("name", "is_one"), [("a.motion", True), ("A.MOTION", True), ("a.mp4", False)])
def test_named_as_a_motion_file(tmp_path, name, is_one):
    assert is_motion(tmp_path / name) is is_one


def refused(path):
    with pytest.raises(ReenactError) as caught:
        read_motion(path)
    text = str(caught.value)
    assert path.name in text and "\n" not in text and len(text) < 600
    return text


def checksum(entries, tensors):
    """As the format says: header entries by name, then each array's name, type, shape and values."""
    text = "".join(f"{n}={entries[n]!r}\n" for n in sorted(entries) if n != "sha256").encode()
    for name in sorted(tensors):
        array = tensors[name]
        text += f"{name}:{array.dtype.str}{array.shape}\n".encode() + array.tobytes()
    return hashlib.sha256(text).hexdigest()


def rewrite(path, header=None, **arrays):
    """The same file with other header entries (None drops one) and arrays, and a checksum that fits them."""
    with safe_open(path, framework="numpy") as file:
        entries = file.metadata()
    tensors = load_file(path) | {name: a for name, a in arrays.items() if a is not None}
    tensors = {name: a for name, a in tensors.items() if arrays.get(name, a) is not None}
    entries = {name: value for name, value in {**entries, **(header or {})}.items() if value is not None}
    entries["sha256"] = checksum(entries, tensors)
    save_file(tensors, path, metadata=entries)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("rotation", lambda m: m.rotation.view(np.int32)),
        ("found", lambda m: m.found.astype(np.uint8).reshape(len(m), 1)),
    ],
)
def test_the_same_bytes_under_another_type_or_shape_are_noticed(path, motion, name, array):
    with safe_open(path, framework="numpy") as file:
        entries = file.metadata()
    save_file({**load_file(path), name: array(motion)}, path, metadata=entries)
    assert "not those that were written" in refused(path)


@pytest.mark.parametrize("entry", [{"fps": "24"}, {"duration": "100"}, {"size": "[99, 99]"}, {"more": "x"}])
def test_a_changed_header_is_noticed(path, entry):
    with safe_open(path, framework="numpy") as file:
        entries = file.metadata()
    save_file(load_file(path), path, metadata={**entries, **entry})
    assert "not those that were written" in refused(path)


@pytest.mark.parametrize(
    "header",
    [
        {"format": None},
        {"format": "something else"},
        {"fps": None},
        {"fps": "fast"},
        {"fps": "0"},
        {"fps": "-25"},
        {"fps": "25/0"},
        {"fps": "1000000"},
        {"fps": "1e999999999"},
        {"fps": "9" * 5000},
        {"fps": "nan"},
        {"duration": None},
        {"duration": "0"},
        {"duration": "-1"},
        {"duration": "inf"},
        {"duration": "1e99999999"},
        {"duration": "999999999999"},
        {"size": None},
        {"size": "[]"},
        {"size": "5"},
        {"size": "[0, 256]"},
        {"size": "[256]"},
        {"size": "[256, 256, 256]"},
        {"size": "[1e400, 1]"},
        {"size": "[999999, 2]"},
        {"size": '["a", "b"]'},
        {"size": "[" * 50_000},
        {"size": "{}"},
    ],
    ids=lambda header: f"{next(iter(header))}={str(next(iter(header.values())))[:12]}",
)
def test_a_hostile_header_is_refused(path, header):
    rewrite(path, header)
    refused(path)


def test_a_file_rewritten_with_nothing_changed_is_a_good_one(path, motion):
    rewrite(path)
    same(read_motion(path), motion)


def with_value(array, value):
    array = array.copy()
    array.reshape(-1)[3] = value
    return array


ARRAYS = {
    "rotation missing": lambda m: {"rotation": None},
    "times missing": lambda m: {"times": None},
    "rotation of another length": lambda m: {"rotation": m.rotation[:-1]},
    "flat rotation": lambda m: {"rotation": m.rotation.reshape(-1)},
    "expression of another model": lambda m: {"expression": m.expression[:, :-1].copy()},
    "not a number": lambda m: {"expression": with_value(m.expression, np.nan)},
    "infinite": lambda m: {"translation": with_value(m.translation, np.inf)},
    "huge": lambda m: {"translation": with_value(m.translation, 1e9)},
    "no size": lambda m: {"scale": with_value(m.scale, 0)},
    "negative size": lambda m: {"scale": with_value(m.scale, -1)},
    "times that fall": lambda m: {"times": np.array([[len(m) - n, 25] for n in range(len(m))])},
    "times that stay": lambda m: {"times": np.ones((len(m), 2), np.int64)},
    "times before nought": lambda m: {"times": np.array([[n - 5, 25] for n in range(len(m))])},
    "times over nought": lambda m: {"times": np.array([[n, 0] for n in range(len(m))])},
    "times that are no fractions": lambda m: {"times": np.ones((len(m), 2), np.float32)},
    "scalar times": lambda m: {"times": np.array(3)},
    "a head of five numbers": lambda m: {"head": m.head[:, :5].copy()},
    "a head far from its face": lambda m: {"head": with_value(m.head, 900)},
    "no face in any frame": lambda m: {"found": np.zeros(len(m), np.uint8)},
}


@pytest.mark.parametrize("name", ARRAYS)
def test_damaged_arrays_are_refused(path, motion, name):
    rewrite(path, None, **ARRAYS[name](motion))
    refused(path)


def test_the_coefficients_of_another_face_model_are_refused(path):
    rewrite(path, {"face_model": "0123456789abcdef"})
    assert "another face model" in refused(path)


def test_a_changed_bit_is_noticed(path):
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(bytes(data))
    refused(path)


def test_no_frames(path, motion):
    arrays = {n: a[:0] for n, a in load_file(path).items()}
    rewrite(path, None, **arrays)
    assert "no frames" in refused(path)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_truncated_file_is_refused(path, share):
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    refused(path)


@pytest.mark.parametrize(
    "content", [b"text\n" * 50, bytes(1000), b"\xff" * 1000, b"\x80" + b"A" * 7 + b"{" * 500]
)
def test_what_is_no_motion_file_at_all(tmp_path, content):
    path = tmp_path / "x.motion"
    path.write_bytes(content)
    refused(path)


def test_a_half_precision_file_of_another_tool_is_read_or_refused(path, motion):
    """bfloat16 is unknown to NumPy; the header is made by hand."""
    header = {"rotation": {"dtype": "BF16", "shape": [1, 3], "data_offsets": [0, 6]}}
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(6))
    refused(path)


def test_a_missing_file_and_a_folder(tmp_path):
    assert "reenact track" in refused(tmp_path / "none.motion")
    (tmp_path / "folder.motion").mkdir()
    refused(tmp_path / "folder.motion")
