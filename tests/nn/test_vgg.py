"""VGG-16: shapes, the order of its layers, and what is said without weights."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import save_file  # noqa: E402
from torch import nn  # noqa: E402

from reenact.errors import ReenactError  # noqa: E402
from reenact.nn.features import open_features, perceptual_features  # noqa: E402
from reenact.nn.vgg import LAYERS, Vgg16, load_vgg16  # noqa: E402


def torchvisions_features():
    """Configuration D up to relu4_3, numbered as torchvision's `features`."""
    layers, channels = [], 3
    for width, count in ((64, 2), (128, 2), (256, 3), (512, 3)):
        for _ in range(count):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
            channels = width
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers[:-1])


@pytest.fixture(scope="module")
def reference():
    torch.manual_seed(0)
    return torchvisions_features().eval()


@pytest.fixture(scope="module")
def weights(reference, tmp_path_factory):
    path = tmp_path_factory.mktemp("vgg") / "vgg16.safetensors"
    save_file({f"features.{name}": value for name, value in reference.state_dict().items()}, path)
    return path


def test_same_maps_as_the_reference(reference, weights):
    image = torch.rand(1, 3, 32, 32) * 2 - 1
    maps = load_vgg16(weights)(image)
    mean, spread = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    x = ((image + 1) / 2 - mean.view(1, 3, 1, 1)) / spread.view(1, 3, 1, 1)
    expected = {}
    with torch.no_grad():
        for number, layer in enumerate(reference):
            x = layer(x)
            if number in (3, 8, 15, 22):
                expected[LAYERS[len(expected)]] = x
    assert list(maps) == list(LAYERS) == list(expected)
    for name in LAYERS:
        assert torch.allclose(maps[name], expected[name], atol=1e-5), name


def test_shapes():
    maps = Vgg16()(torch.rand(2, 3, 48, 64))
    assert [tuple(x.shape) for x in maps.values()] == [
        (2, 64, 48, 64), (2, 128, 24, 32), (2, 256, 12, 16), (2, 512, 6, 8),
    ]  # fmt: skip


def test_wrong_and_missing_weights(tmp_path, monkeypatch):
    save_file({"other": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(ReenactError, match="not the weights of VGG-16"):
        load_vgg16(tmp_path / "other.safetensors")
    (tmp_path / "bad.safetensors").write_bytes(b"x")
    with pytest.raises(ReenactError, match="safetensors"):
        load_vgg16(tmp_path / "bad.safetensors")
    monkeypatch.setenv("REENACT_HOME", str(tmp_path))
    with pytest.raises(ReenactError, match="reenact weights fetch vgg16"):
        load_vgg16()


def test_own_features_stand_in_under_their_own_name(tmp_path, monkeypatch):
    monkeypatch.setenv("REENACT_HOME", str(tmp_path))
    features = open_features()
    assert features.name == "landmark and identity nets"
    one = torch.rand(1, 3, 256, 256, requires_grad=True)
    other = torch.rand(1, 3, 256, 256)
    assert float(features.distance(other, other)) == 0
    distance = features.distance(one, other)
    distance.backward()
    assert distance > 0 and one.grad.abs().sum() > 0
    assert perceptual_features(other, features).keys() == features(other).keys()
    with pytest.raises(ReenactError, match="reenact weights fetch vgg16"):
        open_features("vgg16")
