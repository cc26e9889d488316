"""DG's data: exact landmarks with codes, pairs of prepared faces, and the change of phase."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from reenact.data.shards import Entry, Face  # noqa: E402
from reenact.errors import ReenactError  # noqa: E402
from reenact.geometry.face_model import default_face_model  # noqa: E402
from reenact.geometry.schemes import convert_points  # noqa: E402
from reenact.systems.dg.presets import IDSG  # noqa: E402
from reenact.systems.spec import SourceFace, TargetShape  # noqa: E402
from reenact.training.phases import (  # noqa: E402
    Pairing,
    PhasePictures,
    Phases,
    carried,
    in_phases,
    pairing_of,
)
from reenact.training.shapes import FaceShapes, open_shapes, visible_at  # noqa: E402
from reenact.training.sources import Share, batch_of_step  # noqa: E402
from reenact.types import FaceState  # noqa: E402

VALUES = asdict(IDSG["tiny"])


class Store:
    """Three people, each with the same two expressions, the second turned far."""

    folder = Path("faces")

    def __init__(self) -> None:
        model, rng = default_face_model(), np.random.default_rng(3)
        self.entries: list[Entry] = []
        self.faces: list[Face] = []
        for person in "abc":
            identity = rng.standard_normal(len(model.identity)).astype(np.float32)
            for turn, word in ((0.0, "neutral"), (70.0, "happy")):
                rotation = np.array([0, np.radians(turn), 0], np.float32)
                state = FaceState(rotation, 16.0, np.float32([32, 28]), identity, np.zeros(80, np.float32))
                labels = {"angle": "090", "expression": word}
                entry = Entry(person + word, person, "", None, "", (turn, 0, 0), labels, self.folder, {})
                picture = np.full((64, 64, 3), 40 * len(self.faces), np.uint8)
                self.faces.append(Face(entry.key, picture, model.project(state), state, {}))
                self.entries.append(entry)

    def read(self, number: int) -> Face:
        key = self.entries[number].key
        return next(face for face in self.faces if face.key == key)


def pairing(most_yaw: float = 90.0) -> Pairing:
    return Pairing(Store(), "identity", most_yaw)  # type: ignore[arg-type]


def test_one_person_first_and_others_later() -> None:
    data = open_shapes("synthetic", VALUES)
    first, last = (batch_of_step(data.train, 8, 1, step, Share()) for step in (7, 8))
    assert torch.equal(first["source_person"], first["driving_person"])
    assert torch.equal(first["driving"], first["target"])
    assert not (last["source_person"] == last["driving_person"]).any()
    assert float((last["driving"] - last["target"]).abs().mean()) > 0.5
    assert torch.equal(last["known"], torch.ones(8)) and last["visible"].shape == (8, 68)
    again = batch_of_step(data.train, 8, 1, 8, Share())
    assert all(torch.equal(again[name], value) for name, value in last.items())


def test_the_switch_counts_epochs_as_the_loop_does() -> None:
    class Sized:
        size = 10

    first, then = Sized(), Sized()
    phases = in_phases(first, then, {"cross_from": 3, "batch": 4})  # type: ignore[arg-type]
    assert isinstance(phases, Phases) and phases.at(8) is first and phases.at(9) is then


def test_codes_tell_the_people_apart_and_need_no_picture() -> None:
    batch = batch_of_step(open_shapes("synthetic", {**VALUES, "cross_from": 0}).train, 64, 1, 0, Share())
    of = {int(p): c for p, c in zip(batch["source_person"], batch["source_code"], strict=True)}
    assert len({tuple(code.tolist()) for code in of.values()}) == len(of) == 8
    assert all(
        torch.equal(of[int(p)], c) for p, c in zip(batch["driving_person"], batch["driving_code"], strict=True)
    )
    with pytest.raises(ReenactError, match="code=shape"):
        open_shapes("synthetic", asdict(IDSG["paper"]))


def test_a_turned_head_hides_its_far_side() -> None:
    ahead, turned = visible_at(np.array([[0.0, 0.0], [70.0, 0.0]], np.float32))
    assert ahead.mean() > 0.95 and turned.mean() < 0.8


def test_pairs_of_prepared_faces() -> None:
    faces, rng = pairing(), np.random.default_rng(0)
    same, others = faces.same(rng, 20), faces.others(rng, 20)
    assert (faces.person[same[:, 0]] == faces.person[same[:, 1]]).all() and (same[:, 0] != same[:, 1]).all()
    assert (faces.person[others[:, 0]] != faces.person[others[:, 1]]).all()
    truths = faces.truths(others)
    assert (faces.person[truths] == faces.person[others[:, 0]]).all()
    assert (truths % 2 == others[:, 1] % 2).all()  # in the driving expression
    with pytest.raises(ReenactError, match="no identity there has two faces"):
        pairing(most_yaw=30)


def test_landmarks_of_prepared_faces() -> None:
    shapes = FaceShapes(pairing(), {**VALUES, "side": 128}, others=True, with_truth=True)
    batch = shapes.load(shapes.draw(np.random.default_rng(1), 6))
    assert batch["known"].all() and batch["driving"].shape == (6, 68, 3)
    assert 30 < batch["driving"][..., 0].mean() < 98  # in pixels of a crop twice as large
    blind = FaceShapes(pairing(), {**VALUES, "cross_truth": False}, others=True, with_truth=False)
    assert not blind.load(blind.draw(np.random.default_rng(1), 6))["known"].any()
    assert FaceShapes(pairing(), VALUES, others=False, with_truth=False).load(np.array([[0, 1]]))["known"] == 1


def test_pictures_of_both_phases() -> None:
    rng = np.random.default_rng(2)
    alike = PhasePictures(pairing(), 32, others=False, shown=True)
    batch = alike.load(alike.draw(rng, 3))
    assert batch["source"].shape == batch["driving"].shape == (3, 32, 32, 3) and batch["known"].all()
    assert batch["points"].shape == batch["driven_points"].shape == (3, 478, 3)
    apart = PhasePictures(pairing(), 32, others=True)
    rows = apart.draw(rng, 3)
    batch = apart.load(rows)
    assert not batch["known"].any() and len(apart.load(rows[:0])["source"]) == 0
    own = PhasePictures(pairing(), 32, others=True, cross="driving").load(rows)
    assert 0.05 < np.abs(own["points"] - batch["points"]).mean() < 3


def test_the_second_phase_can_draw_what_the_shape_generator_makes(monkeypatch) -> None:
    """Converted from the driving face in its own pixels, then scaled as its picture is."""
    from reenact.systems.dg import animate

    class Half:
        def __init__(self, source: SourceFace) -> None:
            self.width = source.picture.shape[1]

        def convert(self, driving: TargetShape) -> TargetShape:
            assert self.width == 64
            return TargetShape(driving.in_scheme("ibug68") / 2, driving.state, "ibug68")

    monkeypatch.setattr(animate, "load_converter", Half)
    pictures = PhasePictures(pairing(), 32, others=True, cross="idsg")
    rows = pictures.draw(np.random.default_rng(2), 3)
    batch = pictures.load(rows)
    assert batch["landmarks"].shape == (3, 68, 3)
    driving = pairing().store.faces[rows[0, 1]].points  # type: ignore[attr-defined]
    assert np.allclose(batch["landmarks"][0], convert_points(driving, "ibug68") / 4, atol=1e-4)


def test_a_portrait_and_its_mirror_make_a_pair() -> None:
    """Of people with one picture: the source is the mirrored one, its points on it; the target stays."""
    faces = pairing()
    faces._alone = np.array([1])
    pictures = PhasePictures(faces, 32, others=False, stills=1.0, size=7)
    rows = pictures.draw(np.random.default_rng(0), 4)
    assert pictures.size == 7 and (rows == 1).all()
    faces.store.faces[1].image[:, :20] = 255  # type: ignore[attr-defined]
    batch = pictures.load(rows)
    assert batch["known"].all() and np.array_equal(batch["source"], batch["target"][:, :, ::-1])
    width = {name: np.ptp(batch[name][0, :, 0]) for name in ("points", "source_points")}
    assert width["points"] == pytest.approx(width["source_points"], rel=1e-4)
    assert np.allclose(batch["points"][0, 1, 0] + batch["source_points"][0, 1, 0], 32, atol=1e-3)  # nose tip
    assert np.allclose(batch["points"][0, 33, 0] + batch["source_points"][0, 263, 0], 32, atol=1e-3)  # eyes
    with pytest.raises(ReenactError, match="stills=0"):
        pairing().themselves(np.random.default_rng(0), 2)


def test_faces_without_a_split_are_trained_on_when_asked_for(monkeypatch) -> None:
    from reenact.training import phases

    class Split(Store):
        def __init__(self, folder: Path, split: str | None = None) -> None:
            super().__init__()
            self.entries = [
                replace(entry, split=name)
                for entry, name in zip(self.entries, ("train", "train", "", "", "val", "val"), strict=True)
            ]
            self.entries = [entry for entry in self.entries if split in (None, entry.split)]

        def __len__(self) -> int:
            return len(self.entries)

    monkeypatch.setattr(phases, "FaceStore", Split)
    for undivided, count in ((False, 2), (True, 4)):
        train, held, _ = phases.stores(Path("faces"), undivided=undivided)
        assert len(train) == count and len(held) == 2


def test_carrying_over_keeps_the_person_and_takes_the_action() -> None:
    model, store = default_face_model(), Store()
    a, b = store.faces[0], store.faces[3]
    made = model.fit(carried(model, a, b))
    truth = store.faces[1]  # the same person in the same action
    np.testing.assert_allclose(carried(model, a, b), truth.points, atol=0.05)
    assert made.scale == pytest.approx(b.state.scale, rel=0.02)


def test_one_person_cannot_be_driven_by_others() -> None:
    store = Store()
    store.entries = store.entries[:2]
    with pytest.raises(ReenactError, match=r"all faces are of one person.*cross_from=2"):
        pairing_of(store, VALUES, "identity")  # type: ignore[arg-type]
    assert len(pairing_of(store, {**VALUES, "cross_from": 2}, "identity").names) == 1  # type: ignore[arg-type]


def test_more_people_than_classes(monkeypatch) -> None:
    monkeypatch.setattr("reenact.training.shapes.stores", lambda folder: (Store(), Store(), "three"))
    with pytest.raises(ReenactError, match="has 3 people, the subject classifier 2; --set subjects=3"):
        open_shapes("faces", asdict(replace(IDSG["tiny"], subjects=2)))
    data = open_shapes("faces", asdict(IDSG["tiny"]))
    assert data.held_out.load(data.held_out.draw(np.random.default_rng(0), 4))["known"].all()
