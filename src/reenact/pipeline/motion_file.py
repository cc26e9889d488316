"""Motion files: a driving motion without identity and without pixels, as safetensors with a JSON header."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np

from reenact.errors import ReenactError
from reenact.geometry.face_model import default_face_model
from reenact.geometry.head_offset import SIZE
from reenact.media.files import atomic_output
from reenact.media.limits import check_length
from reenact.types import Motion

SUFFIX = ".motion"
_FORMAT = "reenact-motion-1"
_MOST_BYTES = 2 << 30


def write_motion(path: Path, motion: Motion, *, overwrite: bool = False) -> None:
    """Write `motion` to `path`, whole or not at all; about 0.4 kB a frame. What is one person's alone,
    identity and details of the skin, stays out."""
    from safetensors.numpy import save

    tensors: dict[str, np.ndarray] = {
        "times": np.array([[t.numerator, t.denominator] for t in motion.times], np.int64),
        "rotation": motion.rotation.astype(np.float32),
        "scale": motion.scale.astype(np.float32),
        "translation": motion.translation.astype(np.float32),
        "expression": motion.expression.astype(np.float32),
        "found": motion.found.astype(np.uint8),
    }
    if motion.head.any():
        tensors["head"] = motion.head.astype(np.float32)
    header = {
        "format": _FORMAT,
        "fps": str(motion.fps),
        "duration": str(motion.duration),
        "size": json.dumps(list(motion.size)),
        "face_model": default_face_model().key,
    }
    header["sha256"] = _digest(header, tensors)
    with atomic_output(Path(path), overwrite=overwrite) as partial:
        partial.write_bytes(save(tensors, metadata=header))


def _digest(header: Mapping[str, str], tensors: Mapping[str, np.ndarray]) -> str:
    """SHA-256 of all that the file says: the header's entries and each array's name, type, shape and values."""
    digest = hashlib.sha256()
    for name in sorted(header.keys() - {"sha256"}):
        digest.update(f"{name}={header[name]!r}\n".encode())
    for name, values in sorted(tensors.items()):
        digest.update(f"{name}:{values.dtype.str}{values.shape}\n".encode())
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def is_motion(path: Path) -> bool:
    """Whether a path is named as a motion file."""
    return Path(path).suffix.lower() == SUFFIX


def read_motion(path: Path) -> Motion:
    """Read and check a motion file; a ReenactError says what is wrong with it."""
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if not path.is_file():
        raise ReenactError(f"motion file not found: {path}; make one with 'reenact track VIDEO -o {path.name}'")
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError("it is over 2 GB")
        with safe_open(path, framework="numpy") as file:
            header = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        motion = _motion(header, arrays)
        check_length(len(motion), float(motion.duration), path)
        return motion
    except ReenactError:
        raise
    except (SafetensorError, OSError, ValueError, LookupError, TypeError, MemoryError, RecursionError) as error:
        reason = f"there is no {error}" if isinstance(error, KeyError) else str(error) or type(error).__name__
        raise ReenactError(
            f"{path} is not a motion file that can be read ({reason}); make it again with 'reenact track'"
        ) from error


def _motion(header: Mapping[str, str], arrays: Mapping[str, np.ndarray]) -> Motion:
    if header.get("format") != _FORMAT:
        raise ValueError(f"format {header.get('format')!r}, expected {_FORMAT!r}")
    if header.get("face_model") != default_face_model().key:
        raise ValueError("it was made with another face model")
    if header.get("sha256") != _digest(header, arrays):
        raise ValueError("its values are not those that were written")
    times, count = arrays["times"], len(arrays["times"])
    modes = len(default_face_model().expression)
    shapes = {
        "times": (2,),
        "rotation": (3,),
        "scale": (),
        "translation": (2,),
        "expression": (modes,),
        "found": (),
    }
    for name, tail in shapes.items():
        if arrays[name].shape != (count, *tail):
            raise ValueError(f"{name} has shape {arrays[name].shape}, expected {(count, *tail)}")
    if count == 0:
        raise ValueError("no frames")
    head = arrays.get("head", np.zeros((count, SIZE), np.float32))  # none: it goes with its face
    if head.shape != (count, SIZE):
        raise ValueError(f"head has shape {head.shape}, expected {(count, SIZE)}")
    if times.dtype.kind not in "iu" or (times[:, 1] <= 0).any():
        raise ValueError("times that are not fractions")
    values = {n: arrays[n].astype(np.float32) for n in ("rotation", "scale", "translation", "expression")}
    values["head"] = head.astype(np.float32)
    if not all(np.isfinite(v).all() and np.abs(v).max() < 1e4 for v in values.values()):
        raise ValueError("values that are not finite")
    if np.abs(head).max() > 1:
        raise ValueError("a head that is not where its face is")
    if not (values["scale"] > 0).all():
        raise ValueError("a head of no size")
    moments = tuple(Fraction(int(n), int(d)) for n, d in times)
    if moments[0] < 0 or any(b <= a for a, b in pairwise(moments)):
        raise ValueError("times that do not rise")
    width, height = _size(header["size"])
    fps, duration = _fraction(header["fps"]), _fraction(header["duration"])
    if not (0 < width <= 1 << 16 and 0 < height <= 1 << 16 and 0 < fps <= 1000 and duration > moments[-1]):
        raise ValueError("a size, rate or duration out of range")
    found = arrays["found"].astype(bool)
    if not found.any():
        raise ValueError("no frame with a face")
    return Motion(
        times=moments,
        rotation=values["rotation"],
        scale=values["scale"],
        translation=values["translation"],
        expression=values["expression"],
        found=found,
        fps=fps,
        size=(width, height),
        duration=duration,
        head=values["head"],
    )


def _fraction(text: str) -> Fraction:
    """Digits, or digits over digits: what `Fraction` takes beside that ('1e999999999') can cost all memory."""
    if not re.fullmatch(r"[0-9]{1,18}(/0*[1-9][0-9]{0,17})?", text):
        raise ValueError(f"{text[:40]!r} is not a fraction")
    return Fraction(text)


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"\[([0-9]{1,6}), ([0-9]{1,6})\]", text)
    if found is None:
        raise ValueError(f"{text[:40]!r} is not a width and a height")
    return int(found[1]), int(found[2])
