"""Landmark triples: exact, repeatable, and about the people and moments that were asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reenact.data.synthetic import LARGE_POSE, PoseRange, TripleOptions, batches, landmark_triples
from reenact.evaluation.converters import converter_ace, copy_driving, model_transfer, morphable_transfer
from reenact.evaluation.metrics import angles
from reenact.geometry.face_model import default_face_model, rotation_matrix
from reenact.geometry.schemes import COUNT, convert_points
from reenact.types import FaceState

MODEL = default_face_model()


def test_the_target_is_the_source_person_as_the_driving_one_moves() -> None:
    triples = landmark_triples(MODEL, 6, 3, options=TripleOptions(residual=0))
    for n in range(len(triples)):
        place = MODEL.fit(triples.target[n]).translation
        state = FaceState(
            triples.rotation[n], float(triples.scale[n]), place, triples.identity[n], triples.expression[n]
        )
        again = MODEL.project(state)
        offset = (again - triples.target[n])[:, :2].mean(0)
        assert np.abs(again - triples.target[n] - np.append(offset, 0)).max() < 1e-3
        assert triples.driving_person[n] != triples.source_person[n]


def test_same_seed_same_triples() -> None:
    one, same, other = (landmark_triples(MODEL, 4, seed, options=TripleOptions(noise=1)) for seed in (5, 5, 6))
    assert np.array_equal(one.driving, same.driving) and np.array_equal(one.target, same.target)
    assert not np.array_equal(one.target, other.target)


def test_large_pose_has_sources_below_30_and_driving_faces_above_60_degrees() -> None:
    options = TripleOptions(residual=0, pose=LARGE_POSE[0], source_pose=LARGE_POSE[1])
    triples = landmark_triples(MODEL, 40, 3, options=options)
    driving = np.array([angles(rotation_matrix(turn))[0] for turn in triples.rotation])
    source = np.array([angles(rotation_matrix(MODEL.fit(one).rotation))[0] for one in triples.source])
    assert (
        np.abs(driving).min() > 60
        and np.abs(driving).max() < 75
        and (driving > 0).any()
        and (driving < 0).any()
    )
    assert np.abs(source).max() < 31 and np.abs(source).max() > 20


def test_noise_falls_on_what_is_seen_and_not_on_the_target() -> None:
    clean = landmark_triples(MODEL, 5, 1)
    noisy = landmark_triples(MODEL, 5, 1, options=TripleOptions(noise=2.0))
    assert np.array_equal(clean.target, noisy.target)
    assert (noisy.driving - clean.driving).std() == pytest.approx(2, rel=0.05)
    assert (noisy.source - clean.source).std() == pytest.approx(2, rel=0.05)


@pytest.mark.parametrize("scheme", COUNT)
def test_every_scheme_is_that_of_the_mesh(scheme: str) -> None:
    mesh = landmark_triples(MODEL, 3, 2)
    there = landmark_triples(MODEL, 3, 2, options=TripleOptions(scheme=scheme))  # type: ignore[arg-type]
    assert there.target.shape == (3, COUNT[scheme], 3)  # type: ignore[index]
    wanted = convert_points(mesh.source[1], scheme)  # type: ignore[arg-type]
    assert np.allclose(there.source[1], wanted, atol=1e-3)


def test_given_people_and_moments_are_used() -> None:
    people = np.random.default_rng(0).standard_normal((3, len(MODEL.identity))).astype(np.float32)
    moments = np.random.default_rng(1).standard_normal((2, len(MODEL.expression))).astype(np.float32)
    triples = landmark_triples(MODEL, 20, 0, identities=people, expressions=moments)
    assert np.array_equal(triples.identity, people[triples.source_person])
    assert {tuple(row) for row in triples.expression} <= {tuple(row) for row in moments}
    with pytest.raises(ValueError, match="identities"):
        landmark_triples(MODEL, 2, 0, identities=people[:1])
    with pytest.raises(ValueError, match="expressions"):
        landmark_triples(MODEL, 2, 0, expressions=moments[:, :-1])


def test_poses_stay_within_their_range_and_fill_it() -> None:
    pose = PoseRange(yaw=20, pitch=5, roll=0)
    triples = landmark_triples(MODEL, 60, 0, options=TripleOptions(pose=pose))
    seen = np.array([angles(rotation) for rotation in triples.rotation])
    assert (np.abs(seen) <= np.array([20, 5, 0]) + 0.01).all()
    assert np.ptp(seen[:, 0]) > 30


def test_faces_lie_in_their_crop() -> None:
    triples = landmark_triples(MODEL, 40, 0)
    for points in (triples.driving, triples.source, triples.target):
        assert points[..., :2].min() > 0 and points[..., :2].max() < 256
        height = np.ptp(points[..., 1], axis=1)
        assert 256 / 2.6 < height.mean() < 256 / 1.5


def test_batches_hold_each_triple_once() -> None:
    triples = landmark_triples(MODEL, 7, 0)
    drawn = list(batches(triples, 3, seed=1))
    assert [len(driving) for driving, _, _ in drawn] == [3, 3]
    kept = np.concatenate([target for _, _, target in drawn])[:, 0, 0]
    assert len(set(kept)) == 6 and set(kept) <= set(triples.target[:, 0, 0])


def test_the_analytic_converter_beats_copying_by_far_without_noise() -> None:
    triples = landmark_triples(MODEL, 25, 4)
    copied = converter_ace(copy_driving, triples)
    assert converter_ace(morphable_transfer(MODEL), triples) < 0.3 * copied
    assert converter_ace(model_transfer(MODEL), triples) < 0.4 * copied


def test_one_person_driving_himself_needs_no_conversion() -> None:
    triples = landmark_triples(MODEL, 5, 0)
    same = replace(triples, driving=triples.target)
    assert converter_ace(copy_driving, same) == 0
    assert converter_ace(morphable_transfer(MODEL), same) < 0.5
