"""The training loop: setup -> main -> fit -> validate. What the networks learn is in the system's `train.py`.

A run is a folder: `run.json` (what was asked), `checkpoints/`, `losses.csv`, `validation.csv`, `events/` (for
TensorBoard), `sheets/`, and at the end `weights.safetensors`, the running mean of what is shipped.

Several processes are started by torchrun (`torchrun --nproc-per-node 2 -m reenact train ...`); each takes its
part of every batch, and gradients are averaged here. That is not done by DistributedDataParallel, which counts
one forward pass of a network for each backward pass; adversarial steps do not keep to that.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import Optimizer

from reenact.errors import ReenactError
from reenact.pipeline.progress import Progress, silent
from reenact.systems.spec import Settings, Stage
from reenact.training import checkpoint
from reenact.training.ema import RunningMean
from reenact.training.log import Clock, Log, Means, duration
from reenact.training.sheets import sheet, write_sheet
from reenact.training.sources import Data, Share, batch_of_step, stream
from reenact.training.start import load_weights

_VALIDATION_SEED = 7
_VALIDATION_BATCH = 64


@dataclass
class Run:
    """A stage while it trains: everything that a checkpoint holds, and what it is trained with."""

    fabric: Fabric
    stage: Stage
    settings: Settings
    data: Data
    folder: Path
    networks: dict[str, nn.Module]
    optimisers: dict[str, Optimizer]
    rates: dict[str, list[float]]
    mean: RunningMean
    step: int = 0
    best: float | None = None
    clock: Clock = field(default_factory=Clock)
    means: Means = field(default_factory=Means)

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints."""
        return self.folder / "checkpoints"

    @property
    def steps_an_epoch(self) -> int:
        """Optimiser steps in one pass over the data."""
        return max(1, -(-self.data.train.size // self.settings.batch))

    @property
    def steps(self) -> int:
        """Optimiser steps in all."""
        return self.settings.steps or max(1, round(self.settings.epochs * self.steps_an_epoch))

    @property
    def shown(self) -> Mapping[str, nn.Module]:
        """The networks as they are looked at: running means where there are any."""
        return {**self.networks, **(self.mean.networks if self.mean.decay else {})}


@dataclass(frozen=True)
class Outcome:
    """How a run ended. figures: the last validation's. stopped: the signal that stopped it, or None."""

    folder: Path
    step: int
    steps: int
    seconds: float
    figures: dict[str, float]
    stopped: int | None


def setup(device: str = "auto", precision: str = "32", threads: int = 0) -> Fabric:
    """Join the processes that torchrun started, or be the only one. device: 'auto', 'cpu' or 'cuda'.

    Raises ReenactError where the device is not there.
    """
    if threads:
        torch.set_num_threads(threads)
    if device == "cuda" and not torch.cuda.is_available():
        raise ReenactError("--device cuda: no GPU that PyTorch can use; train with --device cpu")
    world, local = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    fabric = Fabric(
        accelerator=device,
        devices=local if world > 1 else 1,
        num_nodes=max(1, world // local),
        strategy="ddp" if world > 1 else "auto",
        precision="bf16-mixed" if precision == "bf16" else "32-true",
    )
    fabric.launch()
    return fabric


def main(
    fabric: Fabric,
    stage: Stage,
    settings: Settings,
    data: Data,
    folder: Path,
    *,
    progress: Progress = silent,
    report: Callable[[str], None] = print,
) -> Outcome:
    """Train a stage in `folder`, from its newest checkpoint where it has one, and write its weights.

    SIGTERM and SIGINT save and stop. Raises ReenactError where a loss is not finite, or a checkpoint does
    not fit.
    """
    run = prepare(fabric, stage, settings, data, folder)
    if fabric.is_global_zero and (idle := resting(stage, run.networks, run.steps / run.steps_an_epoch)):
        report(
            f"note: {', '.join(idle)}: the rate is 0 long before step {run.steps:,}, since it falls over "
            f"epochs={settings.epochs:g} of {run.steps_an_epoch:,} steps; set more epochs"
        )
    if path := checkpoint.latest(run.checkpoints):
        restore(run, checkpoint.load(path), path)
        if fabric.is_global_zero:
            report(f"goes on from step {run.step:,} of {run.steps:,}")
    with _signals() as received:
        clock = Clock()
        figures = fit(run, received, progress, report)
    if fabric.is_global_zero and run.step >= run.steps:
        write_weights(run)
    return Outcome(folder, run.step, run.steps, clock.seconds, figures, received[0] if received else None)


def resting(stage: Stage, networks: Iterable[str], epochs: float) -> list[str]:
    """Those networks whose rate is 0 when a tenth of a run of so many epochs is still to come."""
    return [name for name in networks if stage.factor(name, 0.9 * epochs) == 0]


def prepare(fabric: Fabric, stage: Stage, settings: Settings, data: Data, folder: Path) -> Run:
    """The run at step 0: networks on the device, their optimisers, and their running means."""
    if settings.batch < fabric.world_size:
        raise ReenactError(f"a batch of {settings.batch} cannot be shared by {fabric.world_size} processes")
    networks = dict(stage.networks)
    for network in networks.values():
        network.to(fabric.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    if stage.begin_with:
        batch = batch_of_step(data.train, stage.begin_with, settings.seed, 0, Share())
        stage.begin(to_device(batch, fabric.device))
    if settings.weights and not checkpoint.latest(folder / "checkpoints"):
        load_weights(stage, settings.weights)  # with what they took from their own data
    optimisers = {name: stage.optimiser(name) for name in networks}
    rates = {name: [group["lr"] for group in one.param_groups] for name, one in optimisers.items()}
    mean = RunningMean(networks, stage.averaged, settings.mean)
    torch.manual_seed(settings.seed + fabric.global_rank)
    return Run(fabric, stage, settings, data, folder, networks, optimisers, rates, mean)


def fit(run: Run, received: list[int], progress: Progress, report: Callable[[str], None]) -> dict[str, float]:
    """Step until the last step or a signal; returns the last validation's figures."""
    settings, leader = run.settings, run.fabric.is_global_zero
    share = Share(run.fabric.global_rank, run.fabric.world_size)
    batches = stream(run.data.train, settings.batch, settings.seed, run.step, share, settings.workers)
    log = Log(run.folder, run.step) if leader else None
    figures: dict[str, float] = {}
    run.clock.reset()
    logged = run.step
    try:
        while run.step < run.steps and not _any(run.fabric, bool(received)):
            with run.clock.part("data"):
                batch = to_device(next(batches), run.fabric.device)
            train_step(run, batch)
            last = run.step == run.steps
            if leader:
                progress("train", run.step * settings.batch, run.steps * settings.batch)
            if log and (last or _due(run.step, settings.log_every)):
                _log_losses(run, log, run.step - logged, report)
                logged = run.step
            if last or _due(run.step, settings.validate_every):
                figures = validate(run)
                _log_figures(run, log, figures, report)
                if better(run, figures):
                    save(run, best=True)
            if log and (last or _due(run.step, settings.sheet_every)):
                _write_sheet(run, log)
            if last or _due(run.step, settings.save_every):
                save(run)
        save(run)
    finally:
        if log:
            log.close()
    return figures


def train_step(run: Run, batch: dict[str, Tensor]) -> None:
    """One step of the stage, at the rates of the schedule, and of the running mean."""
    epoch = run.step / run.steps_an_epoch
    for name, optimiser in run.optimisers.items():
        for group, rate in zip(optimiser.param_groups, run.rates[name], strict=True):
            group["lr"] = rate * run.stage.factor(name, epoch)
    with run.clock.part("forward"), run.fabric.autocast():
        run.stage.step(batch, lambda network, terms, weights: _update(run, network, terms, weights))
    run.step += 1
    with run.clock.part("update"):
        if run.mean.decay:
            run.mean.update(run.networks, run.step)


def _update(run: Run, name: str, terms: Mapping[str, Tensor], weights: Mapping[str, float]) -> None:
    """What a stage's step calls for each network: see `reenact.systems.spec.Update`."""
    used = {term: value for term, value in terms.items() if weights[term]}
    total = torch.stack([weights[term] * value.float() for term, value in used.items()]).sum()
    _count(run, used)
    parameters = [p for p in run.networks[name].parameters() if p.requires_grad]
    optimiser = run.optimisers[name]
    with run.clock.part("backward"), torch.autocast(run.fabric.device.type, enabled=False):
        optimiser.zero_grad(set_to_none=True)
        run.fabric.backward(total, inputs=parameters)
    with run.clock.part("update"):
        _average(run.fabric, parameters)
        if run.settings.clip:
            nn.utils.clip_grad_norm_(parameters, run.settings.clip)
        optimiser.step()
        # Later networks of this step must not see these as their own.
        optimiser.zero_grad(set_to_none=True)


def _count(run: Run, terms: Mapping[str, Tensor]) -> None:
    """Take the losses into the log's means; end the run where one of them, in any process, is not finite."""
    values = torch.stack([value.detach().float() for value in terms.values()])
    if run.fabric.world_size > 1:
        values = run.fabric.all_reduce(values, reduce_op="mean")  # type: ignore[assignment]
    named = dict(zip(terms, values.tolist(), strict=True))
    for name, value in named.items():
        if value != value or value in (float("inf"), float("-inf")):
            kept = checkpoint.steps(run.checkpoints)
            whence = f"step {kept[-1]} is kept" if kept else "no checkpoint was written yet"
            raise ReenactError(
                f"step {run.step + 1}: the loss {name!r} became {value}; {whence}: resume with a lower rate "
                "(--set rate=...) or with --set clip=1"
            )
    run.means.add(named)


def _average(fabric: Fabric, parameters: list[nn.Parameter]) -> None:
    """The mean of all processes' gradients, in one message."""
    if fabric.world_size == 1:
        return
    for parameter in parameters:
        if parameter.grad is None:  # a branch that this process's part of the batch did not use
            parameter.grad = torch.zeros_like(parameter)
    grads = [parameter.grad for parameter in parameters if parameter.grad is not None]
    flat = torch.cat([grad.reshape(-1) for grad in grads])
    flat = fabric.all_reduce(flat, reduce_op="mean")  # type: ignore[assignment]
    for grad, part in zip(grads, flat.split([grad.numel() for grad in grads]), strict=True):
        grad.copy_(part.view(grad.shape))


@torch.no_grad()
def validate(run: Run, samples: int | None = None) -> dict[str, float]:
    """Mean figures over the same held-out samples each time, shared by all processes."""
    share = Share(run.fabric.global_rank, run.fabric.world_size)
    sums: dict[str, Tensor] = {}
    count = samples or run.settings.validate_samples
    modes = {name: network.training for name, network in run.networks.items()}
    for network in run.networks.values():
        network.eval()
    with run.clock.part("other"), run.fabric.autocast():
        for number in range(-(-count // _VALIDATION_BATCH)):
            size = min(_VALIDATION_BATCH, count - number * _VALIDATION_BATCH)
            batch = batch_of_step(run.data.held_out, size, _VALIDATION_SEED, number, share)
            if not len(next(iter(batch.values()))):
                continue
            for name, value in run.stage.validate(to_device(batch, run.fabric.device), run.shown).items():
                sums[name] = sums.get(name, torch.zeros((), device=value.device)) + value.float().sum()
    for name, network in run.networks.items():
        network.train(modes[name])
    return {name: _total(run.fabric, value) / count for name, value in sums.items()}


def _total(fabric: Fabric, value: Tensor) -> float:
    if fabric.world_size > 1:
        value = fabric.all_reduce(value, reduce_op="sum")  # type: ignore[assignment]
    return float(value)


def better(run: Run, figures: Mapping[str, float]) -> bool:
    """Whether these are the run's best so far; if so, they are what later ones are held against."""
    value = figures.get(run.stage.best)
    if value is None or (run.best is not None and value >= run.best):
        return False
    run.best = value
    return True


def save(run: Run, *, best: bool = False) -> None:
    """Write the checkpoint of this step (where there is none), and delete old ones."""
    if not run.fabric.is_global_zero:
        return
    with run.clock.part("other"):
        checkpoint.save(run.checkpoints, run.step, state_of(run))
        if best and run.best is not None:
            checkpoint.mark_best(run.checkpoints, run.step, run.stage.best, run.best)
        checkpoint.prune(run.checkpoints)


def state_of(run: Run) -> dict[str, Any]:
    """Everything that a run needs to go on as if it had not stopped."""
    random: dict[str, Tensor] = {"cpu": torch.get_rng_state()}
    if run.fabric.device.type == "cuda":
        random["cuda"] = torch.cuda.get_rng_state(run.fabric.device)
    return {
        "step": run.step,
        "best": run.best,
        "networks": {name: network.state_dict() for name, network in run.networks.items()},
        "mean": {name: network.state_dict() for name, network in run.mean.networks.items()},
        "optimisers": {name: one.state_dict() for name, one in run.optimisers.items()},
        "random": random,
    }


def restore(run: Run, state: Mapping[str, Any], path: Path) -> None:
    """Put a checkpoint's state into a prepared run; a ReenactError where it is that of other networks."""
    try:
        for name, network in run.networks.items():
            network.load_state_dict(state["networks"][name])
            run.optimisers[name].load_state_dict(state["optimisers"][name])
            _lay_out(run.optimisers[name])
        for name, network in run.mean.networks.items():
            network.load_state_dict(state["mean"][name])
    except (KeyError, RuntimeError, ValueError) as error:
        raise ReenactError(
            f"{path}: does not fit these networks ({str(error).splitlines()[0]}); resume with the settings "
            "of the run"
        ) from None
    run.step, run.best = int(state["step"]), state["best"]
    if run.fabric.global_rank == 0:
        torch.set_rng_state(state["random"]["cpu"])
        if run.fabric.device.type == "cuda" and "cuda" in state["random"]:
            torch.cuda.set_rng_state(state["random"]["cuda"], run.fabric.device)


def _lay_out(optimiser: Optimizer) -> None:
    """Give the optimiser's moments the memory order of their parameters, which files do not keep."""
    for parameter, values in optimiser.state.items():
        for name, value in values.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape and value.ndim:
                values[name] = torch.empty_like(parameter).copy_(value)


def write_weights(run: Run) -> Path:
    """The averaged networks of the best checkpoint (the last one where none was marked), as fp16 safetensors
    `RUN/weights.safetensors`; names are `network.parameter`."""
    from safetensors.torch import save_file

    from reenact.media.files import atomic_output

    chosen = checkpoint.best(run.checkpoints)
    path = None if chosen is None else checkpoint.path_of(run.checkpoints, chosen)
    state = checkpoint.load(path) if path and path.is_dir() else state_of(run)
    group = state["mean"] if run.mean.decay else state["networks"]
    tensors = {
        f"{name}.{key}": (value.half() if value.is_floating_point() else value).cpu().contiguous()
        for name in run.stage.averaged
        for key, value in group[name].items()
    }
    target = run.folder / "weights.safetensors"
    with atomic_output(target, overwrite=True) as partial:
        save_file(tensors, partial, metadata={"step": str(state["step"])})
    return target


def _log_losses(run: Run, log: Log, steps: int, report: Callable[[str], None]) -> None:
    shares, seconds = run.clock.shares(), run.clock.seconds
    pace = steps / max(seconds, 1e-9)
    losses = run.means.take()
    rates = {f"rate_{name}": one.param_groups[0]["lr"] for name, one in run.optimisers.items()}
    speed = pace * run.settings.batch
    log.losses(run.step, {**losses, **rates, "samples_per_second": speed, **shares})
    spent = " ".join(f"{name} {share:.0%}" for name, share in shares.items())
    terms = " ".join(f"{name} {value:.4g}" for name, value in losses.items())
    left = duration((run.steps - run.step) / pace)
    report(f"step {run.step:,} of {run.steps:,}: {terms}; {speed:.3g} samples/s ({spent}); {left} left")
    run.clock.reset()


def _log_figures(
    run: Run, log: Log | None, figures: Mapping[str, float], report: Callable[[str], None]
) -> None:
    if log:
        log.validation(run.step, figures)
        report("validation: " + " ".join(f"{name} {value:.4g}" for name, value in figures.items()))


@torch.no_grad()
def _write_sheet(run: Run, log: Log) -> None:
    with run.clock.part("other"), run.fabric.autocast():
        batch = batch_of_step(run.data.held_out, 6, _VALIDATION_SEED, 0, Share())
        image = sheet(run.stage.sheet(to_device(batch, run.fabric.device), run.shown))
    write_sheet(run.folder / "sheets" / f"step-{run.step:08d}.png", image)
    log.picture(run.step, image)


def to_device(batch: Mapping[str, Tensor], device: torch.device) -> dict[str, Tensor]:
    """On the device; uint8 pictures (B, H, W, 3) become (B, 3, H, W) float in [-1, 1], channels last."""
    return {name: _as_floats(value.to(device, non_blocking=True)) for name, value in batch.items()}


def _as_floats(value: Tensor) -> Tensor:
    if value.dtype != torch.uint8:
        return value
    return (value.permute(0, 3, 1, 2).float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)


def _due(step: int, every: int) -> bool:
    return every > 0 and step % every == 0


def _any(fabric: Fabric, flag: bool) -> bool:
    """Whether the flag is set in any process."""
    if fabric.world_size == 1:
        return flag
    return bool(fabric.all_reduce(torch.tensor(float(flag), device=fabric.device), reduce_op="sum"))


@contextmanager
def _signals() -> Iterator[list[int]]:
    """Collects SIGTERM and SIGINT instead of dying of them; a second one does what it always does."""
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return
    wanted = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.getsignal(number) for number in wanted}

    def note(number: int, frame: FrameType | None) -> None:
        received.append(number)
        signal.signal(number, before[signal.Signals(number)])

    for number in wanted:
        signal.signal(number, note)
    try:
        yield received
    finally:
        for number in wanted:
            signal.signal(number, before[number])
