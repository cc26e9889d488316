"""Published pickles to safetensors, once, without running what a pickle could carry."""

from __future__ import annotations

import json
import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reenact.errors import ReenactError
from reenact.media.files import atomic_output
from reenact.runtime.weights import PUBLISHED, check, fetched, sha256_of

_WRAPPERS = ("state_dict", "params_ema", "params", "model", "net", "generator")


def convert(
    path: Path, output: Path, *, sha256: str, key: str | None = None, overwrite: bool = False
) -> list[str]:
    """Turn a PyTorch checkpoint into safetensors and return the names of its tensors.

    The file is hashed first (sha256: all of its hexadecimal digits or the first eight and more) and read with
    `weights_only=True`, which refuses anything but tensors and plain containers. key: the entry of the
    checkpoint that holds the tensors, where it is not one of the usual ones. Where it came from, and both
    hashes, are kept in the new file's metadata. Raises ReenactError for a file that differs, that holds code,
    or that holds no tensors; nothing is written then.
    """
    if len(sha256) < 8:
        raise ReenactError("--sha256: give the 64 digits of the file's SHA-256, or at least the first 8")
    if output.suffix != ".safetensors":
        raise ReenactError(f"{output}: the name should end in .safetensors")
    found = check(path, sha256)
    from safetensors.torch import save_file

    tensors = _tensors(_load(path), path, key)
    origin = {"format": "pt", "converted_from": json.dumps({"file": path.name, "sha256": found})}
    with atomic_output(output, overwrite=overwrite, inputs=[path]) as partial:
        save_file(tensors, partial, metadata=origin)
    return sorted(tensors)


def published_tensors(name: str, otherwise: str, path: Path | None = None) -> dict[str, Any]:
    """The tensors of published weights by their names, from what `reenact weights fetch NAME` put into the
    cache (converted on first use) or from `path`, converted before. otherwise: what happens without them, for
    the message. Raises ReenactError where they were not fetched or do not read."""
    from safetensors.torch import load_file

    path = _converted(name, otherwise) if path is None else path
    try:
        return dict(load_file(path))
    except Exception as error:  # safetensors has one exception class of its own, outside the hierarchy
        raise ReenactError(f"{path}: cannot be read as safetensors ({error}); convert it again") from error


def _converted(name: str, otherwise: str) -> Path:
    entry = PUBLISHED[name]
    pickled = fetched(entry)
    if pickled is None:
        raise ReenactError(
            f"the weights {name!r} are not here: `reenact weights fetch {name}` fetches them once; {otherwise}"
        )
    target = pickled.with_suffix(".safetensors")
    if not target.is_file():
        convert(pickled, target, sha256=entry.sha256)
    return target


def describe(output: Path) -> dict[str, str]:
    """The hash and size of a converted file, as a record has them."""
    return {"file": output.name, "sha256": sha256_of(output), "bytes": str(output.stat().st_size)}


def _load(path: Path) -> Any:
    try:
        import torch
    except ImportError:
        raise ReenactError("converting needs PyTorch: pip install 'reenact[train]'") from None
    try:
        with warnings.catch_warnings(action="ignore"):
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise ReenactError(
            f"{path}: holds more than tensors and plain containers, and such a pickle could run any code; "
            "it is not read"
        ) from None
    except Exception as error:  # What a damaged file raises inside the reader has no common class.
        raise ReenactError(f"{path}: not a PyTorch checkpoint, or a damaged one ({error!r})") from None


def _tensors(loaded: Any, path: Path, key: str | None) -> dict[str, Any]:
    import torch

    if key is not None:
        if not isinstance(loaded, Mapping) or key not in loaded:
            raise ReenactError(f"{path}: has no entry {key!r}; it has: {_entries(loaded)}")
        loaded = loaded[key]
    elif isinstance(loaded, Mapping):
        inner = [name for name in _WRAPPERS if isinstance(loaded.get(name), Mapping)]
        loaded = loaded[inner[0]] if inner else loaded
    if not isinstance(loaded, Mapping):
        raise ReenactError(f"{path}: holds a {type(loaded).__name__}, not named tensors")
    named = {str(name): value for name, value in loaded.items() if isinstance(value, torch.Tensor)}
    if not named:
        raise ReenactError(
            f"{path}: no tensors at the top; name one of its entries with --key: {_entries(loaded)}"
        )
    return {name: value.detach().clone().contiguous() for name, value in named.items()}


def _entries(loaded: Any) -> str:
    return ", ".join(map(str, list(loaded)[:12])) if isinstance(loaded, Mapping) else type(loaded).__name__
