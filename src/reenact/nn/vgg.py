"""VGG-16 up to relu4_3, with the weights that torchvision publishes, for the perceptual losses of the papers.

Simonyan and Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition, ICLR 2015,
configuration D. The published pickle is converted to safetensors once and never unpickled otherwise.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from reenact.errors import ReenactError
from reenact.runtime.weights import PUBLISHED, fetched

LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")
_WIDTHS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512))
_NUMBERS = ((0, 2), (5, 7), (10, 12, 14), (17, 19, 21))  # of the convolutions in torchvision's `features`
_KINDS = ("weight", "bias")


class Vgg16(nn.Module):
    """(B, 3, H, W) RGB in [-1, 1] to the maps named in `LAYERS`, at H, H/2, H/4 and H/8."""

    mean: Tensor
    spread: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.stages = nn.ModuleList()
        channels = 3
        for widths in _WIDTHS:
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
        for number, (name, stage) in enumerate(zip(LAYERS, self.stages, strict=True)):
            x = functional.max_pool2d(x, 2) if number else x
            for convolution in stage.children():
                x = functional.relu(convolution(x))
            maps[name] = x
        return maps


def load_vgg16(path: Path | None = None) -> Vgg16:
    """The network with the published weights, in evaluation mode, without gradients to them.

    path: converted weights (safetensors); by default what `reenact weights fetch vgg16` put into the cache,
    converted on first use. Raises ReenactError where they were not fetched or do not fit.
    """
    from safetensors.torch import load_file

    path = _converted() if path is None else path
    try:
        tensors = load_file(path)
    except Exception as error:  # safetensors has one exception class of its own, outside the hierarchy
        raise ReenactError(f"{path}: cannot be read as safetensors ({error}); convert it again") from error
    net = Vgg16()
    names = {f"stages.{s}.{i}": f"features.{n}" for s, row in enumerate(_NUMBERS) for i, n in enumerate(row)}
    try:
        state = {
            f"{ours}.{kind}": tensors[f"{theirs}.{kind}"] for ours, theirs in names.items() for kind in _KINDS
        }
        net.load_state_dict(state)
    except (KeyError, RuntimeError) as error:
        raise ReenactError(f"{path}: not the weights of VGG-16 ({error})") from error
    return net.eval().requires_grad_(False)


def _converted() -> Path:
    entry = PUBLISHED["vgg16"]
    pickle = fetched(entry)
    if pickle is None:
        raise ReenactError(
            "VGG-16's weights are not here: `reenact weights fetch vgg16` fetches them once (528 MB); without "
            "them the features of the shipped landmark and identity nets take their place"
        )
    target = pickle.with_suffix(".safetensors")
    if not target.is_file():
        from reenact.nn.convert import convert

        convert(pickle, target, sha256=entry.sha256)
    return target
