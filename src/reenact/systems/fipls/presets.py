"""FIPLS' hyper-parameters as a table: `paper` is 'Implementation details'; `small` and `tiny` are ours.

A value that the paper does not print is marked 'not in the paper'. Each loss is switched off by a weight of 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reenact.systems.spec import Settings


@dataclass(frozen=True, kw_only=True)
class LsgSettings(Settings):
    """Of the landmark sequence generator (section 'Identity-preserved Landmark Sequence Generator').

    frames: K, the two ends and what lies between them; figure 4 has six between. embedding, hidden, layers: of
    the two Bi-LSTMs. critic: widths of the hidden layers of D_1, D_2, S_1 and S_2. side: of the crop in pixels;
    landmarks go in as pixels / (side / 2) - 1. people: identities that S_1 and S_2 tell apart. weight_*: the
    lambdas of (2), and two terms that are not the paper's: weight_shift on the mean square of the shifts,
    weight_truth on the L1 distance from the true sequence. What is wrong with the ends, as with manipulated
    landmarks, drawn anew for each sequence between nothing and: noise, pixels of a 256 px crop; gap, the share
    of another person in their identity (synthetic data alone). whiten: show all networks principal components,
    those below 0.3 px of a 256 px crop less; judge_floor: the same limit for D_1, D_2 and S_1. judge_rate: of
    all networks but G_l; 0 is G_l's rate. epoch_size: sequences an epoch of synthetic data.
    """

    frames: int = 8
    embedding: int = 256  # not in the paper
    hidden: int = 256  # not in the paper
    layers: int = 1  # not in the paper
    critic: tuple[int, ...] = (256, 256, 128)  # not in the paper
    slope: float = 0.2  # of LeakyReLU; not in the paper
    side: int = 256
    people: int = 1000  # VoxCeleb1's split has about as many
    weight_real: float = 1.0  # lambda_1, of L_D1; not in the paper
    weight_same: float = 1.0  # lambda_2, of L_D2; not in the paper
    weight_output_label: float = 0.1  # lambda_3, of L_S1; not in the paper
    weight_hidden_label: float = 0.1  # lambda_4, of L_S2; not in the paper
    weight_shift: float = 100.0  # not in the paper
    weight_truth: float = 0.0  # not in the paper
    whiten: bool = False  # not in the paper
    judge_floor: float = 3.0  # not in the paper
    judge_rate: float = 0.0
    noise: float = 3.0  # not in the paper
    gap: float = 0.3  # not in the paper
    rate: float = 2e-4
    beta1: float = 0.5
    beta2: float = 0.999
    constant_epochs: int = 30
    epoch_size: int = 10_000  # not in the paper: ten an identity


@dataclass(frozen=True, kw_only=True)
class ReenactmentSettings(Settings):
    """Of the image generator (section 'Fine-grained landmark-guided face reenactment').

    size: of the picture. width: channels of the local enhancer's first convolution; the global generator has
    twice as many, or as many where there is no enhancer. downs, blocks, local_blocks, critic_width,
    critic_scales: pix2pixHD's. fold, keep: see `pix2pixhd.Generator`. line, pupil: of the sketch, in pixels of
    a 256 px crop. gan: the form of L_GAN. judged: how many of a batch's samples fixed networks look at, for
    (6), (8) and the perceptual loss; 0 is all. varied: mirror and recolour the pairs at random. stills: share
    of the samples that are stills warped to another pose and expression, for the many people. each: pairs an
    identity and epoch. pose_*: of the sampling, see `reenact.data.pairs.PoseCurriculum`; pose_every is in
    epochs. rate, beta1, beta2: of Adam; the rate falls to 0 in a straight line after constant_epochs.
    critic_rate: of D_1 ... D_n; 0 is G's rate.
    """

    size: int = 256
    width: int = 32
    enhancer: bool = True
    downs: int = 4
    blocks: int = 9
    local_blocks: int = 3
    critic_width: int = 64
    critic_scales: int = 3
    fold: int = 1  # not in the paper
    keep: bool = False  # not in the paper
    line: float = 1.5  # not in the paper
    pupil: float = 4.0  # not in the paper
    gan: Literal["least_squares", "log"] = "least_squares"
    weight_adversarial: float = 1.0  # (5); not in the paper
    weight_identity: float = 5.0  # (6); not in the paper
    weight_mask: float = 10.0  # (7); not in the paper
    weight_boundary: float = 0.5  # (8); not in the paper
    weight_perceptual: float = 10.0  # pix2pixHD's; not in the paper
    weight_features: float = 0.0  # feature matching is pix2pixHD's, not this paper's; there it is 10
    weight_pixels: float = 0.0  # L1 of the whole picture; not in the paper
    weight_drawn: float = 0.0  # where the source is kept, L1 of what was drawn all the same; not in the paper
    judged: int = 0
    varied: bool = False  # not in the paper
    stills: float = 0.0  # not in the paper
    pose_aware: bool = True
    pose_start: float = 0.1  # not in the paper
    pose_step: float = 0.2  # not in the paper
    pose_every: int = 10  # 'every tens of training epochs'
    pose_most: float = 0.8  # not in the paper
    each: int = 10
    rate: float = 2e-4
    critic_rate: float = 0.0
    beta1: float = 0.5
    beta2: float = 0.999
    constant_epochs: int = 30


LSG = {
    "paper": LsgSettings(epochs=45, batch=64, mean=0.0),  # batch not in the paper
    # For one CPU core: the true sequence alone, which synthetic data have; every lambda above 0 made it worse.
    "small": LsgSettings(
        epochs=45,
        batch=32,
        epoch_size=3000,
        threads=1,
        embedding=128,
        hidden=128,
        whiten=True,
        critic=(128, 64),
        rate=1e-3,
        judge_rate=2e-4,
        weight_real=0.0,
        weight_same=0.0,
        weight_output_label=0.0,
        weight_hidden_label=0.0,
        weight_truth=100.0,
        weight_shift=0.0,
        log_every=200,
        validate_every=500,
        save_every=1000,
        sheet_every=1000,
        validate_samples=512,
    ),
    "tiny": LsgSettings(
        epochs=100,
        batch=8,
        steps=20,
        mean=0.9,
        frames=4,
        embedding=32,
        hidden=32,
        critic=(32, 16),
        people=8,
        rate=2e-3,
        weight_truth=100.0,
        weight_shift=1.0,
        constant_epochs=50,
        epoch_size=64,
        log_every=5,
        validate_every=10,
        save_every=10,
        sheet_every=20,
        validate_samples=16,
    ),
}

REENACTMENT = {
    "paper": ReenactmentSettings(epochs=45, batch=8, mean=0.0, precision="auto"),  # batch not in the paper
    "small": ReenactmentSettings(
        epochs=45,
        batch=8,
        precision="auto",
        threads=1,
        mean=0.99,
        # For 13,500 pairs on one CPU core: half the size, and half of all samples' cost is what judges them.
        size=128,
        enhancer=False,
        fold=2,
        keep=True,
        width=16,
        downs=3,
        blocks=4,
        critic_width=16,
        critic_scales=2,
        judged=2,
        varied=True,
        stills=0.33,
        pose_most=0.4,
        weight_adversarial=0.1,
        weight_features=1.0,
        weight_pixels=10.0,
        weight_drawn=10.0,
        weight_identity=1.0,
        weight_boundary=0.2,
        weight_perceptual=5.0,
        rate=1e-3,
        critic_rate=2e-4,
        log_every=50,
        validate_every=250,
        save_every=100,
        sheet_every=250,
        validate_samples=64,
    ),
    "tiny": ReenactmentSettings(
        epochs=100,
        batch=4,
        steps=20,
        constant_epochs=50,
        mean=0.9,
        size=64,
        width=4,
        downs=2,
        blocks=1,
        local_blocks=1,
        critic_width=8,
        critic_scales=2,
        weight_identity=0.0,
        weight_boundary=0.0,
        weight_perceptual=0.0,
        log_every=5,
        validate_every=10,
        save_every=10,
        sheet_every=20,
        validate_samples=8,
    ),
}
