"""HR-Net's hyper-parameters as a table: `paper` is section IV-A; `small` and `tiny` are ours.

A value that the paper does not print is marked 'not in the paper'. Each loss is switched off by a weight of 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from reenact.systems.spec import Settings

Block = Literal["none", "relu1_2", "relu2_2", "relu3_3", "relu4_3"]


@dataclass(frozen=True, kw_only=True)
class LicSettings(Settings):
    """Of the landmark identity conversion (section III-A).

    widths: outputs of an encoder's five layers; the decoder mirrors them. slope: of LeakyReLU. side: of the
    crop in pixels; landmarks go in as pixels / (side / 2) - 1, the unit of all losses and of the margin.
    identity_of: what (3) compares the reconstruction with. mean_loss: (1) and (3) as the mean over the 136
    coordinates, else their sum. rate, beta1, beta2: of Adam; the rate falls to `decay` of it every
    `decay_epochs`, or on half a cosine. epoch_size: triples an epoch. noise: pixels of detector noise on what
    goes in. residual: the decoder gives the change from the driving landmarks. whiten: the encoders see
    principal components.
    """

    widths: tuple[int, ...] = (512, 512, 256, 256, 128)  # not in the paper
    slope: float = 0.2  # of LeakyReLU; not in the paper
    side: int = 256
    weight_adversarial: float = 1.0  # lambda_1
    weight_l1: float = 100.0  # lambda_2
    weight_identity: float = 1.0  # lambda_3
    weight_triplet: float = 10.0  # lambda_4
    margin: float = 1.0
    identity_of: Literal["source", "target"] = "source"  # 'target' is equation (3) as printed
    mean_loss: bool = True  # not in the paper
    rate: float = 2e-4
    beta1: float = 0.99
    beta2: float = 0.999
    schedule: Literal["stepped", "cosine"] = "stepped"
    decay: float = 0.6
    decay_epochs: int = 600
    epoch_size: int = 6700  # not in the paper: RaFD's pairs, 67 people x 100 sources
    noise: float = 0.0
    residual: bool = False
    whiten: bool = False


@dataclass(frozen=True, kw_only=True)
class BfrSettings(Settings):
    """Of the boundary-guided face reenactment (section III-B).

    size: of the picture. width: channels of the first convolution; they double with each halving up to
    `widest`. stride: of that convolution and of the deconvolution at the end. skips: add maps on the way down
    to those on the way up. norm_lines: instance norm on the way down. style: length of the style code.
    style_size: pixels a side that E_s sees; 0: `size`. patch_width: channels of the discriminator's first
    layer. sigma: blur of the boundary lines in pixels. boundary: the target as boundary lines, or as landmark
    dots (table V). block: of VGG-16, for the local perceptual loss. perceptual_share: of a batch that it is
    taken on. adversarial_from: epoch from which on (6) counts. varied: all pairs mirrored and recoloured at
    random. stills: share of the pairs from stills. epoch_size: varied pairs an epoch (0: as many as there are
    faces of clips).
    """

    size: int = 256
    width: int = 64  # not in the paper: StarGAN v2's
    widest: int = 512  # not in the paper: StarGAN v2's
    downs: int = 4
    middles: int = 4
    style_blocks: int = 6
    stride: int = 1  # not in the paper: StarGAN v2's
    skips: bool = False
    norm_lines: bool = True  # not in the paper: StarGAN v2's
    style: int = 64  # not in the paper: StarGAN v2's
    style_size: int = 0
    patch_width: int = 64
    sigma: float = 1.0  # of the lines' blur in pixels; not in the paper
    boundary: Literal["lines", "dots"] = "lines"
    weight_adversarial: float = 1.0  # alpha_1
    weight_l1: float = 10.0  # alpha_2
    weight_perceptual: float = 1.0  # alpha_3
    block: Block = "relu3_3"
    perceptual_share: float = 1.0
    adversarial_from: int = 0
    rate: float = 2e-4
    beta1: float = 0.5
    beta2: float = 0.999
    constant_epochs: int = 150
    varied: bool = False
    stills: float = 0.0
    epoch_size: int = 0


@dataclass(frozen=True, kw_only=True)
class JointSettings(BfrSettings):
    """Of training both modules together, which the paper leaves to future work; all of it is ours.

    start: folder of the runs `lic` and `bfr` (the OUT of `reenact train hr_net --out OUT`) to begin with; ''
    begins anew. widths, slope, residual: those of the converter there. weight_landmarks: of (1) beside (11)
    when the converter learns. The rate falls to 0 from the start.
    """

    start: str = ""
    widths: tuple[int, ...] = (512, 512, 256, 256, 128)
    slope: float = 0.2
    residual: bool = False
    weight_landmarks: float = 100.0  # lambda_2
    rate: float = 2e-5
    constant_epochs: int = 0


LIC = {
    "paper": LicSettings(
        epochs=2000,
        batch=128,
        mean=0.0,
        log_every=200,
        validate_every=2000,
        save_every=2000,
        sheet_every=20_000,
    ),
    # For one CPU core: bf16, L1 alone (the first row of table IV), whitened, from the driving landmarks on.
    "small": LicSettings(
        epochs=36,
        batch=256,
        steps=14_000,
        threads=1,
        precision="auto",
        mean=0.999,
        epoch_size=100_000,
        residual=True,
        whiten=True,
        rate=2e-3,
        beta1=0.9,
        schedule="cosine",
        weight_adversarial=0.0,
        weight_identity=0.0,
        weight_triplet=0.0,
        log_every=200,
        validate_every=1000,
        save_every=1000,
        sheet_every=7000,
        validate_samples=1000,
    ),
    "tiny": LicSettings(
        epochs=1,
        batch=8,
        steps=20,
        mean=0.9,
        epoch_size=64,
        widths=(64, 64, 32, 32, 16),
        rate=2e-3,
        beta1=0.5,
        log_every=5,
        validate_every=10,
        save_every=10,
        sheet_every=20,
        validate_samples=16,
    ),
}

# For half an hour of one CPU core: 128 px, halved and doubled by the first convolution and the
# deconvolution; sums across the hourglass; a long style code, from 64 px; the perceptual loss on every fourth
# sample.
_SMALL: dict[str, Any] = {
    "size": 128,
    "width": 16,
    "widest": 128,
    "downs": 3,
    "stride": 2,
    "skips": True,
    "norm_lines": False,
    "style": 256,
    "style_size": 64,
    "patch_width": 16,
    "sigma": 0.7,
    "perceptual_share": 0.25,
    "threads": 1,
    "precision": "auto",
    "batch": 4,
    "beta1": 0.9,
}

BFR = {
    "paper": BfrSettings(epochs=300, batch=16, mean=0.999, precision="auto", clip=0.0),
    # The adversary at a tenth of its weight, in the last fifth alone; stills beside clips, so that E_s sees two
    # thousand people.
    "small": BfrSettings(
        **_SMALL,
        epochs=90,
        constant_epochs=55,
        epoch_size=120,
        mean=0.995,
        rate=1e-3,
        weight_adversarial=0.1,
        adversarial_from=76,
        varied=True,
        stills=0.5,
        validate_every=600,
        save_every=200,
        sheet_every=300,
        validate_samples=128,
    ),
    "tiny": BfrSettings(
        epochs=1,
        batch=4,
        steps=20,
        constant_epochs=1,
        mean=0.9,
        size=64,
        width=8,
        widest=32,
        style=16,
        patch_width=8,
        block="none",
        log_every=5,
        validate_every=10,
        save_every=10,
        sheet_every=20,
        validate_samples=8,
    ),
    "512": BfrSettings(epochs=300, batch=8, size=512, width=32, downs=5, precision="auto", sigma=2.0),
}

JOINT = {
    "paper": JointSettings(epochs=30, batch=16, precision="auto"),
    "small": JointSettings(
        **_SMALL,
        epochs=6,
        residual=True,
        mean=0.99,
        rate=1e-4,
        weight_adversarial=0.1,
        validate_every=200,
        save_every=100,
        sheet_every=200,
        validate_samples=128,
    ),
    "tiny": JointSettings(
        epochs=1,
        batch=4,
        steps=20,
        mean=0.9,
        size=64,
        width=8,
        widest=32,
        style=16,
        patch_width=8,
        block="none",
        widths=(64, 64, 32, 32, 16),
        rate=1e-3,
        log_every=5,
        validate_every=10,
        save_every=10,
        sheet_every=20,
        validate_samples=8,
    ),
}
