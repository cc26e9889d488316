"""GLG, Generative Landmark Guidance (Hu, Xie and Wu 2023): landmarks from identity, head pose and action units,
then a face by optical flow, parts drawn one by one, and a style branch.

`README.md` is the paper card. Reading order: `presets.py`, `lgan.py`, `flow.py`, `parts.py`, `generator.py`,
`losses.py`, `train.py`, `animate.py`.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from reenact.systems.glg import presets
from reenact.systems.spec import (
    Converter,
    ConverterSpec,
    Generator,
    SourceFace,
    Stage,
    StageSpec,
    SystemSpec,
    TrainingSpec,
)
from reenact.systems.trained import need_torch

_PAPER = "Face Reenactment via Generative Landmark Guidance (2023)"


def _lgan(settings: Any) -> Stage:
    from reenact.systems.glg.train import LganStage

    return LganStage(settings)


def _image(settings: Any) -> Stage:
    from reenact.systems.glg.train import ImageStage

    return ImageStage(settings)


def _converter(stage: str, source: SourceFace) -> Converter:
    need_torch(stage)
    from reenact.systems.glg.animate import load_converter

    return load_converter(stage, source)


def _generator(source: SourceFace, threads: int | None) -> Generator:
    need_torch("glg")
    from reenact.systems.glg.animate import load_generator

    return load_generator(source, threads)


def _spec(name: str, title: str) -> ConverterSpec:
    return ConverterSpec(name, title, "ibug68", partial(_converter, name), (f"glg_{name}",))


LGAN = _spec("lgan", "GLG's landmark GAN (the nearest of the people it was trained on)")
LGAN_FACE = _spec("lgan_face", "GLG's landmark GAN, identity by a face embedding")
LGAN_SHAPE = _spec("lgan_shape", "GLG's landmark GAN, identity by the face model's coefficients")

GLG = SystemSpec(
    name="glg",
    title="Generative Landmark Guidance",
    paper=_PAPER,
    margin=2.6,
    learned=True,
    load=_generator,
    takes="ibug68",
    converter="lgan_shape",
    weights=("glg_image",),
)

GLG_TRAINING = TrainingSpec(
    name="glg",
    title="Generative Landmark Guidance",
    paper=_PAPER,
    stages=(
        StageSpec("lgan", "landmark GAN of known people (III-B-2)", "controls", presets.LGAN, _lgan),
        StageSpec(
            "lgan_face", "landmark GAN by face embedding (V)", "controls", presets.LGAN_FACE, _lgan, extra=True
        ),
        StageSpec(
            "lgan_shape", "landmark GAN by face model (ours)", "controls", presets.LGAN_SHAPE, _lgan, extra=True
        ),
        StageSpec("image", "flow, parts and image generator (III-A to III-D)", "pairs", presets.IMAGE, _image),
    ),
)
