"""What FIPLS learns from: sequences of one person, pairs whose poses grow apart, and runs on both."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")

from reenact.data.pairs import PoseCurriculum  # noqa: E402
from reenact.data.shards import Face, FaceStore, ShardWriter, file_hash, write_json  # noqa: E402
from reenact.errors import ReenactError  # noqa: E402
from reenact.geometry.face_model import default_face_model  # noqa: E402
from reenact.systems.fipls import presets  # noqa: E402
from reenact.training.posed import open_posed  # noqa: E402
from reenact.training.sequences import open_sequences  # noqa: E402
from reenact.training.settings import as_json  # noqa: E402
from reenact.training.sources import Share, batch_of_step  # noqa: E402

LSG, REENACTMENT = as_json(presets.LSG["tiny"]), as_json(presets.REENACTMENT["tiny"])
CLIPS, FRAMES = 3, 6


def face(number: int) -> Face:
    """Clip `n % 3`, whose head turns by 5, 15 or 25 degrees in all."""
    model, clip, frame = default_face_model(), number % CLIPS, number // CLIPS
    state = replace(model.fit(model.mean), scale=30.0, translation=np.full(2, 64 + frame, np.float32))
    yaw = (5.0 + 10 * clip) * frame / (FRAMES - 1)
    facts = {
        "identity": f"p{clip}", "clip": f"c{clip}", "frame": frame, "split": "train",
        "pose": [yaw, 0.0, 0.0], "attributes": {}, "time": None,
    }  # fmt: skip
    image = np.full((128, 128, 3), 40 * clip + frame, np.uint8)
    return Face(f"f{number}", image, model.project(state), state, facts)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("prepared")
    path = root / "train-000000.tar"
    writer = ShardWriter(path, 95)
    for number in range(CLIPS * FRAMES):
        writer.add(face(number))
    writer.close()
    shard = {"name": path.name, "split": "train", "bytes": path.stat().st_size, "sha256": file_hash(path)}
    write_json(path.with_suffix(".json"), {**shard, "faces": writer.rows})
    identity = len(default_face_model().identity)
    write_json(root / "manifest.json", {"coefficients": {"identity": identity}, "shards": [shard]})
    return root


def test_synthetic_sequences_of_one_person() -> None:
    data = open_sequences("synthetic", {**LSG, "noise": 0.0, "gap": 0.0})
    rows = data.train.draw(np.random.default_rng(0), 5)
    batch = data.train.load(rows)
    assert {name: value.shape for name, value in batch.items()} == {
        "ends": (5, 2, 98, 2), "truth": (5, 4, 98, 2), "real": (5, 2, 98, 2), "other": (5, 98, 2),
        "person": (5,),
    }  # fmt: skip
    np.testing.assert_allclose(batch["ends"], batch["truth"][:, [0, -1]], atol=1e-3)
    again = data.train.load(rows)
    assert all((again[name] == value).all() for name, value in batch.items())


def test_ends_have_noise_and_something_of_a_stranger() -> None:
    rows = open_sequences("synthetic", LSG).train.draw(np.random.default_rng(0), 40)
    off = {}
    for noise, gap in ((0.0, 0.0), (3.0, 0.0), (0.0, 0.3)):
        batch = open_sequences("synthetic", {**LSG, "noise": noise, "gap": gap}).train.load(rows)
        off[noise, gap] = (batch["ends"] - batch["truth"][:, [0, -1]]).std((1, 2, 3))
    assert off[0.0, 0.0].max() < 1e-3 and off[0.0, 0.3].mean() > 0.1
    # Each sequence has its own share of the noise, even between 0 and 3 px.
    assert off[3.0, 0.0].mean() == pytest.approx(1.5, abs=0.4) and np.ptp(off[3.0, 0.0]) > 2


def test_sequences_of_clips_go_in_time(folder: Path) -> None:
    data = open_sequences(str(folder), {**LSG, "noise": 0.0})
    rows = data.train.draw(np.random.default_rng(0), 30)
    batch = data.train.load(rows)
    assert data.train.size == 10 * CLIPS and "nothing held out" in data.note
    store = FaceStore(folder, "train")
    for row, person in zip(rows, batch["person"], strict=True):
        clip = [store.entries[number].clip for number in row[:6]]
        frames = np.array([store.entries[number].frame for number in row[:4]])
        assert set(clip) == {f"c{person}"} and store.entries[row[6]].clip != clip[0]
        assert (np.diff(frames) >= 0).all() or (np.diff(frames) <= 0).all()
    np.testing.assert_array_equal(batch["ends"], batch["truth"][:, [0, -1]])
    with pytest.raises(ReenactError, match="--set people=3"):
        open_sequences(str(folder), {**LSG, "people": 2})


def test_pairs_come_from_clips_above_a_threshold_that_rises(folder: Path) -> None:
    """Figure 9: with and without."""
    values = {
        **REENACTMENT,
        "batch": 10,
        "pose_every": 1,
        "pose_start": 0.0,
        "pose_step": 0.5,
        "pose_most": 1.0,
    }
    for aware, clips in ((True, [3, 2, 1]), (False, [3, 3, 3])):
        source = open_posed(folder, {**values, "pose_aware": aware}).train
        entries = FaceStore(folder, "train").entries
        assert source.size == 10 * CLIPS
        found = []
        for epoch in range(3):
            rows = source.at(3 * epoch).draw(np.random.default_rng(0), 200)
            assert (rows[:, 0] != rows[:, 1]).all()
            found.append(len({entries[number].clip for number in rows[:, :2].ravel()}))
        assert found == clips
    assert PoseCurriculum(entries, every=1, start=0, step=0.5, most=1).threshold(2) == 25


def test_a_batch_of_pairs(folder: Path) -> None:
    source = open_posed(folder, REENACTMENT).train
    batch = batch_of_step(source, 4, 1, 0, Share())
    shapes = {name: tuple(value.shape[1:]) for name, value in batch.items()}
    assert shapes == {
        "source": (64, 64, 3), "target": (64, 64, 3), "mask": (64, 64, 1), "landmarks": (98, 2),
        "points": (478, 2), "source_points": (478, 2),
    }  # fmt: skip
    share = (batch["mask"] == 255).float().mean()
    assert set(batch["mask"].unique().tolist()) == {0, 255} and 0.05 < float(share) < 0.6
    assert not len(source.load(np.zeros((0, 3), np.int64))["points"])


def test_pairs_vary_in_light_and_side(folder: Path) -> None:
    plain = open_posed(folder, REENACTMENT).train
    varied = open_posed(folder, {**REENACTMENT, "varied": True})
    rows = varied.train.draw(np.random.default_rng(0), 24)
    before, after = plain.load(rows), varied.train.load(rows)
    mirrored = np.abs(after["points"] - before["points"]).max((1, 2)) > 1
    assert 4 < mirrored.sum() < 20
    assert (after["source"] != before["source"]).any()
    # In the mirrored face too the points of one side lie on that side of the picture.
    assert (after["landmarks"][:, 0, 0] < after["landmarks"][:, 32, 0]).all()
    again = varied.train.load(rows)
    assert all((again[name] == value).all() for name, value in after.items())
    held = varied.held_out.draw(np.random.default_rng(0), 4)
    np.testing.assert_array_equal(varied.held_out.load(held)["source"], plain.load(held)["source"])


def test_a_share_of_stills(folder: Path, tmp_path: Path) -> None:
    """Beside the clips' pairs, stills in another pose: what is to be drawn is the still itself."""
    with pytest.raises(ReenactError, match="no stills"):
        open_posed(folder, {**REENACTMENT, "stills": 0.5})
    copy = tmp_path / "with-stills"
    shutil.copytree(folder, copy)
    path = copy / "all-000000.tar"
    writer = ShardWriter(path, 95)
    portrait = face(5)
    writer.add(replace(portrait, key="portrait", facts={**portrait.facts, "clip": "", "split": ""}))
    writer.close()
    shard = {"name": path.name, "split": "all", "bytes": path.stat().st_size, "sha256": file_hash(path)}
    write_json(path.with_suffix(".json"), {**shard, "faces": writer.rows})
    manifest = json.loads((copy / "manifest.json").read_text())
    write_json(copy / "manifest.json", {**manifest, "shards": [*manifest["shards"], shard]})

    source = open_posed(copy, {**REENACTMENT, "stills": 0.5}).train
    rows = source.draw(np.random.default_rng(0), 400)
    alone = rows[:, 1] < 0
    assert 150 < alone.sum() < 250 and set(rows[alone, 0]) == {0}
    batch = source.load(rows[alone][:3])
    still = FaceStore(copy, "all").read(0)
    np.testing.assert_allclose(batch["points"], np.stack([still.points[:, :2] / 2] * 3), atol=1e-3)
    moved = np.linalg.norm(batch["points"] - batch["source_points"], axis=-1).mean(1)
    assert (moved > 0.3).all()
    assert "50% of the samples from 1 stills" in open_posed(copy, {**REENACTMENT, "stills": 0.5}).note
