"""Outputs are there whole or not at all, whatever goes wrong."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from reenact.errors import ReenactError
from reenact.media import files
from reenact.media.files import InputWatch, atomic_output, check_output


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    with atomic_output(tmp_path / "out.mp4") as partial:
        assert partial.suffix == ".mp4"
        assert partial.name.startswith(".out.partial-")
        partial.write_bytes(b"whole")
        assert not (tmp_path / "out.mp4").exists()
    assert names(tmp_path) == ["out.mp4"]
    assert (tmp_path / "out.mp4").read_bytes() == b"whole"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
@pytest.mark.parametrize("umask, mode", [(0o022, 0o644), (0o007, 0o660)])
def test_others_may_read_what_a_library_wrote_for_its_owner_alone(
    tmp_path: Path, umask: int, mode: int
) -> None:
    before = os.umask(umask)
    try:
        with atomic_output(tmp_path / "net.safetensors") as partial:
            own = tmp_path / "own"
            own.write_bytes(b"whole")
            own.chmod(0o600)
            own.replace(partial)
    finally:
        os.umask(before)
    assert (tmp_path / "net.safetensors").stat().st_mode & 0o777 == mode


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("folder", [False, True])
def test_an_exception_leaves_nothing(tmp_path: Path, error: type[BaseException], folder: bool) -> None:
    with pytest.raises(error), atomic_output(tmp_path / "out", folder=folder) as partial:
        (partial / "frame_000000.png" if folder else partial).write_bytes(b"half")
        raise error
    assert names(tmp_path) == []


def test_an_exception_keeps_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "out.png").write_bytes(b"old")
    with (
        pytest.raises(ValueError, match="stop"),
        atomic_output(tmp_path / "out.png", overwrite=True) as partial,
    ):
        partial.write_bytes(b"new")
        raise ValueError("stop")
    assert names(tmp_path) == ["out.png"]
    assert (tmp_path / "out.png").read_bytes() == b"old"


def test_overwrite_replaces(tmp_path: Path) -> None:
    (tmp_path / "out.png").write_bytes(b"old")
    with atomic_output(tmp_path / "out.png", overwrite=True) as partial:
        partial.write_bytes(b"new")
    assert (tmp_path / "out.png").read_bytes() == b"new"


def refused(path: Path, match: str, **options: object) -> None:
    with pytest.raises(ReenactError, match=match) as caught, atomic_output(path, **options) as partial:  # type: ignore[arg-type]
        partial.write_bytes(b"x")
    assert "\n" not in str(caught.value)


def test_bad_outputs_are_refused_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "there.mp4").write_bytes(b"mine")
    (tmp_path / "folder").mkdir()
    refused(tmp_path / "there.mp4", "exists")
    refused(tmp_path / "none" / "out.mp4", "does not exist")
    refused(tmp_path / "there.mp4" / "out.mp4", "does not exist")
    refused(tmp_path / "folder", "is a folder")
    refused(tmp_path / "there.mp4", "is an input", overwrite=True, inputs=[tmp_path / "there.mp4"])
    refused(tmp_path / "there.mp4", "should be a folder", folder=True)
    refused(Path("/dev/null"), "device", overwrite=True)
    refused(tmp_path / ("n" * 300 + ".mp4"), "too long|cannot")
    os.link(tmp_path / "there.mp4", tmp_path / "same.mp4")
    refused(tmp_path / "same.mp4", "is an input", overwrite=True, inputs=[tmp_path / "there.mp4"])
    assert (tmp_path / "there.mp4").read_bytes() == b"mine"


def test_a_long_name_still_fits(tmp_path: Path) -> None:
    path = tmp_path / ("ä" * 120 + ".mp4")
    with atomic_output(path) as partial:
        partial.write_bytes(b"x")
    assert names(tmp_path) == [path.name]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        refused(tmp_path / "out.mp4", "may not be written")
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.parametrize(
    ("number", "match"), [(errno.EROFS, "read-only"), (errno.EACCES, "may not be written")]
)
def test_a_read_only_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, match: str) -> None:
    def fail(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(files.os, "open", fail)
    refused(tmp_path / "out.mp4", match)


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ReenactError, match="no space left"), atomic_output(tmp_path / "out.mp4") as partial:
        partial.write_bytes(b"half")
        # What a full disk answers, from the system itself.
        with Path("/dev/full").open("wb", buffering=0) as full:
            full.write(b"x")
    assert names(tmp_path) == []


def test_nothing_written_is_no_output(tmp_path: Path) -> None:
    with pytest.raises(ReenactError, match="nothing was written"), atomic_output(tmp_path / "out.mp4"):
        pass
    assert names(tmp_path) == []


def test_a_file_that_appears_meanwhile_is_not_touched(tmp_path: Path) -> None:
    with pytest.raises(ReenactError, match="appeared"), atomic_output(tmp_path / "out.mp4") as partial:
        partial.write_bytes(b"ours")
        (tmp_path / "out.mp4").write_bytes(b"theirs")
    assert names(tmp_path) == ["out.mp4"]
    assert (tmp_path / "out.mp4").read_bytes() == b"theirs"


def test_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EPERM, "no hard links here")

    monkeypatch.setattr(files.os, "link", fail)
    with atomic_output(tmp_path / "out.mp4") as partial:
        partial.write_bytes(b"x")
    with pytest.raises(ReenactError, match="appeared"), atomic_output(tmp_path / "two.mp4") as partial:
        partial.write_bytes(b"ours")
        (tmp_path / "two.mp4").write_bytes(b"theirs")
    assert names(tmp_path) == ["out.mp4", "two.mp4"]
    assert (tmp_path / "two.mp4").read_bytes() == b"theirs"


def write_many(path: Path, letter: bytes, overwrite: bool) -> str:
    try:
        with atomic_output(path, overwrite=overwrite) as partial, partial.open("wb") as file:
            for _ in range(200):
                file.write(letter * 1000)
                time.sleep(0)
    except ReenactError as error:
        return str(error)
    return "done"


@pytest.mark.parametrize("overwrite", [False, True])
def test_runs_with_one_output_path_do_not_mix(tmp_path: Path, overwrite: bool) -> None:
    path = tmp_path / "out.bin"
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda letter: write_many(path, letter, overwrite), (b"a", b"b", b"c", b"d")))
    data = path.read_bytes()
    assert len(data) == 200_000
    assert len(set(data)) == 1
    assert names(tmp_path) == ["out.bin"]
    assert results.count("done") == (4 if overwrite else 1)


def test_a_kill_leaves_at_most_a_partial_file(tmp_path: Path) -> None:
    code = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from reenact.media.files import atomic_output
        with atomic_output(Path(sys.argv[1])) as partial, partial.open("wb") as file:
            print("ready", flush=True)
            while True:
                file.write(b"x" * 1000)
                file.flush()
        """
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "out.mp4")], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    [left] = names(tmp_path)
    assert left.startswith(".out.partial-")


# Folders --------------------------------------------------------------------------------------------------


def fill(folder: Path, text: str) -> None:
    for index in range(3):
        (folder / f"frame_{index:06d}.png").write_text(text)


def test_a_folder_appears_when_it_is_whole(tmp_path: Path) -> None:
    with atomic_output(tmp_path / "frames", folder=True) as partial:
        fill(partial, "new")
        assert not (tmp_path / "frames").exists()
    assert len(names(tmp_path / "frames")) == 3
    (tmp_path / "empty").mkdir()
    with atomic_output(tmp_path / "empty", folder=True) as partial:
        fill(partial, "new")
    assert names(tmp_path) == ["empty", "frames"]


def test_a_folder_of_frames_is_replaced_whole(tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    fill(tmp_path / "frames", "old")
    (tmp_path / "frames" / "frame_000099.png").write_text("old")
    refused(tmp_path / "frames", "exists", folder=True)
    with atomic_output(tmp_path / "frames", folder=True, overwrite=True) as partial:
        fill(partial, "new")
    assert names(tmp_path) == ["frames"]
    assert {path.read_text() for path in (tmp_path / "frames").iterdir()} == {"new"}


def test_a_folder_with_other_files_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "mother.jpg").write_text("dear")
    refused(tmp_path / "photos", "other files", folder=True, overwrite=True)
    refused(
        tmp_path / "photos",
        "holds an input",
        folder=True,
        overwrite=True,
        inputs=[tmp_path / "photos/mother.jpg"],
    )
    assert names(tmp_path / "photos") == ["mother.jpg"]


def test_a_folder_that_fills_meanwhile_is_not_touched(tmp_path: Path) -> None:
    with (
        pytest.raises(ReenactError, match="appeared"),
        atomic_output(tmp_path / "frames", folder=True) as partial,
    ):
        fill(partial, "ours")
        (tmp_path / "frames").mkdir()
        fill(tmp_path / "frames", "theirs")
    assert {path.read_text() for path in (tmp_path / "frames").iterdir()} == {"theirs"}
    assert names(tmp_path) == ["frames"]


def test_checking_writes_nothing(tmp_path: Path) -> None:
    check_output(tmp_path / "out.mp4", overwrite=False)
    assert names(tmp_path) == []


# A manifest beside its video ------------------------------------------------------------------------------


def test_a_manifest_is_published_with_its_video(tmp_path: Path) -> None:
    path, beside = tmp_path / "o.webm", tmp_path / "o.c2pa"
    with atomic_output(path) as partial:
        partial.write_bytes(b"video")
        partial.with_suffix(".c2pa").write_bytes(b"manifest")
        assert not beside.exists()
    assert (path.read_bytes(), beside.read_bytes()) == (b"video", b"manifest")
    with atomic_output(path, overwrite=True) as partial:
        partial.write_bytes(b"video without a manifest")
    assert [p.name for p in tmp_path.iterdir()] == ["o.webm"]


def test_a_run_that_loses_leaves_the_manifest_of_the_one_that_won(tmp_path: Path) -> None:
    path, beside = tmp_path / "o.mkv", tmp_path / "o.c2pa"
    with pytest.raises(ReenactError, match="appeared"), atomic_output(path) as partial:
        partial.write_bytes(b"loser")
        partial.with_suffix(".c2pa").write_bytes(b"loser's")
        path.write_bytes(b"winner")
        beside.write_bytes(b"winner's")
    assert (path.read_bytes(), beside.read_bytes()) == (b"winner", b"winner's")
    assert len(list(tmp_path.iterdir())) == 2


def test_a_manifest_of_that_name_is_not_replaced_unasked(tmp_path: Path) -> None:
    (tmp_path / "o.c2pa").write_bytes(b"mine")
    with pytest.raises(ReenactError, match=r"o\.c2pa"):
        check_output(tmp_path / "o.webm", overwrite=False)
    check_output(tmp_path / "o.mp4", overwrite=False)
    check_output(tmp_path / "o.webm", overwrite=True)


def test_a_manifest_of_another_clip_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "o.c2pa").write_bytes(b"mine")
    (tmp_path / "o.mkv").write_bytes(b"and its clip")
    with pytest.raises(ReenactError, match=r"o\.c2pa may be the manifest of .*o\.mkv"):
        check_output(tmp_path / "o.webm", overwrite=True)
    check_output(tmp_path / "o.mkv", overwrite=True)


# Inputs that change ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", [False, True])
@pytest.mark.parametrize("fault", ["replaced", "cut", "gone", "touched"])
def test_a_changed_input_is_noticed(tmp_path: Path, folder: bool, fault: str) -> None:
    path = tmp_path / "in"
    if folder:
        path.mkdir()
    file = path / "a.png" if folder else path
    file.write_bytes(b"picture")
    watch = InputWatch([path])
    watch.check()
    if fault == "replaced":
        (tmp_path / "other").write_bytes(b"PICTURE")
        (tmp_path / "other").replace(file)
    elif fault == "cut":
        os.truncate(file, 3)
    elif fault == "gone":
        file.unlink()
    else:
        os.utime(file, ns=(1, 1))
    with pytest.raises(ReenactError, match="changed while it was read"):
        watch.check()
