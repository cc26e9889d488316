"""How `live` learns: one step, its losses, and what is looked at."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Adam, Optimizer

from reenact.losses.adversarial import discriminator_loss, generator_loss
from reenact.nn.blocks import PatchDiscriminator
from reenact.nn.features import PerceptualFeatures, open_features
from reenact.systems.live.losses import (
    Likeness,
    dissimilarity,
    inconstancy,
    pixel_weights,
    pyramid_l1,
    weighted_l1,
)
from reenact.systems.live.network import LiveNet, OnceAFrame, OnceASource, composed
from reenact.systems.live.presets import LiveSettings
from reenact.systems.live.shape import MAPS
from reenact.systems.spec import Update


@dataclass(frozen=True)
class Window:
    """A part of the face that a discriminator looks at: (height, width) pixels of the crop of 256 around the
    middle of the area that `maps` (numbers of shape maps) show together."""

    height: int
    width: int
    maps: tuple[int, ...]

    def cut(self, pictures: Tensor, maps: Tensor) -> Tensor:
        """(B, 3 + M, height, width): the part of pictures (B, 3, 256, 256), and its shape maps."""
        chosen = functional.interpolate(maps[:, list(self.maps)], scale_factor=2.0, mode="nearest")
        whole = torch.cat([pictures, chosen * 2 - 1], 1)
        area = chosen.amax(1) + 1e-6
        rows, columns = area.sum(2), area.sum(1)
        at = torch.arange(256, dtype=area.dtype, device=area.device)
        y, x = ((values * at).sum(1) / values.sum(1) for values in (rows, columns))
        tops = (y - self.height / 2).round().long().clamp(0, 256 - self.height).tolist()
        lefts = (x - self.width / 2).round().long().clamp(0, 256 - self.width).tolist()
        return torch.stack(
            [
                one[:, top : top + self.height, left : left + self.width]
                for one, top, left in zip(whole, tops, lefts, strict=True)
            ]
        )


PARTS = {
    "eyes": Window(40, 112, (MAPS.index("eyes"), MAPS.index("irises"))),
    "mouth": Window(64, 80, (MAPS.index("lips"), MAPS.index("mouth"))),
}
"""What is judged, by the discriminator's name."""
_LIKENESS = ("landmarks", "identity")


def _judge(part: str) -> PatchDiscriminator:
    return PatchDiscriminator(3 + len(PARTS[part].maps), width=32, halvings=2)


def layers_of(judge: nn.Module, pictures: Tensor) -> list[Tensor]:
    """What a patch discriminator's activations are, layer by layer, the logits last."""
    found = []
    x = pictures
    for layer in judge.layers:  # type: ignore[union-attr]
        x = layer(x)
        if isinstance(layer, nn.LeakyReLU):
            found.append(x)
    return [*found, x]


class LiveStage:
    """Training on warps beside true pictures; a batch is what `reenact.training.warps.WarpSource` loads."""

    averaged: tuple[str, ...] = ("live",)
    best = ""  # the last: no figure here sees what the discriminators add
    begin_with = 0

    def __init__(self, settings: LiveSettings) -> None:
        self.settings = settings
        torch.manual_seed(settings.seed)
        self.live = LiveNet(settings)
        networks: dict[str, nn.Module] = {"live": self.live}
        if settings.weight_adversarial:
            networks |= {part: _judge(part) for part in PARTS}
        self.networks: Mapping[str, nn.Module] = networks
        self._features: PerceptualFeatures | None = None
        self._likeness: Likeness | None = None

    def begin(self, batch: Mapping[str, Tensor]) -> None:
        """Nothing is taken from the data."""

    def optimiser(self, name: str) -> Optimizer:
        """Adam."""
        s = self.settings
        if name == "live":
            return Adam(self.live.parameters(), s.rate, (0.9, 0.99), fused=True)
        return Adam(self.networks[name].parameters(), s.rate_discriminator, (0.5, 0.99), fused=True)

    def factor(self, name: str, epoch: float) -> float:
        """Half a cosine, after a short rise."""
        done = min(epoch / self.settings.epochs, 1.0)
        return min(done / 0.02 + 0.05, 1.0) * (0.5 + 0.5 * math.cos(math.pi * done))

    def step(self, batch: Mapping[str, Tensor], update: Update) -> None:
        """The discriminator on true and made pictures where there is one, then the network."""
        s, target, maps = self.settings, batch["target"].contiguous(), _unit(batch["maps"]).contiguous()
        made, again, layer = (x.contiguous() for x in self.picture(batch, self.live))
        weight = pixel_weights(maps, s.face, s.features)
        terms = {
            "l1": weighted_l1(made, target, weight),
            "pyramid": pyramid_l1(made, target, weight),
            "ssim": dissimilarity(functional.avg_pool2d(made, 2), functional.avg_pool2d(target, 2)),
            "warped": weighted_l1(again, target, weight),
            "keep": ((1 - layer[:, 3:]) / weight).mean(),
        }
        if s.weight_perceptual:
            terms["perceptual"] = self._perceptual(made, target)
        if s.weight_temporal:
            terms["temporal"] = inconstancy(made, target, batch["followed"]).mean()
        if alike := [name for name in _LIKENESS if getattr(s, f"weight_{name}")]:
            found = self._alike(made, target, *alike)
            terms |= {name: value.mean() for name, value in found.items()}
        if s.weight_adversarial:
            terms |= self._adversary(made, target, maps, update)
        update("live", terms, {name: getattr(s, f"weight_{name}") for name in terms})

    def picture(self, batch: Mapping[str, Tensor], network: nn.Module) -> tuple[Tensor, Tensor, Tensor]:
        """The frames (B, 3, 256, 256), the warps after the residual flow, and the layers laid over them."""
        # Planes, not pixels, are what losses and samplers are fast on.
        warp = batch["warp"].contiguous()
        flow = batch["flow"].permute(0, 3, 1, 2)
        residual, layer = network(
            batch["source"], _unit(batch["source_maps"]), warp, _unit(batch["maps"]), flow
        )
        made, again = composed(warp, residual, layer)
        return made, again, layer

    def validate(self, batch: Mapping[str, Tensor], networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
        """L1 in [0, 1], of the face, and of eyes and mouth; PSNR in dB; 1 - SSIM; the distance of our own nets'
        features, and what these nets say of landmarks and identity; how much the error changes between
        neighbouring moments, in [0, 1]. The warp's own beside each."""
        target, maps = batch["target"], _unit(batch["maps"])
        made = self.picture(batch, networks["live"])[0].float()
        zeros = torch.zeros_like(maps)
        face = pixel_weights(torch.cat([zeros[:, :5], maps[:, 5:]], 1), 1, 0) - 1
        features = pixel_weights(maps, 0, 1) - 1
        figures = {}
        for name, picture in (("", made), ("_warp", batch["warp"].contiguous())):
            difference = (picture - target).abs().mean(1, keepdim=True) / 2
            figures[f"l1{name}"] = difference.mean((1, 2, 3))
            figures[f"face_l1{name}"] = _mean_within(difference, face)
            figures[f"features_l1{name}"] = _mean_within(difference, features)
            square = ((picture - target) / 2).square().mean((1, 2, 3))
            figures[f"psnr{name}"] = -10 * square.clamp(min=1e-10).log10()
            pairs = [(picture[n : n + 1], target[n : n + 1]) for n in range(len(target))]
            figures[f"dssim{name}"] = torch.stack([dissimilarity(a, b.contiguous()) for a, b in pairs])
            figures[f"perceptual{name}"] = torch.stack([self._perceptual(a, b) for a, b in pairs])
            figures |= {
                f"{one}{name}": value for one, value in self._alike(picture, target, *_LIKENESS).items()
            }
            figures[f"flicker{name}"] = _of_pairs(picture, target, batch["followed"])
        return figures

    def sheet(self, batch: Mapping[str, Tensor], networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
        """Source, warp, how much of it stays, result, truth."""
        made, _, layer = self.picture(batch, networks["live"])
        keep = (layer[:, 3:] * 2 - 1).expand(-1, 3, -1, -1)
        return {
            "source": batch["source"],
            "warp": batch["warp"],
            "kept": keep,
            "result": made,
            "truth": batch["target"],
        }

    def examples(self, count: int) -> dict[str, tuple[Tensor, ...]]:
        """Zeros."""
        picture, maps = torch.zeros(count, 3, 256, 256), torch.zeros(count, 6, 128, 128)
        source_maps, flow = torch.zeros(count, 7, 128, 128), torch.zeros(count, 2, 64, 64)
        inputs: dict[str, tuple[Tensor, ...]] = {"live": (picture, source_maps, picture, maps, flow)}
        for part, window in PARTS.items():
            if part in self.networks:
                inputs[part] = (torch.zeros(count, 3 + len(window.maps), window.height, window.width),)
        return inputs

    def parts(self) -> dict[str, tuple[nn.Module, tuple[Tensor, ...]]]:
        """The two halves as they are exported (`reenact.training.export.InParts`)."""
        picture, source_maps, warp, maps, flow = self.examples(1)["live"]
        source, frame = OnceASource(self.live).eval(), OnceAFrame(self.live).eval()
        with torch.no_grad():
            features = source(picture, source_maps)
        return {
            "source": (source, (picture, source_maps)),
            "frame": (frame, (warp, maps, flow, *features)),
        }

    def _perceptual(self, made: Tensor, target: Tensor) -> Tensor:
        if self._features is None:
            self._features = open_features().to(made.device)
        return self._features.distance(made, target)

    def _alike(self, made: Tensor, target: Tensor, *wanted: str) -> Mapping[str, Tensor]:
        if self._likeness is None:
            self._likeness = Likeness().to(made.device)
        return self._likeness(made, target, *wanted)

    def _adversary(self, made: Tensor, target: Tensor, maps: Tensor, update: Update) -> dict[str, Tensor]:
        """A discriminator for the eyes and one for the mouth, each beside the shape that was asked for."""
        adversarial, matching = [], []
        for part, window in PARTS.items():
            judge = self.networks[part]
            real, fake = (window.cut(picture, maps) for picture in (target, made))
            answers = [layers_of(judge, x)[-1] for x in (real, fake.detach())]
            loss = {f"{part}_d": discriminator_loss(*answers)}
            update(part, loss, dict.fromkeys(loss, 1.0))
            with torch.no_grad():
                wanted = layers_of(judge, real)
            found = layers_of(judge, fake)
            adversarial.append(generator_loss(found[-1]))
            matching += [(x - y).abs().mean() for x, y in zip(found[:-1], wanted[:-1], strict=True)]
        return {
            "adversarial": torch.stack(adversarial).mean(),
            "matching": torch.stack(matching).mean(),
        }


def _of_pairs(made: Tensor, truth: Tensor, followed: Tensor) -> Tensor:
    """(B,): the mean `inconstancy` of the pairs, in [0, 1], for each sample, since figures are means."""
    mean = inconstancy(made, truth, followed).sum() / 2 / followed.sum().clamp(min=1)
    return mean.expand(len(made))


def _mean_within(values: Tensor, weight: Tensor) -> Tensor:
    """(B,): the mean of values (B, 1, H, W), weighted."""
    return (values * weight).sum((1, 2, 3)) / weight.sum((1, 2, 3)).clamp(min=1e-6)


def _unit(maps: Tensor) -> Tensor:
    """Maps that were uint8, from [-1, 1] back to [0, 1]."""
    return maps * 0.5 + 0.5
