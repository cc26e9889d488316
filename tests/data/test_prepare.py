"""Preparing: the same shards in one go, by several processes, on Ray, and after a kill."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from reenact.data.extract import Recipe
from reenact.data.items import EMPTY
from reenact.data.prepare import prepare
from reenact.data.shards import FaceStore, verify_shards
from reenact.errors import ReenactError

RECIPE = Recipe(size=64)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory, portrait: np.ndarray) -> Path:
    """Ten stills, one of nobody and one empty, of VoxCeleb's crops: three clips of frames among them."""
    root = tmp_path_factory.mktemp("source")
    picture = PIL.Image.fromarray(portrait).resize((200, 200))
    for clip in range(5):
        folder = root / "train" / f"id1000{clip}#aaaaaaaaaaa#000000#000100.mp4"
        folder.mkdir(parents=True)
        for frame in range(3):
            angle = 3 * clip + 2 * frame
            picture.rotate(angle, PIL.Image.Resampling.BICUBIC).save(folder / f"{frame:07d}.png")
    odd = root / "test" / "id10270#bbbbbbbbbbb#000000#000100.mp4"
    odd.mkdir(parents=True)
    PIL.Image.new("RGB", (200, 200), "grey").save(odd / "0000000.png")
    (odd / "0000001.png").write_bytes(b"")
    return root


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.name != ".lock"}


@pytest.fixture(scope="module")
def unbroken(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("unbroken") / "out"
    prepare("voxceleb1", source, out, RECIPE, shard_size=3)
    return out


def test_shards_and_manifest(source: Path, unbroken: Path) -> None:
    manifest = json.loads((unbroken / "manifest.json").read_text())
    assert manifest["counts"] == {"faces": 15, "frames": 16, "people": 5, "skipped": 2, "units": 6}
    assert manifest["rejected_frames"] == {"no face found": 1}
    assert manifest["skipped_files"] == {"no face found": 1, EMPTY: 1}
    names = [shard["name"] for shard in manifest["shards"]]
    assert names == ["test-000000.tar", *(f"train-{n:06d}.tar" for n in range(5))]
    assert not (unbroken / "test-000000.tar").exists() and verify_shards(unbroken) == []
    assert manifest["versions"]["mediapipe"] == "0.10.21" and str(source) not in json.dumps(manifest)
    store = FaceStore(unbroken, "train")
    assert sorted(entry.identity for entry in store.entries) == [
        f"id1000{c}" for c in range(5) for _ in range(3)
    ]


def test_no_file_tells_where_the_data_lay(tmp_path: Path) -> None:
    source, out = tmp_path / "source", tmp_path / "out"
    (source / "id1").mkdir(parents=True)
    PIL.Image.new("RGB", (200, 200)).save(source / "id1" / "broken.png")
    data = (source / "id1" / "broken.png").read_bytes()
    (source / "id1" / "broken.png").write_bytes(data[: len(data) // 2])
    manifest = prepare("folders", source, out, RECIPE).manifest
    assert "id1/broken.png" in manifest["skipped"][0]["detail"]
    assert not any(str(tmp_path).encode() in data for data in contents(out).values())


def test_a_second_run_changes_nothing(source: Path, unbroken: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in unbroken.iterdir() if path.name != ".lock"}
    outcome = prepare("voxceleb1", source, unbroken, RECIPE, shard_size=3)
    assert (outcome.done, outcome.frames, outcome.faces) == (0, 0, 15)
    assert before == {path: path.stat().st_mtime_ns for path in unbroken.iterdir() if path.name != ".lock"}


def test_killed_and_resumed_gives_the_same_bytes(source: Path, unbroken: Path, tmp_path: Path) -> None:
    """Two workers, kill -9 of the parent after the first shards, and one process that goes on."""
    out = tmp_path / "out"
    done = _killed_after_the_first_shards(source, out)
    (out / ".train-000004.partial-0123456789ab.tar").write_bytes(b"half a shard")
    kept = {name: (out / name).stat().st_mtime_ns for name in done}
    outcome = prepare("voxceleb1", source, out, RECIPE, shard_size=3)
    assert outcome.done <= 6 - len(done)
    assert kept == {name: (out / name).stat().st_mtime_ns for name in done}
    assert contents(out) == contents(unbroken)


def _killed_after_the_first_shards(source: Path, out: Path) -> list[str]:
    """The names of what was done. A run that is over before it is seen to have begun is tried again."""
    command = [sys.executable, "-m", "reenact", "prepare", "voxceleb1", str(source), str(out), "--size", "64"]
    command += ["--shard-size", "3", "--workers", "2", "--rate", "all", "--quiet"]
    for _ in range(10):
        shutil.rmtree(out, ignore_errors=True)
        run = subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True)
        while not list(out.glob("t*-*.json")) and run.poll() is None:
            time.sleep(0.002)
        with suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)  # its workers too, which would else go on for a moment
        _, said = run.communicate()
        done = sorted(path.name for path in out.glob("t*-*.json"))
        assert done, said
        if not (out / "manifest.json").exists():
            return done
    raise AssertionError("every run was over at once")


def test_a_lost_shard_is_made_again(source: Path, unbroken: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    for name, content in contents(unbroken).items():
        (out / name).write_bytes(content if name != "train-000002.tar" else content[:1000])
    outcome = prepare("voxceleb1", source, out, RECIPE, shard_size=3)
    assert outcome.done == 1 and contents(out) == contents(unbroken)


def test_other_settings_are_refused_and_overwrite_starts_again(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    prepare("voxceleb1", source, out, RECIPE, limit=2)
    (out / "notes.txt").write_text("mine")
    with pytest.raises(
        ReenactError, match="prepared with other recipe; choose a new folder, or add --overwrite"
    ):
        prepare("voxceleb1", source, out, Recipe(size=96), limit=2)
    prepare("voxceleb1", source, out, Recipe(size=96), limit=2, overwrite=True)
    assert FaceStore(out).read(0).image.shape == (96, 96, 3) and (out / "notes.txt").read_text() == "mine"


def test_a_second_writer_is_kept_out(source: Path, tmp_path: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    with (tmp_path / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(ReenactError, match="another 'reenact prepare' is writing there"):
            prepare("voxceleb1", source, tmp_path, RECIPE)


def test_a_file_where_the_folder_should_be(source: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(ReenactError, match="cannot make the folder"):
        prepare("voxceleb1", source, tmp_path / "out", RECIPE)


def test_a_folder_with_other_tar_files_is_refused(source: Path, tmp_path: Path) -> None:
    (tmp_path / "backup.tar").write_bytes(b"precious")
    with pytest.raises(ReenactError, match="not ours"):
        prepare("voxceleb1", source, tmp_path, RECIPE)
    assert (tmp_path / "backup.tar").read_bytes() == b"precious"


@pytest.mark.slow
def test_ray_gives_the_same_bytes(source: Path, unbroken: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    out = tmp_path / "out"
    outcome = prepare("voxceleb1", source, out, RECIPE, shard_size=3, ray="local", workers=2)
    assert outcome.done == 6 and outcome.frames == 16 and contents(out) == contents(unbroken)
