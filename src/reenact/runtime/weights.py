"""Weight files: those shipped with the package, and published ones that are fetched on request.

Each shipped file `NAME.safetensors` or `NAME.onnx` in `reenact/weights` has a record `NAME.json` beside it:
what it is for, its SHA-256, licence, and how it was trained. Published weights of others are never shipped;
they are fetched into the user's cache, and a pickle among them is used only after `reenact.nn.convert` has
turned it into safetensors. Every file is hashed before it is handed out.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reenact.errors import ReenactError
from reenact.media.files import atomic_output

SHIPPED = Path(__file__).parent.parent / "weights"
"""The folder of the shipped weights, inside the installed package."""

ENDINGS = (".safetensors", ".onnx")
_CHUNK = 1 << 20
Progress = Callable[[str, int, int | None], None]


@dataclass(frozen=True)
class Record:
    """What is known of a shipped weight file.

    sha256: of the file, 64 hexadecimal digits. purpose: one line. licence: an SPDX name. details: the rest of
    the record (data, steps, input range, measured figures), as JSON has it.
    """

    name: str
    path: Path
    sha256: str
    purpose: str
    licence: str
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Published:
    """Weights that others publish: fetched on request only.

    sha256: of the published file, or the eight leading digits that its publisher puts into its name where no
    more is known; a file is checked against as many digits as there are. pickled: the file is a pickle and has
    to be converted before use.
    """

    name: str
    url: str
    sha256: str
    purpose: str
    licence: str
    pickled: bool = True

    @property
    def file_name(self) -> str:
        """The published file's own name."""
        return self.url.rsplit("/", 1)[-1]


PUBLISHED = {
    entry.name: entry
    for entry in (
        Published(
            name="vgg16",
            url="https://download.pytorch.org/models/vgg16-397923af.pth",
            sha256="397923af",
            purpose="perceptual features of the papers' losses and of LPIPS (training and metrics only)",
            licence="BSD-3-Clause",
        ),
        Published(
            name="inception_fid",
            url="https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/"
            "pt_inception-2015-12-05-6726825d.pth",
            sha256="6726825d",
            purpose="features of the Fréchet inception distance (metrics only)",
            licence="Apache-2.0",
        ),
        Published(
            name="lpips_vgg",
            url="https://raw.githubusercontent.com/richzhang/PerceptualSimilarity/master/lpips/weights/v0.1/vgg.pth",
            sha256="a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
            purpose="weights of LPIPS on VGG-16's features, with vgg16 (metrics only)",
            licence="BSD-2-Clause",
        ),
        Published(
            name="arcface",
            url="https://github.com/yakhyo/uniface/releases/download/weights/w600k_r50.onnx",
            sha256="4c06341c33c2ca1f86781dab0e829f88ad5b64be9fba56e56bc9ebdefc619e43",
            purpose="identity similarity as the papers measure it (metrics only; InsightFace's buffalo_l)",
            licence="LicenseRef-InsightFace-non-commercial-research",
            pickled=False,
        ),
        Published(
            name="bisenet",
            url="https://github.com/yakhyo/face-parsing/releases/download/weights/resnet18.onnx",
            sha256="0d9bd318e46987c3bdbfacae9e2c0f461cae1c6ac6ea6d43bbe541a91727e33f",
            purpose="face parsing as the papers' metrics have it (metrics only; trained on CelebAMask-HQ)",
            licence="LicenseRef-CelebAMask-HQ-non-commercial-research",
            pickled=False,
        ),
    )
}
"""Name -> what can be fetched. Nothing here is needed to animate."""


def cache_folder() -> Path:
    """Where fetched weights lie: below $REENACT_HOME, else $XDG_CACHE_HOME/reenact, else ~/.cache/reenact."""
    if own := os.environ.get("REENACT_HOME"):
        return Path(own) / "weights"
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "reenact" / "weights"


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal; raises ReenactError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ReenactError(f"{path}: cannot be read ({error.strerror})") from None


def records(folder: Path = SHIPPED) -> list[Record]:
    """The records of all shipped weights, by name; raises ReenactError for one that is damaged."""
    return [_record(path) for path in sorted(folder.glob("*.json"))]


def shipped(name: str, folder: Path = SHIPPED) -> Record:
    """The record of one shipped file whose hash was just checked; raises ReenactError where it differs."""
    path = folder / f"{name}.json"
    if not path.is_file():
        raise ReenactError(
            f"no weights called {name!r} are shipped; `reenact weights list` shows what there is"
        )
    record = _record(path)
    check(record.path, record.sha256)
    return record


def installed(name: str) -> bool:
    """Whether weights of that name are there: those of one's own in `cache_folder()`, or shipped ones."""
    return any((folder / f"{name}.json").is_file() for folder in (cache_folder(), SHIPPED))


def find(name: str) -> Record:
    """The checked record of weights of that name: one's own where there are any, else the shipped ones."""
    return shipped(name, _folder_of(name))


def for_torch(name: str) -> bool:
    """Whether the installed weights of that name are tensors for PyTorch; an ONNX file runs without it."""
    return _record(_folder_of(name) / f"{name}.json").path.suffix == ".safetensors"


def _folder_of(name: str) -> Path:
    own = cache_folder()
    return own if (own / f"{name}.json").is_file() else SHIPPED


def check(path: Path, sha256: str) -> str:
    """The file's SHA-256; raises ReenactError unless it begins with `sha256`."""
    found = sha256_of(path)
    if not sha256 or not found.startswith(sha256.lower()):
        raise ReenactError(
            f"{path}: its SHA-256 begins with {found[:16]}, {sha256[:16]} is expected; the file was changed or "
            "is not complete: install or fetch it again"
        )
    return found


def fetched(entry: Published) -> Path | None:
    """Where a published file lies in the cache, or None where it was not fetched; its hash is not checked."""
    path = cache_folder() / entry.file_name
    return path if path.is_file() else None


def fetched_and_checked(name: str) -> Path | None:
    """Where published weights lie in the cache, their hash checked; None where they were not fetched."""
    entry = PUBLISHED[name]
    path = fetched(entry)
    if path is not None:
        check(path, entry.sha256)
    return path


def fetch(name: str, *, file: Path | None = None, progress: Progress | None = None) -> Path:
    """Put a published file into the cache, from its address or from `file`, and check its hash.

    progress: called as (stage, bytes done, bytes in all or None). Raises ReenactError where the name is not
    known, the download fails or the hash differs; then nothing is left in the cache.
    """
    if name not in PUBLISHED:
        raise ReenactError(f"no published weights called {name!r}; there are: {', '.join(PUBLISHED)}")
    entry = PUBLISHED[name]
    target = cache_folder() / entry.file_name
    if target.is_file():
        check(target, entry.sha256)
        return target
    _make(target.parent)
    with atomic_output(target) as partial:
        if file is not None:
            _copy(file, partial)
        else:
            _download(entry, partial, progress)
        _check_fetched(partial, entry, file)
    return target


def _record(path: Path) -> Record:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        known = {key: str(values.pop(key)) for key in ("file", "sha256", "purpose", "licence")}
    except (OSError, ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise ReenactError(f"{path}: not a weight record ({type(error).__name__}: {error})") from None
    file = path.parent / known["file"]
    if (
        len(known["file"]) > 200
        or file.parent != path.parent
        or file.suffix not in ENDINGS
        or not file.is_file()
    ):
        raise ReenactError(f"{path}: names {known['file'][:80]!r}, which is no weight file beside it")
    return Record(path.stem, file, known["sha256"], known["purpose"], known["licence"], values)


def _check_fetched(partial: Path, entry: Published, file: Path | None) -> None:
    found = sha256_of(partial)
    if not found.startswith(entry.sha256):
        raise ReenactError(
            f"{file or entry.url}: its SHA-256 begins with {found[:16]}, that of {entry.name} with "
            f"{entry.sha256}; it is another file or not complete, and was not kept"
        )


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReenactError(
            f"{folder}: cannot be made ({error.strerror}); set REENACT_HOME to a folder of yours"
        ) from None


def _copy(file: Path, partial: Path) -> None:
    try:
        shutil.copyfile(file, partial)
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise ReenactError(f"{file}: cannot be read ({error.strerror})") from None


def _download(entry: Published, partial: Path, progress: Progress | None) -> None:
    try:
        with urllib.request.urlopen(entry.url, timeout=30) as answer, partial.open("wb") as target:
            total = int(answer.headers.get("Content-Length") or 0) or None
            done = 0
            while chunk := answer.read(_CHUNK):
                done += target.write(chunk)
                if progress is not None:
                    progress("download", done, total)
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        raise ReenactError(
            f"{entry.url}: cannot be downloaded ({reason}); fetch it by other means and give it with "
            f"`reenact weights fetch {entry.name} --file {entry.file_name}`"
        ) from None
