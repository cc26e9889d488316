"""OSFR's two stages, which are one step at different settings: what a step is, with the equation at each
term."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from reenact.systems.osfr.decoder import Discriminator, Generator
from reenact.systems.osfr.losses import (
    Identity,
    Perceptual,
    discriminator_adversarial,
    generator_adversarial,
    picture_l1,
    vector_l1,
)
from reenact.systems.osfr.presets import OsfrSettings
from reenact.systems.osfr.shape import CLASSES, coloured, parse
from reenact.systems.spec import Update
from reenact.systems.stage import AdamStage, picture_figures

REMOVED = -1.0
"""What a pixel of the background is where it is masked: black."""


class Seen(NamedTuple):
    """A batch as the networks see it. reference: I_ref. driving: W(I_ref), which is what should come out.
    parsing: of it, (B, 9, S, S)."""

    reference: Tensor
    driving: Tensor
    parsing: Tensor


class OsfrStage(AdamStage):
    """Training of F and D on stills (figure 3.10): equations (3.8) to (3.15).

    A batch is `source`, I_ref, and `target`, W(I_ref), pictures (B, 3, S, S) in [-1, 1]; `source_points` and
    `points`, their mesh points (B, 478, 2) in pixels; `source_mask` and `mask`, (B, 1, S, S), 1 on the face
    and -1 elsewhere."""

    averaged: tuple[str, ...] = ("generator",)
    best = "l1"

    def __init__(self, settings: OsfrSettings) -> None:
        super().__init__(settings)
        self.settings = settings
        torch.manual_seed(settings.seed)
        self.generator = Generator(settings)
        self.discriminator = Discriminator(settings)
        self.networks: Mapping[str, nn.Module] = {
            "generator": self.generator,
            "discriminator": self.discriminator,
        }
        self._identity: Identity | None = None
        self._perceptual: Perceptual | None = None

    def optimiser(self, name: str) -> Optimizer:
        """Adam; F and D at one rate, the discriminators at theirs (section 4.1.3)."""
        s = self.settings
        rate = s.rate_discriminator if name == "discriminator" else s.rate
        return Adam(self.networks[name].parameters(), rate, (s.beta1, s.beta2), fused=True)

    def factor(self, name: str, epoch: float) -> float:
        """Rates do not fall within a stage."""
        return 1.0

    def step(self, batch: Mapping[str, Tensor], update: Update) -> None:
        """The discriminators on W(I_ref) and I_o, then F and D together on (3.15)."""
        s, seen = self.settings, self._seen(batch)
        made, rebuilt = self.generator(seen.reference, seen.parsing)
        if s.weight_adversarial:
            real, fake = self.discriminator(seen.driving), self.discriminator(made.detach())
            loss = discriminator_adversarial(real, fake)  # (3.14)
            update("discriminator", {"adversarial_d": loss}, {"adversarial_d": 1.0})
        terms = {
            "appearance": picture_l1(rebuilt, seen.reference),  # (3.9)
            "reconstruction": picture_l1(made, seen.driving),  # (3.10)
        }
        if s.weight_identity:
            terms["identity"] = self._identity_loss(made, seen, batch)  # (3.11)
        if s.weight_perceptual:
            terms["perceptual"] = self._perceptual_loss(made, seen.driving)  # (3.12)
        if s.weight_adversarial:
            terms["adversarial"] = generator_adversarial(self.discriminator(made))  # (3.13)
        update("generator", terms, {name: getattr(s, f"weight_{name}") for name in terms})  # (3.15)

    def validate(self, batch: Mapping[str, Tensor], networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
        """L1 and PSNR of I_o against W(I_ref), the L1 of I_ref itself beside it, and that of I_AE against
        I_ref."""
        seen = self._seen(batch)
        made, rebuilt = networks["generator"](seen.reference, seen.parsing)
        figures = picture_figures(made, seen.driving, seen.reference)
        return figures | {"l1_appearance": (rebuilt.float() - seen.reference).abs().mean((1, 2, 3))}

    def sheet(self, batch: Mapping[str, Tensor], networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
        """I_ref, I_AE, the parsing map, I_o, W(I_ref)."""
        seen = self._seen(batch)
        made, rebuilt = networks["generator"](seen.reference, seen.parsing)
        return {
            "source": seen.reference,
            "auto-encoder": rebuilt,
            "parsing map": coloured(seen.parsing),
            "result": made,
            "warped source": seen.driving,
        }

    def examples(self, count: int) -> dict[str, tuple[Tensor, ...]]:
        """Zeros."""
        size = self.settings.size
        picture, parsing = torch.zeros(count, 3, size, size), torch.zeros(count, CLASSES, size, size)
        return {"generator": (picture, parsing), "discriminator": (picture,)}

    def _seen(self, batch: Mapping[str, Tensor]) -> Seen:
        """'masked reference images with only facial region remained' where the settings say so."""
        reference, driving = batch["source"], batch["target"]
        if self.settings.masked:
            reference, driving = face_only(reference, batch["source_mask"]), face_only(driving, batch["mask"])
        return Seen(reference, driving, parse(batch["points"], self.settings))

    def _identity_loss(self, made: Tensor, seen: Seen, batch: Mapping[str, Tensor]) -> Tensor:
        if self._identity is None:
            self._identity = Identity().to(made.device)
        with torch.no_grad():
            own = self._identity(seen.reference, batch["source_points"])
        vectors = self._identity(made, batch["points"])
        return vector_l1(vectors, own, mean=self.settings.mean_identity)

    def _perceptual_loss(self, made: Tensor, driving: Tensor) -> Tensor:
        if self._perceptual is None:
            self._perceptual = Perceptual().to(made.device)
        return self._perceptual(made, driving)


def face_only(picture: Tensor, mask: Tensor) -> Tensor:
    """The picture with `REMOVED` where the mask (B, 1, S, S), from -1 to 1, has no face."""
    share = (mask + 1) / 2
    return picture * share + REMOVED * (1 - share)
