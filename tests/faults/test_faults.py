"""Faults while a run is under way: nothing is lost, and nothing half-written has a final name."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import av
import pytest
from _pytest.mark import ParameterSet
from cli_command import Result, spawn

from reenact.trust import verify

FRAMES = 8


def slow(*values: object) -> ParameterSet:
    """A case that is left out of the quick run."""
    return pytest.param(*values, marks=pytest.mark.slow)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where outputs go."""
    path = tmp_path / "results"
    path.mkdir()
    return path


def begin(*words: object) -> subprocess.Popen[str]:
    """Start the command and do not wait for it."""
    command = [sys.executable, "-m", "reenact", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(process: subprocess.Popen[str]) -> Result:
    """What the command left; it is killed where a test failed meanwhile."""
    try:
        out, err = process.communicate(timeout=300)
    finally:
        process.kill()
        process.wait()
    return Result(process.returncode, out, err)


def wait_for_writing(process: subprocess.Popen[str], folder: Path) -> None:
    """Come back when something of the result is on the disk, under whatever name."""
    while not any(path.stat().st_size for path in folder.iterdir()):
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)


def wait_for_reading(process: subprocess.Popen[str], path: Path) -> None:
    """Come back when the run has the file open (Linux)."""
    opened = Path(f"/proc/{process.pid}/fd")
    while not any(os.path.realpath(link) == str(path) for link in opened.iterdir()):
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


def whole(path: Path, frames: int = FRAMES) -> None:
    """A video with all its frames and intact marks."""
    with av.open(str(path)) as container:
        assert sum(1 for _ in container.decode(video=0)) == frames
    found = verify(path)
    assert (found.verdict, found.manifest.title) == ("marked", path.name), found.reason


def leftovers(folder: Path, *kept: str) -> list[str]:
    """Names in the folder that are neither final results nor marked as partial."""
    return [path.name for path in folder.iterdir() if path.name not in kept and ".partial" not in path.name]


# Killed ---------------------------------------------------------------------------------------------------


def seconds_used(process: subprocess.Popen[str]) -> float:
    """CPU seconds of a run (Linux); unlike time on a clock, they do not hang on what else the machine does."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cost(process: subprocess.Popen[str]) -> float:
    """CPU seconds of a whole run, which is waited for."""
    used = 0.0
    while process.poll() is None:
        used = max(used, seconds_used(process))
        time.sleep(0.02)
    result = ended(process)
    assert result.code == 0, result.err
    return used


def kill_at(seconds: float, folder: Path, portrait: Path, clip: Path, name: str, old: bytes | None) -> str:
    """Kill a run after so many CPU seconds and look at what is left: 'nothing', 'partial' or 'whole'."""
    out = folder / name
    if old is not None:
        out.write_bytes(old)
    process = begin("video", portrait, clip, "-o", out, "--size", "128", "--overwrite", "--quiet")
    while process.poll() is None and seconds_used(process) < seconds:
        time.sleep(0.02)
    process.kill()
    process.communicate()
    there = out.exists() and out.read_bytes() != old
    assert old is None or out.exists()
    if there:
        whole(out)
    assert not leftovers(folder, name)
    partial = any(".partial" in path.name for path in folder.iterdir())
    for path in folder.iterdir():
        path.unlink()
    return "whole" if there else "partial" if partial else "nothing"


def kill_often(points: int, folder: Path, portrait: Path, clip: Path, name: str = "o.mp4") -> Counter[str]:
    """Kill runs at moments spread over one run's length, half of them with a file to be replaced."""
    random, left = Random(points), Counter[str]()
    words = ["video", portrait, clip, "-o", folder / name, "--size", "128", "--quiet"]
    length = cost(begin(*words))
    whole(folder / name)
    (folder / name).unlink()
    for point in range(points):
        moment = length * (point + random.random()) / points
        left[kill_at(moment, folder, portrait, clip, name, b"mine" if point % 2 else None)] += 1
    print(f"{points} runs of {length:.1f} s of CPU killed: {dict(left)} left")
    # The next run is not disturbed by what killed ones may have left.
    assert spawn(words).code == 0
    whole(folder / name)
    return left


@pytest.mark.skipif(sys.platform != "linux", reason="reads CPU times in /proc")
def test_killed_at_five_moments(folder: Path, portrait: Path, clip: Path) -> None:
    kill_often(5, folder, portrait, clip)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads CPU times in /proc")
def test_killed_at_fifty_moments(folder: Path, portrait: Path, clip: Path) -> None:
    left = kill_often(50, folder, portrait, clip)
    assert left["nothing"] and left["partial"], "no run was killed while it wrote"


# No room, no permission -----------------------------------------------------------------------------------


def mounted(path: Path, options: str) -> None:
    """Mount a disk in memory, or skip the test where that is not allowed."""
    path.mkdir()
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a small disk")
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)]
    if (done := subprocess.run(command, capture_output=True, text=True, check=False)).returncode:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """An empty place for a disk, unmounted afterwards."""
    path = tmp_path / "disk"
    yield path
    if path.is_mount():
        subprocess.run(["umount", str(path)], check=True)


@pytest.mark.parametrize(
    "name", ["o.mp4", "o.motion", *(slow(n) for n in ("o.webm", "o.gif", "frames", "o.png"))]
)
def test_a_full_disk(disk: Path, portrait: Path, clip: Path, long_clip: Path, name: str) -> None:
    mounted(disk, "size=16k")
    verb = {"o.motion": ["track", long_clip], "o.png": ["image", portrait, portrait]}
    result = spawn([*verb.get(name, ["video", portrait, clip]), "-o", disk / name])
    assert result.code == 2, result
    assert "no space left" in result.line().lower() and str(disk / name) in result.line()
    assert not any(disk.iterdir())


@pytest.mark.slow
def test_a_disk_that_has_room_for_the_video_but_not_for_its_signature(
    disk: Path, portrait: Path, clip: Path, folder: Path
) -> None:
    words = ["video", portrait, clip, "--quiet", "--size", "128", "-o"]
    assert spawn([*words, folder / "o.mp4"]).code == 0
    # Signing needs a second copy.
    mounted(disk, f"size={(folder / 'o.mp4').stat().st_size // 1024 + 4}k")
    result = spawn([*words, disk / "o.mp4"])
    assert result.code == 2 and not any(disk.iterdir())
    assert str(disk / "o.mp4") in result.line()


def test_a_read_only_disk(disk: Path, portrait: Path, clip: Path) -> None:
    mounted(disk, "ro")
    result = spawn(["video", portrait, clip, "-o", disk / "o.mp4"])
    assert result.code == 2 and "read-only" in result.line() and str(disk / "o.mp4") in result.line()


# The driving file changes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["replaced", slow("truncated"), slow("removed")])
def test_driving_changes_under_the_run(
    folder: Path, portrait: Path, clip: Path, long_clip: Path, tmp_path: Path, fault: str
) -> None:
    """Refused in one line that names the file, with nothing left: the manifest would name what was not used."""
    driving = tmp_path / "driving.mp4"
    shutil.copy(long_clip, driving)
    process = begin("video", portrait, driving, "-o", folder / "o.mp4", "--compare", "--json")
    wait_for_writing(process, folder)
    if fault == "replaced":
        shutil.copy(clip, tmp_path / "other.mp4")
        (tmp_path / "other.mp4").replace(driving)
    elif fault == "truncated":
        os.truncate(driving, driving.stat().st_size // 3)
    else:
        driving.unlink()
    result = ended(process)
    assert result.code == 2 and str(driving) in result.err
    assert "Traceback" not in result.err and str(driving) in json.loads(result.out)["error"]
    assert not any(folder.iterdir())


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks in /proc for the open file")
@pytest.mark.parametrize("moment", [0.0, 0.5, 1.2])
def test_driving_is_cut_while_it_is_tracked(
    folder: Path, portrait: Path, long_clip: Path, tmp_path: Path, moment: float
) -> None:
    """So many seconds after the first pass, whose end nobody can see from outside, has opened the file."""
    driving = tmp_path / "driving.mp4"
    shutil.copy(long_clip, driving)
    process = begin("video", portrait, driving, "-o", folder / "o.mp4")
    wait_for_reading(process, driving)
    time.sleep(moment)
    os.truncate(driving, driving.stat().st_size // 3)
    result = ended(process)
    assert result.code == 2, result
    assert str(driving) in result.line()
    assert not any(folder.iterdir())


# Two at once ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "overwrite"),
    [
        ("o.webm", False),
        ("o.mp4", True),
        *(slow(*case) for case in [("o.webm", True), ("o.mp4", False), ("frames", False), ("frames", True)]),
    ],
)
def test_two_runs_with_one_output(folder: Path, portrait: Path, clip: Path, name: str, overwrite: bool) -> None:
    words = ["video", portrait, clip, "-o", folder / name, "--size", "128", "--json"]
    both = [begin(*words, *(["--overwrite"] if overwrite else [])) for _ in range(2)]
    results = [ended(process) for process in both]
    codes = sorted(result.code for result in results)
    assert codes in ([0, 0], [0, 2]) if overwrite else codes == [0, 2], results
    out = folder / name
    for result in results:
        if result.code == 0:
            assert result.json["frames"] == FRAMES and result.json["output"] == str(out)
        else:
            assert str(folder / "o") in result.json["error"] or str(out) in result.json["error"]
    if out.is_dir():
        pictures = sorted(out.iterdir())
        assert len(pictures) == FRAMES and all(verify(path).verdict == "marked" for path in pictures)
    else:
        whole(out)
    assert not leftovers(folder, name, "o.c2pa")
    assert not [path for path in folder.iterdir() if ".partial" in path.name]
