"""What the shipped nets share: pictures at the size a net sees, weights in fp16 and back."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


def resized(images: Tensor, size: int) -> Tensor:
    """(B, 3, H, W) at (B, 3, size, size), averaged where that is smaller (differentiable). In float32 whatever
    came in: PyTorch has no antialiasing in bfloat16."""
    if images.shape[-2:] == (size, size):
        return images
    wide = images.float()
    return functional.interpolate(wide, (size, size), mode="bilinear", align_corners=False, antialias=True)


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
