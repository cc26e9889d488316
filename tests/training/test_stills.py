"""Stills warped to other contours, and OSFR's two stages run on them, one after the other and resumed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")

from reenact.data.shards import Face, FaceStore, ShardWriter, file_hash, write_json  # noqa: E402
from reenact.errors import ReenactError  # noqa: E402
from reenact.geometry.face_model import default_face_model  # noqa: E402
from reenact.geometry.schemes import FACE_OVAL, LEFT_EYE  # noqa: E402
from reenact.training import checkpoint  # noqa: E402
from reenact.training.runs import Order, train  # noqa: E402
from reenact.training.stills import Manners, StillSource, open_stills, render_stills  # noqa: E402
from reenact.types import FaceState  # noqa: E402

SHORT = ("validate_samples=2", "validate_every=0", "sheet_every=0", "batch=2")


def face(number: int, person: str) -> Face:
    """A face of its own shape on noise, in a crop of 64 pixels."""
    model, rng = default_face_model(), np.random.default_rng(number)
    identity = rng.standard_normal(len(model.identity)).astype(np.float32)
    none = np.zeros(len(model.expression), np.float32)
    state = FaceState(np.zeros(3, np.float32), 18.0, np.full(2, 30, np.float32), identity, none)
    image = rng.integers(0, 255, (64, 64, 3), np.uint8)
    facts = {
        "identity": person, "clip": "", "frame": None, "split": "train", "pose": [0.0, 0.0, 0.0],
        "attributes": {}, "time": None,
    }  # fmt: skip
    return Face(f"f{number}", image, model.project(state), state, facts)


def prepared(root: Path, people: list[str], splits: list[str] | None = None) -> Path:
    """Faces of these people, each of its split."""
    root.mkdir(exist_ok=True)
    splits, shards = splits or ["train"] * len(people), []
    for split in dict.fromkeys(splits):
        path = root / f"{split}-000000.tar"
        writer = ShardWriter(path, 95)
        for number, person in enumerate(people):
            if splits[number] == split:
                writer.add(face(number, person))
        writer.close()
        shard = {"name": path.name, "split": split, "bytes": path.stat().st_size, "sha256": file_hash(path)}
        write_json(path.with_suffix(".json"), {**shard, "faces": writer.rows})
        shards.append(shard)
    identity = len(default_face_model().identity)
    write_json(root / "manifest.json", {"coefficients": {"identity": identity}, "shards": shards})
    return root


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared(tmp_path_factory.mktemp("stills"), ["a", "b", "c", "c"])


def quiet(line: str) -> None: ...


def test_the_contour_is_lent_by_somebody_else(folder: Path) -> None:
    source = StillSource(FaceStore(folder, "train"), 64)
    rows = source.draw(np.random.default_rng(0), 200)
    people = np.array([0, 1, 2, 2])
    assert source.size == 3 and set(rows[:, 0]) == {0, 1, 2, 3}
    assert np.bincount(people[rows[:, 0]]).min() > 40, "people are drawn, not pictures"
    assert (people[rows[:, 0]] != people[rows[:, 1]]).all()


@pytest.mark.parametrize("resampling", ["none", "flat", "solid", "stirred"])
def test_what_moves(folder: Path, resampling: str) -> None:
    source = StillSource(FaceStore(folder, "train"), 64, Manners(resampling))  # type: ignore[arg-type]
    rows = np.array([[0, 1, 5], [2, 0, 6]])
    batch = source.load(rows)
    assert batch["source"].shape == batch["target"].shape == (2, 64, 64, 3)
    assert batch["points"].shape == (2, 478, 2) and batch["mask"].shape == (2, 64, 64, 1)
    apart = np.abs(batch["points"] - batch["source_points"])
    assert (apart[:, FACE_OVAL].mean() > 0.15) == (resampling != "none")
    assert (apart[:, LEFT_EYE].mean() > 0.05) == (resampling == "stirred")
    assert (batch["source"] != batch["target"]).any() == (resampling != "none")
    inside = batch["points"][:, 4].astype(int)
    assert all(batch["mask"][n, y, x, 0] == 255 for n, (x, y) in enumerate(inside))
    again = source.load(rows)
    assert all(np.array_equal(batch[name], again[name]) for name in batch)


def test_pictures_are_scaled_with_their_points(folder: Path) -> None:
    whole, half = (
        StillSource(FaceStore(folder), side, Manners("none")).load(np.array([[0, 1, 0]])) for side in (64, 32)
    )
    assert half["source"].shape == (1, 32, 32, 3)
    np.testing.assert_allclose(half["points"] * 2, whole["points"], atol=1e-4)


def test_no_rows_are_an_empty_batch(folder: Path) -> None:
    batch = StillSource(FaceStore(folder), 32).load(np.zeros((0, 3), np.int64))
    assert batch["source"].shape == (0, 32, 32, 3) and batch["points"].shape == (0, 478, 2)


def test_one_person_lends_no_contour(tmp_path: Path) -> None:
    store = FaceStore(prepared(tmp_path, ["a", "a"]))
    with pytest.raises(ReenactError, match="all faces are of one person"):
        StillSource(store, 32)
    assert StillSource(store, 32, Manners("none")).size == 1


def test_rendered_stills_are_those_of_the_source(tmp_path: Path) -> None:
    """Of the splits 'train' and 'all' to train on, 'val' and 'test' to look at; each shard is written once."""
    folder = prepared(tmp_path / "faces", ["a", "b", "c", "d", "e"], ["train", "all", "all", "test", "val"])
    out, manners = tmp_path / "stills", Manners("stirred")
    render_stills(folder, out, 32, manners, changes=2)
    settings = {"size": 32, "resampling": "stirred", "expression": 0.5, "turn": 8.0}
    fresh, kept = open_stills(folder, settings), open_stills(out, settings)
    assert (fresh.train.size, fresh.held_out.size) == (3, 2)
    assert (kept.train.size, kept.held_out.size) == (6, 2)
    source = StillSource(FaceStore(folder, ("train", "all")), 32, manners)
    wanted = source.load(source.rows_of(np.arange(3), np.random.default_rng((0, 1))))
    found = kept.train.load(np.arange(3, 6))
    assert wanted.keys() == found.keys()
    assert all(np.array_equal(wanted[name], found[name]) for name in wanted)
    assert kept.train.load(np.zeros(0, np.int64))["mask"].shape == (0, 32, 32, 1)
    times = [path.stat().st_mtime_ns for path in sorted(out.rglob("*.npy"))]
    render_stills(folder, out, 32, manners, changes=2)
    assert [path.stat().st_mtime_ns for path in sorted(out.rglob("*.npy"))] == times
    with pytest.raises(ReenactError, match="stills of 32 px; --set size=64"):
        open_stills(out, {**settings, "size": 64})


def test_both_stages_in_order_stopped_and_resumed(folder: Path, tmp_path: Path) -> None:
    """Fine-tuning begins with what the main stage learned; a run that went on is one that never stopped."""

    def run(out: str, steps: int, stage: str | None = None, resume: bool = False) -> None:
        changes = (f"steps={steps}", *SHORT)
        train(
            Order("osfr", "tiny", str(folder), tmp_path / out, stage, changes, resume=resume, device="cpu"),
            report=quiet,
        )

    def networks(run_folder: Path) -> dict[str, dict[str, torch.Tensor]]:
        return checkpoint.load(checkpoint.latest(run_folder / "checkpoints"))["networks"]

    run("all", 2)
    records = {name: networks(tmp_path / "all" / name) for name in ("main", "finetune")}
    name = "appearance.encoder.0.0.weight"
    main, finetune = (records[stage]["generator"][name] for stage in ("main", "finetune"))
    moved = float((main - finetune).abs().max())
    assert 0 < moved < 2.5 * 2 * 4e-4, "two steps of Adam away from where the main stage ended"

    run("parts/main", 1, "main")
    run("parts/main", 2, "main", resume=True)
    again = networks(tmp_path / "parts" / "main")
    for network, tensors in records["main"].items():
        for key, value in tensors.items():
            torch.testing.assert_close(again[network][key], value)


def test_finetuning_needs_a_main_run(folder: Path, tmp_path: Path) -> None:
    def order(out: str, *changes: str) -> Order:
        return Order(
            "osfr", "tiny", str(folder), tmp_path / out, "finetune", ("steps=1", *SHORT, *changes), device="cpu"
        )

    with pytest.raises(ReenactError, match="train that stage first"):
        train(order("one"), report=quiet)
    train(order("two", "start="), report=quiet)
    with pytest.raises(ReenactError, match="does not fit these networks"):
        train(order("three", "start=../two", "concat=false"), report=quiet)
