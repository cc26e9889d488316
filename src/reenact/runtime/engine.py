"""Exported networks (ONNX) without PyTorch: OpenVINO where it is installed, else ONNX Runtime."""

from __future__ import annotations

import importlib
import importlib.util
import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Protocol

from reenact.errors import ReenactError
from reenact.types import Floats

Backend = Literal["openvino", "onnxruntime"]
Precision = Literal["auto", "f32", "bf16"]
BACKENDS: dict[str, str] = {"openvino": "openvino", "onnxruntime": "onnxruntime"}
"""Backends in the order in which they are tried, and the module of each."""


class Network(Protocol):
    """A network that is ready to run, by several threads of the caller at once."""

    def __call__(self, inputs: Sequence[Floats]) -> list[Floats]:
        """The outputs (float32) of inputs in the order in which it was exported. The arrays that come back may
        be written over by the same thread's next call."""


def installed_backend() -> Backend | None:
    """The backend that `open_network` would take, None where neither is installed."""
    for name, module in BACKENDS.items():
        if importlib.util.find_spec(module) is not None:
            return name  # type: ignore[return-value]
    return None


_GPU = "CUDAExecutionProvider"


def on_gpu() -> bool:
    """Whether the backend that `open_network` would take runs networks on an NVIDIA GPU."""
    if installed_backend() != "onnxruntime":
        return False
    package: Any = importlib.import_module("onnxruntime")
    return _GPU in package.get_available_providers()


@lru_cache(maxsize=16)
def open_network(
    path: Path,
    threads: int = 2,
    backend: Backend | None = None,
    precision: Precision = "auto",
    streams: int = 1,
) -> Network:
    """The network of an ONNX file; the same object for the same arguments.

    threads: of the CPU, for one call. streams: calls at once. precision: of OpenVINO's arithmetic; 'auto' is
    bf16 where the processor multiplies it natively, ONNX Runtime always computes in f32. Raises ReenactError
    where no backend is installed or the file is not one that it can run.
    """
    backend = backend or installed_backend()
    if backend is None:
        raise ReenactError("no engine for networks is installed: pip install openvino (or onnxruntime)")
    try:
        return _OPEN[backend](path, threads, precision, streams)
    except ImportError as error:
        raise ReenactError(f"{backend} cannot be loaded ({error}); install it again") from error
    except (RuntimeError, ValueError, OSError) as error:
        reason = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
        raise ReenactError(f"{path}: {backend} cannot run it ({reason})") from None


class _OpenVino:
    def __init__(self, path: Path, threads: int, precision: Precision, streams: int) -> None:
        core = _openvino_core()
        options: dict[str, Any] = {"INFERENCE_NUM_THREADS": threads * streams}
        options |= {"PERFORMANCE_HINT": "LATENCY"} if streams == 1 else {"NUM_STREAMS": streams}
        if precision != "auto":
            options["INFERENCE_PRECISION_HINT"] = precision
        self._network = core.compile_model(str(path), "CPU", options)
        self._own = threading.local()

    def __call__(self, inputs: Sequence[Floats]) -> list[Floats]:
        if not hasattr(self._own, "request"):  # a request serves one caller at a time
            self._own.request = self._network.create_infer_request()
        results = self._own.request.infer(list(inputs), share_inputs=True, share_outputs=True)
        return list(results.values())


class _OnnxRuntime:
    def __init__(self, path: Path, threads: int, precision: Precision, streams: int) -> None:
        package: Any = importlib.import_module("onnxruntime")
        options = package.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = threads, 3
        wanted = (_GPU, "CPUExecutionProvider")
        providers = [name for name in wanted if name in package.get_available_providers()]
        try:
            self._session = package.InferenceSession(str(path), options, providers=providers)
        except Exception as error:  # its own exceptions share no base class
            raise ValueError(str(error)) from None
        self._names = [entry.name for entry in self._session.get_inputs()]

    def __call__(self, inputs: Sequence[Floats]) -> list[Floats]:
        return list(self._session.run(None, dict(zip(self._names, inputs, strict=True))))


@lru_cache(maxsize=1)
def _openvino_core() -> Any:
    return importlib.import_module("openvino").Core()


_OPEN: dict[str, Any] = {"openvino": _OpenVino, "onnxruntime": _OnnxRuntime}
