"""A trained network with its convolutions in 8-bit integers, which processors multiply faster than floats.

Static quantisation by ONNX Runtime's tool, as an ONNX file of quantise and dequantise operators that both
engines turn into integer convolutions: weights signed, a scale for each output channel; activations unsigned,
their range that of the calibration batches. Needs the packages of `reenact[export]` and `reenact[onnx]`.
"""

from __future__ import annotations

import importlib
import logging
import tempfile
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from reenact.errors import ReenactError
from reenact.media.files import atomic_output
from reenact.training.export import Inputs, need_packages, write_onnx
from reenact.types import Floats


def quantise(
    network: nn.Module,
    inputs: Inputs,
    target: Path,
    batches: Iterable[Sequence[Floats]],
    *,
    spared: Sequence[str] = (),
    overwrite: bool = False,
) -> None:
    """Write the network to `target`, an `.onnx` file, with its convolutions in integers.

    inputs: of a batch of one, as for exporting. batches: inputs as in use, each in the network's order; the
    least and largest values of their activations set the ranges. spared: names of convolutions that stay in
    floats, as those whose output is the picture itself. Raises ReenactError where a package is missing, there
    is no batch, or a spared name is no convolution's.
    """
    need_packages("onnx")
    if find_spec("onnxruntime") is None:
        raise ReenactError("quantising needs onnxruntime: pip install 'reenact[onnx]'")
    import onnx

    rest = iter(batches)
    first = next(rest, None)
    if first is None:
        raise ReenactError("quantising needs batches to calibrate with; none were given")
    tool: Any = importlib.import_module("onnxruntime.quantization")
    with tempfile.TemporaryDirectory() as name:
        plain, made = Path(name) / "plain.onnx", Path(name) / "made.onnx"
        write_onnx(network.eval().float(), inputs, plain, halve=False)
        model = onnx.load(plain)
        rows = _Rows([entry.name for entry in model.graph.input], chain([first], rest))
        before = logging.root.manager.disable
        logging.disable(logging.WARNING)
        try:
            tool.quantize_static(
                plain,
                made,
                rows,
                quant_format=tool.QuantFormat.QDQ,
                op_types_to_quantize=["Conv"],
                nodes_to_exclude=_convolutions(model, spared),
                per_channel=True,
                reduce_range=True,  # 7 bits: processors without VNNI add pairs of products in 16 bits
                activation_type=tool.QuantType.QUInt8,
                weight_type=tool.QuantType.QInt8,
                calibrate_method=tool.CalibrationMethod.MinMax,
            )
        finally:
            logging.disable(before)
        with atomic_output(target, overwrite=overwrite) as partial:
            partial.write_bytes(made.read_bytes())


class _Rows:
    """Batches in the form that the tool asks for."""

    def __init__(self, names: Sequence[str], batches: Iterable[Sequence[Floats]]) -> None:
        self._rows = (
            dict(zip(names, (np.asarray(x, np.float32) for x in batch), strict=True)) for batch in batches
        )

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self._rows, None)


def _convolutions(model: Any, layers: Sequence[str]) -> list[str]:
    """The graph's names of the convolutions that a network's layers of these names became."""
    of_weight = {node.input[1]: node.name for node in model.graph.node if node.op_type == "Conv"}
    missing = [layer for layer in layers if f"{layer}.weight" not in of_weight]
    if missing:
        raise ReenactError(f"no convolution is named {missing[0]}; there are: {', '.join(sorted(of_weight))}")
    return [of_weight[f"{layer}.weight"] for layer in layers]
