"""dlib's face recognition network in PyTorch, read from dlib's own file: the same numbers, with gradients.

The file is a plain stream of named layers and raw floats, so that nothing is unpickled or run. Where the
package `face_recognition_models` is installed, this is the exact identity for losses and the teacher of
`identity_net`; it is also many times as fast as dlib's build for the package index.

Source of the architecture: dlib, `examples/dnn_face_recognition_ex.cpp` (`anet_type`): ResNet with 29
convolutions, stride-2 convolutions without padding, shortcuts filled up with zeros.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from reenact.errors import ReenactError
from reenact.perception.identity import dlib_model_file
from reenact.types import Floats

SIZE = 150
_MEAN = (122.782, 117.001, 104.298)
_WIDTHS = (32, 32, 32, 64, 64, 64, 64, 128, 128, 128, 256, 256, 256, 256)
_DOWN = (3, 7, 10, 13)  # the blocks that halve the picture


class Affine(nn.Module):
    """A gain and a shift a channel: what batch norm becomes after training."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gain, self.shift = (nn.Parameter(torch.full((1, channels, 1, 1), x)) for x in (1.0, 0.0))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gain + self.shift


class Block(nn.Module):
    """dlib's residual block; `down` halves the picture and may widen it."""

    def __init__(self, before: int, width: int, down: bool) -> None:
        super().__init__()
        stride, padding = (2, 0) if down else (1, 1)
        self.first = nn.Conv2d(before, width, 3, stride=stride, padding=padding)
        self.norm1, self.norm2 = Affine(width), Affine(width)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        self.down = down

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm2(self.second(functional.relu(self.norm1(self.first(x)))))
        return functional.relu(_sum(functional.avg_pool2d(x, 2) if self.down else x, y))


class Trunk(nn.Module):
    """The first `depth` blocks: (B, 3, H, W) RGB in [-1, 1] to the maps before each halving, and the last."""

    mean: Tensor

    def __init__(self, depth: int = len(_WIDTHS)) -> None:
        super().__init__()
        self.stem, self.norm = nn.Conv2d(3, 32, 7, stride=2), Affine(32)
        widths = (32, *_WIDTHS)
        self.blocks = nn.Sequential(
            *(Block(widths[i], width, i in _DOWN) for i, width in enumerate(_WIDTHS[:depth]))
        )
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1), persistent=False)

    def forward(self, chips: Tensor) -> list[Tensor]:
        x = ((chips + 1) * 127.5 - self.mean) / 256
        x = functional.max_pool2d(functional.relu(self.norm(self.stem(x))), 3, 2)
        maps = []
        for number, block in enumerate(self.blocks):
            if number in _DOWN:
                maps.append(x)
            x = block(x)
        return [*maps, x]


class DlibNet(nn.Module):
    """Chips cut with `perception.chips.DLIB_CHIP`, (B, 3, 150, 150) RGB in [-1, 1], to (B, 128)."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = Trunk()
        self.embed = nn.Linear(256, 128, bias=False)

    def forward(self, chips: Tensor) -> Tensor:
        return self.embed(self.trunk(chips)[-1].mean((2, 3)))


def load_dlib_net(path: Path | None = None) -> DlibNet:
    """The network with dlib's weights, in evaluation mode, without gradients to them.

    path: the file, by default the one of the package `face_recognition_models`. Raises ReenactError where it is
    missing or is another network.
    """
    path = dlib_model_file() if path is None else path
    net = DlibNet()
    modules = [m for m in net.modules() if isinstance(m, (nn.Conv2d, Affine, nn.Linear))]
    order = sorted(modules, key=_place(net))
    found = list(_tensors(path.read_bytes()))
    if [name for name, _ in found] != [_name(module) for module in order]:
        raise ReenactError(f"{path}: not dlib's face recognition network (its layers differ)")
    with torch.no_grad():
        for module, (_, values) in zip(order, found, strict=True):
            _fill(module, torch.from_numpy(values), path)
    return net.eval().requires_grad_(False)


def _sum(short: Tensor, long: Tensor) -> Tensor:
    """dlib's `add_prev`: the larger size and channel count wins, the other is filled up with zeros."""
    channels, height, width = (max(short.shape[i], long.shape[i]) for i in (1, 2, 3))

    def filled(x: Tensor) -> Tensor:
        missing = (width - x.shape[3], height - x.shape[2], channels - x.shape[1])
        return functional.pad(x, (0, missing[0], 0, missing[1], 0, missing[2])) if any(missing) else x

    return filled(short) + filled(long)


def _place(net: DlibNet) -> Callable[[nn.Module], int]:
    """Order of the layers in the file: as the picture meets them."""
    sequence: list[nn.Module] = [net.trunk.stem, net.trunk.norm]
    for block in net.trunk.blocks:
        sequence += [block.get_submodule(name) for name in ("first", "norm1", "second", "norm2")]
    places = {id(module): i for i, module in enumerate([*sequence, net.embed])}
    return lambda module: places[id(module)]


def _name(module: nn.Module) -> str:
    return "con" if isinstance(module, nn.Conv2d) else "fc" if isinstance(module, nn.Linear) else "affine"


def _tensors(data: bytes) -> Iterator[tuple[str, Floats]]:
    """(layer, its parameters) in the order of the file."""
    for match in re.finditer(rb"\x01\x05(con)_4|\x01\x07(affine)_|\x01\x04(fc)_2", data):
        name = next(group for group in match.groups() if group)
        at = match.end()
        for _ in range(2 if name == b"fc" else 0):  # its numbers of outputs and inputs come first
            _, at = _integer(data, at)
        version, at = _integer(data, at)
        shape = []
        for _ in range(4):
            length, at = _integer(data, at)
            shape.append(length)
        count = int(np.prod(shape))
        if version == 2 and 0 < count * 4 <= len(data) - at:
            yield name.decode(), np.frombuffer(data, "<f4", count, at).copy()


def _integer(data: bytes, at: int) -> tuple[int, int]:
    """dlib's variable-length integer: a byte with sign and length, then the bytes, low first."""
    control = data[at]
    length = control & 0x0F
    value = int.from_bytes(data[at + 1 : at + 1 + length], "little")
    return (-value if control & 0x80 else value), at + 1 + length


def _fill(module: nn.Module, values: Tensor, path: Path) -> None:
    parts = [module.gain, module.shift] if isinstance(module, Affine) else list(module.parameters())
    if len(values) != sum(part.numel() for part in parts):
        raise ReenactError(f"{path}: not dlib's face recognition network (a layer has another size)")
    if isinstance(module, nn.Linear):  # dlib keeps inputs x outputs
        module.weight.copy_(values.view(module.in_features, module.out_features).t())
        return
    for part, piece in zip(parts, values.split([p.numel() for p in parts]), strict=True):
        part.copy_(piece.view(part.shape))
