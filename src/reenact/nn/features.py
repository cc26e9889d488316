"""Features in which pictures of faces are compared: VGG-16's, or those of our own two nets where it is absent.

The two are never mixed up: a value computed here carries `name`, and goes into tables under it.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from reenact.nn.identity_net import load_identity_net
from reenact.nn.landmark_net import load_landmark_net
from reenact.nn.vgg import load_vgg16
from reenact.runtime.weights import PUBLISHED, fetched

Choice = Literal["auto", "vgg16", "own"]


class PerceptualFeatures(nn.Module):
    """Face crops (B, 3, H, W) RGB in [-1, 1] to named feature maps, differentiable, the weights fixed.

    name: 'VGG-16' or 'landmark and identity nets'.
    """

    name: str

    def distance(self, one: Tensor, other: Tensor) -> Tensor:
        """Mean over the layers of the mean absolute difference, each over the mean size of `other`'s map."""
        ours, theirs = self(one), self(other)
        parts = [
            (ours[name] - theirs[name]).abs().mean() / (theirs[name].abs().mean().detach() + 1e-6)
            for name in ours
        ]
        return sum(parts[1:], parts[0]) / len(parts)


class VggFeatures(PerceptualFeatures):
    """relu1_2, relu2_2, relu3_3 and relu4_3 of VGG-16."""

    name = "VGG-16"

    def __init__(self) -> None:
        super().__init__()
        self.net = load_vgg16()

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        return self.net(images)


class OwnFeatures(PerceptualFeatures):
    """Three stages of the identity net's trunk at the crop's own size, all four of the landmark net at its.

    The trunk is dlib's and has seen millions of faces, of about the size that they have in a crop of 256
    pixels: it reads texture. The landmark net's maps tell where the features of the face are.
    """

    name = "landmark and identity nets"

    def __init__(self) -> None:
        super().__init__()
        self.identity, self.landmarks = load_identity_net(), load_landmark_net()

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        fine = self.identity.features(images)
        coarse = self.landmarks.features(images)
        maps = {f"identity{i + 1}": x for i, x in enumerate(fine)}
        return maps | {f"landmarks{i + 1}": x for i, x in enumerate(coarse)}


def open_features(choice: Choice = "auto") -> PerceptualFeatures:
    """VGG-16 where its weights were fetched, else our nets; say `name` to the user.

    choice: 'vgg16' and 'own' insist. Raises ReenactError where the one asked for is not there.
    """
    if choice == "auto":
        choice = "own" if fetched(PUBLISHED["vgg16"]) is None else "vgg16"
    return VggFeatures() if choice == "vgg16" else OwnFeatures()


def perceptual_features(images: Tensor, features: PerceptualFeatures | None = None) -> dict[str, Tensor]:
    """The maps of `features`, or of `open_features()`, for face crops (B, 3, H, W) RGB in [-1, 1]."""
    return (open_features() if features is None else features)(images)
