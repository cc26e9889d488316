"""Triples in bulk are those of `data.synthetic`: the same faces for the same numbers, the same spread."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from reenact.data.synthetic import PoseRange, TripleOptions, landmark_triples
from reenact.geometry.face_model import FaceModel, default_face_model
from reenact.perception.head_pose import HeadPose, pose_matrix
from reenact.training.triples import TripleSource, _rotations, open_triples


@pytest.fixture(scope="module")
def model() -> FaceModel:
    return default_face_model()


def test_rotations_are_those_of_the_data() -> None:
    angles = np.random.default_rng(0).uniform(-0.7, 0.7, (9, 3)).astype(np.float32)
    expected = np.stack([pose_matrix(HeadPose(*map(float, row))) for row in np.degrees(angles)])
    np.testing.assert_allclose(_rotations(angles), expected, atol=1e-6)


def test_the_distribution_is_that_of_the_data(model: FaceModel) -> None:
    options = TripleOptions(scheme="ibug68")
    source = TripleSource(model, options, 1000)
    ours = source.load(source.draw(np.random.default_rng(1), 4000))
    theirs = landmark_triples(model, 500, 2, options=options)
    for name, points in ours.items():
        wanted = getattr(theirs, name)[..., :2]
        np.testing.assert_allclose(points.mean(0), wanted.mean(0), atol=2.0)
        np.testing.assert_allclose(points.std(0), wanted.std(0), rtol=0.15)
    change = [
        np.abs(d - t).mean()
        for d, t in ((ours["driving"], ours["target"]), (theirs.driving[..., :2], theirs.target[..., :2]))
    ]
    assert change[0] == pytest.approx(change[1], rel=0.08)


def test_without_pose_and_offsets_only_the_person_differs(model: FaceModel) -> None:
    still = PoseRange(0, 0, 0, 0, 0)
    source = TripleSource(model, TripleOptions(scheme="ibug68", pose=still, residual=0.0), 10)
    rows = source.draw(np.random.default_rng(3), 5)
    people, moments = source._sizes[:2]
    rows[:, people : 2 * people] = rows[:, :people]  # both faces are one person
    batch = source.load(rows)
    np.testing.assert_allclose(batch["driving"], batch["target"], atol=1e-4)
    rows[:, 2 * people + moments : 2 * (people + moments)] = rows[:, 2 * people : 2 * people + moments]
    np.testing.assert_allclose(source.load(rows)["source"], batch["target"], atol=1e-4)


def test_noise_touches_what_is_seen_and_not_the_target(model: FaceModel) -> None:
    clean, noisy = (TripleSource(model, TripleOptions(scheme="ibug68", noise=n), 10) for n in (0.0, 2.0))
    rows = noisy.draw(np.random.default_rng(4), 400)
    seen, plain = noisy.load(rows), clean.load(rows[:, : sum(clean._sizes) * 2])
    np.testing.assert_allclose(seen["target"], plain["target"])
    assert (seen["driving"] - plain["driving"]).std() == pytest.approx(2.0, rel=0.05)
    assert np.corrcoef(
        (seen["driving"] - plain["driving"]).ravel(), (seen["source"] - plain["source"]).ravel()
    )[0, 1] == pytest.approx(0, abs=0.05)


def test_held_out_triples_are_fixed() -> None:
    first, second = (open_triples(100, 12).held_out.load(np.arange(12)) for _ in range(2))
    assert all(np.array_equal(first[name], second[name]) for name in first)
