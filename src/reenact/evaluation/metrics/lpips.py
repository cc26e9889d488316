"""Learned perceptual image patch similarity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reenact.evaluation.metrics.l1 import check_pictures
from reenact.types import Image

if TYPE_CHECKING:
    from reenact.nn.lpips import Lpips


def lpips(result: Image, truth: Image, net: Lpips) -> float:
    """LPIPS of two pictures (H, W, 3) uint8, sides of 16 px or more; 0 where equal, less is more alike.

    net: of `reenact.nn.lpips.load_lpips`, VGG-16 with the authors' weights of version 0.1. Source: HR-Net,
    tables III to VI, which do not say which of LPIPS's networks they take. Raises ValueError where the shapes
    differ.
    """
    check_pictures(result, truth)
    return net.of_pictures(result, truth)
