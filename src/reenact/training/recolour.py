"""Pictures of one sample in other light, alike in all of them, so that few people look like more."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reenact.types import Image

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def recoloured(pictures: Sequence[Image], random: np.random.Generator) -> list[Image]:
    """Pictures (H, W, 3) uint8 under one random gain of each channel and one curve; every sixth is grey."""
    gain = random.uniform(0.75, 1.2) * random.uniform(0.94, 1.06, 3)
    gamma, grey = random.uniform(0.8, 1.25), random.random() < 1 / 6
    curve = np.linspace(0, 1, 256)[:, None] ** gamma * gain
    table = np.clip(curve * 255 + 0.5, 0, 255).astype(np.uint8)
    if grey:
        levels = [(picture @ _LUMA + 0.5).astype(np.uint8) for picture in pictures]
        return [np.repeat(table[:, :1][level], 3, 2) for level in levels]
    return [np.stack([table[picture[..., c], c] for c in range(3)], 2) for picture in pictures]
