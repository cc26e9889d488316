"""Sets with a known truth: exact landmarks, true names, the same bytes twice."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from reenact.data import multipie, rafd
from reenact.data.synthetic_pictures import (
    BORDER,
    EYES,
    UNIT,
    Poser,
    Sitter,
    actions,
    relatives,
    sitter,
    sitters_from,
    write_set,
)
from reenact.errors import ReenactError
from reenact.geometry.face_model import FaceModel
from reenact.media.stills import read_still, write_still
from reenact.perception.detector import MeshDetector
from reenact.perception.head_pose import head_pose

SIZE = 160


@pytest.fixture(scope="module")
def people(model: FaceModel, portrait: np.ndarray, points: np.ndarray) -> list[Sitter]:
    one = sitter(model, portrait, points, SIZE, "astronaut")
    return [one, *relatives(model, one, 2)]


def test_there_are_as_many_actions_as_in_the_data_sets() -> None:
    assert len(actions("rafd")) == 8 * 3 * 5 and len(actions("multipie")) == 15 * 6
    assert len({action.name for action in actions("rafd")}) == 120


def test_sitters_stand_in_one_frame(people: list[Sitter]) -> None:
    for one in people[:1]:
        assert one.state.scale == pytest.approx(UNIT * SIZE, rel=0.01)
        assert one.state.translation == pytest.approx(np.array(EYES) * SIZE + BORDER * SIZE, abs=0.5)


def test_relatives_are_other_people(model: FaceModel, people: list[Sitter]) -> None:
    shapes = [model.shape(one.state.identity, np.zeros(80, np.float32)) for one in people]
    for a in range(3):
        for b in range(a):
            assert np.linalg.norm(shapes[a] - shapes[b], axis=1).mean() > 0.01
            assert np.abs(people[a].image.astype(int) - people[b].image).mean() > 2


def test_everyone_does_the_same(model: FaceModel, people: list[Sitter]) -> None:
    """Pose, size and expression of a picture are the action's and not the sitter's."""
    action = next(a for a in actions("rafd") if "Rafd135" in a.name and "surprised_frontal" in a.name)
    states = [Poser(model, one).pose(action).state for one in people]
    for state in states:
        assert head_pose(state.rotation).yaw == pytest.approx(15, abs=0.5)
        assert np.allclose(state.rotation, states[0].rotation, atol=1e-5)
        assert np.allclose(state.expression, states[0].expression, atol=1e-4)


def test_the_detector_sees_what_was_made(model: FaceModel, people: list[Sitter]) -> None:
    """Landmarks are where they are said to be, in units of the distance of the eyes."""
    wanted = (("Rafd090", "happy_left"), ("Rafd045", "neutral_frontal"))
    chosen = [a for a in actions("rafd") if any(angle in a.name and how in a.name for angle, how in wanted)]
    assert len(chosen) == 2
    with MeshDetector() as detector:
        for action in chosen:
            posed = Poser(model, people[0]).pose(action)
            found = detector.detect(posed.image)[0].points
            assert np.linalg.norm((found - posed.points)[:, :2], axis=1).mean() < 0.06 * UNIT * SIZE


def test_a_small_rafd_is_read_as_rafd_and_has_its_truth(people: list[Sitter], tmp_path: Path) -> None:
    chosen = [a for a in actions("rafd") if "090" in a.name and "frontal" in a.name]
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        assert write_set("rafd", people[:2], folder, chosen=chosen) == 16
    names = sorted(path.name for path in folders[0].iterdir())
    assert len(names) == 33
    assert all((folders[0] / n).read_bytes() == (folders[1] / n).read_bytes() for n in names)
    listing = rafd.read(folders[0])
    assert len(listing.items) == 16 and not listing.skipped
    pairs = rafd.pairs(listing.items, per_person=8)
    assert len(pairs) == 16 and all(pair.truth is not None for pair in pairs)
    item = listing.items[0]
    assert np.load(item.path.with_suffix(".npy")).shape == (478, 3)
    assert read_still(item.path).shape == (SIZE, SIZE, 3)
    assert json.loads((folders[0] / "truth.json").read_text())["pictures"][item.path.name]["yaw"] == 0


def test_a_small_multipie_is_read_as_multipie(people: list[Sitter], tmp_path: Path) -> None:
    chosen = [a for a in actions("multipie") if "01_01_110" in a.name or "01_02_051" in a.name]
    write_set("multipie", people[:1], tmp_path / "pie", chosen=chosen)
    found = {(i.attributes["expression"], i.attributes["yaw"]) for i in multipie.read(tmp_path / "pie").items}
    assert found == {("neutral", "90"), ("smile", "0")}


def test_stills_that_do_not_serve_are_passed_over(portrait: np.ndarray, tmp_path: Path) -> None:
    write_still(tmp_path / "a.png", portrait)
    write_still(tmp_path / "grey.png", np.full((200, 200, 3), 128, np.uint8))
    (tmp_path / "text.png").write_text("no picture")
    found, passed = sitters_from([tmp_path / n for n in ("grey.png", "text.png", "a.png")], 5, SIZE)
    assert [one.name for one in found] == ["a"]
    assert passed[0].startswith("grey.png: no face of at least")
    assert passed[1].startswith("text.png: not a picture")


def test_without_a_sitter_there_is_no_set(tmp_path: Path) -> None:
    with pytest.raises(ReenactError, match="no still can be used"):
        write_set("rafd", [], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_with_anything_in_it_is_left_alone(people: list[Sitter], tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ReenactError, match="is not empty"):
        write_set("rafd", people[:1], tmp_path)
