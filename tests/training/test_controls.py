"""Faces told in words: exact landmarks of the face model, and prepared faces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from reenact.data.shards import Face, ShardWriter, file_hash, write_json  # noqa: E402
from reenact.errors import ReenactError  # noqa: E402
from reenact.geometry.face_model import default_face_model, rotation_vector  # noqa: E402
from reenact.geometry.schemes import convert_points  # noqa: E402
from reenact.perception.action_units import GLG_UNITS, MOST, action_units  # noqa: E402
from reenact.perception.head_pose import HeadPose, pose_matrix  # noqa: E402
from reenact.training.controls import open_controls  # noqa: E402
from reenact.types import FaceState  # noqa: E402

VALUES = {"identity": "shape", "people": 3, "side": 256, "epoch_size": 64, "validate_samples": 4}


def state(code: np.ndarray, expression: np.ndarray, pose: HeadPose) -> FaceState:
    return FaceState(rotation_vector(pose_matrix(pose)), 70.0, np.full(2, 120, np.float32), code, expression)


def test_synthetic_faces_are_the_models() -> None:
    """But for each person's own offset, and in a crop of mean place and size."""
    model, source = default_face_model(), open_controls("synthetic", VALUES).train
    rows = source.draw(np.random.default_rng(0), 4)
    batch = source.load(rows)
    for i, row in enumerate(rows):
        pose = HeadPose(*map(float, batch["pose"][i]))
        one = state(batch["code"][i], row[1:-6], pose)
        rest = state(batch["code"][i], np.zeros_like(row[1:-6]), pose)
        np.testing.assert_allclose(
            batch["units"][i], MOST * action_units(one, rest).vector(GLG_UNITS), atol=1e-3
        )
        made = convert_points(model.project(one), "ibug68")[:, :2]
        made = (made - made.mean(0)) / 70
        wanted = batch["target"][i] - batch["target"][i].mean(0)
        assert np.abs(made * wanted.std() / made.std() - wanted).mean() < 4
    assert source.load(rows[:0])["units"].shape == (0, 18)


def test_who_is_held_out_depends_on_who_is_known() -> None:
    strangers = open_controls("synthetic", VALUES)
    known = open_controls("synthetic", {**VALUES, "identity": "known"})
    assert strangers.held_out is not strangers.train and known.held_out is known.train
    with pytest.raises(ReenactError, match="no pictures to embed"):
        open_controls("synthetic", {**VALUES, "identity": "face"})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root, model = tmp_path_factory.mktemp("prepared"), default_face_model()
    path, rng = root / "train-000000.tar", np.random.default_rng(0)
    writer = ShardWriter(path, 95)
    for number in range(12):
        pose = HeadPose(number, 0, 0)
        one = state(
            np.full(len(model.identity), number % 2, np.float32),
            rng.standard_normal(len(model.expression)).astype(np.float32),
            pose,
        )
        facts = {
            "identity": f"p{number % 2}", "clip": f"c{number % 2}", "frame": number, "split": "train",
            "pose": list(pose), "attributes": {}, "time": None,
        }  # fmt: skip
        image = rng.integers(0, 255, (240, 240, 3), np.uint8)
        writer.add(Face(f"f{number}", image, model.project(one), one, facts))
    writer.close()
    shard = {"name": path.name, "split": "train", "bytes": path.stat().st_size, "sha256": file_hash(path)}
    write_json(path.with_suffix(".json"), {**shard, "faces": writer.rows})
    write_json(root / "manifest.json", {"coefficients": {"identity": len(model.identity)}, "shards": [shard]})
    return root


@pytest.mark.parametrize(("identity", "width"), [("known", 32), ("shape", 32), ("face", 128)])
def test_prepared_faces(folder: Path, identity: str, width: int) -> None:
    data = open_controls(str(folder), {**VALUES, "identity": identity})
    rows = data.train.draw(np.random.default_rng(0), 3)
    batch = data.train.load(rows)
    assert batch["code"].shape == (3, width) and batch["target"].shape == (3, 68, 2)
    np.testing.assert_allclose(batch["pose"][:, 0], rows[:, 0])
    assert batch["person"].tolist() == (rows[:, 0] % 2).tolist()
    # Who it is, another picture of the same person says.
    assert (rows[:, 0] != rows[:, 1]).all() and (rows[:, 0] % 2 == rows[:, 1] % 2).all()
    told = data.train.load(np.stack([rows[:, 1]] * 2, 1))
    np.testing.assert_array_equal(batch["code"], told["code"])
    assert np.abs(batch["target"].mean((0, 1)) - 128).max() < 40
    assert data.train.load(rows[:0])["person"].shape == (0,)
    seen = set(np.unique(data.train.draw(np.random.default_rng(1), 200)[:, 0]))
    assert (not seen & {0, 10}) or identity != "known"


def test_more_people_than_are_known_are_refused(folder: Path) -> None:
    with pytest.raises(ReenactError, match="--set people=2"):
        open_controls(str(folder), {**VALUES, "identity": "known", "people": 1})
