"""What every system declares: for animating, what its two halves must do; for training, its stages and presets.

A converter makes target landmarks, a generator draws them, and `TargetShape` is where they meet, so that any
converter runs with any generator that can read its scheme. Nothing here imports PyTorch; a stage or a learned
half does when it is built.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self

from reenact.errors import ReenactError
from reenact.geometry.schemes import convert_points
from reenact.types import FaceState, Floats, Image, Points, Scheme

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer


@dataclass(frozen=True)
class SourceFace:
    """What a generator gets of the source, once.

    picture: (H, W, 3 or 4), the region of the source that it may change. points: (478, 3) in its pixels.
    state: the same face as coefficients. matte: (H, W) in [0, 1], 1 where the person is, or None. fixed:
    left, top, right, bottom, True where the whole picture goes on beyond the region, so that motion must have
    ended there.
    """

    picture: Image
    points: Points
    state: FaceState
    matte: Floats | None
    fixed: tuple[bool, bool, bool, bool]


@dataclass(frozen=True)
class TargetShape:
    """A face that is to be drawn. points: (N, 2 or 3) in the region's pixels, in `scheme`. state: its pose and
    expression as coefficients. head: the state whose pose hair, ears and neck have; None is the face's own."""

    points: Points
    state: FaceState
    scheme: Scheme = "mesh478"
    head: FaceState | None = None

    def in_scheme(self, scheme: Scheme) -> Points:
        """The points as (N, 2 or 3) of another scheme, which only the mesh can be turned into; a ReenactError
        where these points are not enough."""
        if scheme == self.scheme:
            return self.points
        if not fits(self.scheme, scheme):
            raise ReenactError(f"landmarks of {self.scheme} cannot be turned into {scheme}")
        return convert_points(self.points, scheme)


def fits(given: Scheme, wanted: Scheme) -> bool:
    """Whether a generator of scheme `wanted` can draw what a converter of scheme `given` makes."""
    return given in (wanted, "mesh478")


class Converter(Protocol):
    """The shape stage, bound to one source."""

    def convert(self, driving: TargetShape) -> TargetShape:
        """The source's face in the pose and expression, and at the place and size, of a driving face (478, 3)
        in the region's pixels."""


class Generator(Protocol):
    """The image stage, bound to one source. What depends on the source alone is done when it is made."""

    def render(self, target: TargetShape) -> Image:
        """The region (H, W, 3 or 4) with the face in the target shape."""


@dataclass(frozen=True)
class ConverterSpec:
    """One converter, for use with any generator that can read its landmarks.

    name: as in `--system CONVERTER+SYSTEM`. gives: the scheme of its landmarks. load: makes it for a source;
    None is the pipeline's own morphable transfer. weights: shipped files that it cannot do without.
    """

    name: str
    title: str
    gives: Scheme
    load: Callable[[SourceFace], Converter] | None
    weights: tuple[str, ...] = ()


@dataclass(frozen=True)
class SystemSpec:
    """One system.

    name: as in `--system`. title, paper: for people. margin: side of the region that it changes, in heights of
    the face. learned: whether trained weights draw pixels. load: makes the generator of a source; the second
    argument is the number of threads it may use. takes: the scheme of the landmarks that it draws. converter:
    the one that goes with it. weights: shipped files that the generator cannot do without. prepare: makes what
    `load` shares between sources and keeps, for that number of threads; it may run in a thread of its own.
    """

    name: str
    title: str
    paper: str
    margin: float
    learned: bool
    load: Callable[[SourceFace, int | None], Generator]
    takes: Scheme = "mesh478"
    converter: str = "morphable"
    weights: tuple[str, ...] = ()
    prepare: Callable[[int | None], object] | None = None


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What every stage's training has; a stage adds its own fields. Every field can be set from outside
    (`--set name=value`).

    epochs: passes over the data, or a part of one; the schedule counts in them. steps: optimiser steps in
    all; 0 means what the epochs come to. batch: samples a step, over all processes. precision: '32', 'bf16'
    for autocast, or 'auto', bf16 where the device multiplies it natively. mean: decay of the running mean of
    the weights, 0 for none. clip: largest norm of each network's gradient, 0 for none. workers: processes that
    load data beside each training process. threads: of the CPU, 0 for all. The `*_every` count steps; 0 is
    never. validate_samples: held-out samples that are looked at each time. weights: a `.safetensors` file, or
    the name of installed weights (`live_refine`), whose networks a new run begins with; '' begins anew.
    """

    epochs: float
    batch: int
    steps: int = 0
    precision: Literal["32", "bf16", "auto"] = "32"
    mean: float = 0.999
    clip: float = 0.0
    seed: int = 1
    workers: int = 0
    threads: int = 0
    log_every: int = 50
    validate_every: int = 500
    save_every: int = 500
    sheet_every: int = 2000
    validate_samples: int = 512
    weights: str = ""

    def with_values(self, values: Mapping[str, Any]) -> Self:
        """These settings with those of a record laid over them, as JSON has them; other names are left out."""
        given = ((f.name, values[f.name]) for f in fields(self) if f.name in values)
        known: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in given}
        return replace(self, **known)


class Update(Protocol):
    """One step of one network's optimiser; the loop hands it to `Stage.step`."""

    def __call__(self, network: str, terms: Mapping[str, Tensor], weights: Mapping[str, float]) -> None:
        """Step `network` down the gradient of the sum of `weights[name] * terms[name]`.

        terms: scalars by name, as the log shows them. Only this network's gradients are used; those that others
        got meanwhile are dropped. A term that is not finite ends the run.
        """


class Stage(Protocol):
    """A stage while it trains. Its step writes out what each network learns, in order.

    networks: by name, each with an optimiser of its own. averaged: those whose running mean is kept, looked at
    and shipped. best: the validation figure that chooses the best checkpoint (less is better); '': the last.
    begin_with: samples that `begin` wants, 0 for none.
    """

    networks: Mapping[str, nn.Module]
    averaged: tuple[str, ...]
    best: str
    begin_with: int

    def begin(self, batch: Mapping[str, Tensor]) -> None:
        """Before the first step of a new run: take statistics of the data into buffers of the networks."""

    def optimiser(self, name: str) -> Optimizer:
        """A new optimiser of the network of that name, at its initial rate."""

    def factor(self, name: str, epoch: float) -> float:
        """The schedule: what the network's initial rate is multiplied with after `epoch` epochs."""

    def step(self, batch: Mapping[str, Tensor], update: Update) -> None:
        """One step of training: compute the losses, and call `update` once for each network."""

    def validate(self, batch: Mapping[str, Tensor], networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
        """Figures of one held-out batch, each (B,): one a sample. No gradients are kept."""

    def sheet(self, batch: Mapping[str, Tensor], networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
        """Columns of the picture sheet by title, each (B, 3, H, W) in [-1, 1]."""

    def examples(self, count: int) -> dict[str, tuple[Tensor, ...]]:
        """Inputs of each network for a batch of `count`, of any values; for the dry run."""


@dataclass(frozen=True)
class StageSpec:
    """One stage of a system's training.

    name: as in `--stage`. data: what a batch holds, a key of `reenact.training.runs.DATA`. presets: by name,
    all of one class. build: makes the stage from its settings; it is what imports PyTorch. extra: not in the
    paper; trained only where it is named. after: the stage whose networks this one goes on with, from the
    run that its setting `start` names.
    """

    name: str
    title: str
    data: str
    presets: Mapping[str, Settings]
    build: Callable[[Any], Stage]
    extra: bool = False
    after: str = ""


@dataclass(frozen=True)
class TrainingSpec:
    """How a system is trained: its stages in the paper's order."""

    name: str
    title: str
    paper: str
    stages: tuple[StageSpec, ...]

    def stage(self, name: str) -> StageSpec:
        """The stage of that name; a ReenactError names the ones there are."""
        for stage in self.stages:
            if stage.name == name:
                return stage
        names = ", ".join(stage.name for stage in self.stages)
        raise ReenactError(f"{self.name} has no stage {name!r}; choose one of: {names}")
