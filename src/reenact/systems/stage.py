"""What the stages of all systems share: an optimiser each, and the figures of landmarks and of pictures.

Shape letters: B samples, N points.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer


class _Rates(Protocol):
    @property
    def rate(self) -> float: ...
    @property
    def beta1(self) -> float: ...
    @property
    def beta2(self) -> float: ...


class AdamStage:
    """Base of a stage (`reenact.systems.spec.Stage`) whose networks all learn by Adam, and which
    takes nothing from the data before it begins."""

    networks: Mapping[str, nn.Module]
    begin_with = 0

    def __init__(self, settings: _Rates) -> None:
        self._rates = settings

    def begin(self, batch: Mapping[str, Tensor]) -> None:
        """Nothing is taken from the data."""

    def rate(self, name: str) -> float:
        """The initial rate of a network: the settings', the same for every one."""
        return self._rates.rate

    def optimiser(self, name: str) -> Optimizer:
        """Adam at the network's rate and the settings' betas."""
        s = self._rates
        return Adam(self.networks[name].parameters(), self.rate(name), (s.beta1, s.beta2), fused=True)


def landmark_figures(result: Tensor, target: Tensor, driving: Tensor) -> dict[str, Tensor]:
    """Landmarks (B, N, D) in crop pixels: ACE, the mean absolute error of a coordinate (B,), and beside it that
    of the driving face itself."""
    return {
        "ace_px": (result - target).abs().mean((1, 2)),
        "ace_px_copy": (driving - target).abs().mean((1, 2)),
    }


def picture_figures(result: Tensor, truth: Tensor, source: Tensor) -> dict[str, Tensor]:
    """Pictures (B, 3, H, W) in [-1, 1]: L1 (B,) in that unit and PSNR in dB; beside it the L1 of the source."""
    result = result.float()
    error = ((result - truth) / 2).square().mean((1, 2, 3)).clamp(min=1e-10)
    return {
        "l1": (result - truth).abs().mean((1, 2, 3)),
        "l1_copy": (source - truth).abs().mean((1, 2, 3)),
        "psnr": -10 * torch.log10(error),
    }
