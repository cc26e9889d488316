"""The landmark net on a real face: the detector's points, in every scheme, with gradients that are right."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

torch = pytest.importorskip("torch")

from reenact.geometry.align import apply, crop_matrix, face_square  # noqa: E402
from reenact.geometry.schemes import WEIGHTS, convert, visible  # noqa: E402
from reenact.nn.landmark_net import LandmarkNet, face_regions, load_landmark_net, regions_of  # noqa: E402
from reenact.nn.mesh_net import MeshNet, load_mediapipe  # noqa: E402
from reenact.nn.shipping import half_precision, load_tensors  # noqa: E402
from reenact.perception.chips import warped  # noqa: E402
from reenact.perception.detector import MeshDetector, MeshNetwork, region_of  # noqa: E402
from reenact.perception.finders import Region  # noqa: E402
from reenact.types import Landmarks  # noqa: E402

EYES = (33, 263)


@pytest.fixture(scope="module")
def face():
    """The astronaut, and the detector's points."""
    image = data.astronaut()
    with MeshDetector() as detector:
        return image, detector.detect(image)[0].points


@pytest.fixture(scope="module")
def net():
    return load_landmark_net()


def crop(face, size, turn=0.0):
    """A face crop as a batch of one, and the points in it; `turn` in degrees about its middle."""
    image, points = face
    matrix = crop_matrix(face_square(points), size)
    angle = np.deg2rad(turn)
    linear = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.full(2, size / 2)
    matrix = np.column_stack([linear @ matrix[:, :2], linear @ (matrix[:, 2] - middle) + middle])
    picture = warped(image, matrix, size)
    return torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1, apply(matrix, points)


def error(points, expected):
    """Mean distance in shares of the distance between the outer eye corners."""
    eyes = np.linalg.norm(expected[EYES[0], :2] - expected[EYES[1], :2])
    return np.linalg.norm(points[:, :2] - expected[:, :2], axis=1).mean() / eyes


@pytest.mark.parametrize(("size", "turn"), [(128, 0), (256, 0), (256, 25), (256, -30), (512, 10)])
def test_agrees_with_the_detector(net, face, size, turn):
    images, expected = crop(face, size, turn)
    points, score = net(images)
    assert error(points[0].numpy(), expected) < 0.02
    assert np.abs(points[0, :, 2].numpy() - expected[:, 2]).mean() < 0.02 * np.ptp(expected[:, 0])
    assert score.shape == (1,) and score[0] > 5


@pytest.mark.parametrize("angle", [0.0, 0.3])
def test_equals_the_detectors_network_in_a_region(net, face, angle):
    """MediaPipe's own graph on the same region of the same picture; it rounds its crop's pixels to whole
    levels."""
    images, expected = crop(face, 256)
    wanted = region_of(expected)
    region = Region(wanted.x, wanted.y, wanted.side, wanted.angle + angle)
    graph = MeshNetwork()
    theirs, _ = graph.read(((images[0].permute(1, 2, 0).numpy() + 1) * 127.5).round().astype(np.uint8), region)
    graph.close()
    turn = np.array(
        [[np.cos(region.angle), -np.sin(region.angle)], [np.sin(region.angle), np.cos(region.angle)]]
    )
    linear = turn * region.side / 192
    corner = np.array([region.x, region.y]) - linear @ np.full(2, 96)
    matrix = torch.from_numpy(np.column_stack([linear, corner])).float()[None]
    ours = net.read(images, matrix).points[0].numpy()
    assert np.abs(ours - theirs).mean() < 0.05 and np.abs(ours - theirs).max() < 0.5


def test_regions_are_the_detectors(net, face):
    images, points = crop(face, 256, 20)
    wanted = region_of(points)
    matrix = regions_of(torch.from_numpy(points)[None], face_regions(images))[0].numpy()
    assert apply(matrix, np.array([[96.0, 96.0]]))[0] == pytest.approx([wanted.x, wanted.y], abs=1e-3)
    assert np.hypot(*matrix[:, 0]) * 192 == pytest.approx(wanted.side, abs=1e-3)
    assert np.arctan2(matrix[1, 0], matrix[0, 0]) == pytest.approx(wanted.angle, abs=1e-5)


def test_schemes_and_visibility(net, face):
    images, _ = crop(face, 128)
    mesh = net(images).points
    points, seen = net.landmarks68(images)
    expected = convert(Landmarks(mesh[0].numpy(), "mesh478", visible(mesh[0].numpy())), "ibug68")
    assert points[0].numpy() == pytest.approx(expected.points, abs=1e-2)
    assert (seen[0].numpy() == expected.visible).all()
    assert net.landmarks98(images)[0].numpy() == pytest.approx(
        WEIGHTS["wflw98"] @ mesh[0, :, :2].numpy(), abs=1e-2
    )
    assert net.in_scheme(images, "osfr146").shape == (1, 146, 3)
    assert torch.equal(net.in_scheme(images, "mesh478"), mesh)
    assert [tuple(x.shape[1:]) for x in net.features(images)] == [
        (16, 96, 96),
        (32, 48, 48),
        (64, 24, 24),
        (128, 12, 12),
    ]


def test_what_is_no_face_has_a_low_score_and_points_that_stay(net):
    noise = torch.rand(3, 3, 96, 96, generator=torch.Generator().manual_seed(0)) * 2 - 1
    noise[1] = 0
    points, score = net(noise)
    assert torch.isfinite(points).all() and points[..., :2].abs().max() < 400
    assert (score < 0).all()


def test_gradient_is_the_finite_difference(face):
    net = LandmarkNet()
    load_mediapipe(net.net)
    net.double().eval()
    images, _ = crop(face, 128)
    images = images.double().requires_grad_(True)
    with torch.no_grad():
        regions = regions_of(net(images).points, face_regions(images))
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(478, 3, generator=generator, dtype=torch.float64)

    def total(pictures):
        return (net.read(pictures, regions).points * weight).sum()

    (gradient,) = torch.autograd.grad(total(images), images)
    for _ in range(3):
        direction = torch.randn(images.shape, generator=generator, dtype=torch.float64)
        with torch.no_grad():
            numerical = float(total(images + 1e-7 * direction) - total(images - 1e-7 * direction)) / 2e-7
        assert float((gradient * direction).sum()) == pytest.approx(numerical, rel=1e-4)


def test_loss_falls_down_the_gradient(net, face):
    """A step down the gradient, halved until it is short enough, lowers the loss by half of what it
    promises."""
    images, _ = crop(face, 128)
    wish = net(images).points.clone()
    wish[:, [14, 17], 1] += 3
    regions = regions_of(wish, face_regions(images))
    images.requires_grad_(True)

    def loss(pictures):
        return (net.read(pictures, regions).points - wish).square().sum()

    value = loss(images)
    (gradient,) = torch.autograd.grad(value, images)
    before, slope = float(value.detach()), float(gradient.square().sum())
    with torch.no_grad():
        steps = [0.02 * 0.5**number * before / slope for number in range(8)]
        assert any(float(loss(images - step * gradient)) <= before - 0.5 * step * slope for step in steps)


def test_shipped_weights_are_mediapipes(net):
    theirs = half_precision(load_mediapipe(MeshNet()))
    assert all(torch.equal(value, theirs[name].float()) for name, value in net.net.state_dict().items())
    with pytest.raises(RuntimeError, match="do not fit"):
        load_tensors(MeshNet(), {"nothing": torch.zeros(1)})
