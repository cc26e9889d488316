"""What happens to pictures happens to their points; a seed fixes it."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch import Generator  # noqa: E402

from reenact.training.augment import Placement, draw_placement, move_points, sample, spoil  # noqa: E402

PLACE = Placement(turn=20, zoom=1.4, shift=0.1)
WHOLE = torch.tensor([[1.0, 0, 0], [0, 1, 0]])


def dots(points, size):
    """Pictures that are black but for a soft dot at each point (B, 1, 3), in the unit square."""
    axis = (torch.arange(size) + 0.5) / size
    x, y = points[:, :, 0, None, None], points[:, :, 1, None, None]
    dot = torch.exp(-((axis[None, None, None] - x) ** 2 + (axis[None, None, :, None] - y) ** 2) / 2e-3)
    return dot.expand(-1, 3, -1, -1)


def centres(pictures):
    axis = (torch.arange(pictures.shape[-1]) + 0.5) / pictures.shape[-1]
    weight = pictures.mean(1)
    total = weight.sum((1, 2))
    return torch.stack([(weight.sum(1) * axis).sum(1) / total, (weight.sum(2) * axis).sum(1) / total], 1)


def test_points_move_with_the_picture():
    generator = Generator().manual_seed(1)
    points = 0.42 + 0.16 * torch.rand(8, 1, 3, generator=generator)
    matrices, _ = draw_placement(WHOLE.expand(8, 2, 3), PLACE, generator)
    moved = move_points(points, matrices)
    found = centres(sample(dots(points, 128), matrices, 96))
    assert found.numpy() == pytest.approx(moved[:, 0, :2].numpy(), abs=0.01)


def test_mirrored_pictures_are_said_to_be():
    matrices, mirrored = draw_placement(WHOLE.expand(64, 2, 3), PLACE, Generator().manual_seed(2))
    assert (torch.linalg.det(matrices[:, :, :2]) < 0).tolist() == mirrored.tolist()
    assert 10 < int(mirrored.sum()) < 54
    _, never = draw_placement(WHOLE.expand(64, 2, 3), PLACE, Generator().manual_seed(2), mirror=False)
    assert not never.any()


def test_depth_keeps_the_scale_of_the_picture():
    matrices = torch.tensor([[[0.5, 0, 0.25], [0, 0.5, 0.25]]])  # the middle half, enlarged twice
    moved = move_points(torch.tensor([[[0.5, 0.75, 0.1]]]), matrices)
    assert moved[0, 0].tolist() == pytest.approx([0.5, 1.0, 0.2])


def test_whole_picture_is_sampled_as_it_is():
    picture = torch.randint(0, 256, (1, 3, 32, 32), dtype=torch.uint8)
    assert torch.allclose(sample(picture, WHOLE[None], 32), picture / 255, atol=1e-5)


def test_spoilt_pictures_stay_pictures_and_repeat_with_the_seed():
    pictures = torch.rand(16, 3, 64, 64, generator=Generator().manual_seed(3))
    once, again = (spoil(pictures, Generator().manual_seed(4)) for _ in range(2))
    assert torch.equal(once, again) and not torch.equal(once, spoil(pictures, Generator().manual_seed(5)))
    assert once.min() >= 0 and once.max() <= 1 and torch.isfinite(once).all()
    assert (once - pictures).abs().mean() > 0.02
