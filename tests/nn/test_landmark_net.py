"""The landmark net's shapes and gradients, and the shipped weights on a real face."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

torch = pytest.importorskip("torch")

from reenact.geometry.align import apply, crop_matrix, face_square  # noqa: E402
from reenact.geometry.schemes import WEIGHTS  # noqa: E402
from reenact.nn.landmark_net import LandmarkNet, load_landmark_net  # noqa: E402
from reenact.nn.tower import half_precision, load_tensors, parameter_count  # noqa: E402
from reenact.perception.chips import warped  # noqa: E402
from reenact.perception.detector import MeshDetector  # noqa: E402


@pytest.fixture(scope="module")
def face_crop():
    """A face crop of 256 pixels as a tensor, and the detector's points in it."""
    image = data.astronaut()
    with MeshDetector() as detector:
        points = detector.detect(image)[0].points
    matrix = crop_matrix(face_square(points), 256)
    crop = warped(image, matrix, 256)
    return torch.from_numpy(crop.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1, apply(matrix, points)


@pytest.fixture(scope="module")
def shipped_net():
    return load_landmark_net()


@pytest.mark.parametrize("size", [96, 128, 256])
def test_shapes(size):
    net = LandmarkNet().eval()
    images = torch.rand(2, 3, size, size) * 2 - 1
    points, seen = net(images)
    assert points.shape == (2, 478, 3) and seen.shape == (2, 68)
    assert net.landmarks68(images)[0].shape == (2, 68, 3)
    assert net.landmarks98(images).shape == (2, 98, 2)
    assert net.in_scheme(images, "osfr146").shape == (2, 146, 3)
    assert [tuple(x.shape[2:]) for x in net.features(images)] == [(n, n) for n in (64, 32, 16, 8)]


def test_gradient_reaches_every_parameter_and_the_picture():
    net = LandmarkNet().train()
    images = torch.rand(4, 3, 128, 128, requires_grad=True)
    points, seen = net(images)
    (points.square().mean() + seen.square().mean()).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())
    assert images.grad.abs().sum() > 0
    assert parameter_count(net) * 2 < 5_000_000


def test_gradient_is_the_finite_difference(shipped_net):
    net = LandmarkNet().eval()
    net.load_state_dict(shipped_net.state_dict())
    net.double()
    torch.manual_seed(0)
    image = torch.rand(1, 3, 128, 128, dtype=torch.float64, requires_grad=True)
    direction = torch.randn_like(image) * 1e-6

    def total(x):
        return net.shape(net.code(net.squeeze(net.tower(x)[-1]).flatten(1))).square().sum()

    total(image).backward()
    expected = float((total(image + direction) - total(image - direction)) / 2)
    assert float((image.grad * direction).sum()) == pytest.approx(expected, rel=1e-2)


def test_shipped_net_agrees_with_the_detector(shipped_net, face_crop):
    image, expected = face_crop
    points, seen = shipped_net(image)
    eyes = np.linalg.norm(expected[33, :2] - expected[263, :2])
    assert np.linalg.norm(points[0, :, :2].numpy() - expected[:, :2], axis=1).mean() < 0.08 * eyes
    assert (seen > 0).float().mean() > 0.95  # a frontal face: all of it is seen
    assert shipped_net.landmarks68(image)[0][0].numpy() == pytest.approx(
        WEIGHTS["ibug68"] @ points[0].numpy(), abs=1e-2
    )


def test_shipped_net_follows_a_shift(shipped_net, face_crop):
    image, _ = face_crop
    moved = torch.roll(image, (12, -16), dims=(2, 3))
    shift = (shipped_net(moved).points - shipped_net(image).points)[0, :, :2].mean(0).numpy()
    assert shift == pytest.approx([-16, 12], abs=4)


def test_a_picture_can_be_moved_by_the_loss(shipped_net, face_crop):
    """Some steps down the gradient bring the predicted mouth nearer to a wish: what a landmark loss needs."""
    image, _ = face_crop
    small = torch.nn.functional.interpolate(image, 128, mode="bilinear", antialias=True)
    wish = shipped_net(small).points.clone()
    wish[:, [14, 17], 1] += 4
    picture = small.clone().requires_grad_(True)
    optimiser = torch.optim.Adam([picture], lr=2e-3)
    losses = []
    for _ in range(25):
        loss = (shipped_net(picture).points - wish).square().sum()
        losses.append(float(loss.detach()))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert losses[-1] < 0.7 * losses[0]


def test_half_precision_round_trip():
    net, other = LandmarkNet().eval(), LandmarkNet().eval()
    load_tensors(other, half_precision(net))
    image = torch.rand(1, 3, 128, 128)
    assert torch.allclose(other(image).points, net(image).points, atol=0.5)
    with pytest.raises(RuntimeError, match="do not fit"):
        load_tensors(other, {"nothing": torch.zeros(1)})
