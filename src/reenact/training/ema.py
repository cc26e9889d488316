"""The running mean of the weights: what is looked at, chosen and shipped."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping

import torch
from torch import nn


class RunningMean:
    """Exponential means of some networks' parameters; buffers are copied as they are.

    decay: share that is kept a step; at the start less, (1 + n) / (10 + n) at step n, so that the random
    initial weights are soon forgotten. With 0 the mean is the network itself.
    """

    def __init__(self, networks: Mapping[str, nn.Module], names: Iterable[str], decay: float) -> None:
        self.decay = decay
        self.networks = {name: _frozen(networks[name]) for name in names}

    @torch.no_grad()
    def update(self, networks: Mapping[str, nn.Module], step: int) -> None:
        """Take in the weights after optimiser step number `step` (from 1)."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, mean in self.networks.items():
            new = networks[name]
            for old, value in zip(mean.parameters(), new.parameters(), strict=True):
                old.lerp_(value, 1 - decay)
            for buffer, current in zip(mean.buffers(), new.buffers(), strict=True):
                buffer.copy_(current)


def _frozen(network: nn.Module) -> nn.Module:
    return copy.deepcopy(network).eval().requires_grad_(False)
