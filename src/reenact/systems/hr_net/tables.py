"""Tables I to VI of the paper: published figures, and the settings that each of its own rows is trained with.

Where a table is about a setting, every row names it, so that the rows differ under any preset.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reenact.systems.spec import PaperRow, PaperTable

_QUALITY = ("FID", "SSIM", "CSIM", "PSNR", "LPIPS")


def _others(columns: tuple[str, ...], rows: Mapping[str, tuple[float, ...]]) -> Iterator[PaperRow]:
    for label, figures in rows.items():
        yield PaperRow(label, dict(zip(columns, figures, strict=True)))


def _row(
    label: str, figures: tuple[float, ...], system: str = "hr_net", ace: float | None = None, **changes: str
) -> PaperRow:
    """changes: by stage, settings with blanks between them."""
    published = dict(zip(_QUALITY, figures, strict=False))
    if ace is not None:
        published = {"ACE": ace, **published}
    return PaperRow(label, published, system, {stage: tuple(text.split()) for stage, text in changes.items()})


def _weights(adversarial: float, identity: float, triplet: float) -> str:
    return f"weight_adversarial={adversarial} weight_identity={identity} weight_triplet={triplet}"


_RAFD = {
    "FReeNet": (12.17, 0.717, 0.812),
    "DualGAN": (4.79, 0.726, 0.862),
    "FOMM": (9.37, 0.723, 0.801),
    "Pix2Pix-HD": (15.557, 0.701, 0.779),
    "X2Face": (128.43, 0.61, 0.68),
}
# The print at hand has lost the names of table II; this is the order of section IV-B.
_VOXCELEB = {
    "Few-Shot": (43.0, 0.670, 0.15),
    "FIPLS": (43.9, 0.79, 0.18),
    "FOMM": (25.0, 0.723, 0.813),
    "Pix2Pix-HD": (42.7, 0.56, 0.09),
    "X2Face": (45.8, 0.68, 0.16),
}
_FULL_RAFD = (4.633, 0.882, 0.906, 33.919, 0.0167)
_FULL_VOXCELEB = (10.34, 0.843, 0.881, 34.409, 0.0218)

TABLES = (
    PaperTable(
        "I",
        "against other methods on RaFD",
        "hr_net/rafd",
        (*_others(_QUALITY[:3], _RAFD), _row("HR-Net", _FULL_RAFD[:3])),
    ),
    PaperTable(
        "II",
        "against other methods on VoxCeleb1",
        "hr_net/voxceleb1",
        (*_others(_QUALITY[:3], _VOXCELEB), _row("HR-Net", _FULL_VOXCELEB[:3])),
    ),
    PaperTable(
        "III",
        "the landmark identity conversion",
        "hr_net/voxceleb1",
        (
            _row("without LIC module", (23.46, 0.712, 0.763, 19.991, 0.1148), "copy+hr_net"),
            _row("with LIC module", _FULL_VOXCELEB),
        ),
    ),
    PaperTable(
        "IV",
        "the losses of the conversion, added in turn",
        "hr_net/rafd",
        (
            _row("BL: L1", (10.028, 0.821, 0.856, 33.402, 0.0548), ace=3.943, lic=_weights(0, 0, 0)),
            _row("+ adversarial", (7.319, 0.839, 0.861, 32.015, 0.0371), ace=3.713, lic=_weights(1, 0, 0)),
            _row("+ identity", (6.707, 0.847, 0.869, 32.811, 0.0354), ace=3.677, lic=_weights(1, 1, 0)),
            _row("+ triplet", _FULL_RAFD, ace=1.742, lic=_weights(1, 1, 10)),
        ),
    ),
    PaperTable(
        "V (RaFD)",
        "landmarks or boundaries",
        "hr_net/rafd",
        (
            _row("landmarks", (8.152, 0.801, 0.822, 20.047, 0.1383), bfr="boundary=dots"),
            _row("boundaries", _FULL_RAFD, bfr="boundary=lines"),
        ),
    ),
    PaperTable(
        "V (VoxCeleb1)",
        "landmarks or boundaries",
        "hr_net/voxceleb1",
        (
            _row("landmarks", (14.773, 0.813, 0.848, 28.944, 0.0636), bfr="boundary=dots"),
            _row("boundaries", _FULL_VOXCELEB, bfr="boundary=lines"),
        ),
    ),
    PaperTable(
        "VI",
        "the block of VGG-16",
        "hr_net/rafd",
        (
            _row("without local perceptual loss", (14.64, 0.802, 0.832, 30.121, 0.0581), bfr="block=none"),
            _row("relu1_2", (12.79, 0.814, 0.845, 33.377, 0.0473), bfr="block=relu1_2"),
            _row("relu2_2", (8.701, 0.837, 0.869, 33.582, 0.0408), bfr="block=relu2_2"),
            _row("relu3_3", _FULL_RAFD, bfr="block=relu3_3"),
            _row("relu4_3", (6.545, 0.851, 0.874, 31.419, 0.0311), bfr="block=relu4_3"),
        ),
    ),
)
