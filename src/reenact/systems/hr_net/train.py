"""HR-Net's two stages: what a step is, in the paper's order, with its losses and weights."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from reenact.losses.adversarial import discriminator_loss, generator_loss
from reenact.nn.draw import boundary_image
from reenact.nn.schedule import constant_then_linear, cosine, stepped
from reenact.systems.hr_net import bfr, lic
from reenact.systems.hr_net.bfr import boundaries
from reenact.systems.hr_net.lic import to_pixels, to_unit
from reenact.systems.hr_net.losses import Features, landmark_l1, picture_l1, triplet
from reenact.systems.hr_net.presets import BfrSettings, LicSettings
from reenact.systems.spec import Update
from reenact.systems.stage import AdamStage, landmark_figures, picture_figures


class LicStage(AdamStage):
    """Training of the landmark identity conversion: equations (1) to (5).

    A batch is `driving`, `source` and `target`: (B, 68, 2) in pixels of the crop; the target is the source's
    identity in the driving pose and expression.
    """

    averaged: tuple[str, ...] = ("converter",)
    best = "ace_px"
    begin_with = 4096

    def __init__(self, settings: LicSettings) -> None:
        super().__init__(settings)
        self.settings = settings
        torch.manual_seed(settings.seed)
        self.converter = lic.Converter(settings.widths, settings.slope, settings.residual)
        self.discriminator = lic.Discriminator(settings.widths, settings.slope)
        self.networks: Mapping[str, nn.Module] = {
            "converter": self.converter,
            "discriminator": self.discriminator,
        }

    def begin(self, batch: Mapping[str, Tensor]) -> None:
        """Learn the principal components of both faces."""
        if self.settings.whiten:
            faces = torch.cat([batch["driving"], batch["source"]])
            self.converter.whiten_by(to_unit(faces, self.settings.side))

    def factor(self, name: str, epoch: float) -> float:
        """'decays by forty percent every 600 epochs' (section IV-A); or half a cosine."""
        s = self.settings
        if s.schedule == "stepped":
            return stepped(epoch, s.decay_epochs, s.decay)
        total = s.steps * s.batch / s.epoch_size if s.steps else s.epochs
        return cosine(epoch, total, warm=total / 50)

    def step(self, batch: Mapping[str, Tensor], update: Update) -> None:
        """D_L on true and converted landmarks, then G_L on (5)."""
        s = self.settings
        driving, source, target = (to_unit(batch[name], s.side) for name in ("driving", "source", "target"))
        result = self.converter(driving, source)
        if s.weight_adversarial:
            real, fake = self.discriminator(target), self.discriminator(result.detach())
            update(
                "discriminator", {"adversarial_d": discriminator_loss(real, fake)}, {"adversarial_d": 1.0}
            )  # (2)
        terms = {"l1": landmark_l1(result, target, mean=s.mean_loss)}  # (1)
        if s.weight_adversarial:
            terms["adversarial_g"] = generator_loss(self.discriminator(result))  # (2)
        if s.weight_identity:
            same = self.converter(source, source)
            goal = source if s.identity_of == "source" else target
            terms["identity"] = landmark_l1(same, goal, mean=s.mean_loss)  # (3)
        if s.weight_triplet:
            terms["triplet"] = triplet(result, target, driving, s.margin)  # (4)
        weights = {
            "l1": s.weight_l1,
            "adversarial_g": s.weight_adversarial,
            "identity": s.weight_identity,
            "triplet": s.weight_triplet,
        }
        update("converter", terms, weights)  # (5)

    def validate(self, batch: Mapping[str, Tensor], networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
        """ACE in crop pixels; that of the driving face beside it."""
        return landmark_figures(self._convert(batch, networks), batch["target"], batch["driving"])

    def sheet(self, batch: Mapping[str, Tensor], networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
        """Boundary images: driving, source, result and target, and the last two laid over one another."""
        shapes = {name: batch[name] for name in ("driving", "source", "target")}
        shapes["converted"] = self._convert(batch, networks)
        drawn = {
            name: boundary_image(points.float(), self.settings.side) * 2 - 1 for name, points in shapes.items()
        }
        truth, made = drawn["target"][:, :1], drawn["converted"][:, :1]
        return {**drawn, "converted (red) on target": torch.cat([made, truth, truth], 1)}

    def _convert(self, batch: Mapping[str, Tensor], networks: Mapping[str, nn.Module]) -> Tensor:
        """The converter's target landmarks (B, 68, 2) in crop pixels."""
        side = self.settings.side
        driving, source = (to_unit(batch[name], side) for name in ("driving", "source"))
        return to_pixels(networks["converter"](driving, source), side)

    def examples(self, count: int) -> dict[str, tuple[Tensor, ...]]:
        """Landmarks of zeros."""
        points = torch.zeros(count, lic.COORDINATES)
        return {"converter": (points, points), "discriminator": (points,)}


class BfrStage(AdamStage):
    """Training of the boundary-guided face reenactment on two pictures of one person: equations (6) to (11).

    A batch is `source` and `target`, pictures (B, 3, H, W) in [-1, 1], and `landmarks`, (B, 68, 2) of the
    target in pixels. In training the target's own landmarks are drawn; the converter's take their place where
    the two people differ.
    """

    averaged: tuple[str, ...] = ("generator",)
    best = "l1"

    def __init__(self, settings: BfrSettings) -> None:
        super().__init__(settings)
        self.settings = settings
        torch.manual_seed(settings.seed)
        self.generator = bfr.Generator(settings)
        self.discriminator = bfr.Discriminator(settings)
        self.networks: Mapping[str, nn.Module] = {
            "generator": self.generator,
            "discriminator": self.discriminator,
        }
        self._features: Features | None = None
        self._epoch = 0.0

    def factor(self, name: str, epoch: float) -> float:
        """'constant at its initial value for the first 150 epochs and then decreases linearly to zero'."""
        self._epoch = epoch  # the loop asks before each step
        return constant_then_linear(epoch, self.settings.constant_epochs, self.settings.epochs)

    def step(self, batch: Mapping[str, Tensor], update: Update) -> None:
        """D_B on true and made pictures, then G_F on (11)."""
        target, boundary = batch["target"], boundaries(batch["landmarks"], self.settings)
        result = self.generator(boundary, batch["source"])
        self.criticise(target, result.detach(), boundary, update)
        update("generator", self.terms(result, target, boundary), self.weights)  # (11)

    def criticise(self, target: Tensor, result: Tensor, boundary: Tensor, update: Update) -> None:
        """D_B's own step."""
        if self._adversarial:
            real, fake = self.discriminator(target, boundary), self.discriminator(result, boundary)
            update(
                "discriminator", {"adversarial_d": discriminator_loss(real, fake)}, {"adversarial_d": 1.0}
            )  # (6)

    def terms(self, result: Tensor, target: Tensor, boundary: Tensor) -> dict[str, Tensor]:
        """The terms of (11) for made pictures."""
        s = self.settings
        terms = {"l1": picture_l1(result, target)}  # (7)
        if self._adversarial:
            terms["adversarial_g"] = generator_loss(self.discriminator(result, boundary))  # (6)
        if s.weight_perceptual and s.block != "none":
            some = math.ceil(len(result) * s.perceptual_share)
            terms["perceptual"] = self._perceptual(result[:some], target[:some])  # (8) to (10)
        return terms

    @property
    def _adversarial(self) -> bool:
        return bool(self.settings.weight_adversarial) and self._epoch >= self.settings.adversarial_from

    @property
    def weights(self) -> dict[str, float]:
        """alpha_1 to alpha_3 of (11), by term."""
        s = self.settings
        return {"adversarial_g": s.weight_adversarial, "l1": s.weight_l1, "perceptual": s.weight_perceptual}

    def validate(self, batch: Mapping[str, Tensor], networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
        """L1 and PSNR against the true frame; the L1 of the source itself beside it."""
        result = networks["generator"](boundaries(batch["landmarks"], self.settings), batch["source"])
        return picture_figures(result, batch["target"], batch["source"])

    def sheet(self, batch: Mapping[str, Tensor], networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
        """Source, boundary image, result, truth."""
        boundary = boundaries(batch["landmarks"], self.settings)
        result = networks["generator"](boundary, batch["source"])
        return {"source": batch["source"], "boundary": boundary, "result": result, "truth": batch["target"]}

    def examples(self, count: int) -> dict[str, tuple[Tensor, ...]]:
        """Pictures of zeros."""
        picture = torch.zeros(count, 3, self.settings.size, self.settings.size)
        return {"generator": (picture, picture), "discriminator": (picture, picture)}

    def _perceptual(self, result: Tensor, target: Tensor) -> Tensor:
        if self._features is None:
            self._features = Features(self.settings.block).to(result.device)
        return self._features(result, target)
