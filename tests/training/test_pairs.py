"""Pairs from prepared faces: two pictures of one clip, points in the target's pixels, and a run on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")

from reenact.data.shards import Face, FaceStore, ShardWriter, file_hash, write_json  # noqa: E402
from reenact.errors import ReenactError  # noqa: E402
from reenact.geometry.face_model import default_face_model  # noqa: E402
from reenact.geometry.schemes import convert_points  # noqa: E402
from reenact.training.crossed import open_crossed  # noqa: E402
from reenact.training.pairs import (  # noqa: E402
    PairsAndStills,
    PairSource,
    StirredStills,
    open_pairs,
)
from reenact.training.runs import Order, train  # noqa: E402
from reenact.types import FaceState  # noqa: E402

CLIPS = 3


def face(number: int) -> Face:
    """Number `n` of clip `n % 3` is of one grey, `40 * clip + n`."""
    model = default_face_model()
    none = [np.zeros(size, np.float32) for size in (3, len(model.identity), len(model.expression))]
    state = FaceState(none[0], 30.0, np.full(2, 64, np.float32), *none[1:])
    points = model.project(state) + number
    facts = {
        "identity": f"p{number % CLIPS}", "clip": f"c{number % CLIPS}", "frame": number, "split": "train",
        "pose": [0.0, 0.0, 0.0], "attributes": {}, "time": None,
    }  # fmt: skip
    image = np.full((128, 128, 3), 40 * (number % CLIPS) + number, np.uint8)
    return Face(f"f{number}", image, points.astype(np.float32), state, facts)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("prepared")
    path = root / "train-000000.tar"
    writer = ShardWriter(path, 95)
    for number in range(9):
        writer.add(face(number))
    writer.close()
    shard = {"name": path.name, "split": "train", "bytes": path.stat().st_size, "sha256": file_hash(path)}
    write_json(path.with_suffix(".json"), {**shard, "faces": writer.rows})
    identity = len(default_face_model().identity)
    write_json(root / "manifest.json", {"coefficients": {"identity": identity}, "shards": [shard]})
    return root


def test_two_different_faces_of_one_clip(folder: Path) -> None:
    source = PairSource(FaceStore(folder, "train"), 64)
    rows = source.draw(np.random.default_rng(0), 300)
    assert source.size == 9 and rows.shape == (300, 2)
    assert (rows[:, 0] != rows[:, 1]).all() and (rows[:, 0] % CLIPS == rows[:, 1] % CLIPS).all()
    assert len(np.unique(rows, axis=0)) == 9 * 2


def test_points_follow_the_picture_to_its_new_size(folder: Path) -> None:
    source = PairSource(FaceStore(folder, "train"), 64)
    batch = source.load(np.array([[0, 3], [4, 7]]))
    assert batch["source"].shape == (2, 64, 64, 3) and batch["source"].dtype == np.uint8
    assert np.abs(batch["target"][1].astype(int) - (40 + 7)).max() <= 3
    wanted = convert_points(face(7).points, "ibug68")[:, :2] / 2
    np.testing.assert_allclose(batch["landmarks"][1], wanted, atol=1e-4)
    own = convert_points(face(4).points, "ibug68")[:, :2] / 2
    np.testing.assert_allclose(batch["source_landmarks"][1], own, atol=1e-4)


def test_a_still_is_the_target_and_the_same_warped_the_source(folder: Path) -> None:
    source = StirredStills(FaceStore(folder, "train"), 64)
    rows = np.array([[2, 11], [2, 12]])
    batch, again = source.load(rows), source.load(rows[:1])
    wanted = convert_points(face(2).points, "ibug68")[:, :2] / 2
    np.testing.assert_allclose(batch["landmarks"], np.stack([wanted, wanted]), atol=1e-4)
    np.testing.assert_array_equal(batch["source_landmarks"][0], again["source_landmarks"][0])
    moved = np.abs(batch["source_landmarks"] - batch["landmarks"]).mean((1, 2))
    assert (moved > 0.3).all() and moved[0] != moved[1]
    assert (batch["target"] == batch["target"][0]).all()


def test_a_share_of_a_batch_is_of_stills_and_keeps_its_order(folder: Path) -> None:
    store = FaceStore(folder, "train")
    clips, stills = PairSource(store, 64), StirredStills(store, 64)
    mixed = PairsAndStills(clips, stills, 0.4)
    rows = mixed.draw(np.random.default_rng(0), 400)
    assert mixed.size == 9 and 0.3 < rows[:, 0].mean() < 0.5
    some = rows[:6]
    assert set(some[:, 0]) == {0, 1}
    batch = mixed.load(some)
    for n, (kind, *row) in enumerate(some.tolist()):
        alone = (clips, stills)[kind].load(np.array([row]))
        for name, values in alone.items():
            np.testing.assert_array_equal(batch[name][n], values[0])
    assert {name: len(values) for name, values in mixed.load(some[:0]).items()} == dict.fromkeys(batch, 0)


def test_stills_that_are_not_there_are_an_error(folder: Path) -> None:
    with pytest.raises(ReenactError, match="no stills to train on"):
        open_pairs(folder, 64, stills=0.3)


def test_lone_faces_are_refused(folder: Path) -> None:
    store = FaceStore(folder, "train")
    store.entries = store.entries[:2]
    with pytest.raises(ReenactError, match="no clip there has two faces"):
        PairSource(store, 64)


def test_without_a_held_out_split_the_note_says_so(folder: Path) -> None:
    data = open_pairs(folder, 64)
    assert data.held_out is data.train and "nothing held out" in data.note


def test_bfr_trains_on_prepared_faces(folder: Path, tmp_path: Path) -> None:
    changes = ("steps=2", "size=32", "downs=3", "validate_samples=4", "sheet_every=2", "threads=1", "batch=2")
    order = Order("hr_net", "tiny", str(folder), tmp_path, "bfr", changes, device="cpu")
    record = train(order, report=lambda line: None)[0]
    assert record["step"] == 2 and set(record["figures"]) == {"l1", "l1_copy", "psnr"}
    assert (tmp_path / "sheets" / "step-00000002.png").is_file()


def test_crossed_pairs_lend_the_target_another_identity(folder: Path) -> None:
    """All of these faces have the mean identity, so that the driving face is the target's own model face."""
    source = open_crossed(folder, 64).train
    rows = source.draw(np.random.default_rng(0), 5)
    assert rows.shape == (5, 3)
    batch = source.load(rows)
    assert {"source", "target", "landmarks", "source_landmarks", "driving"} == set(batch)
    store = FaceStore(folder, "train")
    for row, driving, own in zip(rows, batch["driving"], batch["source_landmarks"], strict=True):
        state = store.read(int(row[1])).state
        points = convert_points(default_face_model().project(state), "ibug68")[:, :2] / 2
        np.testing.assert_allclose(driving, points, atol=1e-3)
        wanted = convert_points(store.read(int(row[0])).points, "ibug68")[:, :2] / 2
        np.testing.assert_allclose(own, wanted, atol=1e-3)
