"""Each loss against a value worked out by hand."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")

from reenact.systems.fipls import losses  # noqa: E402

LN2 = math.log(2)


def test_labels() -> None:
    even = torch.zeros(4, 3)
    person = torch.tensor([2, 0])
    assert float(losses.labels_of_outputs(even, person, 2)) == pytest.approx(math.log(3))
    sure = torch.full((4, 3), -50.0)
    sure[[0, 1], 2] = sure[[2, 3], 0] = 50.0  # two frames of person 2, then two of person 0
    assert float(losses.labels_of_outputs(sure, person, 2)) == pytest.approx(0, abs=1e-6)
    assert float(losses.label_of_hidden(even[:2], person)) == pytest.approx(math.log(3))


def test_pairs_of_one_person_against_two_kinds_of_others() -> None:
    none = torch.zeros(3)
    assert float(losses.pair_discriminator_loss(none, none, none)) == pytest.approx(2 * LN2)
    right = losses.pair_discriminator_loss(none + 50, none - 50, none - 50)
    assert float(right) == pytest.approx(0, abs=1e-6)
    # Half of softplus(50) = 50 for either kind taken for one person.
    assert float(losses.pair_discriminator_loss(none + 50, none + 50, none - 50)) == pytest.approx(25)
    assert float(losses.pair_discriminator_loss(none + 50, none - 50, none + 50)) == pytest.approx(25)


def test_adversarial_is_the_sum_over_the_scales() -> None:
    real, fake = [torch.tensor([1.0, 3.0]), torch.tensor([0.0])], [torch.tensor([2.0]), torch.tensor([0.0])]
    # Least squares: ((0 + 4) / 2 + 4) / 2 = 3 and (1 + 0) / 2.
    assert float(losses.discriminators_loss(real, fake, "least_squares")) == pytest.approx(3.5)
    assert float(losses.generator_loss(fake, "least_squares")) == pytest.approx(0.5 + 0.5)
    nothing = [torch.zeros(2), torch.zeros(1)]
    assert float(losses.discriminators_loss(nothing, nothing, "log")) == pytest.approx(4 * LN2)
    assert float(losses.generator_loss(nothing, "log")) == pytest.approx(2 * LN2)


def test_identity() -> None:
    result = torch.tensor([[2.0, 0.0], [1.0, 1.0]])
    source = torch.tensor([[5.0, 0.0], [-1.0, 1.0]])
    assert float(losses.identity_loss(result, source)) == pytest.approx((0 + 1) / 2)


def test_mask() -> None:
    result, truth = torch.zeros(1, 3, 2, 2), torch.ones(1, 3, 2, 2)
    truth[..., 0, 0] = 4
    mask = torch.tensor([[[[1.0, 0.0], [0.0, 1.0]]]])
    assert float(losses.mask_loss(result, truth, mask)) == pytest.approx((4 + 1) / 2)
    assert float(losses.mask_loss(result, truth, 0 * mask)) == 0


def test_boundary() -> None:
    truth = torch.zeros(1, 2, 2)
    result = torch.tensor([[[0.5, 0.0], [3.0, 0.0]]])
    assert float(losses.boundary_loss(result, truth)) == pytest.approx((0.125 + 2.5) / 4)


def test_feature_matching() -> None:
    real = [[torch.zeros(2), torch.zeros(1)], [torch.zeros(4)]]
    fake = [[torch.tensor([1.0, 3.0]), torch.tensor([4.0])], [torch.zeros(4)]]
    assert float(losses.feature_matching(real, fake)) == pytest.approx((2 + 4 + 0) / 3)


def test_no_gradient_reaches_what_is_true() -> None:
    made, true = torch.ones(2, 3, requires_grad=True), torch.zeros(2, 3, requires_grad=True)
    for loss in (
        losses.identity_loss(made, true + 1),
        losses.boundary_loss(made[None], true[None]),
        losses.feature_matching([[true]], [[made]]),
    ):
        loss.backward()
    assert true.grad is None and made.grad is not None
