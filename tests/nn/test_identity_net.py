"""The identity net's shapes and gradients, its chips against the NumPy ones, and the shipped weights."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

torch = pytest.importorskip("torch")

from reenact.nn.identity_net import IdentityNet, chips, load_identity_net  # noqa: E402
from reenact.nn.shipping import parameter_count  # noqa: E402
from reenact.perception.chips import DLIB_CHIP, cut_chip  # noqa: E402
from reenact.perception.detector import MeshDetector  # noqa: E402


@pytest.fixture(scope="module")
def astronaut():
    return data.astronaut()


@pytest.fixture(scope="module")
def points(astronaut):
    with MeshDetector() as detector:
        return detector.detect(astronaut)[0].points


def tensor(image):
    return torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None].float() / 127.5 - 1


def test_shapes_and_size():
    net = IdentityNet().eval()
    assert net(torch.rand(3, 3, 150, 150)).shape == (3, 128)
    assert net(torch.rand(1, 3, 256, 256)).shape == (1, 128)
    assert [tuple(x.shape[1:]) for x in net.features(torch.rand(1, 3, 150, 150))] == [
        (32, 35, 35), (64, 17, 17), (128, 8, 8),
    ]  # fmt: skip
    assert parameter_count(net) * 2 < 5_000_000


def test_gradient_reaches_every_parameter_and_the_picture(points):
    net = IdentityNet().train()
    images = torch.rand(2, 3, 512, 512, requires_grad=True)
    net(chips(images, [points, points])).square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())
    inside = images.grad.abs().sum((0, 1))
    assert inside[130, 224] > 0 and inside[450, 450] == 0  # the face, not the suit


def test_gradient_is_the_finite_difference(astronaut, points):
    net = load_identity_net().double()
    images = tensor(astronaut).double().requires_grad_(True)
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(128, generator=generator, dtype=torch.float64)

    def total(pictures):
        return (net(chips(pictures, [points])) * weight).sum()

    (gradient,) = torch.autograd.grad(total(images), images)
    for _ in range(3):
        direction = torch.randn(images.shape, generator=generator, dtype=torch.float64)
        with torch.no_grad():
            numerical = float(total(images + 1e-7 * direction) - total(images - 1e-7 * direction)) / 2e-7
        assert float((gradient * direction).sum()) == pytest.approx(numerical, rel=1e-4)


def test_chips_are_those_of_the_metric(astronaut, points):
    ours = chips(tensor(astronaut), [points], DLIB_CHIP.size)[0].permute(1, 2, 0).numpy()
    expected = cut_chip(astronaut, points, DLIB_CHIP) / 127.5 - 1
    assert np.abs(ours - expected).mean() < 0.01


def test_shipped_net_knows_a_face_again(astronaut, points):
    net = load_identity_net()
    own = net(chips(tensor(astronaut), [points]))
    dark = net(chips(tensor((astronaut * 0.7).astype(np.uint8)), [points]))
    turned = points.copy()
    turned[:, 0], turned[:, 1] = points[:, 1], 512 - points[:, 0]
    quarter = net(chips(tensor(np.rot90(astronaut)), [turned]))
    upside_down = net(chips(tensor(astronaut), [points]).flip(2))
    assert (own - dark).norm() < 0.3 and (own - quarter).norm() < 0.1
    assert (own - upside_down).norm() > 2 * (own - dark).norm()


def test_shipped_net_lies_in_dlibs_space(astronaut, points):
    pytest.importorskip("importlib.util").find_spec("face_recognition_models") or pytest.skip("no dlib weights")
    from reenact.nn.dlib_net import load_dlib_net

    teacher = load_dlib_net()(chips(tensor(astronaut), [points], DLIB_CHIP.size))
    ours = load_identity_net()(chips(tensor(astronaut), [points]))
    assert (ours - teacher).norm() < 0.5
