"""Learning-rate schedules: the factor on the initial rate, as plain functions of the epoch."""

from __future__ import annotations

import math


def stepped(epoch: float, every: float, keep: float) -> float:
    """`keep` to the power of how often `every` epochs have passed."""
    return float(keep ** math.floor(epoch / every))


def constant_then_linear(epoch: float, constant: float, total: float) -> float:
    """1 for `constant` epochs, then straight down to 0 at `total`."""
    if epoch <= constant:
        return 1.0
    return max(0.0, (total - epoch) / max(total - constant, 1e-9))


def cosine(epoch: float, total: float, warm: float = 0.0, floor: float = 0.02) -> float:
    """Up in a straight line during the first `warm` epochs, then half a cosine down to `floor` at `total`."""
    if epoch < warm:
        return (epoch + 1e-3) / (warm + 1e-3)
    share = min(1.0, (epoch - warm) / max(total - warm, 1e-9))
    return floor + (1 - floor) * (1 + math.cos(math.pi * share)) / 2
