"""MediaPipe's graphs, started quickly and quietly.

`import mediapipe` pulls in matplotlib, OpenCV (and with it libGL) and an audio library, about a second
that no graph needs. Here the package is entered by its parts: the graph runner and the option messages. Whoever
imports `mediapipe` afterwards still gets all of it, loaded at the first use.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reenact.errors import ReenactError
from reenact.types import Image

# Messages whose descriptors must be known before a graph is parsed, or its node options are lost.
_OPTIONS = (
    "calculators.core.constant_side_packet_calculator_pb2",
    "calculators.core.gate_calculator_pb2",
    "calculators.core.split_vector_calculator_pb2",
    "calculators.tensor.image_to_tensor_calculator_pb2",
    "calculators.tensor.inference_calculator_pb2",
    "calculators.tensor.tensors_to_classification_calculator_pb2",
    "calculators.tensor.tensors_to_detections_calculator_pb2",
    "calculators.tensor.tensors_to_floats_calculator_pb2",
    "calculators.tensor.tensors_to_landmarks_calculator_pb2",
    "calculators.tensor.tensors_to_segmentation_calculator_pb2",
    "calculators.tflite.ssd_anchors_calculator_pb2",
    "calculators.util.association_calculator_pb2",
    "calculators.util.detections_to_rects_calculator_pb2",
    "calculators.util.landmarks_refinement_calculator_pb2",
    "calculators.util.local_file_contents_calculator_pb2",
    "calculators.util.logic_calculator_pb2",
    "calculators.util.non_max_suppression_calculator_pb2",
    "calculators.util.rect_transformation_calculator_pb2",
    "calculators.util.thresholding_calculator_pb2",
    "framework.tool.switch_container_pb2",
    "modules.face_detection.face_detection_pb2",
)

# What a healthy start prints; everything else that arrives on stderr is passed on.
_BANNER = re.compile(
    rb"INFO: Created TensorFlow Lite XNNPACK delegate"
    rb"|All log messages before absl::InitializeLog"
    rb"|inference_feedback_manager\.cc"
    rb"|landmark_projection_calculator\.cc"
)
_lock = threading.Lock()


class Graph:
    """A running MediaPipe graph.

    source: path of a binary graph inside the package, or the text of a graph. side: values of its side
    packets. outputs: names of the streams to read. options: values for `FaceDetectionOptions`. warm_up: one
    set of inputs, run at once so that what the graph prints on its first call is caught with the rest.
    Raises ReenactError when MediaPipe cannot be loaded.
    """

    def __init__(
        self,
        source: str,
        *,
        outputs: tuple[str, ...],
        side: Mapping[str, object] | None = None,
        options: Mapping[str, object] | None = None,
        warm_up: Mapping[str, object] | None = None,
    ) -> None:
        self._outputs = outputs
        with _quiet():
            self._runner: Any = _start(source, outputs, dict(side or {}), dict(options or {}))
            if warm_up is not None:
                self.run(**warm_up)

    def run(self, **inputs: object) -> dict[str, Any]:
        """One step: the output streams by name, None where a stream was silent."""
        result = self._runner.process(inputs)
        return {name: getattr(result, name) for name in self._outputs}

    def close(self) -> None:
        """Stop the graph; a second call does nothing."""
        runner, self._runner = self._runner, None
        if runner is not None:
            runner.close()


def _start(source: str, outputs: tuple[str, ...], side: dict[str, object], options: dict[str, object]) -> Any:
    for name in _OPTIONS:
        part(name)
    base = part("python.solution_base")
    if source.endswith(".binarypb"):
        graph: dict[str, Any] = {"binary_graph_path": source}
    else:
        config = part("framework.calculator_pb2").CalculatorGraphConfig
        parse = importlib.import_module("google.protobuf.text_format").Parse
        graph = {"graph_config": parse(source, config())}
    if options:
        message = part("modules.face_detection.face_detection_pb2").FaceDetectionOptions()
        for name, value in options.items():
            setattr(message, name, value)
        graph["graph_options"] = message
    return base.SolutionBase(side_inputs=side, outputs=list(outputs), **graph)


def part(name: str) -> Any:
    """The submodule `mediapipe.NAME`; ReenactError where MediaPipe is missing or does not load."""
    try:
        _enter_by_parts()
        return importlib.import_module(f"mediapipe.{name}")
    except ModuleNotFoundError as error:
        raise ReenactError(
            f"face detection needs the package '{error.name}', which is not installed; "
            "reinstall with 'pip install reenact'"
        ) from error
    except ImportError as error:
        raise ReenactError(
            f"MediaPipe does not load ({error}); on Debian or Ubuntu 'apt-get install libgl1 libglib2.0-0' "
            "brings the libraries it needs"
        ) from error


def _enter_by_parts() -> None:
    """Let submodules of `mediapipe` be imported without running the package's own import of everything."""
    if "mediapipe" in sys.modules:
        return
    spec = importlib.util.find_spec("mediapipe")
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError("mediapipe", name="mediapipe")
    package = importlib.util.module_from_spec(spec)
    loader = spec.loader

    def load_rest(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        vars(package).pop("__getattr__", None)
        loader.exec_module(package)
        return getattr(package, name)

    vars(package)["__getattr__"] = load_rest
    sys.modules["mediapipe"] = package


@contextmanager
def _quiet() -> Iterator[None]:
    """Hold back what C++ writes to stderr, then pass on all but the usual banner.

    The libraries log before any setting of theirs is read, so only the file descriptor helps. Where the
    process has no stderr there is nothing to hold back.
    """
    with _lock:
        try:
            saved = os.dup(2)
        except OSError:
            yield
            return
        with tempfile.TemporaryFile() as held:
            os.dup2(held.fileno(), 2)
            try:
                yield
            finally:
                os.dup2(saved, 2)
                os.close(saved)
                held.seek(0)
                _pass_on(held.read())


def _pass_on(text: bytes) -> None:
    kept = [line for line in text.splitlines(keepends=True) if not _BANNER.search(line)]
    if kept:
        os.write(2, b"".join(kept))


def as_rgb(image: Image, backdrop: int = 128) -> NDArray[np.uint8]:
    """(H, W, 3 or 4) uint8 as contiguous (H, W, 3); transparent pixels over a grey of `backdrop`.

    Raises ReenactError for another shape or type.
    """
    if image.ndim != 3 or image.shape[2] not in (3, 4) or image.dtype != np.uint8 or 0 in image.shape:
        raise ReenactError(
            f"a picture must be (H, W, 3 or 4) uint8, this one is {image.shape} {image.dtype}; convert it first"
        )
    if image.shape[2] == 3:
        return np.ascontiguousarray(image)
    alpha = image[..., 3:].astype(np.uint16)
    mixed = image[..., :3] * alpha + (255 - alpha) * backdrop + 127
    return np.ascontiguousarray((mixed // 255).astype(np.uint8))
