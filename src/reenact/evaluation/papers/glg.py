"""Generative Landmark Guided Face Reenactment (2023), tables I to V.

Rows without a landmark estimator take the driving landmarks as they are (`copy+glg`); +LSt aligns their mean
and variance (`lst+glg`); +LGAN is the paper's converter of known people (`lgan+glg`). Rows without
published figures are not the paper's: LGAN by a face embedding, which it proposes, and by our face model.
"""

from __future__ import annotations

from reenact.evaluation.papers.layout import (
    AUCON,
    CSIM_SOURCE,
    PRMSE,
    PSNR,
    SSIM,
    Block,
    PaperRow,
    PaperTable,
)

_PLAIN, _LST, _LGAN = "copy+glg", "lst+glg", "lgan+glg"
_VIT, _RESNET = "image.flow=vit", "image.flow=resnet34"
_NO_STYLE = "image.style=false"
_THREE = (CSIM_SOURCE, PRMSE, AUCON)
_NONE = ("", "", "")


def _known(*rows: PaperRow) -> Block:
    return Block("celebv", "CelebV, trained on it", "glg/celebv-known", "cross", rows)


def _vit(name: str, published: tuple[str, ...], system: str = _PLAIN, style: bool = False) -> PaperRow:
    return PaperRow(name, published, system, (_VIT,) if style else (_VIT, _NO_STYLE))


def _resnet(name: str, published: tuple[str, ...], system: str = _PLAIN, style: bool = False) -> PaperRow:
    return PaperRow(name, published, system, (_RESNET,) if style else (_RESNET, _NO_STYLE))


_PLAIN_VIT = _vit("ViT", ("0.568", "2.77", "0.692"))
_PLAIN_RESNET = _resnet("ResNet", ("0.570", "2.57", "0.695"))

TABLES = (
    PaperTable(
        "glg/I",
        "Self-reenactment on VoxCeleb1",
        (CSIM_SOURCE, SSIM, PSNR, PRMSE, AUCON),
        (
            Block(
                "voxceleb1",
                "VoxCeleb1",
                "glg/voxceleb1",
                "self",
                (
                    PaperRow("Mesh Guided GCN", ("0.822", "0.739", "30.394", "3.20", "0.887")),
                    PaperRow("MarioNETte", ("0.755", "0.744", "23.244", "3.13", "0.825")),
                    PaperRow("Monkey-Net", ("0.697", "0.734", "23.472", "3.46", "0.770")),
                    PaperRow("FirstOrder", ("0.813", "0.723", "30.182", "3.79", "0.886")),
                    PaperRow("NeuralHead-FF", ("0.229", "0.635", "20.818", "3.76", "0.791")),
                    PaperRow("X2face", ("0.689", "0.719", "22.537", "3.26", "0.813")),
                    _vit("ViT", ("0.879", "0.608", "29.297", "1.97", "0.767")),
                    _resnet("ResNet", ("0.878", "0.650", "29.606", "1.58", "0.793")),
                ),
            ),
        ),
    ),
    PaperTable(
        "glg/II",
        "People not seen in training, on CelebV",
        _THREE,
        (
            Block(
                "celebv",
                "CelebV, trained on VoxCeleb1",
                "glg/celebv-unseen",
                "cross",
                (
                    PaperRow("MarioNETte", ("0.520", "3.41", "0.710")),
                    PaperRow("Mesh Guided GCN", ("0.635", "3.41", "0.709")),
                    PaperRow("Monkey-Net", ("0.451", "4.81", "0.584")),
                    PaperRow("FirstOrder", ("0.462", "3.90", "0.667")),
                    PaperRow("NeuralHead-FF", ("0.108", "3.30", "0.722")),
                    PaperRow("X2face", ("0.450", "3.62", "0.679")),
                    _vit("ViT", ("0.525", "2.95", "0.694")),
                    _resnet("ResNet", ("0.515", "2.35", "0.708")),
                ),
            ),
        ),
    ),
    PaperTable(
        "glg/III",
        "Models trained on CelebV",
        _THREE,
        (
            _known(
                PaperRow("X2Face", ("0.467", "8.12", "0.611")),
                _PLAIN_VIT,
                _vit("ViT+LGAN+Style", ("0.653", "2.66", "0.675"), _LGAN, True),
                _PLAIN_RESNET,
                _resnet("ResNet+LGAN+Style", ("0.661", "2.68", "0.672"), _LGAN, True),
            ),
        ),
    ),
    PaperTable(
        "glg/IV",
        "Landmark estimation",
        _THREE,
        (
            _known(
                _PLAIN_VIT,
                _vit("ViT+LSt", ("0.620", "3.87", "0.646"), _LST),
                _vit("ViT+LGAN", ("0.619", "2.60", "0.682"), _LGAN),
                _vit("ViT+LGAN, by a face embedding (proposed)", _NONE, "lgan_face+glg"),
                _vit("ViT+LGAN, by the face model (ours)", _NONE, "lgan_shape+glg"),
                _PLAIN_RESNET,
                _resnet("ResNet+LSt", ("0.616", "3.78", "0.650"), _LST),
                _resnet("ResNet+LGAN", ("0.614", "2.49", "0.687"), _LGAN),
                _resnet("ResNet+LGAN, by a face embedding (proposed)", _NONE, "lgan_face+glg"),
                _resnet("ResNet+LGAN, by the face model (ours)", _NONE, "lgan_shape+glg"),
            ),
        ),
    ),
    PaperTable(
        "glg/V",
        "Style transfer",
        _THREE,
        (
            _known(
                PaperRow(
                    "Style", ("0.647", "4.75", "0.646"), _PLAIN, ("image.flow=none",), "without optical flow"
                ),
                _PLAIN_VIT,
                _vit("ViT+Style", ("0.587", "3.22", "0.668"), _PLAIN, True),
                _PLAIN_RESNET,
                _resnet("ResNet+Style", ("0.606", "2.97", "0.670"), _PLAIN, True),
            ),
        ),
    ),
)
