"""Trained networks as ONNX or OpenVINO files that run without PyTorch, each compared with its original.

Needs the packages of `reenact[export]`. Weights are kept in half precision; arithmetic is what the engine
chooses.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
import time
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from reenact.errors import ReenactError
from reenact.media.files import atomic_output
from reenact.runtime.engine import BACKENDS, Backend, open_network
from reenact.runtime.weights import find, installed
from reenact.systems import find_training
from reenact.systems.spec import Settings, Stage, StageSpec
from reenact.systems.trained import recorded_settings

Form = Literal["onnx", "openvino"]
Inputs = tuple[Tensor, ...]
TOLERANCE = 2e-3
"""Largest difference between PyTorch's and the exported network's outputs, in units of the largest output."""

_OPSET = 20
_SMALLEST_HALVED = 64  # numbers; shorter constants stay as they are
_RUNS = 15


@runtime_checkable
class InParts(Protocol):
    """A stage whose network is exported in parts, each with inputs of a batch of one."""

    def parts(self) -> dict[str, tuple[nn.Module, Inputs]]:
        """The parts by name."""


@dataclass(frozen=True)
class Exported:
    """One exported network. difference: largest absolute difference to PyTorch's outputs on random inputs, over
    their largest value, in f32. milliseconds: median of one run by backend and precision, and PyTorch's."""

    name: str
    path: str
    bytes: int
    difference: float
    milliseconds: dict[str, float]


def export(
    system: str, form: Form, folder: Path, *, threads: int = 2, overwrite: bool = False
) -> list[Exported]:
    """Export every trained network of a system into `folder` as `SYSTEM_NAME.onnx`, or `.xml` with its `.bin`.

    Raises ReenactError where packages or weights are missing, a file is there already, or an exported network
    differs from its original by more than `TOLERANCE`.
    """
    need_packages(form)
    spec = find_training(system)
    trained = [stage for stage in spec.stages if installed(f"{system}_{stage.name}")]
    if not trained:
        raise ReenactError(f"{system} has no weights yet to export; train it with `reenact train {system}`")
    folder.mkdir(parents=True, exist_ok=True)
    done = []
    for stage in trained:
        built = _trained(system, stage)
        for name, (network, inputs) in _networks(built).items():
            target = folder / f"{system}_{name}.{'onnx' if form == 'onnx' else 'xml'}"
            done.append(export_network(network, inputs, target, threads=threads, overwrite=overwrite))
    return done


def export_network(
    network: nn.Module, inputs: Inputs, target: Path, *, threads: int = 2, overwrite: bool = False
) -> Exported:
    """Export one network to `target`, an `.onnx` or `.xml` file, and compare; see `export`."""
    network = network.eval().float()
    inputs = tuple(torch.rand(x.shape, generator=torch.Generator().manual_seed(1)) for x in inputs)
    with torch.no_grad():
        outputs = network(*inputs)
    wanted = [x.numpy() for x in (outputs if isinstance(outputs, tuple) else (outputs,))]
    if target.suffix == ".onnx":
        with atomic_output(target, overwrite=overwrite) as partial:
            write_onnx(network, inputs, partial)
        differences = {name: _difference(wanted, _run(target, inputs, name, threads)) for name in _backends()}
    else:
        _write_openvino(network, inputs, target, overwrite)
        differences = {"openvino": _difference(wanted, _run(target, inputs, "openvino", threads))}
    worst = max(differences.values())
    if worst > TOLERANCE:
        target.unlink()
        raise ReenactError(f"{target.name}: differs from PyTorch by {worst:.2g} of the largest value; not kept")
    times = _times(network, target, inputs, list(differences), threads)
    return Exported(target.stem, str(target), target.stat().st_size, worst, times)


def write_onnx(network: nn.Module, inputs: Inputs, target: Path, *, halve: bool = True) -> None:
    """One ONNX file of operators of opset 20, weights in fp16, or in fp32 without `halve`."""
    import onnx

    with _quiet(), torch.no_grad():
        program = torch.onnx.export(
            network, inputs, dynamo=True, external_data=False, opset_version=_OPSET, optimize=True
        )
    assert program is not None
    model = program.model_proto
    _forget_origin(model)
    if halve:
        _halve(model, {name for name, _ in network.named_parameters()})
    onnx.checker.check_model(model)
    target.write_bytes(model.SerializeToString())


def _forget_origin(model: Any) -> None:
    """Take out what the exporter notes of each node: stack traces, with paths of the computer that exported."""
    graph = model.graph
    lists = (graph.node, graph.input, graph.output, graph.value_info, graph.initializer)
    for part in (model, graph, *(entry for entries in lists for entry in entries)):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")


def need_packages(form: Form) -> None:
    """Raises ReenactError with the command to install them where packages for exporting are absent."""
    wanted = ("onnx", "onnxscript", *(("openvino",) if form == "openvino" else ()))
    missing = [name for name in wanted if find_spec(name) is None]
    if missing:
        raise ReenactError(f"exporting needs {', '.join(missing)}: pip install 'reenact[export]'")
    if not _backends():
        raise ReenactError("an engine is needed to compare with: pip install openvino (or onnxruntime)")


def as_record(done: list[Exported]) -> list[dict[str, Any]]:
    """For `--json`."""
    return [asdict(one) for one in done]


def _trained(system: str, stage: StageSpec) -> Stage:
    record = find(f"{system}_{stage.name}")
    settings: Settings = recorded_settings(record, stage.presets)
    built = stage.build(settings)
    tensors = load_file(record.path)
    for name in built.averaged:
        own = {k.partition(".")[2]: v.float() for k, v in tensors.items() if k.partition(".")[0] == name}
        try:
            built.networks[name].load_state_dict(own)
        except RuntimeError as error:
            raise ReenactError(f"{record.path}: {str(error).splitlines()[0]}; install it again") from None
    return built


def _networks(stage: Stage) -> dict[str, tuple[nn.Module, Inputs]]:
    if isinstance(stage, InParts):
        return stage.parts()
    examples = stage.examples(1)
    return {name: (stage.networks[name], examples[name]) for name in stage.averaged}


def _halve(model: Any, weights: set[str]) -> None:
    """Keep the weights of that name in fp16, each cast back when the network is loaded; other constants, as
    the coordinates that flows are added to, stay."""
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    for constant in model.graph.initializer:
        values = numpy_helper.to_array(constant)
        if constant.name not in weights or values.size < _SMALLEST_HALVED:
            continue
        name = constant.name
        constant.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
        casts.append(helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT))
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*casts, *nodes])
    del model.graph.value_info[:]


def _write_openvino(network: nn.Module, inputs: Inputs, target: Path, overwrite: bool) -> None:
    openvino: Any = importlib.import_module("openvino")
    weights = target.with_suffix(".bin")
    with (
        atomic_output(target.with_suffix(".onnx.tmp"), overwrite=True) as between,
        atomic_output(weights, overwrite=overwrite) as partial_weights,
        atomic_output(target, overwrite=overwrite) as partial,
    ):
        write_onnx(network, inputs, between)
        model = openvino.convert_model(str(between))
        named = partial.with_suffix(".xml")
        openvino.save_model(model, str(named), compress_to_fp16=True)
        named.with_suffix(".bin").replace(partial_weights)
        if named != partial:
            named.replace(partial)
    target.with_suffix(".onnx.tmp").unlink()


def _backends() -> list[Backend]:
    return [name for name, module in BACKENDS.items() if find_spec(module) is not None]  # type: ignore[misc]


def _run(path: Path, inputs: Inputs, backend: Backend, threads: int) -> list[np.ndarray]:
    network = open_network(path, threads, backend, "f32")
    return [np.array(x) for x in network([x.numpy() for x in inputs])]


def _difference(wanted: list[np.ndarray], got: list[np.ndarray]) -> float:
    return max(
        float(np.abs(a - b).max()) / max(float(np.abs(a).max()), 1e-6) for a, b in zip(wanted, got, strict=True)
    )


def _times(
    network: nn.Module, path: Path, inputs: Inputs, backends: list[Any], threads: int
) -> dict[str, float]:
    arrays = [x.numpy() for x in inputs]
    runs: dict[str, Any] = {}
    for backend in backends:
        for precision in ("f32", "bf16") if backend == "openvino" else ("f32",):
            runs[f"{backend} {precision}"] = open_network(path, threads, backend, precision)
    times: dict[str, list[float]] = {name: [] for name in (*runs, "pytorch f32")}
    with torch.no_grad():
        for _ in range(_RUNS):  # in turn, so that a machine's moods hit all alike
            for name, run in runs.items():
                times[name].append(_timed(lambda run=run: run(arrays)))
            times["pytorch f32"].append(_timed(lambda: network(*inputs)))
    return {name: round(float(np.median(values[2:])) * 1e3, 2) for name, values in times.items()}


def _timed(call: Any) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's chatter, which goes to three places."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
