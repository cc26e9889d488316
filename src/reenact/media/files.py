"""Output files that are there whole or not at all."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from reenact.errors import ReenactError

FRAME_NAME = re.compile(r"frame_\d{6,}\.png")
"""Names inside a written picture sequence; a folder with anything else in it is never replaced."""

SIDECAR = ".c2pa"
WITH_SIDECAR = frozenset({".webm", ".mkv"})
"""Videos whose manifest lies in a file of its own beside them, and that file's suffix. The two are published
together: what lies beside the partial file under this suffix moves along with it."""

_REASONS = {
    errno.ENOSPC: "no space left on the disk; free some or choose another folder",
    errno.EDQUOT: "your disk quota is used up; free some or choose another folder",
    errno.EFBIG: "the file grew beyond what the disk or its limits allow; choose another folder",
    errno.EROFS: "the folder is on a read-only disk; choose another folder",
    errno.EACCES: "the folder may not be written to; choose another folder or change its permissions",
    errno.EPERM: "the folder may not be written to; choose another folder or change its permissions",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
    errno.EIO: "the disk reported an error; choose another folder",
}


def output_error(error: OSError, path: Path) -> ReenactError | None:
    """The line for a failed write to `path`, or None where the reason is not the output's."""
    reason = _REASONS.get(error.errno or 0)
    return ReenactError(f"cannot write {path}: {reason}") if reason else None


class InputWatch:
    """Remembers which files were given, so that a run can tell that one was replaced or cut under its hands.

    A folder stands for the pictures in it. Made before the first is read.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        self._seen = {Path(path): _marks_of(Path(path)) for path in paths}

    def check(self) -> None:
        """Raises ReenactError where a file is no longer what it was."""
        for path, marks in self._seen.items():
            if _marks_of(path) != marks:
                raise ReenactError(f"input changed while it was read: {path}; nothing was written; start again")


def _marks_of(path: Path) -> tuple[tuple[str, int, int, int], ...]:
    """Name, file number, size and time of change of a file, or of each file in a folder; () for none."""
    try:
        if path.is_dir():
            found = [(entry.name, entry.stat()) for entry in os.scandir(path) if entry.is_file()]
        else:
            found = [(path.name, path.stat())]
    except OSError:
        return ()
    return tuple(sorted((name, s.st_ino, s.st_size, s.st_mtime_ns) for name, s in found))


@contextmanager
def atomic_output(
    path: Path, *, overwrite: bool = False, inputs: Iterable[Path] = (), folder: bool = False
) -> Iterator[Path]:
    """A path beside `path` to write to; it becomes `path` when the block ends, or vanishes when it raises.

    The yielded path has the true suffix (`.NAME.partial-RANDOM.SUFFIX`) and exists as an empty file, or as an
    empty folder with folder=True. Without overwrite, a file that appears under the final name meanwhile is
    not touched and the run fails. A folder is replaced only where it holds nothing but written frames. The
    output has the mode that a new file has here, also where a library put a file of its own in place of the
    partial one, as safetensors does with one that only its owner can read.
    inputs: files that the output must not be. Raises ReenactError for anything wrong with the output, and for
    a disk that fills up inside the block; an error of the block that names the partial path names `path`.
    """
    path = Path(path)
    check_output(path, overwrite=overwrite, inputs=inputs, folder=folder)
    partial = _create_partial(path, folder)
    mode = stat.S_IMODE(partial.stat().st_mode)
    try:
        yield partial
        if stat.S_IMODE(partial.stat().st_mode) != mode:
            partial.chmod(mode)
        _publish(partial, path, overwrite, folder)
    except BaseException as error:
        _remove(partial)
        if isinstance(error, OSError) and (line := output_error(error, path)):
            raise line from error
        if isinstance(error, ReenactError) and str(partial) in str(error):
            raise ReenactError(str(error).replace(str(partial), str(path))) from error
        raise


def check_output(path: Path, *, overwrite: bool, inputs: Iterable[Path] = (), folder: bool = False) -> None:
    """Raises ReenactError where writing `path` would fail, or would lose something. Writes nothing.

    A command calls it first, so that a wrong output costs no time; `atomic_output` calls it again.
    """
    parent = path.parent
    if not path.name:
        raise ReenactError(f"output is not a file name: {str(path)!r}; give a name such as out.mp4")
    try:
        if not parent.is_dir():
            raise ReenactError(f"output folder does not exist: {parent}; create it first")
        _check_inputs(path, inputs, folder)
        if path.is_symlink() or path.exists():
            _check_existing(path, overwrite, folder)
        _check_sidecar(path, overwrite)
    except (OSError, ValueError) as error:
        line = output_error(error, path) if isinstance(error, OSError) else None
        raise line or ReenactError(f"output cannot be written: {str(path)!r} ({error})") from None


def _check_inputs(path: Path, inputs: Iterable[Path], folder: bool) -> None:
    target = path.resolve()
    for given in inputs:
        source = Path(given).resolve()
        if source == target or (path.exists() and source.exists() and path.samefile(source)):
            raise ReenactError(f"output is an input too: {path}; choose another name")
        if folder and target in source.parents:
            raise ReenactError(f"output folder holds an input: {path}; choose another folder")


def _check_sidecar(path: Path, overwrite: bool) -> None:
    """Clips that differ in their ending alone (a.webm, a.mkv) would have one manifest between them."""
    if (beside := _sidecar(path)) is None or not beside.exists():
        return
    if not overwrite:
        raise ReenactError(f"a manifest of that name exists: {beside}; choose another name or pass --overwrite")
    for suffix in sorted(WITH_SIDECAR - {path.suffix.lower()}):
        if (other := path.with_suffix(suffix)).exists():
            raise ReenactError(f"{beside} may be the manifest of {other}; choose another name than {path}")


def _check_existing(path: Path, overwrite: bool, folder: bool) -> None:
    if folder:
        if not path.is_dir() or path.is_symlink():
            raise ReenactError(f"output should be a folder but is a file: {path}; choose another name")
        names = [entry.name for entry in path.iterdir()]
        if names and not overwrite:
            raise ReenactError(f"output exists: {path}; choose another name or pass --overwrite")
        if strange := [name for name in names if not FRAME_NAME.fullmatch(name)]:
            raise ReenactError(f"output folder holds other files ({strange[0]}): {path}; choose a new folder")
        return
    if path.is_dir():
        raise ReenactError(f"output is a folder: {path}; give a file name")
    if not path.is_symlink() and not path.is_file():
        raise ReenactError(f"output is a device or pipe: {path}; give a file name")
    if not overwrite:
        raise ReenactError(f"output exists: {path}; choose another name or pass --overwrite")


def _create_partial(path: Path, folder: bool) -> Path:
    suffix = "" if folder else path.suffix
    # Most file systems take 255 bytes a name; the stem gives way to the marker.
    stem = path.stem.encode()[: 200 - len(suffix.encode())].decode(errors="ignore")
    partial = path.with_name(f".{stem}.partial-{secrets.token_hex(6)}{suffix}")
    try:
        if folder:
            partial.mkdir()
        else:
            os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except OSError as error:
        line = output_error(error, path)
        raise line or ReenactError(f"cannot write {path}: {error.strerror or error}") from None
    return partial


def _publish(partial: Path, path: Path, overwrite: bool, folder: bool) -> None:
    if folder:
        _publish_folder(partial, path, overwrite)
    else:
        if partial.stat().st_size == 0:
            raise ReenactError(f"nothing was written to {path}; no frame came through")
        sync(partial)
        if overwrite:
            partial.replace(path)
        else:
            _publish_new(partial, path)
        _publish_sidecar(partial, path)
    # The file's data is safe by now; without this the name could still be lost in a power cut.
    with suppress(OSError):
        sync(path.parent)


def _sidecar(path: Path) -> Path | None:
    return path.with_suffix(SIDECAR) if path.suffix.lower() in WITH_SIDECAR else None


def _publish_sidecar(partial: Path, path: Path) -> None:
    """The manifest follows its video; that of the video that was replaced goes, if there is no new one."""
    if (made := _sidecar(partial)) is None:
        return
    if made.exists():
        sync(made)
        made.replace(path.with_suffix(SIDECAR))
    else:
        path.with_suffix(SIDECAR).unlink(missing_ok=True)


def _publish_new(partial: Path, path: Path) -> None:
    """Give the file its name only if the name is free, in one step that no other process can get between."""
    try:
        os.link(partial, path)
        partial.unlink()
        return
    except FileExistsError:
        raise _appeared(path) from None
    except OSError:
        pass  # FAT and some network disks have no hard links: reserve the name, then take it.
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except FileExistsError:
        raise _appeared(path) from None
    partial.replace(path)


def _publish_folder(partial: Path, path: Path, overwrite: bool) -> None:
    for file in partial.iterdir():
        sync(file)
    old = None
    if overwrite and path.is_dir() and any(path.iterdir()):
        _check_existing(path, overwrite, True)
        old = partial.with_name(partial.name + "-old")
        path.rename(old)
    try:
        partial.rename(path)  # succeeds only onto nothing or an empty folder
    except OSError as error:
        if old is not None:
            old.rename(path)
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            raise _appeared(path) from None
        raise
    if old is not None:
        shutil.rmtree(old, ignore_errors=True)


def _appeared(path: Path) -> ReenactError:
    return ReenactError(f"output appeared while this run was writing: {path}; choose another name")


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(partial: Path) -> None:
    if partial.is_dir():
        shutil.rmtree(partial, ignore_errors=True)
    else:
        for path in (partial, _sidecar(partial)):
            with suppress(OSError):
                if path is not None:
                    path.unlink()
