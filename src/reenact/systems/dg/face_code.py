"""r_s, the face code of the source (section 3.1), and E_f, the face encoder that makes it.

differs from paper: its E_f is VGGFace2's ResNet-50, whose 2048 numbers are not to be had offline. Ours is the
shipped identity net (128 numbers), or, for faces without a picture, the face model's identity coefficients;
both are repeated to the length that is asked for, so that R_l has the paper's size in `paper`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor, nn
from torch.nn import functional

from reenact.nn.identity_net import chips, load_identity_net
from reenact.systems.dg.presets import Code
from reenact.types import FaceState, Points


def repeated(numbers: Tensor, length: int) -> Tensor:
    """(B, K) repeated, and cut, to (B, length)."""
    times = -(-length // numbers.shape[1])
    return numbers.repeat(1, times)[:, :length]


class FaceEncoder(nn.Module):
    """E_f: pictures (B, 3, H, W) in [-1, 1] and the mesh of each, (478, 2 or 3) in pixels, to (B, 128) of unit
    length. Its weights are fixed; gradients reach the pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.net = load_identity_net()

    def forward(self, images: Tensor, points: Sequence[Points]) -> Tensor:
        return functional.normalize(self.net(chips(images, list(points))).float(), dim=1)


@cache
def face_encoder() -> FaceEncoder:
    """One E_f for all sources, on the CPU."""
    return FaceEncoder()


def picture_code(encoder: FaceEncoder, images: Tensor, points: Sequence[Points], length: int) -> Tensor:
    """The face codes (B, length) of pictures, their numbers of about unit variance."""
    with torch.no_grad():
        numbers = encoder(images, points)
    return repeated(numbers * numbers.shape[1] ** 0.5, length)


def shape_code(identity: Tensor, length: int) -> Tensor:
    """The face codes (B, length) of identity coefficients (B, I)."""
    return repeated(identity, length)


def code_of(image: Tensor, points: Points, state: FaceState, code: Code, length: int) -> Tensor:
    """The face code (1, length) of one source: picture (1, 3, H, W), mesh (478, 3) in its pixels, state."""
    if code == "shape":
        return shape_code(torch.from_numpy(state.identity)[None], length)
    return picture_code(face_encoder(), image, [points], length)
