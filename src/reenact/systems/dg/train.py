"""DG's two stages: what a step is, in the paper's order, with its losses and weights.

Both go through the paper's two phases: two pictures of one person first, driving faces of other people later.
What a sample has no truth for, it adds nothing to: `known` says so.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from reenact.geometry.schemes import WEIGHTS
from reenact.losses.adversarial import discriminator_loss, generator_loss
from reenact.nn.draw import landmark_map
from reenact.nn.landmark_net import LandmarkNet, load_landmark_net
from reenact.nn.schedule import cosine
from reenact.systems.dg import idsg, losses, rfg
from reenact.systems.dg.face_code import FaceEncoder
from reenact.systems.dg.idsg import FLOOR, to_pixels, to_unit
from reenact.systems.dg.presets import IdsgSettings, RfgSettings
from reenact.systems.dg.rfg import drawn
from reenact.systems.spec import Update
from reenact.systems.stage import AdamStage, landmark_figures, picture_figures


class IdsgStage(AdamStage):
    """Training of the ID-preserving shape generator: equations (1) to (7). Its batch: `training/shapes.py`."""

    averaged: tuple[str, ...] = ("generator",)
    best = "ace_px"
    begin_with = 4096

    def __init__(self, settings: IdsgSettings) -> None:
        super().__init__(settings)
        self.settings = settings
        torch.manual_seed(settings.seed)
        self.generator = idsg.Generator(settings)
        self.discriminator = idsg.Discriminator(settings)
        self.classifier = idsg.Classifier(settings)
        self.networks: Mapping[str, nn.Module] = {
            "generator": self.generator,
            "discriminator": self.discriminator,
            "classifier": self.classifier,
        }
        if not settings.whiten:
            self.begin_with = 0

    def begin(self, batch: Mapping[str, Tensor]) -> None:
        """Learn the principal components of the driving faces."""
        if self.settings.whiten:
            landmarks = to_unit(batch["driving"], self.settings.side)
            self.generator.seen.whiten_by(landmarks, FLOOR)
            self.classifier.seen.whiten_by(landmarks, FLOOR)

    def factor(self, name: str, epoch: float) -> float:
        """The paper's rate is constant."""
        s = self.settings
        if s.schedule == "constant":
            return 1.0
        total = s.steps * s.batch / s.epoch_size if s.steps else s.epochs
        return cosine(epoch, total, warm=total / 50)

    def step(self, batch: Mapping[str, Tensor], update: Update) -> None:
        """D_l on real and made landmarks, C_l on real ones, then G_l on (7)."""
        s = self.settings
        driving, truth = to_unit(batch["driving"], s.side), to_unit(batch["target"], s.side)
        action = self.generator.action(driving)  # gamma
        target = self.generator.decode(action, batch["source_code"], driving)  # l_t
        reference = self.generator.decode(action, batch["driving_code"], driving)  # l_r, estimated
        if s.weight_adversarial:
            real, fake = self.discriminator(driving), self.discriminator(target.detach())
            # (2), to be minimised
            update("discriminator", {"adversarial_d": discriminator_loss(real, fake)}, {"adversarial_d": 1.0})
        if s.weight_subject:
            named = losses.subject_class(self.classifier(driving), batch["driving_person"])  # (5)
            update("classifier", {"subject_c": named}, {"subject_c": 1.0})
        terms: dict[str, Tensor] = {}
        if s.weight_adversarial:
            terms["adversarial_g"] = generator_loss(self.discriminator(target))  # (1)
        if s.weight_shape:
            terms["shape"] = self._shape(target, reference, driving, batch)  # (3)
        if s.weight_action:
            terms["action"] = losses.action_distance(self.generator.action(target), action)  # (4)
        if s.weight_subject:  # (5) of the target and the source's person
            terms["subject_g"] = losses.subject_class(self.classifier(target), batch["source_person"])
        if s.weight_localization:
            known = batch["known"]
            terms["localization"] = losses.localisation(target, truth, known, reference, driving)  # (6)
        weights = {
            "adversarial_g": s.weight_adversarial,
            "shape": s.weight_shape,
            "action": s.weight_action,
            "subject_g": s.weight_subject,
            "localization": s.weight_localization,
        }
        update("generator", terms, weights)  # (7)

    def _shape(self, target: Tensor, reference: Tensor, driving: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        s = self.settings
        apart = batch["source_person"] != batch["driving_person"]
        on = apart if s.shape_on == "others" else torch.ones_like(apart)
        return losses.visible_local_shape(
            target, reference, driving, batch["visible"], s.margins, form=s.shape_form, on=on.float()
        )

    def validate(self, batch: Mapping[str, Tensor], networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
        """ACE in crop pixels, of x and y; that of the driving face beside it."""
        flat = (self._convert(batch, networks), batch["target"], batch["driving"])
        return landmark_figures(*(points[..., :2] for points in flat))

    def sheet(self, batch: Mapping[str, Tensor], networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
        """Landmark maps: driving, target and result, and the last two laid over one another."""
        shapes = {name: batch[name] for name in ("driving", "target")}
        shapes["converted"] = self._convert(batch, networks)
        side = self.settings.side
        maps = {name: landmark_map(points.float(), side) * 2 - 1 for name, points in shapes.items()}
        both = torch.cat([maps["converted"], maps["target"], maps["target"]], 1)
        columns = {name: one.expand(-1, 3, -1, -1) for name, one in maps.items()}
        return {**columns, "converted (red) on target": both}

    def _convert(self, batch: Mapping[str, Tensor], networks: Mapping[str, nn.Module]) -> Tensor:
        """The generator's target landmarks (B, 68, 3) in crop pixels."""
        side = self.settings.side
        return to_pixels(networks["generator"](to_unit(batch["driving"], side), batch["source_code"]), side)

    def examples(self, count: int) -> dict[str, tuple[Tensor, ...]]:
        """Landmarks and face codes of zeros."""
        points = torch.zeros(count, idsg.COORDINATES)
        code = torch.zeros(count, self.settings.code_length)
        return {"generator": (points, code), "discriminator": (points,), "classifier": (points,)}


AIDED = ("weight_adversarial", "weight_shape_adversarial", "weight_identity", "weight_style", "weight_landmark")
"""The weights of (15) that are 0 before the epoch `aided_from`."""


class RfgStage(AdamStage):
    """Training of the reenacted face generator: equations (8) to (15). Its batch: `training/phases.py`."""

    averaged: tuple[str, ...] = ("generator",)
    best = ""  # the last: what comes late, the judges and other people's faces, is not for the sake of (11)

    def __init__(self, settings: RfgSettings) -> None:
        super().__init__(settings)
        self.settings = settings
        torch.manual_seed(settings.seed)
        self.generator = rfg.Generator(settings)
        self.face = rfg.Discriminator(3, settings)  # D_f
        self.shape = rfg.Discriminator(1, settings)  # D_s
        self.networks: Mapping[str, nn.Module] = {
            "generator": self.generator,
            "face_discriminator": self.face,
            "shape_discriminator": self.shape,
        }
        self._detector: LandmarkNet | None = None
        self._encoder: FaceEncoder | None = None
        self._early = settings.with_values(dict.fromkeys(AIDED, 0.0))
        self._now = self._early if settings.aided_from > 0 else settings

    def factor(self, name: str, epoch: float) -> float:
        """The paper's rate is constant. Asked before each step, which so knows the losses of its epoch."""
        s = self.settings
        self._now = self._early if epoch < s.aided_from else s
        return 1.0 if s.schedule == "constant" else cosine(epoch, s.epochs, warm=s.epochs / 50)

    def step(self, batch: Mapping[str, Tensor], update: Update) -> None:
        """D_f on true and made pictures, D_s on the landmarks found on both, then G_f and E_s on (15)."""
        s = self._now
        source, target = batch["source"], batch["target"]
        points = batch["landmarks"] if "landmarks" in batch else in_68(batch["points"])
        style = self.generator.style(source)  # s_s
        result = self.generator.transformer(drawn(points, s), style)
        if s.weight_adversarial:
            real, fake = self.face(target), self.face(result.detach())
            # (9), to be minimised
            update("face_discriminator", {"face_d": discriminator_loss(real, fake)}, {"face_d": 1.0})
        found = self._found(result) if s.weight_landmark or s.weight_shape_adversarial else points
        if s.weight_shape_adversarial:
            with torch.no_grad():
                true = drawn(self._found(target), s, soft=True)
            made = drawn(found, s, soft=True)
            real, fake = self.shape(true), self.shape(made.detach())
            # (10), to be minimised
            update("shape_discriminator", {"shape_d": discriminator_loss(real, fake)}, {"shape_d": 1.0})
        terms: dict[str, Tensor] = {}
        if s.weight_adversarial:
            terms["face_g"] = generator_loss(self.face(result))  # (8)
        if s.weight_shape_adversarial:
            terms["shape_g"] = generator_loss(self.shape(made))  # the term that (15) lacks
        if s.weight_attribute:
            terms["attribute"] = losses.attribute(result, target, batch["known"])  # (11)
        if s.weight_identity:
            terms["identity"] = self._identity(result, batch)  # (12)
        if s.weight_style:
            terms["style"] = losses.style_consistency(self.generator.style(result), style)  # (13)
        if s.weight_landmark:
            terms["landmark"] = losses.landmark(found, points, s.size)  # (14)
        weights = {
            "face_g": s.weight_adversarial,
            "shape_g": s.weight_shape_adversarial,
            "attribute": s.weight_attribute,
            "identity": s.weight_identity,
            "style": s.weight_style,
            "landmark": s.weight_landmark,
        }
        update("generator", terms, weights)  # (15)

    def _found(self, pictures: Tensor) -> Tensor:
        """F_l: (B, 68, 3) points found on pictures, in their pixels."""
        if self._detector is None:
            self._detector = load_landmark_net().to(pictures.device)
        return self._detector.landmarks68(pictures)[0]

    def _identity(self, result: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        """(12). The result's face is cut out where its landmarks were asked for."""
        if self._encoder is None:
            self._encoder = FaceEncoder().to(result.device)
        with torch.no_grad():
            own = self._encoder(batch["source"], list(batch["source_points"].cpu().numpy()))
        return losses.identity(self._encoder(result, list(batch["points"].cpu().numpy())), own)

    def validate(self, batch: Mapping[str, Tensor], networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
        """L1 and PSNR against the true frame; the L1 of the source itself beside it."""
        result = networks["generator"](drawn(in_68(batch["points"]), self.settings), batch["source"])
        return picture_figures(result, batch["target"], batch["source"])

    def sheet(self, batch: Mapping[str, Tensor], networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
        """Source, landmark map, result, truth; and, driven by somebody else, figure 2: the driving face, the
        picture along its own landmarks and along those carried over to the source."""
        generator, source = networks["generator"], batch["source"]
        landmarks = drawn(in_68(batch["points"]), self.settings)
        columns = {"source": source, "landmarks": landmarks.expand(-1, 3, -1, -1)}
        columns |= {"result": generator(landmarks, source), "truth": batch["target"]}
        if "driving" in batch:
            columns["driving"] = batch["driving"]
            for name, title in (("driving_points", "its landmarks"), ("driven_points", "carried over")):
                columns[title] = generator(drawn(in_68(batch[name]), self.settings), source)
        return columns

    def examples(self, count: int) -> dict[str, tuple[Tensor, ...]]:
        """Pictures and maps of zeros."""
        picture = torch.zeros(count, 3, self.settings.size, self.settings.size)
        landmarks = picture[:, :1]
        return {
            "generator": (landmarks, picture),
            "face_discriminator": (picture,),
            "shape_discriminator": (landmarks,),
        }


def in_68(points: Tensor) -> Tensor:
    """The mesh (B, 478, 3) as (B, 68, 3) iBUG points."""
    return torch.from_numpy(WEIGHTS["ibug68"]).to(points) @ points
