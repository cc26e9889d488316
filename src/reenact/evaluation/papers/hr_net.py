"""HR-Net (Ren et al., TCSVT 2023), tables I to VI.

The figures of one configuration come back in several tables: the full system on RaFD stands in I, IV, V and VI,
on VoxCeleb1 in II, III and V. ACE is without a unit in the paper; landmarks there are pixels of 256.
"""

from __future__ import annotations

from reenact.evaluation.papers.layout import (
    ACE,
    CSIM_TRUTH,
    FID,
    LPIPS,
    PSNR,
    SSIM,
    Block,
    PaperRow,
    PaperTable,
)

_OURS = "hr_net"
_FIVE = (FID, SSIM, CSIM_TRUTH, PSNR, LPIPS)


def _rafd(*rows: PaperRow) -> Block:
    return Block("rafd", "RaFD", "hr_net/rafd", "cross", rows)


def _voxceleb(*rows: PaperRow) -> Block:
    return Block("voxceleb1", "VoxCeleb-1", "hr_net/voxceleb1", "self", rows)


_NO_TRIPLET = ("lic.weight_triplet=0",)
_NO_IDENTITY = ("lic.weight_identity=0", *_NO_TRIPLET)
_L1_ALONE = ("lic.weight_adversarial=0", *_NO_IDENTITY)

TABLES = (
    PaperTable(
        "hr_net/I",
        "Quantitative results on RaFD",
        (FID, SSIM, CSIM_TRUTH),
        (
            _rafd(
                PaperRow("FReeNet", ("12.17", "0.717", "0.812")),
                PaperRow("DualGAN", ("4.79", "0.726", "0.862"), "dg"),
                PaperRow("FOMM", ("9.37", "0.723", "0.801")),
                PaperRow("Pix2Pix-HD", ("15.557", "0.701", "0.779")),
                PaperRow("X2Face", ("128.43", "0.61", "0.68")),
                PaperRow("Ours", ("4.633", "0.882", "0.906"), _OURS),
            ),
        ),
        "The figures of DualGAN are those of its own paper.",
    ),
    PaperTable(
        "hr_net/II",
        "Quantitative results on VoxCeleb-1",
        (FID, SSIM, CSIM_TRUTH),
        (
            _voxceleb(
                PaperRow("Few-Shot", ("43.0", "0.670", "0.15")),
                PaperRow("FIPLS", ("43.9", "0.79", "0.18"), "fipls"),
                PaperRow("FOMM", ("25.0", "0.723", "0.813")),
                PaperRow("Pix2Pix-HD", ("42.7", "0.56", "0.09")),
                PaperRow("X2Face", ("45.8", "0.68", "0.16")),
                PaperRow("Ours", ("10.34", "0.843", "0.881"), _OURS),
            ),
        ),
        "In the text at hand the row names are lost; they stand in the order of section IV-B-1, as the figures "
        "in FIPLS's and DG's own tables confirm.",
    ),
    PaperTable(
        "hr_net/III",
        "Ablation on the LIC module",
        _FIVE,
        (
            _voxceleb(
                PaperRow(
                    "without LIC module",
                    ("23.46", "0.712", "0.763", "19.991", "0.1148"),
                    "copy+hr_net",
                    what="the source's boundaries drawn from the driving landmarks as they are",
                ),
                PaperRow("with LIC module", ("10.34", "0.843", "0.881", "34.409", "0.0218"), _OURS),
            ),
        ),
    ),
    PaperTable(
        "hr_net/IV",
        "Losses of LIC, added in turn",
        (ACE, *_FIVE),
        (
            _rafd(
                PaperRow(
                    "BL: L_1",
                    ("3.943", "10.028", "0.821", "0.856", "33.402", "0.0548"),
                    _OURS,
                    _L1_ALONE,
                ),
                PaperRow(
                    "+L_adv",
                    ("3.713", "7.319", "0.839", "0.861", "32.015", "0.0371"),
                    _OURS,
                    _NO_IDENTITY,
                ),
                PaperRow(
                    "+L_idt",
                    ("3.677", "6.707", "0.847", "0.869", "32.811", "0.0354"),
                    _OURS,
                    _NO_TRIPLET,
                ),
                PaperRow("+L_tri", ("1.742", "4.633", "0.882", "0.906", "33.919", "0.0167"), _OURS),
            ),
        ),
        "ACE is over 1,000 random landmarks of the converter; the others are of the pictures drawn from them.",
    ),
    PaperTable(
        "hr_net/V",
        "Landmarks or boundaries as the generator's input",
        _FIVE,
        (
            _rafd(
                PaperRow(
                    "l_t input",
                    ("8.152", "0.801", "0.822", "20.047", "0.1383"),
                    _OURS,
                    ("bfr.boundary=dots",),
                ),
                PaperRow("b_t input", ("4.633", "0.882", "0.906", "33.919", "0.0167"), _OURS),
            ),
            _voxceleb(
                PaperRow(
                    "l_t input",
                    ("14.773", "0.813", "0.848", "28.944", "0.0636"),
                    _OURS,
                    ("bfr.boundary=dots",),
                ),
                PaperRow("b_t input", ("10.34", "0.843", "0.881", "34.409", "0.0218"), _OURS),
            ),
        ),
    ),
    PaperTable(
        "hr_net/VI",
        "Blocks of VGG-16 for the local perceptual loss",
        _FIVE,
        (
            _rafd(
                PaperRow(
                    "without L_per^local",
                    ("14.64", "0.802", "0.832", "30.121", "0.0581"),
                    _OURS,
                    ("bfr.block=none",),
                ),
                PaperRow(
                    "L_per^1-2",
                    ("12.79", "0.814", "0.845", "33.377", "0.0473"),
                    _OURS,
                    ("bfr.block=relu1_2",),
                ),
                PaperRow(
                    "L_per^2-2",
                    ("8.701", "0.837", "0.869", "33.582", "0.0408"),
                    _OURS,
                    ("bfr.block=relu2_2",),
                ),
                PaperRow("L_per^3-3", ("4.633", "0.882", "0.906", "33.919", "0.0167"), _OURS),
                PaperRow(
                    "L_per^4-3",
                    ("6.545", "0.851", "0.874", "31.419", "0.0311"),
                    _OURS,
                    ("bfr.block=relu4_3",),
                ),
            ),
        ),
    ),
)
