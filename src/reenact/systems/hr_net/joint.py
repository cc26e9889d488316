"""Both modules trained together, through the differentiable drawing: future work in the paper (section V).
The converter then learns from pictures what the generator can draw, beside (1).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from reenact.errors import ReenactError
from reenact.systems.hr_net import lic
from reenact.systems.hr_net.bfr import boundaries
from reenact.systems.hr_net.lic import to_pixels, to_unit
from reenact.systems.hr_net.losses import landmark_l1
from reenact.systems.hr_net.presets import JointSettings
from reenact.systems.hr_net.train import BfrStage
from reenact.systems.spec import Update
from reenact.systems.stage import landmark_figures, picture_figures
from reenact.systems.trained import network_tensors


class JointStage(BfrStage):
    """Training of G_L and G_F on two pictures of one person and somebody else's landmarks.

    A batch is that of `BfrStage`, and (B, 68, 2) each in pixels: `source_landmarks`, and `driving`, another
    person in the target's pose and expression.
    """

    averaged: tuple[str, ...] = ("converter", "generator")
    settings: JointSettings

    def __init__(self, settings: JointSettings) -> None:
        super().__init__(settings)
        self.converter = lic.Converter(settings.widths, settings.slope, settings.residual)
        self.networks = {"converter": self.converter, **self.networks}
        if settings.start:
            for stage, network in (("lic", "converter"), ("bfr", "generator")):
                _begin_with(self.networks[network], Path(settings.start) / stage, network)

    def step(self, batch: Mapping[str, Tensor], update: Update) -> None:
        """D_B, then G_F on (11) with the shapes as they are converted, then G_L on (1) and (11) through G_F."""
        target, source = batch["target"], batch["source"]
        unit = self._convert(batch, self.networks)
        boundary = boundaries(to_pixels(unit, self.settings.size), self.settings)
        result = self.generator(boundary.detach(), source)
        self.criticise(target, result.detach(), boundary.detach(), update)
        update("generator", self.terms(result, target, boundary.detach()), self.weights)
        terms = self.terms(self.generator(boundary, source), target, boundary)
        terms["landmarks"] = landmark_l1(unit, to_unit(batch["landmarks"], self.settings.size), mean=True)
        weights = {**self.weights, "landmarks": self.settings.weight_landmarks}
        update("converter", terms, weights)

    def validate(self, batch: Mapping[str, Tensor], networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
        """Figures of the pictures drawn along converted shapes, and of these shapes."""
        shapes = to_pixels(self._convert(batch, networks), self.settings.size).float()
        result = networks["generator"](boundaries(shapes, self.settings), batch["source"])
        return {
            **picture_figures(result, batch["target"], batch["source"]),
            **landmark_figures(shapes, batch["landmarks"], batch["driving"]),
        }

    def sheet(self, batch: Mapping[str, Tensor], networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
        """Source, the driving and the converted boundaries, result, truth."""
        shapes = to_pixels(self._convert(batch, networks), self.settings.size)
        driving, boundary = (boundaries(points, self.settings) for points in (batch["driving"], shapes))
        result = networks["generator"](boundary, batch["source"])
        shown = {"source": batch["source"], "driving": driving, "converted": boundary, "result": result}
        return {**shown, "truth": batch["target"]}

    def examples(self, count: int) -> dict[str, tuple[Tensor, ...]]:
        """Zeros."""
        points = torch.zeros(count, lic.COORDINATES)
        return {"converter": (points, points), **super().examples(count)}

    def _convert(self, batch: Mapping[str, Tensor], networks: Mapping[str, nn.Module]) -> Tensor:
        size = self.settings.size
        unit: Tensor = networks["converter"](
            to_unit(batch["driving"], size), to_unit(batch["source_landmarks"], size)
        )
        return unit


def _begin_with(network: nn.Module, run: Path, name: str) -> None:
    """Put a finished run's weights into a network; a ReenactError where they are not there or do not fit."""
    try:
        network.load_state_dict(network_tensors(run / "weights.safetensors", name))
    except (OSError, SafetensorError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise ReenactError(
            f"--set start: {run} has no weights for {name} of these settings ({reason}); train that stage "
            "first, with the same preset"
        ) from None
