"""The trunk that the two distilled nets share: a small residual network with taps at four sizes."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class Residual(nn.Module):
    """Two 3 x 3 convolutions with batch norm and a shortcut; (B, C, H, W) to the same."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu(self.norm1(self.first(x)))
        return functional.relu(x + self.norm2(self.second(y)))


class Tower(nn.Module):
    """(B, 3, S, S) in [-1, 1] to feature maps at S/2, S/4, S/8 and S/16.

    widths: channels of the four sizes. blocks: residual blocks at the last three.
    """

    def __init__(self, widths: tuple[int, int, int, int], blocks: tuple[int, int, int]) -> None:
        super().__init__()
        stages: list[nn.Module] = []
        channels = 3
        for width, count in zip(widths, (0, *blocks), strict=True):
            down = nn.Conv2d(channels, width, 3, stride=2, padding=1, bias=False)
            stages.append(
                nn.Sequential(down, nn.BatchNorm2d(width), nn.ReLU(), *(Residual(width) for _ in range(count)))
            )
            channels = width
        self.stages = nn.ModuleList(stages)

    def forward(self, images: Tensor) -> list[Tensor]:
        maps = []
        for stage in self.stages:
            images = stage(images)
            maps.append(images)
        return maps


def resized(images: Tensor, size: int) -> Tensor:
    """(B, 3, H, W) at (B, 3, size, size), averaged where that is smaller (differentiable)."""
    if images.shape[-2:] == (size, size):
        return images
    return functional.interpolate(images, (size, size), mode="bilinear", align_corners=False, antialias=True)


def parameter_count(module: nn.Module) -> int:
    """Numbers that the module learns."""
    return sum(p.numel() for p in module.parameters())


def half_precision(module: nn.Module) -> dict[str, Tensor]:
    """The module's tensors as they are shipped: floats in fp16, contiguous, on the CPU."""
    state = module.state_dict()
    return {
        name: (value.half() if value.is_floating_point() else value).contiguous().cpu()
        for name, value in state.items()
        if not name.endswith("num_batches_tracked")
    }


def load_tensors(module: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Put shipped tensors into the module; raises RuntimeError where names or shapes differ."""
    missing, unexpected = module.load_state_dict(
        {name: value.float() if value.is_floating_point() else value for name, value in tensors.items()},
        strict=False,
    )
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or unexpected:
        raise RuntimeError(f"weights do not fit: missing {missing}, unexpected {unexpected}")
