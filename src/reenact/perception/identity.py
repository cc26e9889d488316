"""Who it is, as a vector: the same person gives near vectors, whatever the pose and the light.

The default is dlib's face recognition network (ResNet-29, 128 numbers, Euclidean distance; 99.4 % on LFW by
its author's account), from the packages `dlib-bin` and `face_recognition_models`. ArcFace (512 numbers,
cosine) is used where its ONNX file is given or was fetched. Both see the face in a chip whose geometry is cut
from our mesh points.
"""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from reenact.errors import ReenactError
from reenact.perception.chips import ARCFACE_CHIP, DLIB_CHIP, Chip, cut_chip
from reenact.perception.graphs import as_rgb
from reenact.runtime.weights import fetched_and_checked
from reenact.types import Floats, Image, Landmarks

_MODEL = "models/dlib_face_recognition_resnet_model_v1.dat"


class IdentityEmbedder(Protocol):
    """What every identity network offers."""

    name: str
    threshold: float

    def embed(self, image: Image, landmarks: Landmarks) -> Floats:
        """The face as a vector, float32."""

    def similarity(self, one: Floats, other: Floats) -> float:
        """How alike two vectors are; 1 for equal ones, higher is more alike."""

    def same_person(self, one: Floats, other: Floats) -> bool:
        """Whether `similarity` is above this network's `threshold`."""


class DlibIdentity:
    """dlib's network: (128,) float32, not normalised (length about 1.4).

    similarity: 1 - distance / 2, which is 1 for equal vectors. threshold: 0.7, the distance of 0.6 that
    dlib's author gives for photographs of different days; see `docs/faces.md` for what it does on clips and
    portraits. jitter: averages over that many shifted and scaled chips (slower, a little steadier).
    Raises ReenactError where the packages are missing.
    """

    name = "dlib"
    threshold = 0.7

    def __init__(self, *, jitter: int = 0) -> None:
        self._jitter = jitter
        self._network: Any = _dlib().face_recognition_model_v1(str(dlib_model_file()))

    def embed(self, image: Image, landmarks: Landmarks) -> Floats:
        """(128,) float32 for the face at `landmarks` ('mesh478') in (H, W, 3 or 4) uint8."""
        return self.embed_chips([cut_chip(as_rgb(image), landmarks.points, DLIB_CHIP)])[0]

    def embed_chips(self, chips: list[Image]) -> Floats:
        """(N, 128) float32 for chips cut with `DLIB_CHIP`, each (150, 150, 3) uint8."""
        vectors = self._network.compute_face_descriptor(chips, self._jitter)
        return np.asarray([list(vector) for vector in vectors], np.float32)

    def similarity(self, one: Floats, other: Floats) -> float:
        """1 - half the Euclidean distance: 1 for equal vectors, 0.7 at dlib's threshold."""
        return 1.0 - float(np.linalg.norm(one - other)) / 2

    def same_person(self, one: Floats, other: Floats) -> bool:
        """Whether the two faces are likely one person's."""
        return self.similarity(one, other) > self.threshold


class ArcFaceIdentity:
    """An ArcFace network as ONNX: (512,) float32 of length 1, compared by cosine.

    path: a model of the InsightFace family (input (N, 3, 112, 112), RGB in [-1, 1]). threshold: 0.28,
    above which InsightFace's own demonstration says that two faces are one person's.
    Raises ReenactError where the file or ONNX Runtime is missing.
    """

    name = "arcface"
    threshold = 0.28

    def __init__(self, path: Path, *, threads: int = 1) -> None:
        self._session: Any = open_session(path, "ArcFace", threads)
        self._input = self._session.get_inputs()[0].name

    def embed(self, image: Image, landmarks: Landmarks) -> Floats:
        """(512,) float32 of length 1 for the face at `landmarks` in (H, W, 3 or 4) uint8."""
        chip = cut_chip(as_rgb(image), landmarks.points, ARCFACE_CHIP)
        batch = (chip.astype(np.float32) / 127.5 - 1).transpose(2, 0, 1)[None]
        vector = np.asarray(self._session.run(None, {self._input: batch})[0][0], np.float32)
        return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), np.float32)

    def similarity(self, one: Floats, other: Floats) -> float:
        """Cosine of the angle between the vectors."""
        return float(one @ other)

    def same_person(self, one: Floats, other: Floats) -> bool:
        """Whether the two faces are likely one person's."""
        return self.similarity(one, other) > self.threshold


def open_identity(arcface: Path | None = None) -> IdentityEmbedder:
    """ArcFace where its file is given or was fetched (`reenact weights fetch arcface`), otherwise dlib's
    network; `name` says which. ReenactError where neither can run."""
    path = fetched_and_checked("arcface") if arcface is None else arcface
    return DlibIdentity() if path is None else ArcFaceIdentity(path)


def open_session(path: Path, what: str, threads: int) -> Any:
    """An ONNX Runtime session for a network the user has given; ReenactError where it cannot be run."""
    if not path.is_file():
        raise ReenactError(f"{path}: no {what} network there; give the path of its ONNX file")
    if importlib.util.find_spec("onnxruntime") is None:
        raise ReenactError(f"{what} needs ONNX Runtime, which is not installed: pip install onnxruntime")
    runtime = importlib.import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    try:
        return runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime's own exceptions have no common base
        raise ReenactError(f"{path}: not an ONNX network that loads ({error}); fetch it again") from error


def _dlib() -> Any:
    try:
        return importlib.import_module("dlib")
    except ImportError as error:
        raise ReenactError(
            "comparing identities needs dlib, which is not installed: pip install 'reenact[identity]'"
        ) from error


def dlib_model_file() -> Path:
    """The network's file; its package is found but not imported, for its import needs the old pkg_resources."""
    spec = importlib.util.find_spec("face_recognition_models")
    if spec is not None and spec.origin is not None:
        path = Path(spec.origin).parent / _MODEL
        if path.is_file():
            return path
    raise ReenactError(
        "comparing identities needs the package face_recognition_models, which is not installed: "
        "pip install 'reenact[identity]'"
    )


__all__ = ["ArcFaceIdentity", "Chip", "DlibIdentity", "IdentityEmbedder", "open_identity"]
