"""The detector's own network in PyTorch, read from MediaPipe's file: the same numbers, with gradients.

Grishchenko, Ablavatski, Kartynnik, Raveendran and Grundmann, Attention Mesh: High-fidelity Face Mesh
Prediction in Real-time, 2020: a trunk predicts 468 points; where these put the lips and the eyes, three pieces
are cut out of an early feature map and read again, for finer lips, lids and brows, and for the irises.

The weights are MediaPipe's (`face_landmark_with_attention.tflite` in the wheel, Apache-2.0), which keeps them
in fp16; they lie in the package as `weights/landmark_net.safetensors`. In the file's words left and right are
the viewer's, here they are the subject's own.
"""

from __future__ import annotations

import importlib.util
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from reenact.errors import ReenactError
from reenact.geometry.schemes import LEFT_EYE, MESH_FLIP, RIGHT_EYE
from reenact.nn.tflite import constants
from reenact.types import Floats

SIZE = 192
"""Pixels a side that the network sees."""
_CUT = 16  # cells a side of a piece of the feature map
_CELL = 4  # pixels a cell of that map
_ROOM = 1.5  # side of a piece over that of its points' box


def _numbers(text: str) -> list[int]:
    return [int(word) for word in text.split()]


LIPS = _numbers(
    "61 146 91 181 84 17 314 405 321 375 291 185 40 39 37 0 267 269 270 409 78 95 88 178 87 14 317 402 318 "
    "324 308 191 80 81 82 13 312 311 310 415 76 77 90 180 85 16 315 404 320 307 306 184 74 73 72 11 302 303 "
    "304 408 62 96 89 179 86 15 316 403 319 325 292 183 42 41 38 12 268 271 272 407"
)
"""The 80 mesh points that the second look at the lips gives, in its order."""
RIGHT = _numbers(
    "33 7 163 144 145 153 154 155 133 246 161 160 159 158 157 173 130 25 110 24 23 22 26 112 243 247 30 29 "
    "27 28 56 190 226 31 228 229 230 231 232 233 244 113 225 224 223 222 221 189 35 124 46 53 52 65 143 111 "
    "117 118 119 120 121 128 245 156 70 63 105 66 107 55 193"
)
LEFT = MESH_FLIP[RIGHT].tolist()
"""The 71 mesh points of an eye with its brow, the same way."""


class Reading(NamedTuple):
    """points: (B, 478, 3) in pixels of the 192 that were shown, z in the unit of x. face: (B,) logit that it
    is one."""

    points: Tensor
    face: Tensor


class Unit(nn.Module):
    """A depthwise and a pointwise convolution beside a shortcut, then PReLU. `down` halves the map; the
    shortcut's new channels are zeros."""

    def __init__(self, before: int, width: int, down: bool = False) -> None:
        super().__init__()
        self.deep = nn.Conv2d(before, before, 3, stride=2 if down else 1, groups=before)
        self.wide = nn.Conv2d(before, width, 1)
        self.slope = nn.PReLU(width)
        self._down, self._new = down, width - before

    def forward(self, x: Tensor) -> Tensor:
        short = functional.max_pool2d(x, 2) if self._down else x
        short = functional.pad(short, (0, 0, 0, 0, 0, self._new)) if self._new else short
        return self.slope(short + self.wide(self.deep(_framed(x, self._down))))


def _framed(x: Tensor, down: bool) -> Tensor:
    """TensorFlow's 'same': a stride of two on an even side needs one more column, on the right."""
    return functional.pad(x, (0, 1, 0, 1) if down else (1, 1, 1, 1))


def _stage(before: int, width: int, more: int = 2) -> nn.Sequential:
    return nn.Sequential(Unit(before, width, down=True), *(Unit(width, width) for _ in range(more)))


class Squeeze(nn.Sequential):
    """128 channels to 32, and one more unit."""

    def __init__(self) -> None:
        super().__init__(nn.Conv2d(128, 32, 1), nn.PReLU(32), Unit(32, 32))


class Trunk(nn.Module):
    """(B, 3, 192, 192) in [0, 1] to the early map of 48 cells, which is read again, and the last of 3 cells."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.slope = nn.Conv2d(3, 16, 3, stride=2), nn.PReLU(16)
        self.fine = nn.Sequential(Unit(16, 16), Unit(16, 16))
        self.enter = Unit(16, 32, down=True)
        self.middle = nn.Sequential(Unit(32, 32), Unit(32, 32))
        self.coarse, self.deep = _stage(32, 64), _stage(64, 128)
        self.last = nn.Sequential(_stage(128, 128), _stage(128, 128), Squeeze())

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        _, entry, _, deep = self.maps(images)
        return entry, self.last(deep)

    def maps(self, images: Tensor) -> list[Tensor]:
        """Maps of 96, 48, 24 and 12 cells, with 16, 32, 64 and 128 channels."""
        fine = self.fine(self.slope(self.stem(_framed(images, True))))
        entry = self.enter(fine)
        coarse = self.coarse(self.middle(entry))
        deep = self.deep(coarse)
        return [fine, entry, coarse, deep]


def _look() -> nn.Sequential:
    """(B, 32, 16, 16), a piece of the map, to (B, 128, 4, 4)."""
    return nn.Sequential(Unit(32, 32), Unit(32, 32), _stage(32, 64), Unit(64, 128, down=True))


def _read(points: int) -> nn.Sequential:
    """(B, 128, 4, 4) to (B, 2 points, 1, 1)."""
    inner = [Unit(128, 128), Unit(128, 128), _stage(128, 128), Squeeze()]
    return nn.Sequential(*inner, nn.Conv2d(32, 2 * points, 2))


class Mouth(nn.Module):
    """The second look at the lips: a piece of the map to (B, 80, 2) in the piece."""

    def __init__(self) -> None:
        super().__init__()
        self.look, self.lips = _look(), _read(len(LIPS))

    def forward(self, piece: Tensor) -> Tensor:
        return self.lips(self.look(piece)).reshape(len(piece), -1, 2)


class Eye(nn.Module):
    """The second look at an eye: a piece of the map to (B, 71 + 5, 2), lids and brow, then the iris."""

    def __init__(self) -> None:
        super().__init__()
        self.look, self.lids, self.iris = _look(), _read(len(RIGHT)), _read(5)

    def forward(self, piece: Tensor) -> Tensor:
        seen = self.look(piece)
        return torch.cat([self.lids(seen), self.iris(seen)], 1).reshape(len(piece), -1, 2)


class MeshNet(nn.Module):
    """Faces (B, 3, 192, 192) RGB in [0, 1], upright, the side 1.5 times that of their box, to a `Reading`."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = Trunk()
        self.mouth, self.right, self.left = Mouth(), Eye(), Eye()
        self.mesh, self.face = nn.Conv2d(32, 468 * 3, 3), nn.Conv2d(32, 1, 3)

    def forward(self, images: Tensor) -> Reading:
        entry, last = self.trunk(images)
        mesh = self.mesh(last).reshape(-1, 468, 3)
        lips = self._again(self.mouth, entry, mesh, LIPS, (61, 291))
        right = self._again(self.right, entry, mesh, RIGHT, (33, 133))
        left = self._again(self.left, entry, mesh, LEFT, (362, 263))
        points = _merged(mesh, lips, right, left)
        return Reading(points, self.face(last).reshape(-1))

    @staticmethod
    def _again(
        net: nn.Module, entry: Tensor, mesh: Tensor, points: list[int], level: tuple[int, int]
    ) -> Tensor:
        """(B, N, 2): what `net` reads in the piece round `points`, turned until the two of `level` lie so."""
        place = _place(mesh[..., :2] / _CELL, points, level)
        found = net(_cut(entry, place)) / _CELL
        return _CELL * (found @ place[..., :2].transpose(1, 2) + place[:, None, :, 2])


def _place(cells: Tensor, points: list[int], level: tuple[int, int]) -> Tensor:
    """(B, 2, 3): from the 16 cells of a piece to those of the map; a similarity but for the box's own shape."""
    across = cells[:, level[1]] - cells[:, level[0]]
    angle = torch.atan2(across[:, 1], across[:, 0])
    cos, sin = angle.cos(), angle.sin()
    turn = torch.stack([torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], 1)
    upright = cells[:, points] @ turn
    low, high = upright.amin(1), upright.amax(1)
    linear = turn * (_ROOM * (high - low) / _CUT)[:, None]
    centre = turn @ ((low + high) / 2)[..., None]
    middle = torch.full_like(centre, _CUT / 2)
    return torch.cat([linear, centre - linear @ middle], -1)


def _cut(entry: Tensor, place: Tensor) -> Tensor:
    """(B, C, 16, 16): the map at the centres of the piece's cells, bilinear, 0 beyond its last centres."""
    steps = torch.arange(_CUT, dtype=entry.dtype, device=entry.device) + 0.5
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    cells = torch.stack([x, y, torch.ones_like(x)], -1) @ place[:, None].transpose(2, 3)
    unit = cells * (2 / entry.shape[-1]) - 1
    piece = functional.grid_sample(entry, unit, padding_mode="zeros", align_corners=False)
    inside = (cells >= 0.5) & (cells <= entry.shape[-1] - 0.5)
    return piece * inside.all(-1)[:, None]


def _merged(mesh: Tensor, lips: Tensor, right: Tensor, left: Tensor) -> Tensor:
    """The second looks' x and y in the place of the mesh's, the irises at the depth of their eye's edge."""
    flat = mesh[..., :2].clone()
    flat[:, LIPS] = lips
    flat[:, RIGHT] = right[:, : len(RIGHT)]
    flat[:, LEFT] = left[:, : len(LEFT)]
    flat = torch.cat([flat, right[:, len(RIGHT) :], left[:, len(LEFT) :]], 1)
    rings = (RIGHT_EYE.tolist(), LEFT_EYE.tolist())
    depths = [mesh[:, ring, 2].mean(1, keepdim=True).expand(-1, 5) for ring in rings]
    return torch.cat([flat, torch.cat([mesh[..., 2], *depths], 1)[..., None]], -1)


@torch.no_grad()
def load_mediapipe(net: MeshNet, path: Path | None = None) -> MeshNet:
    """Put the weights of MediaPipe's own file into the network.

    path: the file, by default the one in the installed package. ReenactError where it is another network.
    """
    path = _bundled() if path is None else path
    found = constants(path)
    heads = {"output_mesh": net.mesh, "conv_faceflag": net.face, "conv_lips": net.mouth.lips[-1]}
    for side, eye in (("left", net.right), ("right", net.left)):  # theirs are the viewer's
        heads |= {f"conv_{side}_eye": eye.lids[-1], f"conv_{side}_iris": eye.iris[-1]}
    named = {id(module): name for name, module in heads.items()}
    counts: Counter[str] = Counter()
    for module in net.modules():
        if not isinstance(module, (nn.Conv2d, nn.PReLU)):
            continue
        kind = _kind(module)
        name = named.get(id(module)) or (f"{kind}_{counts[kind]}" if counts[kind] else kind)
        counts[kind] += id(module) not in named
        try:
            _fill(module, name, found)
        except (KeyError, RuntimeError) as error:
            raise ReenactError(f"{path}: not MediaPipe's face mesh with attention ({error})") from None
    return net


def _kind(module: nn.Module) -> str:
    """What Keras calls such a layer; it numbers each kind from 1, the first goes without a number."""
    if isinstance(module, nn.PReLU):
        return "p_re_lu"
    return "depthwise_conv2d" if getattr(module, "groups", 1) > 1 else "conv2d"


def _fill(module: nn.Conv2d | nn.PReLU, name: str, found: dict[str, Floats]) -> None:
    if isinstance(module, nn.PReLU):
        module.weight.copy_(torch.from_numpy(found[f"{name}/Alpha"]).flatten())
        return
    assert module.bias is not None
    kernel = torch.from_numpy(
        found[f"{name}/Kernel"]
    )  # (out, height, width, in); depthwise (1, h, w, channels)
    module.weight.copy_(kernel.permute(3, 0, 1, 2) if module.groups > 1 else kernel.permute(0, 3, 1, 2))
    module.bias.copy_(torch.from_numpy(found[f"{name}/Bias"]))


def _bundled() -> Path:
    spec = importlib.util.find_spec("mediapipe")
    if spec is None or spec.origin is None:
        raise ReenactError("MediaPipe is not installed: pip install mediapipe==0.10.21")
    return Path(spec.origin).parent / "modules" / "face_landmark" / "face_landmark_with_attention.tflite"
