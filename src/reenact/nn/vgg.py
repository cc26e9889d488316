"""VGG-16 up to relu4_3 or relu5_3, with the weights that torchvision publishes: for losses and LPIPS.

Simonyan and Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition, ICLR 2015,
configuration D. The published pickle is converted to safetensors once and never unpickled otherwise.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from reenact.errors import ReenactError
from reenact.nn.convert import published_tensors

LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")
"""What the papers' losses read."""
DEEP_LAYERS = (*LAYERS, "relu5_3")
"""What LPIPS reads."""
_WIDTHS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
_NUMBERS = ((0, 2), (5, 7), (10, 12, 14), (17, 19, 21), (24, 26, 28))  # of torchvision's `features`
_KINDS = ("weight", "bias")


class Vgg16(nn.Module):
    """(B, 3, H, W) RGB in [-1, 1] to the maps named in `LAYERS`, at H, H/2, H/4 and H/8; `deep` adds relu5_3 at
    H/16."""

    mean: Tensor
    spread: Tensor

    def __init__(self, *, deep: bool = False) -> None:
        super().__init__()
        self.layers = DEEP_LAYERS if deep else LAYERS
        self.stages = nn.ModuleList()
        channels = 3
        for widths in _WIDTHS[: len(self.layers)]:
            stage = nn.ModuleList()
            for width in widths:
                stage.append(nn.Conv2d(channels, width, 3, padding=1))
                channels = width
            self.stages.append(stage)
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("spread", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        x = ((images + 1) / 2 - self.mean) / self.spread
        maps = {}
        for number, (name, stage) in enumerate(zip(self.layers, self.stages, strict=True)):
            x = functional.max_pool2d(x, 2) if number else x
            for convolution in stage.children():
                x = functional.relu(convolution(x))
            maps[name] = x
        return maps


def load_vgg16(path: Path | None = None, *, deep: bool = False) -> Vgg16:
    """The network with the published weights, in evaluation mode, without gradients to them.

    path: converted weights (safetensors); by default what `reenact weights fetch vgg16` put into the cache,
    converted on first use. Raises ReenactError where they were not fetched or do not fit.
    """
    tensors = published_tensors(
        "vgg16", "without them the features of the shipped landmark and identity nets take their place", path
    )
    net = Vgg16(deep=deep)
    numbers = _NUMBERS[: len(net.layers)]
    names = {f"stages.{s}.{i}": f"features.{n}" for s, row in enumerate(numbers) for i, n in enumerate(row)}
    try:
        state = {
            f"{ours}.{kind}": tensors[f"{theirs}.{kind}"] for ours, theirs in names.items() for kind in _KINDS
        }
        net.load_state_dict(state)
    except (KeyError, RuntimeError) as error:
        raise ReenactError(f"{path or 'vgg16'}: not the weights of VGG-16 ({error})") from error
    return net.eval().requires_grad_(False)
