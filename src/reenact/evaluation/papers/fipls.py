"""Fine-grained Identity Preserving Landmark Synthesis (2021), tables 1 and 2, figures 6 to 9.

The paper's own data, BeautySelfie, were never published: figures 6 and 9 can be made on other data only.
"""

from __future__ import annotations

from dataclasses import replace

from reenact.evaluation.papers.layout import ACE, CSIM_SOURCE, FID, SSIM, Block, PaperRow, PaperTable

_OURS = "fipls"
_NO_BOUNDARY = ("reenactment.weight_boundary=0",)
_NO_MASK = ("reenactment.weight_mask=0", *_NO_BOUNDARY)
_VANILLA = ("reenactment.weight_identity=0", *_NO_MASK)
_NOISY_ACE = replace(ACE, note="of all frames of sequences between noisy ends")
_CSIM = replace(CSIM_SOURCE, note="against the source; the paper does not say")


def _voxceleb(*rows: PaperRow) -> Block:
    return Block("voxceleb1", "VoxCeleb1", "fipls/voxceleb1", "self", rows)


def _selfies(*rows: PaperRow) -> Block:
    return Block("beautyselfie", "BeautySelfie", "", "self", rows)


_LSG = PaperRow("Ours", ("0.72",), _OURS)
_LI = PaperRow("LI", ("0.70",), "li+fipls", what="landmarks interpolated linearly between the two faces")

TABLES = (
    PaperTable("fipls/1", "Landmark synthesis against linear interpolation", (_CSIM,), (_voxceleb(_LI, _LSG),)),
    PaperTable(
        "fipls/2",
        "One-shot reenactment on VoxCeleb1",
        (FID, SSIM, _CSIM),
        (
            _voxceleb(
                PaperRow("X2Face", ("45.8", "0.68", "0.16")),
                PaperRow("Pix2pixHD", ("42.7", "0.56", "0.09")),
                PaperRow("Few-Shot", ("43.0", "0.67", "0.15")),
                PaperRow("Ours", ("43.9", "0.79", "0.18"), _OURS),
            ),
        ),
    ),
    PaperTable(
        "fipls/figure-6",
        "Losses, added in turn (pictures in the paper)",
        (FID, SSIM, _CSIM),
        (
            _selfies(
                PaperRow("vanilla", ("", "", ""), _OURS, _VANILLA, "adversarial and perceptual loss alone"),
                PaperRow("+identity loss", ("", "", ""), _OURS, _NO_MASK),
                PaperRow("+mask loss", ("", "", ""), _OURS, _NO_BOUNDARY),
                PaperRow("+boundary loss", ("", "", ""), _OURS),
            ),
        ),
    ),
    PaperTable(
        "fipls/figure-7",
        "Refinement of noisy landmarks (pictures in the paper)",
        (_NOISY_ACE, _CSIM),
        (
            _voxceleb(
                PaperRow("Linear Interpolation", ("", ""), "li+fipls", ace="ace_px_li"),
                PaperRow("Our Landmarks generator", ("", ""), _OURS),
            ),
        ),
        "The paper does not say which data the two noisy faces come from. The refinement is measured where the "
        "noise is known: --runs gives both rows' ACE on a run's held-out sequences, whose ends are noisy "
        "(settings `noise` and `gap`).",
    ),
    PaperTable(
        "fipls/figure-8",
        "Histogram of CSIM of table 1's two rows",
        (_CSIM,),
        (
            _voxceleb(
                PaperRow("LI", ("",), "li+fipls"),
                PaperRow("Ours", ("more in 0.80 to 0.97",), _OURS),
            ),
        ),
        "The paper prints a histogram; `histogram.csv` has ours.",
        "csim_source",
    ),
    PaperTable(
        "fipls/figure-9",
        "Pose-aware data augmentation (pictures in the paper)",
        (FID, SSIM, _CSIM),
        (
            _selfies(
                PaperRow("(a) without", ("", "", ""), _OURS, ("reenactment.pose_aware=false",)),
                PaperRow("(b) with", ("", "", ""), _OURS),
            ),
        ),
    ),
)
