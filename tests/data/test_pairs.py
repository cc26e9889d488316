"""Which pairs an epoch gives: the right people, the right difficulty, the same twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reenact.data.pairs import CrossPeople, PoseCurriculum, SamePerson, Stills, TwoPhases, nearest_in_pose
from reenact.data.shards import Entry
from reenact.errors import ReenactError


def entry(person: int, clip: int, frame: int, yaw: float = 0.0, pitch: float = 0.0) -> Entry:
    key = f"p{person}/c{clip}/{frame}"
    return Entry(
        key, f"p{person}", f"p{person}/c{clip}", frame, "train", (yaw, pitch, 0.0), {}, Path("s.tar"), {}
    )


ENTRIES = [entry(p, c, f) for p in range(4) for c in range(2) for f in range(5)]
SAMPLERS = [
    SamePerson(ENTRIES),
    CrossPeople(ENTRIES),
    Stills(ENTRIES),
    TwoPhases(ENTRIES, 1),
    PoseCurriculum(ENTRIES),
]


@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda sampler: type(sampler).__name__)
def test_epochs_are_the_same_twice_and_differ_from_each_other(sampler) -> None:
    first = sampler.epoch(2)
    assert first.shape[1] == 2 and np.array_equal(first, sampler.epoch(2))
    assert not np.array_equal(first, sampler.epoch(3))
    changed = type(sampler)(**{**vars(sampler), "seed": 9})
    assert not np.array_equal(first, changed.epoch(2))


def test_two_frames_of_one_clip_ten_times_each() -> None:
    pairs = SamePerson(ENTRIES).epoch(0)
    assert len(pairs) == 8 * 10
    assert all(ENTRIES[a].clip == ENTRIES[b].clip and a != b for a, b in pairs)


def test_lone_stills_cannot_be_paired_with_themselves() -> None:
    with pytest.raises(ReenactError, match="no clip has two faces"):
        SamePerson([entry(0, 0, 0), entry(1, 0, 0)]).epoch(0)
    with pytest.raises(ReenactError, match="one person"):
        CrossPeople([entry(0, 0, 0), entry(0, 0, 1)]).epoch(0)


def test_cross_pairs_use_every_face_once_as_source() -> None:
    pairs = CrossPeople(ENTRIES).epoch(0)
    assert sorted(pairs[:, 0]) == list(range(len(ENTRIES)))
    assert all(ENTRIES[a].identity != ENTRIES[b].identity for a, b in pairs)


def test_two_phases_switch_from_self_to_cross() -> None:
    phases = TwoPhases(ENTRIES, switch=3)
    for number in range(6):
        same = {ENTRIES[a].identity == ENTRIES[b].identity for a, b in phases.epoch(number)}
        assert same == {number < 3} and phases.is_cross(number) == (number >= 3)


def test_the_pose_curriculum_rises_and_leaves_calm_clips() -> None:
    # Clip p turns its head by 6 p degrees from end to end.
    entries = [entry(p, 0, f, yaw=6.0 * p * f / 9) for p in range(10) for f in range(10)]
    sampler = PoseCurriculum(entries)
    thresholds = [sampler.threshold(number) for number in range(45)]
    assert thresholds == sorted(thresholds) and thresholds[0] == thresholds[9] < thresholds[10]
    early, late = ({entries[a].identity for a, _ in sampler.epoch(number)} for number in (0, 44))
    assert late < early and late == {"p8", "p9"} and "p0" not in early
    for a, b in sampler.epoch(44):
        assert a != b and abs(entries[a].pose[0] - entries[b].pose[0]) >= sampler.threshold(44) / 2 - 1e-3


def test_the_nearest_of_k_sources_in_pose() -> None:
    poses = [(0.0, 0.0, 0.0), (30.0, 0.0, 0.0), (-25.0, 5.0, 0.0)]
    assert [nearest_in_pose(poses, pose) for pose in [(28, 3, 1), (-20, 4, 0), (2, 0, 0)]] == [1, 2, 0]
