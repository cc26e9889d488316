"""Each loss against a value worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from reenact.geometry.face_model import default_face_model  # noqa: E402
from reenact.systems.osfr.losses import (  # noqa: E402
    Identity,
    Perceptual,
    discriminator_adversarial,
    generator_adversarial,
    picture_l1,
    summed_l1,
    vector_l1,
)
from reenact.systems.osfr.train import face_only  # noqa: E402

ONE, OTHER = torch.tensor([[1.0, 2.0], [0.0, 0.0]]), torch.tensor([[0.0, 4.0], [1.0, 0.0]])


def test_l1() -> None:
    assert float(picture_l1(ONE, OTHER)) == pytest.approx(4 / 4)
    assert float(vector_l1(ONE, OTHER, mean=False)) == pytest.approx((3 + 1) / 2)
    assert float(vector_l1(ONE, OTHER, mean=True)) == pytest.approx(4 / 4)


def test_3_11_is_no_cosine() -> None:
    """Vectors of one direction and unlike length are apart."""
    assert float(vector_l1(ONE, 2 * ONE, mean=False)) == pytest.approx(1.5)


def test_the_perceptual_loss_sums_the_layers() -> None:
    maps = {"a": torch.zeros(1, 1, 2, 2), "b": torch.ones(1, 2, 1, 1)}
    wanted = {"a": torch.full((1, 1, 2, 2), 0.5), "b": torch.tensor([[[[3.0]], [[1.0]]]])}
    assert float(summed_l1(maps, wanted)) == pytest.approx(0.5 + 1.0)


def test_3_13_and_3_14_sum_over_scales() -> None:
    real, fake = (
        [torch.tensor([1.0]), torch.tensor([0.0, 2.0])],
        [torch.tensor([0.0]), torch.tensor([1.0, 3.0])],
    )
    assert float(generator_adversarial(fake)) == pytest.approx(0.5 * (1 + (0 + 4) / 2))
    assert float(discriminator_adversarial(real, fake)) == pytest.approx(0.5 * ((0 + 0) + (1 + (1 + 9) / 2)))


def test_the_background_is_removed() -> None:
    picture = torch.full((1, 3, 1, 3), 0.5)
    mask = torch.tensor([1.0, 0.0, -1.0]).view(1, 1, 1, 3)
    torch.testing.assert_close(face_only(picture, mask)[0, 0, 0], torch.tensor([0.5, -0.25, -1.0]))


def test_identity_reaches_the_picture_and_no_weight() -> None:
    torch.manual_seed(0)
    points = torch.from_numpy((default_face_model().mean[None, :, :2] * 16 + 32).astype(np.float32))
    picture = torch.rand(1, 3, 64, 64, requires_grad=True)
    identity = Identity()
    vectors = identity(picture, points)
    vectors.square().sum().backward()
    assert vectors.shape == (1, 128) and picture.grad is not None and float(picture.grad.abs().max()) > 0
    assert not any(p.requires_grad for p in identity.parameters())


def test_one_picture_is_at_no_perceptual_distance() -> None:
    torch.manual_seed(0)
    picture = torch.rand(1, 3, 64, 64) * 2 - 1
    perceptual = Perceptual()
    assert float(perceptual(picture, picture)) == pytest.approx(0, abs=1e-6) and perceptual.name
    assert float(perceptual(-picture, picture)) > 0
