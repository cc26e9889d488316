"""HR-Net's two stages: what a step is, in the paper's order, with its losses and weights."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from reenact.errors import ReenactError
from reenact.losses.adversarial import discriminator_loss, generator_loss, triplet_loss
from reenact.nn.draw import boundary_image, landmark_map
from reenact.nn.features import open_features
from reenact.nn.schedule import constant_then_linear, cosine, stepped
from reenact.systems.hr_net import bfr
from reenact.systems.hr_net.lic import COORDINATES, Converter, Discriminator, to_pixels, to_unit
from reenact.systems.hr_net.losses import landmark_l1, local_perceptual, picture_l1
from reenact.systems.hr_net.presets import BfrSettings, LicSettings
from reenact.systems.spec import Update


class LicStage:
    """Training of the landmark identity conversion: equations (1) to (5).

    A batch is `driving`, `source` and `target`: (B, 68, 2) in pixels of the crop; the target is the source's
    identity in the driving pose and expression.
    """

    averaged: tuple[str, ...] = ("converter",)
    best = "ace_px"
    begin_with = 4096

    def __init__(self, settings: LicSettings) -> None:
        self.settings = settings
        torch.manual_seed(settings.seed)
        self.converter = Converter(settings.widths, settings.slope, settings.residual)
        self.discriminator = Discriminator(settings.widths, settings.slope)
        self.networks: Mapping[str, nn.Module] = {
            "converter": self.converter,
            "discriminator": self.discriminator,
        }

    def begin(self, batch: Mapping[str, Tensor]) -> None:
        """Learn the principal components of both faces."""
        if self.settings.whiten:
            faces = torch.cat([batch["driving"], batch["source"]])
            self.converter.whiten_by(to_unit(faces, self.settings.side))

    def optimiser(self, name: str) -> Optimizer:
        """Adam, the same for both (section IV-A)."""
        s = self.settings
        return Adam(self.networks[name].parameters(), s.rate, (s.beta1, s.beta2), fused=True)

    def factor(self, name: str, epoch: float) -> float:
        """'decays by forty percent every 600 epochs' (section IV-A)."""
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
            terms["triplet"] = triplet_loss(result, target, driving, s.margin)  # (4)
        weights = {
            "l1": s.weight_l1,
            "adversarial_g": s.weight_adversarial,
            "identity": s.weight_identity,
            "triplet": s.weight_triplet,
        }
        update("converter", terms, weights)  # (5)

    def validate(self, batch: Mapping[str, Tensor], networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
        """ACE: mean absolute error in crop pixels; that of the driving face beside it."""
        side = self.settings.side
        result = to_pixels(
            networks["converter"](to_unit(batch["driving"], side), to_unit(batch["source"], side)), side
        )
        return {
            "ace_px": (result - batch["target"]).abs().mean((1, 2)),
            "ace_px_copy": (batch["driving"] - batch["target"]).abs().mean((1, 2)),
        }

    def sheet(self, batch: Mapping[str, Tensor], networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
        """Boundary images: driving, source, result and target, and the last two laid over one another."""
        side = self.settings.side
        result = to_pixels(
            networks["converter"](to_unit(batch["driving"], side), to_unit(batch["source"], side)), side
        )
        drawn = {
            name: boundary_image(batch[name].float(), side) * 2 - 1 for name in ("driving", "source", "target")
        }
        shown = boundary_image(result.float(), side) * 2 - 1
        both = torch.cat([shown[:, :1], drawn["target"][:, :1], drawn["target"][:, :1]], 1)
        return {**drawn, "converted": shown, "converted (red) on target": both}

    def examples(self, count: int) -> dict[str, tuple[Tensor, ...]]:
        """Landmarks of zeros."""
        points = torch.zeros(count, COORDINATES)
        return {"converter": (points, points), "discriminator": (points,)}


class BfrStage:
    """Training of the boundary-guided face reenactment on two pictures of one person: equations (6) to (11).

    A batch is `source` and `target`, pictures (B, 3, H, W) in [-1, 1], and `landmarks`, (B, 68, 2) of the
    target in pixels. In training the target's own landmarks are drawn; the converter's take their place where
    the two people differ.
    """

    averaged: tuple[str, ...] = ("generator",)
    best = "l1"
    begin_with = 0

    def __init__(self, settings: BfrSettings) -> None:
        self.settings = settings
        torch.manual_seed(settings.seed)
        self.generator = bfr.Generator(settings)
        self.discriminator = bfr.Discriminator(settings)
        self.networks: Mapping[str, nn.Module] = {
            "generator": self.generator,
            "discriminator": self.discriminator,
        }
        self._features: Features | None = None

    def begin(self, batch: Mapping[str, Tensor]) -> None:
        """Nothing is taken from the data."""

    def optimiser(self, name: str) -> Optimizer:
        """Adam, the same for both (section IV-A)."""
        s = self.settings
        return Adam(self.networks[name].parameters(), s.rate, (s.beta1, s.beta2), fused=True)

    def factor(self, name: str, epoch: float) -> float:
        """'constant at its initial value for the first 150 epochs and then decreases linearly to zero'."""
        return constant_then_linear(epoch, self.settings.constant_epochs, self.settings.epochs)

    def step(self, batch: Mapping[str, Tensor], update: Update) -> None:
        """D_B on true and made pictures, then G_F on (11)."""
        s = self.settings
        source, target, boundary = batch["source"], batch["target"], self.shape(batch["landmarks"])
        result = self.generator(boundary, source)
        if s.weight_adversarial:
            real, fake = self.discriminator(target, boundary), self.discriminator(result.detach(), boundary)
            update(
                "discriminator", {"adversarial_d": discriminator_loss(real, fake)}, {"adversarial_d": 1.0}
            )  # (6)
        terms = {"l1": picture_l1(result, target)}  # (7)
        if s.weight_adversarial:
            terms["adversarial_g"] = generator_loss(self.discriminator(result, boundary))  # (6)
        if s.weight_perceptual and s.block != "none":
            terms["perceptual"] = self._perceptual(result, target)  # (8) to (10)
        weights = {"l1": s.weight_l1, "adversarial_g": s.weight_adversarial, "perceptual": s.weight_perceptual}
        update("generator", terms, weights)  # (11)

    def shape(self, landmarks: Tensor) -> Tensor:
        """What G_F sees of landmarks (B, 68, 2): boundary lines (B, 3, H, W) in [-1, 1], or dots (table V)."""
        s = self.settings
        points = landmarks.float()
        if s.boundary == "lines":
            drawn = boundary_image(points, s.size, s.sigma)
        else:  # a width of -1 leaves nothing of the edges
            drawn = landmark_map(points, s.size, width=-1.0, dot=3.0, binary=False).expand(-1, 3, -1, -1)
        return (drawn * 2 - 1).contiguous(memory_format=torch.channels_last)

    def validate(self, batch: Mapping[str, Tensor], networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
        """L1 in [-1, 1] and PSNR in dB against the true frame; the L1 of the source itself beside it."""
        source, target = batch["source"], batch["target"]
        result = networks["generator"](self.shape(batch["landmarks"]), source).float()
        error = ((result - target) / 2).square().mean((1, 2, 3)).clamp(min=1e-10)
        return {
            "l1": (result - target).abs().mean((1, 2, 3)),
            "l1_copy": (source - target).abs().mean((1, 2, 3)),
            "psnr": -10 * error.log10(),
        }

    def sheet(self, batch: Mapping[str, Tensor], networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
        """Source, boundary image, result, truth."""
        boundary = self.shape(batch["landmarks"])
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


class Features(nn.Module):
    """The network that (8) to (10) look through: a block of VGG-16 where its weights were fetched.

    differs from paper where they were not: the distance of `reenact.nn.features` over our own two nets. name:
    which of the two it is. Raises ReenactError where neither is there.
    """

    def __init__(self, block: str) -> None:
        super().__init__()
        self.block = block
        try:
            self.net = open_features()
        except ReenactError as error:
            raise ReenactError(f"{error}; without any, train with --set block=none") from None
        self.name = f"{self.net.name} {block}" if self.net.name == "VGG-16" else self.net.name

    def forward(self, result: Tensor, target: Tensor) -> Tensor:
        """A scalar; no gradient reaches the target."""
        if self.net.name != "VGG-16":
            return self.net.distance(result, target.detach())
        with torch.no_grad():
            wanted = self.net(target)[self.block]
        return local_perceptual(self.net(result)[self.block], wanted)
