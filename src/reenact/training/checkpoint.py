"""Checkpoints: one folder a checkpoint, tensors as safetensors, everything else as JSON; nothing is pickled.

`RUN/checkpoints/step-00000500/` holds `tensors.safetensors` and `state.json`. A folder gets its name only when
both files are on the disk. The last two and the best are kept.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from reenact.errors import ReenactError
from reenact.media.files import atomic_output, sync

_NAME = re.compile(r"step-(\d{8})")
_TENSOR, _PAIRS = "__tensor__", "__pairs__"
KEPT = 2


def save(folder: Path, step: int, state: Mapping[str, Any]) -> Path:
    """Write `state` (nested dicts and lists of tensors, numbers, strings) as the checkpoint of `step`.

    Returns its folder. A checkpoint of that step that is there already is left as it is. Raises
    ReenactError or OSError where the disk is full or may not be written to.
    """
    target = folder / f"step-{step:08d}"
    if target.is_dir():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    _clear_partials(folder)
    partial = folder / f".{target.name}.partial"
    partial.mkdir()
    tensors: dict[str, Tensor] = {}
    plain = _split(state, "", tensors)
    with atomic_output(partial / "tensors.safetensors") as file:
        save_file(tensors, file)
    with atomic_output(partial / "state.json") as file:
        file.write_text(json.dumps(plain, indent=1), encoding="utf-8")
    partial.rename(target)
    sync(folder)
    return target


def load(path: Path) -> dict[str, Any]:
    """The state of one checkpoint folder, tensors on the CPU; a ReenactError where it is damaged."""
    try:
        tensors = load_file(path / "tensors.safetensors")
        plain = json.loads((path / "state.json").read_text(encoding="utf-8"))
        state = _join(plain, tensors)
        if not isinstance(state, dict):
            raise TypeError("no named values")
    except (OSError, ValueError, KeyError, TypeError, RecursionError, SafetensorError) as error:
        raise ReenactError(
            f"{path}: not a whole checkpoint ({type(error).__name__}: {error}); delete that folder to go on "
            "from the one before"
        ) from None
    return state


def steps(folder: Path) -> list[int]:
    """The steps of all whole checkpoints in a run's checkpoint folder, ascending."""
    found = [_NAME.fullmatch(path.name) for path in folder.glob("step-*") if path.is_dir()]
    return sorted(int(match[1]) for match in found if match)


def latest(folder: Path) -> Path | None:
    """The newest checkpoint, or None."""
    known = steps(folder)
    return path_of(folder, known[-1]) if known else None


def path_of(folder: Path, step: int) -> Path:
    """The folder of the checkpoint of `step`."""
    return folder / f"step-{step:08d}"


def mark_best(folder: Path, step: int, figure: str, value: float) -> None:
    """Remember which checkpoint is the best so far."""
    with atomic_output(folder / "best.json", overwrite=True) as partial:
        partial.write_text(json.dumps({"step": step, figure: value}) + "\n", encoding="utf-8")


def best(folder: Path) -> int | None:
    """The step of the best checkpoint, or None where none was marked."""
    try:
        return int(json.loads((folder / "best.json").read_text(encoding="utf-8"))["step"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def prune(folder: Path, kept: int = KEPT) -> None:
    """Delete all but the last `kept` checkpoints and the best."""
    known = steps(folder)
    for step in known[:-kept]:
        if step != best(folder):
            shutil.rmtree(path_of(folder, step), ignore_errors=True)


def _split(value: Any, name: str, tensors: dict[str, Tensor]) -> Any:
    """`value` with each tensor moved into `tensors` and its name in its place."""
    if isinstance(value, Tensor):
        # A copy: safetensors refuses two names for one memory, and wants rows in order.
        tensors[name] = value.detach().cpu().contiguous().clone()
        return {_TENSOR: name}
    if isinstance(value, Mapping):
        parts = [
            (key, _split(item, f"{name}.{key}" if name else str(key), tensors)) for key, item in value.items()
        ]
        return dict(parts) if all(isinstance(key, str) for key, _ in parts) else {_PAIRS: parts}
    if isinstance(value, (list, tuple)):
        return [_split(item, f"{name}.{number}", tensors) for number, item in enumerate(value)]
    return value


def _join(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    if isinstance(value, dict):
        if _TENSOR in value:
            return tensors[value[_TENSOR]]
        pairs = value[_PAIRS] if _PAIRS in value else value.items()
        return {key: _join(item, tensors) for key, item in pairs}
    return [_join(item, tensors) for item in value] if isinstance(value, list) else value


def _clear_partials(folder: Path) -> None:
    """What a killed run left half-written."""
    for path in folder.glob(".step-*.partial"):
        shutil.rmtree(path, ignore_errors=True)
