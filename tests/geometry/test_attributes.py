"""Edits of a face's shape: what grows, what stays, however the head is turned."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reenact.errors import ReenactError
from reenact.geometry.attributes import ATTRIBUTES, edited
from reenact.geometry.face_model import default_face_model
from reenact.geometry.schemes import FACE_OVAL, LEFT_EYE, LIPS_OUTER, NOSE_BASE
from reenact.types import Points


def face(turn: float = 0.0) -> Points:
    model = default_face_model()
    state = replace(model.fit(model.mean * 100 + 200), rotation=np.array([0, turn, 0], np.float32))
    return model.project(state)


def wide(points: Points, part: np.ndarray) -> float:
    """Extent along the face's own horizontal axis."""
    model = default_face_model()
    return float(np.ptp(model.canonical(model.fit(points), points)[part, 0]))


@pytest.mark.parametrize("turn", [0.0, 0.4])
@pytest.mark.parametrize(("name", "part"), [("nose_width", NOSE_BASE), ("mouth_width", LIPS_OUTER)])
def test_a_part_becomes_as_wide_as_asked_and_the_rest_stays(name: str, part: np.ndarray, turn: float) -> None:
    before = face(turn)
    after, _ = edited(before, {name: 1.3})
    assert wide(after, part) / wide(before, part) == pytest.approx(1.3, abs=0.06)
    away = np.linalg.norm(after - before, axis=1)
    assert away[FACE_OVAL].max() < 0.1 * away.max() and away[LEFT_EYE].max() < 0.1 * away.max()


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_one_changes_nothing_and_more_moves_the_part(name: str) -> None:
    before = face()
    np.testing.assert_allclose(edited(before, {name: 1.0})[0], before, atol=1e-3)
    grown, shrunk = (edited(before, {name: factor})[0] for factor in (1.2, 0.8))
    part = np.concatenate(ATTRIBUTES[name].parts)
    moved = (grown - before)[part][:, :2]
    np.testing.assert_allclose((before - shrunk)[part][:, :2], moved, atol=0.05)
    assert np.abs(moved).max() > 0.5


def test_pose_and_expression_stay() -> None:
    before = default_face_model().fit(face(0.3))
    _, state = edited(face(0.3), {"nose_width": 1.5, "jaw": 0.9})
    np.testing.assert_array_equal(state.rotation, before.rotation)
    np.testing.assert_array_equal(state.expression, before.expression)
    assert np.abs(state.identity - before.identity).max() > 0.1


@pytest.mark.parametrize(
    ("changes", "words"), [({"ears": 1.2}, "no attribute 'ears'"), ({"jaw": 3.0}, "0.5 to 2")]
)
def test_what_cannot_be_edited_is_refused(changes: dict[str, float], words: str) -> None:
    with pytest.raises(ReenactError, match=words):
        edited(face(), changes)
