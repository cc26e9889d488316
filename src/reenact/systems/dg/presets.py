"""DG's hyper-parameters as a table: `paper` is section 4.1; `small` and `tiny` are ours.

A value that the paper does not print is marked 'not in the paper'. Each loss is switched off by a weight of 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reenact.systems.spec import Settings

Code = Literal["identity", "shape"]


@dataclass(frozen=True, kw_only=True)
class IdsgSettings(Settings):
    """Of the ID-preserving shape generator (section 3.1).

    widths: outputs of E_l's five layers; R_l mirrors them. slope: of LeakyReLU. side: of the crop in pixels;
    landmarks go in as shares of it, the unit of all losses and margins. code: where the face code comes from:
    'identity', our identity net on the picture (E_f), or 'shape', the face model's identity coefficients, which
    synthetic faces have as well. code_length: what it is repeated to. subjects: people that C_l tells apart.
    margins: sigma_k of (3) for left eye, right eye, nose, mouth, face contour. shape_form: (3) as a hinge at
    zero, or as printed. shape_on: pairs of different people alone, or all. cross_from: epoch from which the
    driving faces are other people's. cross_truth: whether exact landmarks of cross pairs, where they are known,
    are used in (6). most_yaw: faces turned by more degrees are left out; synthetic ones are drawn up to it.
    rate, beta1, beta2: of Adam; the rate is constant, or falls to 0 by a cosine. residual: R_l gives the change
    from the driving landmarks. whiten: E_l and C_l see principal components. epoch_size: faces an epoch.
    """

    widths: tuple[int, ...] = (512, 512, 256, 256, 128)  # not in the paper
    slope: float = 0.2  # not in the paper
    side: int = 256
    code: Code = "identity"
    code_length: int = 2048
    subjects: int = 67  # RaFD's
    weight_adversarial: float = 1.0
    weight_shape: float = 10.0  # lambda_vls
    weight_action: float = 1.0  # lambda_a
    weight_subject: float = 1.0  # lambda_c
    weight_localization: float = 0.5  # lambda_l
    margins: tuple[float, ...] = (0.05, 0.05, 0.1, 0.05, 0.2)
    shape_form: Literal["hinge", "printed"] = "hinge"
    shape_on: Literal["others", "all"] = "others"  # not in the paper
    cross_from: int = 50  # not in the paper
    cross_truth: bool = True
    most_yaw: float = 90.0
    rate: float = 1e-5
    beta1: float = 0.01
    beta2: float = 0.99
    schedule: Literal["constant", "cosine"] = "constant"
    epoch_size: int = 8040  # of synthetic data: RaFD's pictures
    residual: bool = False
    whiten: bool = False


@dataclass(frozen=True, kw_only=True)
class RfgSettings(Settings):
    """Of the reenacted face generator (section 3.2).

    size: of the picture. patch: all networks work on squares of that many pixels (differs from paper unless 1:
    no convolution at the picture's full size). width: channels of the first convolution; they double with each
    halving up to `widest`. downs: halving blocks of G_f, and as many doubling ones. plain, styled: intermediate
    blocks before and from where the style code enters. style_blocks: halving blocks of E_s, D_f and D_s.
    critic_width: as `width`, of D_f and D_s. style: length of the style code. dot, line: widths of the landmark
    map in pixels. by: what two self-reenactment pictures share. stills: share of self-reenactment pairs (0 to
    1) that are one portrait, as itself and mirrored, for data with few pictures a person. varied: all pairs
    mirrored and recoloured at random. aided_from: epoch from which the terms count that need further networks,
    (8) to (10) and (12) to (14); before, (11) alone. epoch_size: samples in an epoch, 0 for as many as there
    are faces. cross_from: epoch from which the driving faces are other people's. cross_landmarks: what is drawn
    then, the driving face's action on the source by the face model, the driving landmarks themselves, or what
    the installed weights of the IDSG make of them. most_yaw: faces turned by more degrees are left out (figure
    6). rate, beta1, beta2: of Adam; the rate is constant, or falls to 0 by a cosine.
    """

    size: int = 256
    patch: int = 1
    width: int = 64  # not in the paper: StarGAN v2's
    widest: int = 512  # not in the paper: StarGAN v2's
    downs: int = 4
    plain: int = 2
    styled: int = 2
    style_blocks: int = 6
    critic_width: int = 64  # not in the paper: StarGAN v2's
    style: int = 64  # not in the paper: StarGAN v2's
    last_norm: bool = True  # not in the paper: StarGAN v2's
    norm_map: bool = True  # not in the paper: StarGAN v2's
    skips: bool = False
    dot: float = 3.0  # not in the paper
    line: float = 1.0  # not in the paper
    weight_adversarial: float = 1.0  # of D_f
    weight_shape_adversarial: float = 1.0  # of D_s; (15) forgets it
    weight_attribute: float = 10.0  # lambda_at
    weight_identity: float = 10.0  # lambda_id
    weight_style: float = 1.0  # lambda_st
    weight_landmark: float = 1.0  # lambda_lm
    by: Literal["identity", "clip"] = "identity"
    stills: float = 0.0
    varied: bool = False
    aided_from: int = 0
    epoch_size: int = 0
    cross_from: int = 50  # not in the paper
    cross_landmarks: Literal["morphable", "driving", "idsg"] = "morphable"  # not in the paper
    most_yaw: float = 90.0
    rate: float = 1e-4
    beta1: float = 0.01
    beta2: float = 0.99
    schedule: Literal["constant", "cosine"] = "constant"


IDSG = {
    "paper": IdsgSettings(
        epochs=100,  # not in the paper
        batch=4,
        log_every=500,
        validate_every=5000,
        save_every=5000,
        sheet_every=20_000,
    ),
    # For one CPU core, on synthetic faces: the code is the face model's, so that the truth is exact.
    # differs from paper: the weights, see the card ('Why the weights of `small` are others').
    "small": IdsgSettings(
        epochs=30,
        batch=128,
        weight_adversarial=0.02,
        weight_shape=1.0,
        weight_action=0.01,
        weight_subject=0.005,
        weight_localization=10.0,
        widths=(256, 256, 256, 128, 64),
        threads=1,
        code="shape",
        code_length=128,
        subjects=2000,
        most_yaw=75.0,
        epoch_size=12_800,
        cross_from=1,
        residual=True,
        whiten=True,
        rate=2e-3,
        beta1=0.5,
        schedule="cosine",
        log_every=100,
        validate_every=300,
        save_every=500,
        sheet_every=1500,
        validate_samples=1000,
    ),
    "tiny": IdsgSettings(
        epochs=2,
        batch=8,
        steps=20,
        mean=0.9,
        widths=(32, 32, 16, 16, 8),
        code="shape",
        code_length=32,
        subjects=8,
        epoch_size=64,
        cross_from=1,
        rate=2e-3,
        beta1=0.5,
        log_every=5,
        validate_every=10,
        save_every=10,
        sheet_every=20,
        validate_samples=16,
    ),
}

RFG = {
    "paper": RfgSettings(epochs=100, batch=4, precision="auto"),  # epochs: not in the paper
    # For one CPU core of 40 GFLOP/s without bf16: few channels at half the size, the dear terms at the end. Two
    # halvings from 64 leave the inner blocks the 16 x 16 positions that they have in `paper`.
    "small": RfgSettings(
        epochs=36,
        batch=4,
        threads=1,
        precision="auto",
        mean=0.995,
        epoch_size=400,
        size=128,
        patch=2,
        width=16,
        widest=96,
        critic_width=16,
        downs=2,
        style=256,
        last_norm=False,
        norm_map=False,
        skips=True,
        dot=2.0,
        stills=0.5,
        varied=True,
        aided_from=33,
        cross_from=35,
        rate=1e-3,
        beta1=0.5,
        schedule="cosine",
        log_every=50,
        validate_every=250,
        save_every=250,
        sheet_every=250,
        validate_samples=64,
    ),
    # Without what needs the landmark and identity nets, which would take nearly all of the time.
    "tiny": RfgSettings(
        epochs=2,
        batch=4,
        steps=20,
        mean=0.9,
        size=64,
        width=8,
        widest=16,
        downs=3,
        plain=1,
        styled=1,
        style_blocks=4,
        critic_width=4,
        style=8,
        weight_identity=0.0,
        weight_landmark=0.0,
        weight_shape_adversarial=0.0,
        by="clip",
        cross_from=1,
        rate=2e-3,
        beta1=0.5,
        log_every=5,
        validate_every=10,
        save_every=10,
        sheet_every=20,
        validate_samples=8,
    ),
}
