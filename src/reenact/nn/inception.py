"""Inception-V3 as the Fréchet inception distance uses it: the network of 2015 with 1,008 classes.

Szegedy et al., Rethinking the Inception Architecture for Computer Vision, CVPR 2016; Heusel et al., GANs
Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium, NIPS 2017. Weights of the
TensorFlow network as the project pytorch-fid publishes them. That network differs from the paper's: its mean
pooling counts no padding, and the last block pools by the maximum. The modules carry the published names, so
that its file fits as it is; the classifier is left out.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from reenact.errors import ReenactError
from reenact.nn.convert import published_tensors
from reenact.nn.lpips import to_tensor
from reenact.types import Floats, Image

SIDE = 299
"""Pixels a side that the network sees."""


class Conv(nn.Module):
    """Convolution without bias, batch norm, ReLU."""

    def __init__(
        self, before: int, after: int, kernel: int | tuple[int, int], stride: int = 1, pad: bool = False
    ):
        super().__init__()
        sides = (kernel, kernel) if isinstance(kernel, int) else kernel
        padding = (sides[0] // 2, sides[1] // 2) if pad else (0, 0)
        self.conv = nn.Conv2d(before, after, sides, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(after, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.bn(self.conv(x)))


def _mean(x: Tensor) -> Tensor:
    return functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False)


class BlockA(nn.Module):
    """1x1, 5x5 and double 3x3 convolutions and a pooled branch, 224 + `pooled` channels."""

    def __init__(self, before: int, pooled: int) -> None:
        super().__init__()
        self.branch1x1 = Conv(before, 64, 1)
        self.branch5x5_1, self.branch5x5_2 = Conv(before, 48, 1), Conv(48, 64, 5, pad=True)
        self.branch3x3dbl_1 = Conv(before, 64, 1)
        self.branch3x3dbl_2, self.branch3x3dbl_3 = Conv(64, 96, 3, pad=True), Conv(96, 96, 3, pad=True)
        self.branch_pool = Conv(before, pooled, 1)

    def forward(self, x: Tensor) -> Tensor:
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        five = self.branch5x5_2(self.branch5x5_1(x))
        return torch.cat([self.branch1x1(x), five, double, self.branch_pool(_mean(x))], 1)


class BlockB(nn.Module):
    """Halves 288 channels to 768."""

    def __init__(self, before: int) -> None:
        super().__init__()
        self.branch3x3 = Conv(before, 384, 3, stride=2)
        self.branch3x3dbl_1, self.branch3x3dbl_2 = Conv(before, 64, 1), Conv(64, 96, 3, pad=True)
        self.branch3x3dbl_3 = Conv(96, 96, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch3x3(x), double, functional.max_pool2d(x, 3, 2)], 1)


class BlockC(nn.Module):
    """7x7 convolutions in two steps, 768 channels; `width` inside."""

    def __init__(self, width: int) -> None:
        super().__init__()
        long, high = (1, 7), (7, 1)
        self.branch1x1 = Conv(768, 192, 1)
        self.branch7x7_1, self.branch7x7_2 = Conv(768, width, 1), Conv(width, width, long, pad=True)
        self.branch7x7_3 = Conv(width, 192, high, pad=True)
        self.branch7x7dbl_1, self.branch7x7dbl_2 = Conv(768, width, 1), Conv(width, width, high, pad=True)
        self.branch7x7dbl_3 = Conv(width, width, long, pad=True)
        self.branch7x7dbl_4 = Conv(width, width, high, pad=True)
        self.branch7x7dbl_5 = Conv(width, 192, long, pad=True)
        self.branch_pool = Conv(768, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        seven = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        double = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        double = self.branch7x7dbl_5(self.branch7x7dbl_4(double))
        return torch.cat([self.branch1x1(x), seven, double, self.branch_pool(_mean(x))], 1)


class BlockD(nn.Module):
    """Halves 768 channels to 1,280."""

    def __init__(self) -> None:
        super().__init__()
        self.branch3x3_1, self.branch3x3_2 = Conv(768, 192, 1), Conv(192, 320, 3, stride=2)
        self.branch7x7x3_1, self.branch7x7x3_2 = Conv(768, 192, 1), Conv(192, 192, (1, 7), pad=True)
        self.branch7x7x3_3 = Conv(192, 192, (7, 1), pad=True)
        self.branch7x7x3_4 = Conv(192, 192, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        seven = self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x)))
        three = self.branch3x3_2(self.branch3x3_1(x))
        return torch.cat([three, self.branch7x7x3_4(seven), functional.max_pool2d(x, 3, 2)], 1)


class BlockE(nn.Module):
    """Split 3x3 convolutions, 2,048 channels; `largest`: the pooled branch takes the maximum."""

    def __init__(self, before: int, *, largest: bool) -> None:
        super().__init__()
        long, high = (1, 3), (3, 1)
        self.largest = largest
        self.branch1x1 = Conv(before, 320, 1)
        self.branch3x3_1 = Conv(before, 384, 1)
        self.branch3x3_2a, self.branch3x3_2b = Conv(384, 384, long, pad=True), Conv(384, 384, high, pad=True)
        self.branch3x3dbl_1, self.branch3x3dbl_2 = Conv(before, 448, 1), Conv(448, 384, 3, pad=True)
        self.branch3x3dbl_3a = Conv(384, 384, long, pad=True)
        self.branch3x3dbl_3b = Conv(384, 384, high, pad=True)
        self.branch_pool = Conv(before, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        three, double = self.branch3x3_1(x), self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        pooled = functional.max_pool2d(x, 3, 1, 1) if self.largest else _mean(x)
        parts = [self.branch1x1(x), self.branch3x3_2a(three), self.branch3x3_2b(three)]
        parts += [self.branch3x3dbl_3a(double), self.branch3x3dbl_3b(double), self.branch_pool(pooled)]
        return torch.cat(parts, 1)


class Inception(nn.Module):
    """(B, 3, H, W) RGB in [-1, 1] to (B, 2048), the mean of the last block; pictures are resized to 299."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3, self.Conv2d_2a_3x3 = Conv(3, 32, 3, stride=2), Conv(32, 32, 3)
        self.Conv2d_2b_3x3 = Conv(32, 64, 3, pad=True)
        self.Conv2d_3b_1x1, self.Conv2d_4a_3x3 = Conv(64, 80, 1), Conv(80, 192, 3)
        self.Mixed_5b, self.Mixed_5c, self.Mixed_5d = BlockA(192, 32), BlockA(256, 64), BlockA(288, 64)
        self.Mixed_6a = BlockB(288)
        self.Mixed_6b, self.Mixed_6c = BlockC(128), BlockC(160)
        self.Mixed_6d, self.Mixed_6e = BlockC(160), BlockC(192)
        self.Mixed_7a = BlockD()
        self.Mixed_7b, self.Mixed_7c = BlockE(1280, largest=False), BlockE(2048, largest=True)

    def forward(self, images: Tensor) -> Tensor:
        x = functional.interpolate(images, (SIDE, SIDE), mode="bilinear", align_corners=False)
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(functional.max_pool2d(x, 3, 2)))
        x = functional.max_pool2d(x, 3, 2)
        for name, block in self.named_children():
            if name.startswith("Mixed"):
                x = block(x)
        return x.mean((2, 3))

    @torch.inference_mode()
    def of_picture(self, picture: Image) -> Floats:
        """The features (2048,) of a picture (H, W, 3) uint8."""
        features: Floats = self(to_tensor(picture))[0].numpy()
        return features


def load_inception(path: Path | None = None) -> Inception:
    """The network with the published weights, in evaluation mode, without gradients to them.

    path: converted weights (safetensors); by default what `reenact weights fetch inception_fid` put into the
    cache. Raises ReenactError where they were not fetched or do not fit.
    """
    tensors = published_tensors("inception_fid", "without them FID is not measured", path)
    net = Inception()
    kept = {name: value for name, value in tensors.items() if not name.startswith("fc.")}
    counts = {name for name in net.state_dict() if name.endswith("num_batches_tracked")}
    try:
        missing, odd = net.load_state_dict(kept, strict=False)
    except RuntimeError as error:
        raise ReenactError(f"{path or 'inception_fid'}: not the weights of Inception-V3 ({error})") from error
    wrong = sorted({*missing, *odd} - counts)
    if wrong:
        raise ReenactError(
            f"{path or 'inception_fid'}: not the weights of Inception-V3 ({len(wrong)} names do not fit, the "
            f"first: {wrong[0]})"
        )
    return net.eval().requires_grad_(False)
