"""The face mesh network in PyTorch against MediaPipe's own run of the same file."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pil
from skimage import data

torch = pytest.importorskip("torch")

from reenact.errors import ReenactError  # noqa: E402
from reenact.nn.mesh_net import LEFT, LIPS, RIGHT, SIZE, MeshNet, load_mediapipe  # noqa: E402
from reenact.nn.shipping import half_precision, parameter_count  # noqa: E402
from reenact.perception.detector import MeshNetwork  # noqa: E402
from reenact.perception.finders import Region  # noqa: E402

WHOLE = Region(SIZE / 2, SIZE / 2, SIZE, 0.0)
"""MediaPipe shows its network this region of a picture of 192 pixels as it is, without resampling."""


@pytest.fixture(scope="module")
def net():
    return load_mediapipe(MeshNet()).eval().requires_grad_(False)


def portrait(degrees: float = 0.0, shift: int = 0):
    """The astronaut's face as the network wants it, (192, 192, 3)."""
    picture = Pil.fromarray(data.astronaut()).rotate(degrees, Pil.Resampling.BICUBIC, center=(225, 123))
    box = (143 + shift, 41, 307 + shift, 205)
    return np.array(picture.crop(box).resize((SIZE, SIZE), Pil.Resampling.BICUBIC))


def as_batch(*pictures):
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255


@pytest.mark.parametrize(("degrees", "shift"), [(0, 0), (20, 3), (-35, 5), (0, 18), (60, 0)])
def test_equal_to_mediapipe(net, degrees, shift):
    picture = portrait(degrees, shift)
    theirs = MeshNetwork()
    expected, score = theirs.read(picture, WHOLE)
    theirs.close()
    points, face = net(as_batch(picture))
    assert np.abs(points[0].numpy() - expected).max() < 1e-2  # pixels of 192
    assert float(face.sigmoid()) == pytest.approx(score, abs=1e-4)


def test_pieces_beyond_the_edge_equal_mediapipes(net):
    picture = np.roll(portrait(), (70, -60), (0, 1))  # an eye and half the mouth leave the picture
    theirs = MeshNetwork()
    graph = theirs.read(picture, WHOLE)
    theirs.close()
    points, face = net(as_batch(picture))
    assert float(face.sigmoid()) == pytest.approx(graph[1], abs=1e-3)
    if graph[0] is not None:
        assert np.abs(points[0].numpy() - graph[0]).max() < 2e-2


def test_faces_of_a_batch_do_not_touch_each_other(net):
    pictures = as_batch(portrait(), portrait(25))
    together = net(pictures).points
    alone = torch.cat([net(picture[None]).points for picture in pictures])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-3)


def test_weights_survive_fp16_exactly(net):
    kept = half_precision(net)
    assert all(torch.equal(kept[name].float(), value) for name, value in net.state_dict().items())
    assert parameter_count(net) * 2 < 5_000_000 / 2


def test_each_second_look_has_its_own_points():
    assert len(set(LIPS)) == 80 and len(set(RIGHT)) == len(set(LEFT)) == 71
    assert not set(LIPS) & set(RIGHT) and not set(LIPS) & set(LEFT) and not set(LEFT) & set(RIGHT)


def test_gradient_reaches_every_weight_and_the_picture():
    net = load_mediapipe(MeshNet())
    images = as_batch(portrait()).requires_grad_(True)
    points, face = net(images)
    (points.square().mean() + face.square().mean()).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())
    assert images.grad is not None and images.grad.abs().sum() > 0


def test_another_network_is_refused():
    spec = importlib.util.find_spec("mediapipe")
    assert spec is not None and spec.origin is not None
    with pytest.raises(ReenactError, match="not MediaPipe's face mesh with attention"):
        load_mediapipe(MeshNet(), Path(spec.origin).parent / "modules/face_landmark/face_landmark.tflite")
