"""CSIM and verification over an embedder whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.evaluation.metrics import csim, verification_accuracy
from reenact.types import Floats, Image, Landmarks


class Angle:
    """People are directions in the plane; within 30 degrees it is the same one."""

    name = "angle"
    threshold = float(np.cos(np.pi / 6))

    def embed(self, image: Image, landmarks: Landmarks) -> Floats:
        return np.zeros(2, np.float32)

    def similarity(self, one: Floats, other: Floats) -> float:
        return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))

    def same_person(self, one: Floats, other: Floats) -> bool:
        return self.similarity(one, other) > self.threshold


def at(*degrees: float) -> Floats:
    turned = np.deg2rad(degrees)
    return 2 * np.stack([np.cos(turned), np.sin(turned)], 1).astype(np.float32)


def test_csim_is_the_cosine_whatever_the_lengths() -> None:
    assert csim(at(0)[0], 3 * at(60)[0]) == pytest.approx(0.5, abs=1e-5)
    assert csim(at(0)[0], at(180)[0]) == pytest.approx(-1, abs=1e-5)


def test_verification_is_the_share_within_the_threshold() -> None:
    assert verification_accuracy(at(0, 20, 40, 90), at(0, 0, 0, 0), Angle()) == 50
    with pytest.raises(ValueError, match="as many"):
        verification_accuracy(at(0, 1), at(0), Angle())
