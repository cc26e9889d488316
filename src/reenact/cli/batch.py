"""Which source is animated by which driving, and into which file.

A verb's positional files fill what `--source` and `--driving` do not name: with neither there are two, source
then driving; with one of them all positional files are the other. Each is a file, a folder or a pattern
(quoted, or the shell expands it). A folder stands for its pictures as sources. As driving of a video it stands
for its videos and motion files or, when it holds pictures only, for one video made of these frames.
"""

from __future__ import annotations

import glob
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reenact.errors import ReenactError

_STILLS = ".jpg .jpeg .png .webp .heic .heif .tif .tiff .bmp .avif .jp2"
_MOVING = ".mp4 .m4v .mov .mkv .webm .avi .gif .ts .mts .mpg .mpeg .wmv .flv .3gp .ogv .motion"
STILLS, MOVING = frozenset(_STILLS.split()), frozenset(_MOVING.split())


@dataclass(frozen=True)
class Pair:
    """One run: a source picture, what drives it, and the file to write. others: more pictures of the source's
    person, to choose from."""

    source: Path
    driving: Path
    output: Path
    others: tuple[Path, ...] = ()

    @property
    def name(self) -> str:
        """What the lines about this run call it."""
        return self.output.name


@dataclass(frozen=True)
class Inputs:
    """Sources and drivings of one command line, expanded."""

    sources: tuple[Path, ...]
    drivings: tuple[Path, ...]


def inputs(files: Sequence[Path], sources: Sequence[Path], drivings: Sequence[Path], *, video: bool) -> Inputs:
    """Sort positional files and named ones into sources and drivings, and expand folders and patterns.

    video: whether the driving is a video (a folder of pictures is then one driving). Raises ReenactError
    where the command line is not clear about which is which, or names nothing that exists.
    """
    sources, drivings = list(sources), list(drivings)
    if sources and drivings and files:
        raise ReenactError(f"{files[0]}: both --source and --driving are given, so what is this file?")
    if drivings:
        sources = sources or list(files)
    elif sources:
        drivings = list(files)
    elif len(files) == 2:
        sources, drivings = [files[0]], [files[1]]
    elif len(files) > 2:
        raise ReenactError(
            f"{len(files)} files, and it is not clear which is source and which is driving; give two, put "
            "quotes around patterns, or name one side with --source or --driving"
        )
    if not sources or not drivings:
        raise ReenactError("the driving is missing" if sources or files else "source and driving are missing")
    return Inputs(
        tuple(found for path in sources for found in _sources(path)),
        tuple(found for path in drivings for found in (_drivings(path) if video else _sources(path))),
    )


def pairs(
    given: Inputs, output: Path | None, out_dir: Path | None, suffix: str, *, same_person: bool = False
) -> list[Pair]:
    """Every source with every driving, and where each goes: `-o` for one pair, else in the folder `out_dir`.

    suffix: ending of the names SOURCE__DRIVING that `out_dir` gets, with its dot. same_person: the sources are
    pictures of one person, and together one source.
    """
    if output is not None and out_dir is not None:
        raise ReenactError("both -o and --out-dir are given; use -o for one result, --out-dir for several")
    first, others = (given.sources[:1], given.sources[1:]) if same_person else (given.sources, ())
    together = [(source, driving) for source in first for driving in given.drivings]
    if out_dir is None:
        if output is None:
            raise ReenactError(f"no output is named; add -o out{suffix}, or --out-dir for several")
        if len(together) > 1:
            raise ReenactError(
                f"{len(first)} sources and {len(given.drivings)} drivings are {len(together)} results; "
                "give --out-dir instead of -o"
            )
        return [Pair(*together[0], output, others)]
    sources, drivings = _short_names(given.sources), _short_names(given.drivings)
    return [
        Pair(source, driving, out_dir / f"{sources[source]}__{drivings[driving]}{suffix}", others)
        for source, driving in together
    ]


def make_out_dir(folder: Path) -> None:
    """Make the folder of the results (one level, as its parent may be a slip of the pen)."""
    if folder.is_dir():
        return
    if folder.exists():
        raise ReenactError(f"--out-dir: {folder} is a file, not a folder")
    if not folder.absolute().parent.is_dir():
        raise ReenactError(f"--out-dir: the folder {folder.absolute().parent} does not exist; make it first")
    folder.mkdir()


def _sources(path: Path) -> list[Path]:
    if path.is_dir():
        return _some(_inside(path, STILLS), f"{path}: no picture in this folder")
    return _file_or_pattern(path)


def _drivings(path: Path) -> list[Path]:
    if not path.is_dir():
        return _file_or_pattern(path)
    moving, stills = _inside(path, MOVING), _inside(path, STILLS)
    if moving and stills:
        raise ReenactError(
            f"{path}: this folder holds videos and pictures; name what you mean with a pattern, "
            f"such as '{path}/*{moving[0].suffix}'"
        )
    if stills:
        return [path]
    return _some(moving, f"{path}: no video, motion file or picture in this folder")


def _file_or_pattern(path: Path) -> list[Path]:
    if path.exists():
        return [path]
    if glob.has_magic(str(path)):
        found = sorted(Path(name) for name in glob.iglob(str(path), recursive=True))  # noqa: PTH207
        return _some([name for name in found if name.is_file()], f"{path}: no file matches this pattern")
    raise ReenactError(f"{path}: no such file or folder")


def _inside(folder: Path, endings: frozenset[str]) -> list[Path]:
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in endings and path.is_file() and not path.name.startswith(".")
    )


def _some(found: list[Path], otherwise: str) -> list[Path]:
    if not found:
        raise ReenactError(otherwise)
    return found


def _short_names(paths: Sequence[Path]) -> dict[Path, str]:
    """A name for each path, its stem where that is unique, else numbered: a, a-2, a-3."""
    names: dict[Path, str] = {}
    taken: set[str] = set()
    for path in paths:
        if path in names:
            continue
        stem = path.name if path.is_dir() else path.stem
        name, number = stem or "frames", 1
        while name in taken:
            number += 1
            name = f"{stem}-{number}"
        taken.add(name)
        names[path] = name
    return names
