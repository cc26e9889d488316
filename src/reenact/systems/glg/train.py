"""GLG's stages: what a step is, with its losses and weights."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from reenact.losses.adversarial import discriminator_loss, generator_loss
from reenact.nn.draw import spline_heatmap
from reenact.nn.features import PerceptualFeatures, open_features
from reenact.nn.schedule import constant_then_linear, cosine
from reenact.systems.glg import generator, lgan
from reenact.systems.glg.generator import Drawn
from reenact.systems.glg.lgan import to_pixels, to_unit
from reenact.systems.glg.losses import feature_matching, flow_l1, landmark_l1, parts_l1, picture_l1
from reenact.systems.glg.parts import centres
from reenact.systems.glg.presets import ImageSettings, LganSettings
from reenact.systems.spec import Update
from reenact.systems.stage import AdamStage, picture_figures

_OF_PICTURES = ("l1", "parts", "adversarial_g", "matching", "perceptual")


class LganStage(AdamStage):
    """Training of the landmark conditional GAN (section III-B-2).

    A batch is `person` (B,), numbers of people; `code` (B, C), identity as an embedding or as coefficients;
    `pose` (B, 3), yaw, pitch and roll in degrees; `units` (B, 18), intensities of 0 to 5; and `target` (B, 68,
    2), the landmarks of that person in that pose and expression, in pixels of a crop of mean place and size.

    differs from paper: it gives no losses; built are the usual conditional ones of pix2pix, adversarial and L1.
    """

    averaged: tuple[str, ...] = ("generator",)
    best = "ace_px"

    def __init__(self, settings: LganSettings) -> None:
        super().__init__(settings)
        self.settings = settings
        self.begin_with = max(256, 8 * settings.people if settings.identity == "known" else 0)
        torch.manual_seed(settings.seed)
        self.generator = lgan.Generator(settings)
        self.discriminator = lgan.Discriminator(settings)
        self.networks: Mapping[str, nn.Module] = {
            "generator": self.generator,
            "discriminator": self.discriminator,
        }

    @torch.no_grad()
    def begin(self, batch: Mapping[str, Tensor]) -> None:
        """Take the mean face, and each known person's mean coefficients; a person that no sample shows is far
        from everybody."""
        self.generator.mean.copy_(to_unit(batch["target"], self.settings.side).mean(0))
        for number, row in enumerate(self.generator.known):
            seen = batch["code"][batch["person"] == number]
            row.copy_(seen.mean(0)) if len(seen) else row.fill_(1e3)

    def factor(self, name: str, epoch: float) -> float:
        """Half a cosine; the paper gives none."""
        s = self.settings
        total = s.steps * s.batch / s.epoch_size if s.steps else s.epochs
        return cosine(epoch, total, warm=total / 50)

    def step(self, batch: Mapping[str, Tensor], update: Update) -> None:
        """The discriminator on true and made landmarks, then the generator."""
        s, told = self.settings, self._told(batch)
        target = to_unit(batch["target"], s.side)
        result = self.generator(*told)
        terms = {"l1": landmark_l1(result, target)}
        if s.weight_adversarial:
            real, fake = self.discriminator(target, *told), self.discriminator(result.detach(), *told)
            update("discriminator", {"adversarial_d": discriminator_loss(real, fake)}, {"adversarial_d": 1.0})
            terms["adversarial_g"] = generator_loss(self.discriminator(result, *told))
        update("generator", terms, {"l1": s.weight_l1, "adversarial_g": s.weight_adversarial})

    def validate(self, batch: Mapping[str, Tensor], networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
        """ACE, the mean absolute error of a coordinate, in crop pixels; that of the mean face beside it."""
        side, target = self.settings.side, batch["target"]
        made = to_pixels(networks["generator"](*self._told(batch)), side)
        mean = to_pixels(self.generator.mean[None].to(target), side)
        return {
            "ace_px": (made - target).abs().mean((1, 2)),
            "ace_px_mean": (mean - target).abs().mean((1, 2)),
        }

    def sheet(self, batch: Mapping[str, Tensor], networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
        """Heatmaps: made, true, and both laid over one another."""
        side = self.settings.side
        made = to_pixels(networks["generator"](*self._told(batch)), side).float()
        made, truth = (spline_heatmap(points, side) * 2 - 1 for points in (made, batch["target"].float()))
        both = torch.cat([made, truth, truth], 1)
        return {
            "made": made.expand(-1, 3, -1, -1),
            "true": truth.expand(-1, 3, -1, -1),
            "made (red) on true": both,
        }

    def examples(self, count: int) -> dict[str, tuple[Tensor, ...]]:
        """Conditions of zeros."""
        s = self.settings
        known = s.identity == "known"
        identity = torch.zeros(count, dtype=torch.long) if known else torch.zeros(count, s.code)
        told = identity, torch.zeros(count, 3), torch.zeros(count, 18)
        return {"generator": told, "discriminator": (torch.zeros(count, lgan.COORDINATES), *told)}

    def _told(self, batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Identity, pose and action units."""
        identity = batch["person"].long() if self.settings.identity == "known" else batch["code"]
        return identity, batch["pose"], batch["units"]


class ImageStage(AdamStage):
    """Training of flow, parts and image generator on two pictures of one person (sections III-A to III-D).

    A batch is `source` and `target`, pictures (B, 3, S, S) in [-1, 1], and `source_landmarks` and `landmarks`
    (B, 68, 2) of both in pixels. The target is also the driving picture.
    """

    averaged: tuple[str, ...] = ("generator",)

    def __init__(self, settings: ImageSettings) -> None:
        super().__init__(settings)
        self.settings = settings
        # L1 prefers what is blurred, and would never choose a step with the adversary.
        self.best = "perceptual" if settings.weight_perceptual else "l1"
        torch.manual_seed(settings.seed)
        self.generator = generator.Generator(settings)
        self.discriminator = generator.Discriminator(settings)
        self.networks: Mapping[str, nn.Module] = {
            "generator": self.generator,
            "discriminator": self.discriminator,
        }
        self._features: PerceptualFeatures | None = None

    def factor(self, name: str, epoch: float) -> float:
        """Constant, then straight down to zero; the paper gives none."""
        return constant_then_linear(epoch, self.settings.constant_epochs, self.settings.epochs)

    def step(self, batch: Mapping[str, Tensor], update: Update) -> None:
        """The discriminator on driving ('real') and made ('fake') pictures, then the generator; the flow alone
        where no term of pictures has a weight."""
        s, target, seen = self.settings, batch["target"], self._seen(batch)
        if not any(self.weights[name] for name in _OF_PICTURES):
            update("generator", self._of_flow(batch, *self.generator.flow(*seen[:2], *seen[3:])), self.weights)
            return
        made = self.generator.drawn(*seen)
        if s.weight_adversarial or s.weight_matching:
            real, fake = self.discriminator(target), self.discriminator(made.picture.detach())
            update("discriminator", {"adversarial_d": discriminator_loss(real, fake)}, {"adversarial_d": 1.0})
        update("generator", self._terms(batch, made), self.weights)

    @property
    def weights(self) -> dict[str, float]:
        """Of each term (section III-D)."""
        s = self.settings
        return {
            "l1": s.weight_l1,
            "parts": s.weight_parts,
            "adversarial_g": s.weight_adversarial,
            "matching": s.weight_matching,
            "perceptual": s.weight_perceptual,
            "landmarks": s.weight_landmarks,
            "flow": s.weight_flow,
        }

    def _terms(self, batch: Mapping[str, Tensor], made: Drawn) -> dict[str, Tensor]:
        s, target, result = self.settings, batch["target"], made.picture
        terms = {"l1": picture_l1(result, target)}
        if s.weight_parts and self.generator.parts is not None:
            truth = self.generator.parts.crops(target, centres(batch["landmarks"]))
            terms["parts"] = parts_l1(made.parts, truth)
        if s.weight_adversarial or s.weight_matching:
            maps, logits = self.discriminator.features(result)
            terms |= {"adversarial_g": generator_loss(logits)} if s.weight_adversarial else {}
            if s.weight_matching:
                with torch.no_grad():
                    real, _ = self.discriminator.features(target)
                terms["matching"] = feature_matching(real, maps)
        if s.weight_perceptual:
            some = max(1, round(s.perceptual_share * len(result)))  # which are as random as all of them
            terms["perceptual"] = self._perceptual(result[:some], target[:some])
        return terms | self._of_flow(batch, made.flow, made.source_points, made.driving_points)

    def _of_flow(
        self, batch: Mapping[str, Tensor], flow: Tensor | None, first: Tensor | None, second: Tensor | None
    ) -> dict[str, Tensor]:
        """What the flow and its extractor's points of both faces are told by the landmarks."""
        s, terms = self.settings, {}
        truths = batch["source_landmarks"], batch["landmarks"]
        if s.weight_landmarks and first is not None and second is not None:
            pairs = zip((first, second), (to_unit(truth, s.size) for truth in truths), strict=True)
            terms["landmarks"] = torch.stack([landmark_l1(one, truth) for one, truth in pairs]).mean()
        if s.weight_flow and flow is not None:
            terms["flow"] = flow_l1(flow, *truths)
        return terms

    def validate(self, batch: Mapping[str, Tensor], networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
        """L1, PSNR and perceptual distance against the true frame; the L1 of the source itself beside it."""
        made, truth = networks["generator"](*self._seen(batch)).float(), batch["target"]
        figures = picture_figures(made, truth, batch["source"])
        if self.settings.weight_perceptual:
            one = [self._perceptual(made[i : i + 1], truth[i : i + 1]) for i in range(len(made))]
            figures["perceptual"] = torch.stack(one)
        return figures

    def sheet(self, batch: Mapping[str, Tensor], networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
        """Source, heatmap, I_p, result, truth."""
        network, seen = networks["generator"], self._seen(batch)
        assert isinstance(network, generator.Generator)
        made = network.drawn(*seen)
        heatmap = (seen[2] * 2 - 1).expand(-1, 3, -1, -1)
        return {
            "source": batch["source"],
            "heatmap": heatmap,
            "parts": made.placed,
            "result": made.picture,
            "truth": batch["target"],
        }

    def examples(self, count: int) -> dict[str, tuple[Tensor, ...]]:
        """Pictures of zeros."""
        side = self.settings.size
        picture, points = torch.zeros(count, 3, side, side), torch.zeros(count, 68, 2)
        heatmap = torch.zeros(count, 1, side, side)
        return {"generator": (picture, picture, heatmap, points, points), "discriminator": (picture,)}

    def _seen(self, batch: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
        heatmap = spline_heatmap(batch["landmarks"].float(), self.settings.size)
        points = batch["source_landmarks"].float(), batch["landmarks"].float()
        return batch["source"], driving_input(batch["target"], heatmap, self.settings), heatmap, *points

    def _perceptual(self, result: Tensor, target: Tensor) -> Tensor:
        if self._features is None:
            self._features = open_features().to(result.device)
        return self._features.distance(result, target.detach())


def driving_input(picture: Tensor, heatmap: Tensor, settings: ImageSettings) -> Tensor:
    """What the flow's extractor sees of the driving face, (B, 3, S, S) in [-1, 1]."""
    return picture if settings.driving == "picture" else (heatmap * 2 - 1).expand(-1, 3, -1, -1)
