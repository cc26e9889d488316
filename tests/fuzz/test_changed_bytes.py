"""One changed bit of a shipped weight, face model or motion file: refused by name, or without any effect."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from reenact.errors import ReenactError
from reenact.geometry.face_model import load_shipped
from reenact.pipeline.motion_file import read_motion
from reenact.runtime.weights import Record, records, shipped
from reenact.types import Motion

CHANGES = 200


def changed(whole: bytes, seed: int) -> list[bytes]:
    """The file with one bit changed at each of CHANGES places, the header's first bytes among them."""
    random = np.random.default_rng(seed)
    places = [*range(8), *random.integers(8, 1000, 40), *random.integers(8, len(whole), CHANGES - 48)]
    made = []
    for place in places:
        data = bytearray(whole)
        data[place] ^= 1 << random.integers(8)
        made.append(bytes(data))
    return made


def same(first: Motion, second: Motion) -> bool:
    """Whether two motions say the same, to the bit."""
    pairs = ((getattr(first, f.name), getattr(second, f.name)) for f in fields(Motion))
    return all(np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b for a, b in pairs)


def test_the_demo_motion(tmp_path: Path) -> None:
    asset = files("reenact") / "assets" / "demo.motion"
    path = tmp_path / "demo.motion"
    path.write_bytes(asset.read_bytes())
    whole, refused = read_motion(path), 0
    for data in changed(path.read_bytes(), 1):
        path.write_bytes(data)
        try:
            # Such as a space of the header that became another blank.
            assert same(read_motion(path), whole)
        except ReenactError as error:
            refused += 1
            assert str(path) in str(error) and "\n" not in str(error)
    assert refused >= CHANGES - 2


def test_the_face_model(tmp_path: Path) -> None:
    path = tmp_path / "face_model.safetensors"
    for data in changed((files("reenact") / "assets" / "face_model.safetensors").read_bytes(), 2):
        path.write_bytes(data)
        with pytest.raises(ReenactError) as caught:
            load_shipped(path)
        assert str(path) in str(caught.value)


@pytest.mark.parametrize("known", records(), ids=lambda known: known.name)
def test_every_shipped_weight_file(tmp_path: Path, known: Record) -> None:
    """One bit changed at the first byte, the last and two between."""
    whole = known.path.read_bytes()
    copy = tmp_path / known.path.name
    (tmp_path / f"{known.name}.json").write_bytes(known.path.with_name(f"{known.name}.json").read_bytes())
    copy.write_bytes(whole)
    assert shipped(known.name, tmp_path).sha256 == known.sha256
    for place in (0, len(whole) // 3, len(whole) * 2 // 3, len(whole) - 1):
        data = bytearray(whole)
        data[place] ^= 1
        copy.write_bytes(data)
        with pytest.raises(ReenactError) as caught:
            shipped(known.name, tmp_path)
        assert copy.name in str(caught.value) and "\n" not in str(caught.value)


def test_weights_with_a_record(tmp_path: Path) -> None:
    """The shipped ones, or where this version ships none, one that is made here."""
    known = records()
    whole = known[0].path.read_bytes() if known else np.random.default_rng(3).bytes(5000)
    name = f"net{known[0].path.suffix if known else '.safetensors'}"
    record = {
        "file": name,
        "sha256": hashlib.sha256(whole).hexdigest(),
        "purpose": "test",
        "licence": "CC0-1.0",
    }
    (tmp_path / "net.json").write_text(json.dumps(record))
    (tmp_path / name).write_bytes(whole)
    assert shipped("net", tmp_path).sha256 == record["sha256"]
    for data in changed(whole, 3):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(ReenactError) as caught:
            shipped("net", tmp_path)
        assert name in str(caught.value)
