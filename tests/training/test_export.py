"""Exported networks equal their originals in every engine that is there."""

from __future__ import annotations

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxscript")
pytest.importorskip("openvino")

from reenact.errors import ReenactError  # noqa: E402
from reenact.runtime.engine import open_network  # noqa: E402
from reenact.runtime.weights import SHIPPED  # noqa: E402
from reenact.systems.live.network import carried  # noqa: E402
from reenact.systems.live.presets import PRESETS  # noqa: E402
from reenact.systems.live.train import LiveStage  # noqa: E402
from reenact.training import export as exporting  # noqa: E402


class Small(torch.nn.Module):
    """A convolution, and its result carried along by a flow: the operators that matter."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.conv = torch.nn.Conv2d(3, 8, 3, padding=1)

    def forward(self, picture, flow):
        x = torch.nn.functional.leaky_relu(self.conv(picture), 0.1)
        return carried(x, flow), x.mean((2, 3))


@pytest.fixture(scope="module")
def small():
    network = Small()
    with torch.no_grad():  # weights that fp16 holds exactly, as shipped ones are
        for parameter in network.parameters():
            parameter.copy_(parameter.half().float())
    return network, (torch.rand(1, 3, 16, 16), torch.rand(1, 2, 16, 16))


def test_onnx_and_pytorch_agree(small, tmp_path):
    done = exporting.export_network(*small, tmp_path / "small.onnx", threads=1)
    assert done.difference < 1e-4 and done.bytes == (tmp_path / "small.onnx").stat().st_size
    assert {"pytorch f32", "openvino f32"} <= set(done.milliseconds)
    assert all(value > 0 for value in done.milliseconds.values())
    model = onnx.load(tmp_path / "small.onnx")
    halved = [one for one in model.graph.initializer if one.data_type == onnx.TensorProto.FLOAT16]
    assert [one.dims for one in halved] == [[8, 3, 3, 3]]


def test_openvino_files_are_a_pair(small, tmp_path):
    network, inputs = small
    done = exporting.export_network(network, inputs, tmp_path / "small.xml", threads=1)
    assert done.difference < 1e-4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["small.bin", "small.xml"]
    picture, flow = (torch.rand_like(x) for x in inputs)
    got = open_network(tmp_path / "small.xml", 1, "openvino", "f32")([picture.numpy(), flow.numpy()])
    with torch.no_grad():
        wanted = network(picture, flow)
    assert got[0] == pytest.approx(wanted[0].numpy(), abs=1e-4)


def test_a_network_that_differs_is_not_kept(small, tmp_path, monkeypatch):
    monkeypatch.setattr(exporting, "_run", lambda *_: [np.zeros((1, 8, 16, 16)), np.zeros((1, 8))])
    with pytest.raises(ReenactError, match="differs from PyTorch"):
        exporting.export_network(*small, tmp_path / "small.onnx", threads=1)
    assert not list(tmp_path.iterdir())


def test_files_are_not_replaced_unasked(small, tmp_path):
    (tmp_path / "small.onnx").write_bytes(b"mine")
    with pytest.raises(ReenactError):
        exporting.export_network(*small, tmp_path / "small.onnx", threads=1)
    assert (tmp_path / "small.onnx").read_bytes() == b"mine"


def test_parts_of_live_are_its_two_halves():
    parts = LiveStage(PRESETS["tiny"]).parts()
    assert set(parts) == {"source", "frame"}
    source, inputs = parts["source"]
    features = source(*inputs)
    assert [x.shape for x in parts["frame"][1][3:]] == [x.shape for x in features]


def test_without_weights_it_is_one_line(tmp_path, monkeypatch, cli=None):
    from reenact.runtime import weights

    monkeypatch.setenv("REENACT_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(weights, "SHIPPED", tmp_path / "none")
    with pytest.raises(ReenactError, match="no weights yet"):
        exporting.export("live", "onnx", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_the_shipped_network_of_live(tmp_path):
    done = exporting.export("live", "onnx", tmp_path, threads=1)
    assert {one.name for one in done} == {"live_source", "live_frame"}
    assert max(one.difference for one in done) < exporting.TOLERANCE
    assert json.dumps(exporting.as_record(done))


def test_shipped_networks_name_no_folder_of_the_computer_that_exported():
    for path in sorted(SHIPPED.glob("*.onnx")):
        assert b"site-packages" not in path.read_bytes() and b"network.py" not in path.read_bytes(), path


def test_an_exported_network_names_none(small, tmp_path):
    exporting.export_network(*small, tmp_path / "small.onnx", threads=1)
    assert b".py" not in (tmp_path / "small.onnx").read_bytes()
