"""Dual-Generator Face Reenactment (Hsu, Tsai and Wu, CVPR 2022), tables 1 to 4, figures 2 and 6.

The paper has two figures for one system: FID on RaFD is 3.99 in table 2 and 4.79 in table 4, beside equal SSIM
and CSIM. ACE is 'coordinate-wise' and without a unit, mean and standard deviation.
"""

from __future__ import annotations

from reenact.evaluation.papers.layout import ACE, CSIM_SOURCE, FID, SSIM, Block, PaperRow, PaperTable

_OURS = "dg"
_THREE = (SSIM, FID, CSIM_SOURCE)

_NO_SHAPE = ("idsg.weight_shape=0",)
_NO_ACTION = ("idsg.weight_action=0", *_NO_SHAPE)
_IDSG_BASE = ("idsg.weight_localization=0", *_NO_ACTION)
_NO_SHAPE_D = ("rfg.weight_shape_adversarial=0",)
_NO_LANDMARK = ("rfg.weight_landmark=0", *_NO_SHAPE_D)
_NO_STYLE = ("rfg.weight_style=0", *_NO_LANDMARK)
_RFG_BASE = ("rfg.weight_identity=0", *_NO_STYLE)


def _rafd(*rows: PaperRow) -> Block:
    return Block("rafd", "RaFD", "dg/rafd", "cross", rows)


TABLES = (
    PaperTable(
        "dg/1",
        "Losses of the IDSG, added in turn",
        (ACE,),
        (
            _rafd(
                PaperRow("BL: L_adv + L_C", ("8.07 ± 2.59",), _OURS, _IDSG_BASE),
                PaperRow("+ L_l", ("6.93 ± 1.90",), _OURS, _NO_ACTION),
                PaperRow("+ L_a", ("6.61 ± 1.65",), _OURS, _NO_SHAPE),
                PaperRow("DG (+ L_vls)", ("4.13 ± 1.12",), _OURS),
            ),
        ),
    ),
    PaperTable(
        "dg/2",
        "Losses of the RFG, added in turn",
        (SSIM, FID, CSIM_SOURCE),
        (
            _rafd(
                PaperRow("BL: L_Df + L_at", ("0.503", "58.61", "0.211"), _OURS, _RFG_BASE),
                PaperRow("+ L_id", ("0.643", "12.01", "0.775"), _OURS, _NO_STYLE),
                PaperRow("+ L_st", ("0.662", "9.92", "0.803"), _OURS, _NO_LANDMARK),
                PaperRow("+ L_lm", ("0.707", "5.59", "0.844"), _OURS, _NO_SHAPE_D),
                PaperRow("DG (+ L_Ds)", ("0.726", "3.99", "0.862"), _OURS),
            ),
        ),
    ),
    PaperTable(
        "dg/3",
        "Self-reenactment on VoxCeleb1",
        _THREE,
        (
            Block(
                "voxceleb1",
                "VoxCeleb1",
                "dg/voxceleb1",
                "self",
                (
                    PaperRow("X2Face", ("0.75", "56.5", "0.18")),
                    PaperRow("FSTH", ("0.74", "29.5", "0.19")),
                    PaperRow("FOM", ("0.723", "25.0", "0.813")),
                    PaperRow("PuppeteerGAN", ("0.725", "33.6", "0.717")),
                    PaperRow("MGOS", ("0.739", "n.a.", "0.822")),
                    PaperRow("DG", ("0.761", "22.1", "0.831"), _OURS),
                ),
            ),
        ),
        "All methods were fine-tuned on 8 frames of each test video; ours are not.",
    ),
    PaperTable(
        "dg/4",
        "Cross-reenactment",
        _THREE,
        (
            Block(
                "voxceleb2",
                "VoxCeleb2",
                "dg/voxceleb2",
                "cross",
                (
                    PaperRow("FOM", ("0.53", "54.78", "0.714")),
                    PaperRow("DG", ("0.54", "51.79", "0.721"), _OURS),
                ),
            ),
            _rafd(
                PaperRow("FReeNet", ("0.717", "12.17", "n.a.")),
                PaperRow("FOM", ("0.723", "9.37", "0.801")),
                PaperRow("DG", ("0.726", "4.79", "0.862"), _OURS),
            ),
            Block(
                "multipie",
                "MPIE",
                "dg/multipie",
                "cross",
                (
                    PaperRow("FOM", ("0.58", "28.34", "0.714")),
                    PaperRow("DG", ("0.65", "16.55", "0.780"), _OURS),
                ),
            ),
            Block(
                "multipie",
                "MPIE (Large Pose)",
                "dg/multipie-large-pose",
                "cross",
                (
                    PaperRow("FOM", ("0.38", "62.88", "0.382")),
                    PaperRow("DG", ("0.61", "25.66", "0.711"), _OURS),
                ),
            ),
        ),
        "SSIM needs a true picture, which VoxCeleb2 has for one person only: its pairs here are those of the "
        "FSTH protocol that section 4.1 names, and show one person.",
    ),
    PaperTable(
        "dg/figure-2",
        "With and without the IDSG, large pose (pictures in the paper)",
        (*_THREE, ACE),
        (
            Block(
                "multipie",
                "MPIE (Large Pose)",
                "dg/multipie-large-pose",
                "cross",
                (
                    PaperRow("RFG with reference landmarks", ("",) * 4, "copy+dg", what="without the IDSG"),
                    PaperRow("DG (=IDSG+RFG)", ("",) * 4, _OURS),
                ),
            ),
        ),
    ),
    PaperTable(
        "dg/figure-6",
        "What large poses in training do (pictures in the paper)",
        _THREE,
        (
            Block(
                "voxceleb1",
                "sources of VoxCeleb1, driving pictures of MPIE",
                "dg/voxceleb1-by-multipie",
                "cross",
                (
                    PaperRow(
                        "DG (+MPIE)", ("",) * 3, _OURS, what="trained on VoxCeleb1 and Multi-PIE together"
                    ),
                    PaperRow(
                        "DG (VoxCeleb1)",
                        ("",) * 3,
                        _OURS,
                        ("rfg.data=voxceleb1",),
                        "trained on VoxCeleb1 alone",
                    ),
                    PaperRow("FOM (+MPIE)", ("",) * 3),
                ),
            ),
        ),
    ),
)
