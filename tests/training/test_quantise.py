"""Integer convolutions answer nearly as the floats that they were made from, in every engine."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxscript")
pytest.importorskip("onnxruntime")

from reenact.errors import ReenactError  # noqa: E402
from reenact.runtime.engine import BACKENDS, open_network  # noqa: E402
from reenact.training.quantise import quantise  # noqa: E402


def network() -> torch.nn.Module:
    torch.manual_seed(5)
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 16, 3, padding=1), torch.nn.LeakyReLU(0.1), torch.nn.Conv2d(16, 4, 3, padding=1)
    )


def pictures(count: int) -> list[list[np.ndarray]]:
    random = np.random.default_rng(7)
    return [[random.uniform(-1, 1, (1, 3, 24, 24)).astype(np.float32)] for _ in range(count)]


def integer_weights(path) -> int:
    model = onnx.load(path)
    return sum(one.data_type == onnx.TensorProto.INT8 and len(one.dims) == 4 for one in model.graph.initializer)


@pytest.mark.parametrize("backend", BACKENDS)
def test_nearly_the_floats(tmp_path, backend):
    pytest.importorskip(backend)
    net, path = network(), tmp_path / "net.onnx"
    quantise(net, (torch.zeros(1, 3, 24, 24),), path, pictures(8))
    assert integer_weights(path) == 2
    run, new = open_network(path, 1, backend), pictures(12)[-1]
    with torch.no_grad():
        wanted = net(torch.from_numpy(new[0])).numpy()
    error = np.abs(run(new)[0] - wanted)
    assert 0 < error.mean() < 0.03 * wanted.std()


def test_what_is_spared_stays_in_floats(tmp_path):
    quantise(network(), (torch.zeros(1, 3, 24, 24),), tmp_path / "net.onnx", pictures(2), spared=("2",))
    assert integer_weights(tmp_path / "net.onnx") == 1


def test_wrong_names_and_no_batches_are_one_line(tmp_path):
    with pytest.raises(ReenactError, match="no convolution is named tail"):
        quantise(network(), (torch.zeros(1, 3, 24, 24),), tmp_path / "a.onnx", pictures(1), spared=("tail",))
    with pytest.raises(ReenactError, match="batches"):
        quantise(network(), (torch.zeros(1, 3, 24, 24),), tmp_path / "b.onnx", [])
    assert not list(tmp_path.iterdir())
