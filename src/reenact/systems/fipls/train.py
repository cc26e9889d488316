"""FIPLS' two stages: what a step is, in the paper's order, with its losses and weights."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import torch
from torch import Tensor, nn

from reenact.losses.adversarial import discriminator_loss, generator_loss
from reenact.nn.draw import sketch_map
from reenact.nn.features import PerceptualFeatures, open_features
from reenact.nn.identity_net import IdentityNet, chips, load_identity_net
from reenact.nn.landmark_net import LandmarkNet, load_landmark_net
from reenact.nn.schedule import constant_then_linear
from reenact.systems.fipls import losses, lsg, pix2pixhd
from reenact.systems.fipls.lsg import FLOOR, to_pixels, to_unit, upsample
from reenact.systems.fipls.pix2pixhd import sketches
from reenact.systems.fipls.presets import LsgSettings, ReenactmentSettings
from reenact.systems.spec import Update
from reenact.systems.stage import AdamStage, picture_figures


class _Schedule(AdamStage):
    """'45 epochs and reduce the learning rate linearly to zero after 30 epochs', for all networks."""

    def __init__(self, settings: LsgSettings | ReenactmentSettings) -> None:
        super().__init__(settings)
        self._constant, self._epochs = settings.constant_epochs, settings.epochs

    def factor(self, name: str, epoch: float) -> float:
        """The rate's factor after so many epochs."""
        return constant_then_linear(epoch, self._constant, self._epochs)


class LsgStage(_Schedule):
    """Training of the landmark sequence generator: equations (1) to (4).

    A batch is `ends` (B, 2, 98, 2), two faces of one person as they come in; `truth` (B, K, 98, 2), the way
    between them; `real` (B, 2, 98, 2), two other faces of the person; `other` (B, 98, 2), a face of somebody
    else; all in pixels of the crop; and `person` (B,), the label.
    """

    averaged: tuple[str, ...] = ("generator",)
    best = "ace_px"
    begin_with = 2048

    def __init__(self, settings: LsgSettings) -> None:
        super().__init__(settings)
        self.settings = settings
        torch.manual_seed(settings.seed)
        self.generator = lsg.SequenceGenerator(settings)
        self.real = lsg.FrameDiscriminator(settings)  # D_1
        self.same = lsg.PairDiscriminator(settings)  # D_2
        self.output_label = lsg.OutputClassifier(settings)  # S_1
        self.hidden_label = lsg.HiddenClassifier(settings)  # S_2
        self.networks: Mapping[str, nn.Module] = {
            "generator": self.generator,
            "real": self.real,
            "same": self.same,
            "output_label": self.output_label,
            "hidden_label": self.hidden_label,
        }

    def begin(self, batch: Mapping[str, Tensor]) -> None:
        """Learn the principal components of real faces."""
        if self.settings.whiten:
            faces = to_unit(batch["real"], self.settings.side).flatten(0, 1)
            self.generator.view.whiten_by(faces, FLOOR / 128)
            # What a judge sees too finely it finds at once, and then says in one direction, loudly.
            for judge in (self.real, self.same, self.output_label):
                judge.view.whiten_by(faces, self.settings.judge_floor / 128)

    def rate(self, name: str) -> float:
        """G_l's, or that of its judges."""
        return (self.settings.judge_rate if name != "generator" else 0.0) or super().rate(name)

    def step(self, batch: Mapping[str, Tensor], update: Update) -> None:
        """D_1, D_2, S_1 and S_2 on real and made landmarks, then G_l on (2)."""
        s = self.settings
        ends, real, other = (to_unit(batch[name], s.side) for name in ("ends", "real", "other"))
        made, hidden = self.generator(ends)  # (1)
        each = made.flatten(0, 1)
        self._judges_learn(ends, real, other, made.detach(), hidden.detach(), batch["person"], update)
        terms = {}
        if s.weight_shift:
            terms["shift"] = (made - upsample(ends, s.frames)).square().mean()
        if s.weight_real:
            terms["real_g"] = generator_loss(self.real(each))
        if s.weight_same:
            terms["same_g"] = generator_loss(self.same(*_with_input(ends, made)))
        if s.weight_output_label:
            logits = self.output_label(each)
            terms["output_label_g"] = losses.labels_of_outputs(logits, batch["person"], s.frames)  # (4)
        if s.weight_hidden_label:
            terms["hidden_label_g"] = losses.label_of_hidden(self.hidden_label(hidden), batch["person"])  # (3)
        if s.weight_truth:
            terms["truth"] = (made - to_unit(batch["truth"], s.side)).abs().mean()
        weights = {
            "real_g": s.weight_real,
            "same_g": s.weight_same,
            "output_label_g": s.weight_output_label,
            "hidden_label_g": s.weight_hidden_label,
            "shift": s.weight_shift,
            "truth": s.weight_truth,
        }
        update("generator", terms, weights)  # (2)

    def _judges_learn(
        self,
        ends: Tensor,
        real: Tensor,
        other: Tensor,
        made: Tensor,
        hidden: Tensor,
        person: Tensor,
        update: Update,
    ) -> None:
        s, faces = self.settings, real.flatten(0, 1)
        if s.weight_real:
            loss = discriminator_loss(self.real(faces), self.real(made.flatten(0, 1)))
            update("real", {"real_d": loss}, {"real_d": 1.0})
        if s.weight_same:
            same, different = self.same(real[:, 0], real[:, 1]), self.same(real[:, 0], other)
            loss = losses.pair_discriminator_loss(same, different, self.same(*_with_input(ends, made)))
            update("same", {"same_d": loss}, {"same_d": 1.0})
        if s.weight_output_label:
            loss = losses.labels_of_outputs(self.output_label(faces), person, 2)
            update("output_label", {"output_label_d": loss}, {"output_label_d": 1.0})
        if s.weight_hidden_label:
            loss = losses.label_of_hidden(self.hidden_label(hidden), person)
            update("hidden_label", {"hidden_label_d": loss}, {"hidden_label_d": 1.0})

    def validate(self, batch: Mapping[str, Tensor], networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
        """Mean absolute error of a coordinate over all frames in crop pixels, and beside it that of linear
        interpolation (LI); the largest second difference in time of a point, which is smoothness."""
        made, line = self._sequences(batch, networks)
        truth = batch["truth"]
        bend = (made[:, 2:] - 2 * made[:, 1:-1] + made[:, :-2]).norm(dim=-1)
        return {
            "ace_px": (made - truth).abs().mean((1, 2, 3)),
            "ace_px_li": (line - truth).abs().mean((1, 2, 3)),
            "bend_px": bend.amax((1, 2)),
        }

    def sheet(self, batch: Mapping[str, Tensor], networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
        """Sketches of both ends, and of the middle frame by LI, by LSG and in truth."""
        made, line = self._sequences(batch, networks)
        middle = self.settings.frames // 2
        shapes = {
            "first": batch["ends"][:, 0],
            "last": batch["ends"][:, 1],
            "LI": line[:, middle],
            "LSG": made[:, middle],
            "truth": batch["truth"][:, middle],
        }
        drawn = {name: sketch_map(points.float(), self.settings.side)[:, :1] for name, points in shapes.items()}
        columns = {name: picture.expand(-1, 3, -1, -1) * 2 - 1 for name, picture in drawn.items()}
        over = torch.cat([drawn["LSG"], drawn["truth"], drawn["truth"]], 1) * 2 - 1
        return {**columns, "LSG (red) on truth": over}

    def _sequences(
        self, batch: Mapping[str, Tensor], networks: Mapping[str, nn.Module]
    ) -> tuple[Tensor, Tensor]:
        """G_l's frames and those of LI, each (B, K, 98, 2) in crop pixels."""
        side = self.settings.side
        ends = to_unit(batch["ends"], side)
        made, _ = networks["generator"](ends)
        return to_pixels(made, side), to_pixels(upsample(ends, self.settings.frames), side)

    def examples(self, count: int) -> dict[str, tuple[Tensor, ...]]:
        """Landmarks of zeros."""
        face = torch.zeros(count, lsg.COORDINATES)
        hidden = torch.zeros(count, self.settings.frames, 2 * self.settings.hidden)
        return {
            "generator": (torch.zeros(count, 2, lsg.COORDINATES),),
            "real": (face,),
            "same": (face, face),
            "output_label": (face,),
            "hidden_label": (hidden,),
        }


def _with_input(ends: Tensor, made: Tensor) -> tuple[Tensor, Tensor]:
    """Each made frame (B * K, 196) beside the nearer of the two inputs: 'the input and output belong to the
    same id'."""
    frames = made.shape[1]
    nearer = (torch.arange(frames, device=made.device) * 2 >= frames).long()
    return ends[:, nearer].flatten(0, 1), made.flatten(0, 1)


class ReenactmentStage(_Schedule):
    """Training of the image generator on two pictures of one person: equations (5) to (8).

    A batch is `source` and `target`, pictures (B, 3, H, W) in [-1, 1]; `mask`, the same form, 1 on the target's
    face; `landmarks` (B, 98, 2) of the target; `points` and `source_points` (B, 478, 2), the meshes of both,
    where the identity is read. All points are in pixels.
    """

    averaged: tuple[str, ...] = ("generator",)
    best = ""  # the last: by L1 a generator that lays the source over all it draws is the best

    def __init__(self, settings: ReenactmentSettings) -> None:
        super().__init__(settings)
        self.settings = settings
        torch.manual_seed(settings.seed)
        self.generator = pix2pixhd.Generator(settings)
        self.discriminators = pix2pixhd.Discriminators(settings)
        self.networks: Mapping[str, nn.Module] = {
            "generator": self.generator,
            "discriminators": self.discriminators,
        }

    def rate(self, name: str) -> float:
        """G's, or that of D_1 ... D_n."""
        return (self.settings.critic_rate if name == "discriminators" else 0.0) or super().rate(name)

    def step(self, batch: Mapping[str, Tensor], update: Update) -> None:
        """The discriminators on true and made pictures, then G on the sum of (5) to (8)."""
        s = self.settings
        source, target, sketch = batch["source"], batch["target"], sketches(batch["landmarks"], s)
        result, drawn = self.generator.pictures(source, sketch)
        terms: dict[str, Tensor] = {}
        if s.weight_adversarial or s.weight_features:
            real = self.discriminators(source, sketch, target)
            fake = self.discriminators(source, sketch, result.detach())
            loss = losses.discriminators_loss(_logits(real), _logits(fake), s.gan)
            update("discriminators", {"adversarial_d": loss}, {"adversarial_d": 1.0})  # (5)
            fake = self.discriminators(source, sketch, result)
            if s.weight_adversarial:
                terms["adversarial_g"] = losses.generator_loss(_logits(fake), s.gan)  # (5)
            if s.weight_features:
                terms["features"] = losses.feature_matching(*(_features(found) for found in (real, fake)))
        terms |= self._compared(batch, result.float())
        if s.weight_drawn:
            terms["drawn"] = (drawn - target).abs().mean()
        weights = {
            "adversarial_g": s.weight_adversarial,
            "features": s.weight_features,
            "identity": s.weight_identity,
            "mask": s.weight_mask,
            "boundary": s.weight_boundary,
            "perceptual": s.weight_perceptual,
            "pixels": s.weight_pixels,
            "drawn": s.weight_drawn,
        }
        update("generator", terms, weights)

    def _compared(self, batch: Mapping[str, Tensor], result: Tensor) -> dict[str, Tensor]:
        """The losses that hold the result against the source or the true picture."""
        s, target = self.settings, batch["target"]
        terms = {}
        if s.weight_mask:
            terms["mask"] = losses.mask_loss(result, target, (batch["mask"][:, :1] + 1) / 2)  # (7)
        if s.weight_pixels:
            terms["pixels"] = (result - target).abs().mean()
        if s.judged:
            result, batch = result[: s.judged], {name: value[: s.judged] for name, value in batch.items()}
        return terms | self._judged(batch, result)

    def _judged(self, batch: Mapping[str, Tensor], result: Tensor) -> dict[str, Tensor]:
        """The losses that fixed networks take part in."""
        s, terms = self.settings, {}
        if s.weight_identity:
            terms["identity"] = losses.identity_loss(*self._identities(batch, result))  # (6)
        if s.weight_boundary:
            terms["boundary"] = losses.boundary_loss(*self._landmarks98(batch, result))  # (8)
        if s.weight_perceptual:
            terms["perceptual"] = self._perceptual.distance(result, batch["target"])
        return terms

    def _identities(self, batch: Mapping[str, Tensor], result: Tensor) -> tuple[Tensor, Tensor]:
        """theta of the result and of the source, each (B, D)."""
        made = self._identity(chips(result, batch["points"].float().cpu().numpy()))
        with torch.no_grad():
            own = self._identity(chips(batch["source"], batch["source_points"].float().cpu().numpy()))
        return made, own

    def _landmarks98(self, batch: Mapping[str, Tensor], result: Tensor) -> tuple[Tensor, Tensor]:
        """eta of the result and of the true picture, each (B, 98, 2) in pixels of a 256 px crop."""
        zoom = 256 / self.settings.size
        with torch.no_grad():
            truth = self._landmarks.landmarks98(batch["target"])
        return zoom * self._landmarks.landmarks98(result).float(), zoom * truth.float()

    def validate(self, batch: Mapping[str, Tensor], networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
        """L1 and PSNR against the true frame, L1 on its face; the L1s of the source itself beside them. Of the
        losses' own nets: the cosine of (6), result and source, and landmarks in pixels as in (8)."""
        s, target = self.settings, batch["target"]
        result = networks["generator"](batch["source"], sketches(batch["landmarks"], s)).float()
        figures = picture_figures(result, target, batch["source"])
        mask = (batch["mask"][:, :1] + 1) / 2
        for name, picture in (("face_l1", result), ("face_l1_copy", batch["source"])):
            pairs = zip(picture, target, mask, strict=True)
            figures[name] = torch.stack([losses.mask_loss(a[None], b[None], m[None]) for a, b, m in pairs])
        if s.weight_identity:
            made, own = self._identities(batch, result)
            figures["identity"] = torch.cosine_similarity(made, own, dim=1)
        if s.weight_boundary:
            made, truth = self._landmarks98(batch, result)
            figures["landmarks_px"] = (made - truth).norm(dim=-1).mean(1)
        return figures

    def sheet(self, batch: Mapping[str, Tensor], networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
        """Source, sketch, result, truth: figure 6's columns."""
        sketch = sketches(batch["landmarks"], self.settings)
        result = networks["generator"](batch["source"], sketch)
        return {"source": batch["source"], "sketch": sketch, "result": result, "truth": batch["target"]}

    def examples(self, count: int) -> dict[str, tuple[Tensor, ...]]:
        """Pictures of zeros."""
        picture = torch.zeros(count, 3, self.settings.size, self.settings.size)
        return {"generator": (picture, picture), "discriminators": (picture, picture, picture)}

    @property
    def _device(self) -> torch.device:
        return next(self.generator.parameters()).device

    @cached_property
    def _identity(self) -> IdentityNet:
        """theta. differs from paper: our own net in place of ArcFace."""
        return load_identity_net().to(self._device)

    @cached_property
    def _landmarks(self) -> LandmarkNet:
        """eta. differs from paper: our own net in place of HRNet trained on WFLW."""
        return load_landmark_net().to(self._device)

    @cached_property
    def _perceptual(self) -> PerceptualFeatures:
        return open_features().to(self._device)


def _logits(found: list[list[Tensor]]) -> list[Tensor]:
    return [scale[-1] for scale in found]


def _features(found: list[list[Tensor]]) -> list[list[Tensor]]:
    return [scale[:-1] for scale in found]
