"""Prepared faces in WebDataset shards: plain tar files, a few members a face, and an index beside each.

    train-000003.tar     KEY.jpg  KEY.json  KEY.landmarks.npy  KEY.state.npy  for each face
    train-000003.json    the shard's SHA-256, what was skipped, and for each face where its members lie

The tar files are what the `webdataset` package reads in order; the index lets a trainer read any face at once,
which pair sampling needs. They are written with Python's own `tarfile`, all times and owners zero, so that the
same faces give the same bytes whatever version of `webdataset` is about.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

from reenact.errors import ReenactError
from reenact.media.files import atomic_output
from reenact.types import FaceState, Floats, Image, Points

_BLOCK = 512
_POSE = 6


@dataclass(frozen=True)
class Face:
    """One prepared face. key: its name. image: (S, S, 3). points: (478, 3) in its pixels. state: the same face
    as coefficients. facts: what is known of it (identity, clip, frame, time, split, pose, source, ...), as JSON
    has it."""

    key: str
    image: Image
    points: Points
    state: FaceState
    facts: dict[str, Any]


@dataclass(frozen=True)
class Entry:
    """A face in the index. pose: yaw, pitch and roll in degrees. spans: for each member its first byte in the
    shard and its length."""

    key: str
    identity: str
    clip: str
    frame: int | None
    split: str
    pose: tuple[float, float, float]
    attributes: dict[str, str]
    shard: Path
    spans: dict[str, tuple[int, int]]


def pack_state(state: FaceState) -> Floats:
    """(6 + I + E,) float32: rotation, scale, translation, identity, expression."""
    head = [*state.rotation, state.scale, *state.translation]
    return np.concatenate([np.asarray(head), state.identity, state.expression]).astype(np.float32)


def unpack_state(values: Floats, identity: int = 32) -> FaceState:
    """The inverse of `pack_state`; identity: number of identity coefficients."""
    split = _POSE + identity
    return FaceState(values[:3], float(values[3]), values[4:6], values[_POSE:split], values[split:])


def member_key(name: str) -> str:
    """The name as a WebDataset key: a dot would end it, so dots are written %2E."""
    return name.replace("%", "%25").replace(".", "%2E")


def members(face: Face, quality: int) -> list[tuple[str, bytes]]:
    """Extension and bytes of each member of a face, in the order in which they are written."""
    picture = io.BytesIO()
    PIL.Image.fromarray(face.image).save(picture, "JPEG", quality=quality, subsampling=0)
    facts = json.dumps(face.facts, sort_keys=True, ensure_ascii=False).encode()
    return [
        ("jpg", picture.getvalue()),
        ("json", facts),
        ("landmarks.npy", _npy(face.points.astype(np.float32))),
        ("state.npy", _npy(pack_state(face.state))),
    ]


def _npy(array: Floats) -> bytes:
    out = io.BytesIO()
    np.save(out, array, allow_pickle=False)
    return out.getvalue()


class ShardWriter:
    """Writes faces into one tar file, and knows where each member lies."""

    def __init__(self, path: Path, quality: int) -> None:
        self.rows: list[dict[str, Any]] = []
        self._quality = quality
        self._tar = tarfile.open(path, "w", format=tarfile.PAX_FORMAT)  # noqa: SIM115

    def add(self, face: Face) -> None:
        """Append a face."""
        key, spans = member_key(face.key), {}
        for extension, content in members(face, self._quality):
            info = tarfile.TarInfo(f"{key}.{extension}")
            info.size, info.mode = len(content), 0o444
            self._tar.addfile(info, io.BytesIO(content))
            padded = -(-len(content) // _BLOCK) * _BLOCK
            spans[extension] = [self._tar.offset - padded, len(content)]
        kept = ("identity", "clip", "frame", "split", "pose", "attributes")
        self.rows.append({"key": face.key, **{name: face.facts[name] for name in kept}, "spans": spans})

    def close(self) -> None:
        """Complete the file."""
        self._tar.close()


def write_json(path: Path, value: Any) -> None:
    """Write a JSON document whole or not at all, keys sorted."""
    with atomic_output(path, overwrite=True) as partial:
        partial.write_text(json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")


def file_hash(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class FaceStore:
    """The prepared faces of one folder and split, any of them at once. Safe to use from several processes and
    threads: files are opened for each reading.

    split: None takes all; several take the faces of each. Raises ReenactError where nothing was prepared there,
    or not to the end.
    """

    def __init__(self, folder: Path, split: str | Sequence[str] | None = None) -> None:
        self.folder = Path(folder)
        self.manifest = read_manifest(self.folder)
        self._identity = int(self.manifest["coefficients"]["identity"])
        self.entries: list[Entry] = []
        wanted = (split,) if isinstance(split, str) else split
        for shard in self.manifest["shards"]:
            if wanted is None or shard["split"] in wanted:
                self.entries += _entries(self.folder, shard["name"])
        if not self.entries:
            there = ", ".join(sorted({shard["split"] for shard in self.manifest["shards"]})) or "none"
            raise ReenactError(f"{self.folder}: no faces of a split {split!r}; there are: {there}")

    def __len__(self) -> int:
        return len(self.entries)

    def read(self, number: int) -> Face:
        """Face `number`, whole."""
        entry = self.entries[number]
        with entry.shard.open("rb") as file:
            content = {name: _span(file, *span) for name, span in entry.spans.items()}
        return self._face(entry.key, content)

    def points(self, number: int) -> Points:
        """The landmarks (478, 3) of face `number` without its picture."""
        entry = self.entries[number]
        with entry.shard.open("rb") as file:
            return _array(_span(file, *entry.spans["landmarks.npy"]))

    def in_order(self) -> Iterator[Face]:
        """All faces in the order of the shards, each file read from beginning to end."""
        for number in range(len(self)):
            yield self.read(number)

    def _face(self, key: str, content: dict[str, bytes]) -> Face:
        image = np.asarray(PIL.Image.open(io.BytesIO(content["jpg"])).convert("RGB"))
        state = unpack_state(_array(content["state.npy"]), self._identity)
        return Face(key, image, _array(content["landmarks.npy"]), state, json.loads(content["json"]))


def first_split(folder: Path, *splits: str | Sequence[str]) -> FaceStore | None:
    """The prepared faces of the first of these splits that has any; None where none has."""
    for split in splits:
        with suppress(ReenactError):
            return FaceStore(folder, split)
    return None


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest that `reenact prepare` wrote at its end. Raises ReenactError where it is not there."""
    path = Path(folder) / "manifest.json"
    try:
        manifest: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return manifest
    except FileNotFoundError:
        raise ReenactError(
            f"{folder}: no prepared faces there, or not to the end; run 'reenact prepare', which goes on"
        ) from None
    except (OSError, ValueError) as error:
        raise ReenactError(f"{path}: does not read ({error}); prepare the data again") from error


def verify_shards(folder: Path) -> list[str]:
    """Names of the shards that are missing or whose bytes are not those that were written."""
    shards: Sequence[dict[str, Any]] = read_manifest(folder)["shards"]
    wrong = []
    for shard in shards:
        path = Path(folder) / shard["name"]
        if shard["bytes"] and (not path.is_file() or file_hash(path) != shard["sha256"]):
            wrong.append(str(shard["name"]))
    return wrong


def _entries(folder: Path, name: str) -> Iterator[Entry]:
    index = json.loads((folder / name).with_suffix(".json").read_text("utf-8"))
    for row in index["faces"]:
        spans = {member: (first, length) for member, (first, length) in row["spans"].items()}
        yaw, pitch, roll = row["pose"]
        yield Entry(
            key=row["key"],
            identity=row["identity"],
            clip=row["clip"],
            frame=row["frame"],
            split=row["split"],
            pose=(yaw, pitch, roll),
            attributes=row["attributes"],
            shard=folder / name,
            spans=spans,
        )


def _span(file: Any, first: int, length: int) -> bytes:
    file.seek(first)
    content: bytes = file.read(length)
    return content


def _array(content: bytes) -> Floats:
    array: Floats = np.load(io.BytesIO(content), allow_pickle=False)
    return array
