"""Training of a small net on what a big one says, on a CPU: bf16 autocast where it has the units for that,
channels_last, one memory-mapped file of faces (`training.faces`). A run is resumed from its folder; what is
shipped is the running mean of the weights.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor, nn

from reenact.training import checkpoint

Step = Callable[[NDArray[np.int64], Generator], dict[str, Tensor]]


@dataclass(frozen=True)
class DistillOptions:
    """steps: optimiser steps in all. batch: faces a step. rate: peak learning rate (AdamW, one cosine cycle
    after a warm-up of a twentieth). decay: of the weights. mean: of the running mean. threads: of the CPU.
    save: seconds between checkpoints. seed: of everything random."""

    steps: int = 3000
    batch: int = 64
    rate: float = 2e-3
    decay: float = 0.02
    mean: float = 0.998
    threads: int = 1
    save: float = 120.0
    seed: int = 20261120


def run(
    net: nn.Module,
    step: Step,
    rows: NDArray[np.int64],
    folder: Path,
    options: DistillOptions,
    report: Callable[[str], None] = print,
) -> nn.Module:
    """Train `net` on faces `rows`, resumed from `folder` where it has a checkpoint; returns the mean net.

    step: numbers of faces and a generator to named losses, whose sum is minimised.
    """
    torch.set_num_threads(options.threads)
    folder.mkdir(parents=True, exist_ok=True)
    net.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    mean = copy.deepcopy(net).requires_grad_(False)
    optimiser = torch.optim.AdamW(
        [p for p in net.parameters() if p.requires_grad], lr=options.rate, weight_decay=options.decay
    )
    first = _resume(folder, net, mean, optimiser)
    saved = start = time.monotonic()
    for number in range(first, options.steps):
        generator = Generator().manual_seed(options.seed + number)
        for group in optimiser.param_groups:
            group["lr"] = options.rate * _cycle(number / options.steps)
        chosen = rows[torch.randint(len(rows), (options.batch,), generator=generator).numpy()]
        losses = step(chosen, generator)
        optimiser.zero_grad(set_to_none=True)
        torch.stack(list(losses.values())).sum().backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        _follow(mean, net, min(options.mean, (number + 1) / (number + 10)))
        if number % 50 == 0:
            pace = (time.monotonic() - start) / (number - first + 1)
            terms = " ".join(f"{name} {float(value.detach()):.4f}" for name, value in losses.items())
            report(f"{number} {pace:.2f} s/step {terms}")
        if time.monotonic() - saved > options.save or number + 1 == options.steps:
            _save(folder, number + 1, net, mean, optimiser)
            saved = time.monotonic()
    return mean.eval()


def _cycle(share: float) -> float:
    warm = min(1.0, share / 0.05 + 1e-3)
    return warm * (0.02 + 0.98 * (1 + math.cos(math.pi * share)) / 2)


@torch.no_grad()
def _follow(mean: nn.Module, net: nn.Module, decay: float) -> None:
    for own, new in zip(mean.state_dict().values(), net.state_dict().values(), strict=True):
        if own.is_floating_point():
            own.lerp_(new, 1 - decay)
        else:
            own.copy_(new)


def _save(folder: Path, done: int, net: nn.Module, mean: nn.Module, optimiser: torch.optim.Optimizer) -> None:
    state = {"net": net.state_dict(), "mean": mean.state_dict(), "optimiser": optimiser.state_dict()}
    checkpoint.save(folder, done, state)
    checkpoint.prune(folder, kept=1)


def _resume(folder: Path, net: nn.Module, mean: nn.Module, optimiser: torch.optim.Optimizer) -> int:
    """Put the newest checkpoint back; returns how many steps it had done."""
    path = checkpoint.latest(folder)
    if path is None:
        return 0
    state = checkpoint.load(path)
    net.load_state_dict(state["net"])
    mean.load_state_dict(state["mean"])
    optimiser.load_state_dict(state["optimiser"])
    return checkpoint.steps(folder)[-1]
