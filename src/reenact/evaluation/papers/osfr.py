"""One-shot Face Reenactment (2019; the long form of the BMVC paper), tables 4.1 to 4.3, figure 5.1.

The row 'Reference' is the source itself, our `copy`. GANimation is supervised by action-unit labels. What table
4.2 gives at lambda 25 is what table 4.1 has for 'Ours w/o Fusion' on the same source.
"""

from __future__ import annotations

from reenact.evaluation.papers.layout import Block, Metric, PaperRow, PaperTable, same

_OURS, _PLAIN = "osfr", "osfr_plain"
"""With FusionNet, and without."""
_AU = same("AU %", "up", "au_correlation")
_POSE = same("Pose", "down", "pose_mae")
_ID = Metric("Id%", "up", (), ("id",), ("id",), "against the source")


def _group(data: str, title: str, protocol: str, *figures: tuple[str, str, str]) -> Block:
    names = ("Reference", "GANimation", "VUNet", "PG2", "GauGAN", "Ours w/o Fusion", "Ours")
    made = {"Reference": "copy", "Ours w/o Fusion": _PLAIN, "Ours": _OURS}
    rows = tuple(PaperRow(name, found, made.get(name, "")) for name, found in zip(names, figures, strict=True))
    return Block(data, title, protocol, "cross", rows)


def _shots(number: int, name: str, figure: str) -> Block:
    rows = (PaperRow(name, (figure,), _OURS),)
    return Block("films", f"32 people of films, {name}", "", "few-shot", rows, number)


def _ablated(name: str, figure: str, *changes: str) -> PaperRow:
    return PaperRow(name, (figure,), _PLAIN, changes)


TABLES = (
    PaperTable(
        "osfr/4.1",
        "Comparison with single-image methods",
        (_AU, _POSE, _ID),
        (
            _group(
                "celeba-hq",
                "same source (CelebA-HQ)",
                "osfr/same-source",
                ("0.00", "7.49", "-"),
                ("18.2", "7.49", "99.6"),
                ("80.2", "3.04", "46.1"),
                ("82.7", "3.19", "52.3"),
                ("81.1", "2.98", "79.3"),
                ("80.0", "2.79", "89.1"),
                ("75.1", "2.72", "98.2"),
            ),
            _group(
                "ffhq",
                "cross source (FFHQ)",
                "osfr/different-source",
                ("0", "7.77", "-"),
                ("17.1", "7.77", "99.5"),
                ("79.4", "3.03", "47.7"),
                ("82.6", "3.18", "53.7"),
                ("79.72", "2.98", "75.3"),
                ("80.22", "2.84", "88.2"),
                ("70.9", "2.74", "98.5"),
            ),
            _group(
                "raf-db",
                "in the wild (RAF-DB)",
                "osfr/in-the-wild",
                ("0", "7.51", "-"),
                ("13.5", "7.50", "99.3"),
                ("79.6", "3.03", "52.2"),
                ("82.3", "3.18", "51.9"),
                ("79.7", "3.00", "78.7"),
                ("80.0", "2.91", "90.2"),
                ("71.1", "2.63", "98.3"),
            ),
        ),
        "The correlation is that of each pair over the 12 units, as the text has it. The driving pictures, of "
        "web videos, are not published: give other people's with --guides.",
    ),
    PaperTable(
        "osfr/4.2",
        "Appearance reconstruction: concatenation and its weight",
        (_ID,),
        (
            Block(
                "celeba-hq",
                "same source (CelebA-HQ)",
                "osfr/same-source",
                "cross",
                (
                    _ablated("No concat", "77.7", "main.concat=false"),
                    _ablated("λ = 3", "84.9", "main.weight_appearance=3"),
                    _ablated("λ = 10", "86.9", "main.weight_appearance=10"),
                    _ablated("λ = 25", "89.1"),
                    _ablated("λ = 50", "85.2", "main.weight_appearance=50"),
                ),
            ),
        ),
    ),
    PaperTable(
        "osfr/4.3",
        "Few-shot",
        (_ID,),
        (_shots(1, "one-shot", "97.2"), _shots(3, "3-shot", "99.3"), _shots(5, "5-shot", "99.4")),
        "The paper's pictures are taken from films that it does not name.",
    ),
    PaperTable(
        "osfr/figure-5.1",
        "Failure cases: the driving face's shape shows (pictures in the paper)",
        (_ID, _POSE),
        (
            Block(
                "celeba-hq",
                "pairs of unlike faces",
                "osfr/same-source",
                "cross",
                (
                    PaperRow(
                        "Ours", ("", ""), _OURS, what="face shape (a), nose (b), eyes (c) of the driving face"
                    ),
                    PaperRow(
                        "Ours, morphable transfer",
                        ("", ""),
                        "morphable+osfr",
                        what="ours: the driving face's shape taken out before it is drawn",
                    ),
                ),
            ),
        ),
    ),
)
