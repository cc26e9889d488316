"""The readers, each as one function of a file: it may return or raise ReenactError, and nothing else."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from fuzz import seeds, server

Repair = Callable[[bytes, Random], bytes]


@dataclass(frozen=True)
class Reader:
    """seeds: writes whole files into a folder. read: reads one file to the end. repair: makes a damaged file
    agree with its own check sums and lengths, as somebody who means harm would, so that what lies behind them
    is reached too; done to half of the inputs."""

    seeds: Callable[[Path], Sequence[Path]]
    read: Callable[[Path], object]
    repair: Repair | None = None


def _read_still(path: Path) -> None:
    from reenact.media.stills import read_still

    image = read_still(path)
    assert image.ndim == 3 and image.shape[2] in (3, 4) and image.dtype == "uint8"


def _read_video(path: Path) -> None:
    """Opens the file as `reenact` does, with one thread; frames up to 300, then its sound into a new file."""
    from reenact.media.audio import audio_of
    from reenact.media.reader import open_frames

    with open_frames(path, threads=1, longest=1280) as source:
        for count, _ in enumerate(source):
            if count >= 300:
                break
        track = audio_of(source)
    if track is not None:
        _copy_sound(track, path)


def _copy_sound(track: object, path: Path) -> None:
    from fractions import Fraction

    import numpy as np

    from reenact.media.writer import open_writer

    container = ".webm" if len(path.read_bytes()) % 2 else ".mp4"
    out = path.with_name(f"{path.stem}-out{container}")
    codec = "vp9" if container == ".webm" else "h264"
    try:
        with open_writer(
            out, width=16, height=16, fps=Fraction(5), codec=codec, audio=track, threads=1
        ) as sink:  # type: ignore[arg-type]
            for number in range(3):
                sink.write(np.zeros((16, 16, 3), np.uint8), Fraction(number, 5))
    finally:
        out.unlink(missing_ok=True)


def _read_motion(path: Path) -> None:
    from reenact.pipeline.motion_file import read_motion

    read_motion(path)


def _read_face_model(path: Path) -> None:
    from reenact.geometry.face_model import load_face_model

    load_face_model(path)


def _read_weights(path: Path) -> None:
    """A record, and the weights that it names, from one file: the first line is the record."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    from reenact.runtime.weights import records, shipped

    folder = path.with_name("weights")
    folder.mkdir(exist_ok=True)
    record, _, tensors = path.read_bytes().partition(b"\n")
    (folder / "net.json").write_bytes(record)
    (folder / "net.safetensors").write_bytes(tensors)
    records(folder)
    try:
        load_file(shipped("net", folder).path)
    except SafetensorError:
        return  # only a file whose record has its hash gets here: the packager's own


@cache
def _video_command() -> Any:
    import typer

    from reenact.cli.app import make_app

    return typer.main.get_command(make_app(["video"])).get_command(None, "video")  # type: ignore[attr-defined]


def _read_options(path: Path) -> None:
    """The file as defaults of `reenact video`, and the command line parsed with them."""
    from reenact.cli.config import load
    from reenact.cli.failures import _UsageError
    from reenact.errors import ReenactError

    command = _video_command()
    context = command.context_class(command, info_name="video")
    load(context, path)
    try:
        command.parse_args(context, ["face.png", "clip.mp4", "-o", "out.mp4"])
    except _UsageError as error:
        raise ReenactError(str(error)) from None


def _read_certificate(path: Path) -> None:
    from reenact.trust.certificate import load_signer

    load_signer(path)


def _verify(path: Path) -> None:
    from reenact.trust.verify import verify

    found = verify(path)
    json.dumps(found.as_dict())


def _read_checkpoint(path: Path) -> None:
    from reenact.training.checkpoint import load

    folder = path.with_name("step-00000003")
    folder.mkdir(exist_ok=True)
    state, _, tensors = path.read_bytes().partition(seeds.SPLIT)
    (folder / "state.json").write_bytes(state)
    (folder / "tensors.safetensors").write_bytes(tensors)
    load(folder)


def _with_right_length(data: bytes) -> tuple[dict[str, object], bytes] | None:
    """A safetensors file's header and values, where the header is still JSON."""
    end = data.find(b"}}", 8)
    while end > 0:
        try:
            header = json.loads(data[8 : end + 2])
        except (ValueError, RecursionError):
            end = data.find(b"}}", end + 1)
            continue
        return (header, data[end + 2 :].lstrip(b" ")) if isinstance(header, dict) else None
    return None


def _packed(header: dict[str, object], values: bytes) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + values


def _repair_safetensors(data: bytes, random: Random) -> bytes:
    parts = _with_right_length(data)
    return _packed(*parts) if parts else data


def _repair_motion(data: bytes, random: Random) -> bytes:
    """The length of the header, and the hash of whatever the values are now."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    from reenact.pipeline import motion_file

    if (parts := _with_right_length(data)) is None:
        return data
    header, values = parts
    try:
        arrays = load(_packed(header, values))
        notes = header["__metadata__"]
        assert isinstance(notes, dict)
        notes["sha256"] = motion_file._digest(notes, arrays)
        notes["format"] = motion_file._FORMAT
    except (SafetensorError, AssertionError, LookupError, TypeError, ValueError, AttributeError, MemoryError):
        pass
    return _packed(header, values)


def _repair_weights(data: bytes, random: Random) -> bytes:
    line, _, tensors = data.partition(b"\n")
    try:
        record = json.loads(line)
        record["sha256"] = hashlib.sha256(tensors).hexdigest()
    except (ValueError, TypeError, RecursionError):
        return data
    return json.dumps(record).encode() + b"\n" + tensors


def _repair_checkpoint(data: bytes, random: Random) -> bytes:
    state, _, tensors = data.partition(seeds.SPLIT)
    return state + seeds.SPLIT + _repair_safetensors(tensors, random)


READERS = {
    "stills": Reader(seeds.stills, _read_still),
    "videos": Reader(seeds.videos, _read_video),
    "motion": Reader(seeds.motions, _read_motion, _repair_motion),
    "face_model": Reader(seeds.face_models, _read_face_model, _repair_safetensors),
    "weights": Reader(seeds.weights, _read_weights, _repair_weights),
    "options": Reader(seeds.options, _read_options),
    "certificate": Reader(seeds.certificates, _read_certificate),
    "verify": Reader(seeds.marked, _verify),
    "checkpoint": Reader(seeds.checkpoints, _read_checkpoint, _repair_checkpoint),
    "http": Reader(server.requests, server.ask, server.mended),
}
"""Name -> reader. 'checkpoint' needs PyTorch, 'http' the extra `web`."""
