"""What an evaluation keeps of each pair, and how it knows that it is still good."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from reenact.errors import ReenactError
from reenact.evaluation.protocols import Case, Outcome, Protocol
from reenact.media.files import atomic_output
from reenact.media.stills import write_still
from reenact.runtime.weights import cache_folder
from reenact.types import Floats, Image

_PACKAGES = ("reenact", "mediapipe", "numpy", "opencv-contrib-python")
_WITHOUT_EFFECT = ("cli", "web", "trust", "training")


def stamp_of(
    case: Case, protocol: Protocol, embedder: str | None, published: tuple[str, ...]
) -> dict[str, Any]:
    """What a pair's figures depend on: files, settings, networks, code."""
    files = hashlib.sha256("".join(_digest(path) for path in case.files).encode())
    return {
        "files": files.hexdigest()[:16],
        "trials": hashlib.sha256(case.signature.encode()).hexdigest()[:16],
        "size": protocol.size,
        "most": protocol.most,
        "embedder": embedder,
        "published": list(published),
        "own_weights": _own_weights(),
        "versions": versions(),
    }


@lru_cache(maxsize=1)
def versions() -> dict[str, str]:
    """Versions of what figures depend on; 'code' is a digest of this package's own files."""
    found = {name: metadata.version(name) for name in _PACKAGES if _is_installed(name)}
    digest = hashlib.sha256()
    root = Path(__file__).parent.parent
    for path in sorted(p for p in root.rglob("*") if p.suffix in (".py", ".safetensors", ".onnx", ".npz")):
        if path.relative_to(root).parts[0] not in _WITHOUT_EFFECT:
            digest.update(path.read_bytes())
    return {**found, "code": digest.hexdigest()[:12]}


def is_done(folder: Path, system: str, stamp: Mapping[str, Any]) -> bool:
    """Whether a pair's files are whole and came of this stamp."""
    files = [folder / f"{name}.png" for name in (system, "driving", "source")] + [folder / f"{system}.npz"]
    try:
        done = json.loads((folder / f"{system}.json").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return bool(done.get("stamp") == stamp) and all(path.is_file() for path in files)


def keep(folder: Path, case: Case, system: str, stamp: Mapping[str, Any], outcome: Outcome) -> None:
    """Write a pair's figures, each row with what it is of, and its features."""
    write_features(folder / f"{system}.npz", outcome.features)
    rows = [{"of": name, **row} for name, row in zip(outcome.names, outcome.rows, strict=True)]
    content = {"case": case.key, "system": system, "stamp": stamp, "rows": rows}
    write_text(folder / f"{system}.json", json.dumps(content, indent=1))


def rows_of(folder: Path, system: str) -> list[dict[str, Any]]:
    """A pair's figures."""
    return list(json.loads((folder / f"{system}.json").read_text("utf-8"))["rows"])


def features_of(folder: Path, system: str) -> dict[str, Floats]:
    """A pair's features by name, each (N, D)."""
    with np.load(folder / f"{system}.npz") as file:
        return {name: file[name] for name in file.files}


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all. Raises ReenactError where the folder cannot be written."""
    _write(path, lambda partial: partial.write_text(text, "utf-8"))


def write_picture(path: Path, image: Image) -> None:
    """The same for a picture (H, W, 3)."""
    _write(path, lambda partial: write_still(partial, image))


def write_features(path: Path, features: Mapping[str, Floats]) -> None:
    """The same for arrays by name."""
    _write(path, lambda partial: np.savez(partial, **features))


def _write(path: Path, fill: Callable[[Path], Any]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReenactError(f"{path}: cannot be written ({error.strerror}); choose another --out") from error
    with atomic_output(path, overwrite=True) as partial:
        fill(partial)


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _own_weights() -> str:
    """A digest of the records of weights of one's own."""
    records = sorted(cache_folder().glob("*.json"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in records)).hexdigest()[:16]


@lru_cache(maxsize=65536)
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
