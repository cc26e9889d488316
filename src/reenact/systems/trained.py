"""Trained networks of a system, for animating: from a weight file and its record to a module that is ready."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from reenact.errors import ReenactError
from reenact.runtime.weights import Record, find
from reenact.systems.spec import Settings
from reenact.types import Image

if TYPE_CHECKING:
    from torch import Tensor, nn

S = TypeVar("S", bound=Settings)
N = TypeVar("N", bound="nn.Module")
_OPENED: dict[str, Any] = {}
"""By the file's hash, what was opened before: many portraits need one network."""


def torch_is_there() -> bool:
    """Whether PyTorch is installed; it is not imported."""
    return find_spec("torch") is not None


def need_torch(name: str) -> None:
    """Raises ReenactError with the command to install it where PyTorch is absent."""
    if not torch_is_there():
        raise ReenactError(f"{name} runs on PyTorch, which is not installed: pip install 'reenact[train]'")


def open_trained(name: str, presets: Mapping[str, S], build: Callable[[S], N], network: str) -> tuple[N, S]:
    """The network and settings of weights `name` (`SYSTEM_STAGE`), in evaluation mode, without gradients; one
    and the same for all sources.

    presets: of the stage. build: from settings to the module. network: its name in the stage, with which the
    tensors' names begin. Raises ReenactError where the weights are not there, were changed or do not fit.
    """
    record = find(name)
    if record.sha256 not in _OPENED:
        settings = recorded_settings(record, presets)
        module = build(settings)
        try:
            module.load_state_dict(network_tensors(record.path, network))
        except RuntimeError as error:
            raise ReenactError(f"{record.path}: {str(error).splitlines()[0]}; install it again") from None
        _OPENED[record.sha256] = module.eval().requires_grad_(False), settings
    return _OPENED[record.sha256]


def recorded_settings(record: Record, presets: Mapping[str, S]) -> S:
    """The settings that weights were trained with: the record's own `settings` laid over its `preset`. A
    ReenactError where the record lacks them."""
    try:
        return presets[record.details["preset"]].with_values(record.details["settings"])
    except (KeyError, TypeError) as error:
        raise ReenactError(f"{record.path}: its record lacks preset or settings ({error})") from None


def to_tensor(picture: Image) -> Tensor:
    """A picture (H, W, 3) uint8 as (1, 3, H, W) float in [-1, 1], channels last."""
    import torch

    values = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None]
    return (values.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)


def to_picture(values: Tensor) -> Image:
    """(1, 3, H, W) in [-1, 1] as a picture (H, W, 3) uint8."""
    picture: Image = ((values[0].float() + 1) * 127.5).round().clamp(0, 255).byte().permute(1, 2, 0).numpy()
    return picture


def set_threads(threads: int | None) -> None:
    """Let PyTorch use so many threads of the CPU; None leaves it as it is."""
    import torch

    if threads:
        torch.set_num_threads(threads)


def network_tensors(path: Path, network: str) -> dict[str, Tensor]:
    """The tensors of one network of a weight file, in float32, under the network's own names for them; none
    where the file does not hold it. Raises OSError and SafetensorError."""
    from safetensors.torch import load_file

    start = f"{network}."
    tensors = load_file(path)
    return {
        name.removeprefix(start): value.float() for name, value in tensors.items() if name.startswith(start)
    }
