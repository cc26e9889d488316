"""Shards: read back whole, by the index and by the webdataset package, and refused where they are not ours."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from reenact.data.shards import (
    Face,
    FaceStore,
    ShardWriter,
    file_hash,
    first_split,
    pack_state,
    read_manifest,
    unpack_state,
    verify_shards,
    write_json,
)
from reenact.errors import ReenactError
from reenact.types import FaceState

NAMES = ["id10001/7w0.x/000001", "b", "ü/" + "long" * 40]


def face(number: int) -> Face:
    random = np.random.default_rng(number)
    state = FaceState(
        random.random(3).astype(np.float32), 50.0 + number, random.random(2).astype(np.float32),
        random.random(32).astype(np.float32), random.random(80).astype(np.float32),
    )  # fmt: skip
    ramp = np.linspace(0, 255 - number, 64, dtype=np.uint8)
    image = np.repeat(np.tile(ramp, (64, 1))[..., None], 3, 2)
    facts = {
        "identity": f"p{number}", "clip": "", "frame": number, "split": "train",
        "pose": [1.0, 2.0, 3.0 + number], "attributes": {"gaze": "left"}, "time": None,
    }  # fmt: skip
    return Face(NAMES[number], image, random.random((478, 3)).astype(np.float32) * 64, state, facts)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "train-000000.tar"
    writer = ShardWriter(path, 95)
    for number in range(3):
        writer.add(face(number))
    writer.close()
    shard = {"name": path.name, "split": "train", "bytes": path.stat().st_size, "sha256": file_hash(path)}
    write_json(path.with_suffix(".json"), {**shard, "faces": writer.rows})
    write_json(tmp_path / "manifest.json", {"coefficients": {"identity": 32}, "shards": [shard]})
    return tmp_path


def test_every_face_comes_back(folder: Path) -> None:
    store = FaceStore(folder, "train")
    assert len(store) == 3
    for number in (2, 0, 1):
        wanted, got = face(number), store.read(number)
        assert got.key == wanted.key and got.facts == wanted.facts
        assert np.array_equal(got.points, wanted.points) and np.array_equal(store.points(number), wanted.points)
        assert (
            np.array_equal(pack_state(got.state), pack_state(wanted.state))
            and got.state.scale == wanted.state.scale
        )
        assert np.abs(got.image.astype(int) - wanted.image).max() <= 4
        entry = store.entries[number]
        assert (entry.identity, entry.frame, entry.pose[2]) == (f"p{number}", number, 3.0 + number)


def test_the_first_split_that_is_there(folder: Path, tmp_path: Path) -> None:
    found = first_split(folder, "val", "train")
    assert found is not None and len(found) == 3
    assert first_split(folder, "val", "test") is None and first_split(tmp_path / "none", "train") is None


def test_webdataset_reads_the_same(folder: Path) -> None:
    webdataset = pytest.importorskip("webdataset")
    rows = list(webdataset.WebDataset(str(folder / "train-000000.tar"), shardshuffle=False))
    assert [row["__key__"] for row in rows] == ["id10001/7w0%2Ex/000001", *NAMES[1:]]
    for number, row in enumerate(rows):
        assert np.array_equal(np.load(io.BytesIO(row["landmarks.npy"])), face(number).points)
        assert json.loads(row["json"])["identity"] == f"p{number}"
        assert PIL.Image.open(io.BytesIO(row["jpg"])).size == (64, 64)


def test_members_carry_no_times_and_no_owners(folder: Path) -> None:
    with tarfile.open(folder / "train-000000.tar") as tar:
        infos = tar.getmembers()
    assert len(infos) == 12 and {(i.mtime, i.uid, i.gid, i.uname, i.mode) for i in infos} == {
        (0, 0, 0, "", 0o444)
    }


def test_a_changed_shard_is_found(folder: Path) -> None:
    assert verify_shards(folder) == []
    path = folder / "train-000000.tar"
    content = bytearray(path.read_bytes())
    content[700] ^= 1
    path.write_bytes(content)
    assert verify_shards(folder) == ["train-000000.tar"]


def test_what_is_not_there_is_said(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ReenactError, match="no faces of a split 'test'; there are: train"):
        FaceStore(folder, "test")
    with pytest.raises(ReenactError, match="no prepared faces there"):
        read_manifest(tmp_path / "elsewhere")
    (folder / "manifest.json").write_text("{")
    with pytest.raises(ReenactError, match="does not read"):
        FaceStore(folder)


def test_states_pack_and_unpack() -> None:
    state = face(1).state
    again = unpack_state(pack_state(state))
    assert again.scale == state.scale and np.array_equal(again.expression, state.expression)
    assert np.array_equal(again.translation, state.translation) and np.array_equal(
        again.rotation, state.rotation
    )
