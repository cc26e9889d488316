"""Each loss against a value worked out by hand."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch.nn import functional  # noqa: E402

from reenact.systems.hr_net.losses import (  # noqa: E402
    Features,
    landmark_l1,
    local_perceptual,
    picture_l1,
    triplet,
)

RESULT, TRUTH = torch.tensor([[1.0, 2.0], [0.0, 0.0]]), torch.tensor([[0.0, 4.0], [1.0, 0.0]])


def test_l1() -> None:
    assert float(landmark_l1(RESULT, TRUTH, mean=True)) == pytest.approx(4 / 4)
    assert float(landmark_l1(RESULT, TRUTH, mean=False)) == pytest.approx((3 + 1) / 2)
    assert float(picture_l1(RESULT, TRUTH)) == pytest.approx(1.0)


def test_triplet() -> None:
    result = torch.tensor([[0.0, 0.0], [0.0, 0.0]])
    target, driving = torch.tensor([[3.0, 4.0], [0.0, 0.0]]), torch.tensor([[0.0, 2.0], [5.0, 12.0]])
    # The first: 5 - 2 + 1 = 4; the second: 0 - 13 + 1 < 0.
    assert float(triplet(result, target, driving, 1.0)) == pytest.approx(2.0)
    wanted = functional.triplet_margin_loss(result, target, driving, margin=1.0, eps=0.0)
    torch.testing.assert_close(triplet(result, target, driving, 1.0), wanted)


def test_local_perceptual() -> None:
    maps = torch.zeros(1, 2, 1, 2), torch.tensor([[[[1.0, 2.0]], [[3.0, 0.0]]]])
    assert float(local_perceptual(*maps)) == pytest.approx(((1 + 9) + 4) / 2)


def test_features_of_one_picture_are_at_no_distance() -> None:
    torch.manual_seed(0)
    picture = torch.rand(1, 3, 64, 64) * 2 - 1
    features = Features("relu3_3")
    assert float(features(picture, picture)) == pytest.approx(0, abs=1e-6) and features.name
    other = torch.zeros(1, 3, 64, 64, requires_grad=True)
    features(other, picture).backward()
    assert other.grad is not None and float(other.grad.abs().max()) > 0
