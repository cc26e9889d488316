"""Networks without PyTorch: both engines give the same, and damaged files one clear line."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.errors import ReenactError
from reenact.runtime import engine

onnx = pytest.importorskip("onnx")


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """y = relu(conv(x)) with known numbers, and x + 1."""
    from onnx import TensorProto, helper, numpy_helper

    kernel = np.arange(9, dtype=np.float32).reshape(1, 1, 3, 3) / 10 - 0.3
    nodes = [
        helper.make_node("Conv", ["x", "kernel"], ["wide"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["wide"], ["y"]),
        helper.make_node("Add", ["x", "one"], ["z"]),
    ]
    values = [
        numpy_helper.from_array(kernel, "kernel"),
        numpy_helper.from_array(np.ones(1, np.float32), "one"),
    ]
    shapes = {name: helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, 6, 6]) for name in "xyz"}
    graph = helper.make_graph(nodes, "g", [shapes["x"]], [shapes["y"], shapes["z"]], values)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path = tmp_path_factory.mktemp("net") / "net.onnx"
    path.write_bytes(model.SerializeToString())
    return path, kernel


def backends():
    return [
        pytest.param(name, marks=pytest.mark.skipif(not _has(module), reason=f"{module} is not installed"))
        for name, module in engine.BACKENDS.items()
    ]


def _has(module: str) -> bool:
    import importlib.util

    return importlib.util.find_spec(module) is not None


@pytest.mark.parametrize("backend", backends())
def test_outputs_in_order_against_scipy(network, backend):
    signal = pytest.importorskip("scipy.signal")
    path, kernel = network
    x = np.random.default_rng(1).normal(size=(1, 1, 6, 6)).astype(np.float32)
    run = engine.open_network(path, 1, backend, "f32")
    y, z = run([x])
    wanted = np.maximum(signal.correlate2d(x[0, 0], kernel[0, 0], mode="same"), 0)
    assert y[0, 0] == pytest.approx(wanted, abs=1e-5) and z == pytest.approx(x + 1)
    assert engine.open_network(path, 1, backend, "f32") is run


@pytest.mark.parametrize("backend", backends())
def test_a_damaged_file_is_one_line(tmp_path, backend):
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"\x08\x08\x12\x04junk" * 9)
    with pytest.raises(ReenactError) as caught:
        engine.open_network(path, 1, backend)
    assert "\n" not in str(caught.value) and "broken.onnx" in str(caught.value)


def test_without_an_engine_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "BACKENDS", {"none": "no_such_engine"})
    assert engine.installed_backend() is None
    with pytest.raises(ReenactError, match="pip install"):
        engine.open_network(tmp_path / "a.onnx", 1)
