"""GLG's hyper-parameters as a table: `paper` is sections III and IV; `small` and `tiny` are ours.

A value that the paper does not print is marked 'not in the paper'. Each loss is switched off by a weight of 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from reenact.systems.spec import Settings

Identity = Literal["known", "face", "shape"]


@dataclass(frozen=True, kw_only=True)
class LganSettings(Settings):
    """Of the landmark conditional GAN (section III-B-2, figure 5).

    identity: what stands for the source: 'known', the number of a person of the training set (the paper);
    'face', an embedding of a face recognition network (its future work); 'shape', the morphable model's
    identity coefficients (ours). people: how many are known. code: length of what 'face' and 'shape' give.
    strengths: sum the embeddings of the action units that are present (the paper), or all of them, each by its
    intensity in [0, 1]. width: of each of the three embeddings. layers: widths of the generator's hidden
    layers; the discriminator mirrors them. side: of the crop in pixels; landmarks are pixels / (side / 2) - 1
    in all losses. rate falls on half a cosine. epoch_size: synthetic faces an epoch.
    """

    identity: Identity = "known"
    people: int = 1251  # VoxCeleb1's
    code: int = 32
    strengths: Literal["presence", "intensity"] = "presence"
    width: int = 128  # not in the paper
    layers: tuple[int, ...] = (256, 512, 512)  # not in the paper
    slope: float = 0.2  # of LeakyReLU; not in the paper
    side: int = 256
    weight_adversarial: float = 1.0  # not in the paper
    weight_l1: float = 100.0  # not in the paper: pix2pix's
    rate: float = 2e-4  # not in the paper: DCGAN's, as the betas
    beta1: float = 0.5
    beta2: float = 0.999
    epoch_size: int = 20_000


@dataclass(frozen=True, kw_only=True)
class ImageSettings(Settings):
    """Of flow, parts and picture (sections III-A, III-B and III-C), which learn together.

    size: of the picture, a multiple of 32. flow: its feature extractor ('points', ours, reads the landmarks
    themselves), or none (table V, 'Style'). driving: what an extractor of pictures sees of the driving face:
    its picture (the paper), or its landmark heatmap. patch, width, depth, heads, expansion: of the Vision
    Transformer. resnet: width of ResNet-34's first stage. compressed: a row of the flow features after
    compression. hidden: of the MLP; deep: channels of its 7 x 7 map. parts: reenact eyes, nose and mouth by
    themselves; part_width: channels of their first convolution. channels: of the image generator's three
    convolutions; middles: of its layers at 58 x 58; ends: side of its first and last kernels. style: modulate
    them by the heatmap; style_regions: around eyes, nose and mouth only (the paper's future work); style_code:
    length of the code. patch_width: channels of the discriminator's first layer. Ours: weight_flow, of the flow
    at the 68 points against where they really come from; perceptual_share, of a batch's samples, which the
    perceptual loss looks at; stills, share of the samples that are stills warped to another pose and
    expression, for the many people.
    """

    size: int = 224
    flow: Literal["vit", "resnet34", "points", "none"] = "vit"
    driving: Literal["picture", "heatmap"] = "picture"
    patch: int = 14
    width: int = 768
    depth: int = 3
    heads: int = 1
    expansion: int = 4  # not in the paper: with it three layers have the 19 million parameters that it counts
    resnet: int = 64
    compressed: int = 128
    hidden: int = 1024  # not in the paper
    deep: int = 128
    parts: bool = True
    part_width: int = 64  # not in the paper
    channels: tuple[int, int, int] = (64, 128, 256)  # not in the paper
    middles: int = 6  # not in the paper
    ends: int = 7  # not in the paper
    style: bool = True
    style_regions: bool = False
    style_code: int = 512  # not in the paper: StyleGAN2's
    patch_width: int = 64  # not in the paper
    weight_l1: float = 20.0
    weight_parts: float = 5.0
    weight_adversarial: float = 1.0
    weight_matching: float = 1.0
    weight_perceptual: float = 10.0
    weight_landmarks: float = 1.0  # of the auxiliary regression; not in the paper
    weight_flow: float = 0.0
    perceptual_share: float = 1.0
    stills: float = 0.0
    rate: float = 2e-4  # not in the paper: DCGAN's, as the betas
    beta1: float = 0.5
    beta2: float = 0.999
    constant_epochs: int = 50  # not in the paper


_SMALL_LGAN = LganSettings(
    epochs=20,
    batch=64,
    threads=1,
    strengths="intensity",
    people=256,
    layers=(256, 256, 256),
    rate=1e-3,
    beta1=0.9,
    weight_adversarial=0.1,
    validate_samples=256,
)
_TINY_LGAN = LganSettings(
    epochs=1,
    batch=8,
    steps=20,
    mean=0.9,
    epoch_size=64,
    people=6,
    width=16,
    layers=(32, 32),
    rate=2e-3,
    log_every=5,
    validate_every=10,
    save_every=10,
    sheet_every=20,
    validate_samples=16,
)
LGAN = {
    "paper": LganSettings(epochs=100, batch=64),
    "small": _SMALL_LGAN,
    "tiny": _TINY_LGAN,
}
LGAN_FACE = {name: replace(one, identity="face", code=128) for name, one in LGAN.items()}
LGAN_SHAPE = {name: replace(one, identity="shape") for name, one in LGAN.items()}
# Nobody of these is to be known by number: many people, and as many samples as a minute of a core computes.
LGAN_SHAPE["small"] = replace(LGAN_SHAPE["small"], steps=3000, batch=256, people=4096, rate=2e-3)

IMAGE = {
    "paper": ImageSettings(epochs=100, batch=16),
    # differs from paper: 128 px, thin and with patches of 16, so that one core sees some samples a second; the
    # flow is told where the landmarks come from, and a third of the samples are stills, since there is time for
    # thousands of samples of 30 people and not for millions of 1,251.
    "small": ImageSettings(
        epochs=4,
        batch=4,
        constant_epochs=1,
        mean=0.998,
        clip=10.0,
        precision="auto",
        threads=1,
        log_every=50,
        validate_every=500,
        save_every=250,
        sheet_every=250,
        validate_samples=64,
        size=128,
        flow="points",
        driving="heatmap",
        patch=16,
        width=192,
        heads=4,
        resnet=16,
        compressed=64,
        hidden=256,
        deep=64,
        part_width=16,
        channels=(16, 32, 64),
        middles=4,
        ends=3,
        style_code=128,
        patch_width=24,
        rate=5e-4,
        beta1=0.9,
        weight_adversarial=0.0,
        weight_matching=0.0,
        weight_flow=20.0,
        perceptual_share=0.25,
        stills=0.33,
    ),
    "tiny": ImageSettings(
        epochs=1,
        batch=4,
        steps=20,
        constant_epochs=1,
        mean=0.9,
        size=64,
        patch=16,
        width=32,
        depth=2,
        expansion=2,
        resnet=8,
        compressed=16,
        hidden=32,
        deep=16,
        part_width=8,
        channels=(8, 16, 24),
        middles=2,
        style_code=16,
        patch_width=8,
        weight_perceptual=0.0,
        log_every=5,
        validate_every=10,
        save_every=10,
        sheet_every=20,
        validate_samples=8,
    ),
}
"""The tables' rows: ViT `flow=vit style=false`, ResNet `flow=resnet34 style=false`, +Style `style=true`, Style
`flow=none style=true`; +LSt and +LGAN are the converters `lst` and `lgan`."""
