"""Distillation on a handful of made-up faces: it learns, stops and goes on, and ships what it says."""

from __future__ import annotations

import json

import numpy as np
import pytest
from skimage import data

torch = pytest.importorskip("torch")

from torch import Generator, nn  # noqa: E402

from reenact.errors import ReenactError  # noqa: E402
from reenact.geometry.align import apply, crop_matrix, face_square  # noqa: E402
from reenact.geometry.face_model import default_face_model  # noqa: E402
from reenact.media.stills import write_still  # noqa: E402
from reenact.nn.identity_net import IdentityNet  # noqa: E402
from reenact.nn.landmark_net import LandmarkNet, Prediction, load_landmark_net  # noqa: E402
from reenact.perception.chips import DLIB_CHIP, cut_chip  # noqa: E402
from reenact.perception.detector import MeshDetector  # noqa: E402
from reenact.runtime.weights import shipped  # noqa: E402
from reenact.training.augment import sample  # noqa: E402
from reenact.training.distill import DistillOptions, run  # noqa: E402
from reenact.training.distill_identity import IdentityStep, centre, wide_chip  # noqa: E402
from reenact.training.distill_report import identity_report, landmark_report, ship, speed  # noqa: E402
from reenact.training.faces import PARTS, SIDE, FaceStore, faces, open_store, prepare, stored_crop  # noqa: E402


@pytest.fixture(scope="module")
def astronaut():
    image = data.astronaut()
    with MeshDetector() as detector:
        return image, detector.detect(image)[0].points


@pytest.fixture(scope="module")
def store(astronaut):
    """Twelve copies of one crop whose points differ by expressions of the face model."""
    crop, points = stored_crop(*astronaut)
    model = default_face_model()
    random = np.random.default_rng(0)
    modes = np.tensordot(random.normal(size=(12, 4)), model.expression[:4], 1) * 30
    part = np.array(["train"] * 8 + ["val"] * 4)
    return FaceStore(
        np.repeat(crop[None], 12, 0),
        (points + modes).astype(np.float32),
        np.arange(12) // 2,
        part,
        np.array([f"face{i}" for i in range(12)]),
    )


def test_stored_crop_holds_the_face_where_the_points_say(astronaut):
    image, points = astronaut
    crop, placed = stored_crop(image, points)
    assert crop.shape == (SIDE, SIDE, 3) and crop.dtype == np.uint8
    assert np.ptp(placed[:, 1]) == pytest.approx(SIDE / 2.5, rel=0.05)
    with MeshDetector() as detector:
        seen = detector.detect(crop)[0].points
    assert np.linalg.norm(seen[:, :2] - placed[:, :2], axis=1).mean() < 0.02 * np.ptp(placed[:, 1])
    shift = np.array([190, 0, 0], np.float32)  # cuts through the face
    edge, moved = stored_crop(image[:, 190:], points - shift)  # cut through the face
    assert edge.shape == (SIDE, SIDE, 3) and np.abs(moved - placed).max() < 0.1


def test_wide_chip_is_dlibs_with_room(astronaut):
    image, points = astronaut
    crop, placed = stored_crop(image, points)
    picture = torch.from_numpy(crop.copy()).permute(2, 0, 1)[None]
    wide = sample(picture, torch.from_numpy(wide_chip(placed, SIDE))[None], 195)
    middle = sample(wide, centre(1), 150)[0].permute(1, 2, 0).numpy() * 255
    assert np.abs(middle - cut_chip(image, points, DLIB_CHIP)).mean() < 6


def options(**changes):
    return DistillOptions(**({"steps": 6, "batch": 4, "save": 1e9} | changes))


class Teacher(nn.Module):
    """Stands in for dlib's network: 128 means of the picture."""

    def forward(self, chips):
        return nn.functional.adaptive_avg_pool2d(chips.mean(1, keepdim=True), (8, 16)).flatten(1)


class Pupil(nn.Module):
    """A small net with a norm, so that there is more to keep than weights."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(3, 8, 5, stride=4), nn.BatchNorm2d(8), nn.AdaptiveAvgPool2d(8))
        self.last = nn.Linear(8 * 8 * 8, 128)

    def forward(self, chips):
        return self.last(self.net(chips).flatten(1)).float()


def trained(steps, store, folder, stop=None):
    torch.manual_seed(0)
    net = Pupil()
    step = IdentityStep(net, Teacher(), store)
    calls, losses = [], []

    def until(rows, generator):
        calls.append(1)
        if stop is not None and len(calls) > stop:
            raise KeyboardInterrupt
        found = step(rows, generator)
        losses.append(float(found["label"].detach()))
        return found

    net = run(net, until, store.rows("train"), folder, options(steps=steps, save=0.0), lambda line: None)
    return net, losses


def test_a_stopped_run_goes_on_as_if_it_had_not_stopped(store, tmp_path):
    whole, _ = trained(3, store, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        trained(3, store, tmp_path / "parts", stop=2)
    again, losses = trained(3, store, tmp_path / "parts")
    assert len(losses) == 1
    for one, other in zip(whole.state_dict().values(), again.state_dict().values(), strict=True):
        assert torch.allclose(one, other, atol=1e-6)
    kept = [path.suffix for path in (tmp_path / "parts").rglob("*") if path.is_file()]
    assert sorted(kept) == [".json", ".safetensors"]


def test_loss_falls(store, tmp_path):
    _, losses = trained(16, store, tmp_path)
    assert np.mean(losses[-4:]) < 0.6 * np.mean(losses[:4])


def test_identity_step_and_reports(store, tmp_path):
    net = IdentityNet()
    step = IdentityStep(net, Teacher(), store)
    losses = step(store.rows("train"), Generator().manual_seed(1))
    sum(losses.values()).backward()
    assert set(losses) == {"label", "spread"}
    figures = identity_report(net.eval(), Teacher(), store, "val", spoilt=True)
    assert figures["distance_to_teacher"] > 0 and figures["teacher_same_right_percent"] == 100
    assert speed(net, 150, batch=2, rounds=1)["images_per_second_fp32_1_thread"] > 0


def test_a_perfect_net_has_no_error(astronaut):
    """The report on a net that knows the answer: what it measures is zero, in the unit that it names."""
    image, points = astronaut
    crop = torch.from_numpy(apply(crop_matrix(face_square(points), 256), points))

    class Oracle(LandmarkNet):
        wrong = 0.0

        def forward(self, images):
            eyes = (crop[33, :2] - crop[263, :2]).norm()
            shift = torch.tensor([1.0, 0.0, 0.0]) * self.wrong * eyes
            return Prediction((crop + shift).expand(len(images), -1, -1), torch.ones(len(images)))

    oracle = Oracle()
    shown = [(image, points)] * 3
    assert landmark_report(oracle, shown)["mesh478"] < 0.02
    oracle.wrong = 0.05
    report = landmark_report(oracle, shown)
    assert report["mesh478"] == pytest.approx(5, abs=0.02) and report["visibility_right_percent"] == 100


def test_report_on_the_shipped_landmark_net(astronaut):
    net = load_landmark_net()
    placed, moved = (landmark_report(net, [astronaut] * 2, moved=moved) for moved in (False, True))
    assert placed["ibug68"] < 2 and moved["ibug68"] < 20
    spoilt = landmark_report(net, [astronaut] * 2, moved=True, spoilt=True)
    assert set(spoilt) == set(placed) == {
        "mesh478", "irises", "ibug68", "wflw98", "ibug68_z", "visibility_right_percent"
    }  # fmt: skip


def test_shipped_file_is_what_its_record_says(tmp_path):
    net = IdentityNet()
    path = ship(net, "identity_net", tmp_path, {"purpose": "a test", "licence": "Apache-2.0", "steps": 0})
    record = shipped("identity_net", tmp_path)
    assert record.path == path and record.purpose == "a test"
    assert record.details["bytes"] == path.stat().st_size < 5_000_000
    assert json.loads((tmp_path / "identity_net.json").read_text())["sha256"] == record.sha256


def test_faces_are_cut_once_and_sorted_into_parts(astronaut, tmp_path):
    image, points = astronaut
    (tmp_path / "portraits" / "colour").mkdir(parents=True)
    write_still(tmp_path / "portraits" / "colour" / "1.jpg", image)
    found = list(faces(tmp_path))
    assert len(found) == 1 and found[0][2] == "colour/1.jpg"
    part = found[0][4]
    assert part in ("train", "held") and list(faces(tmp_path, [part]))
    assert not list(faces(tmp_path, [other for other in PARTS if other != part]))
    made = prepare(tmp_path, tmp_path / "store")
    assert made.crops.shape == (1, SIDE, SIDE, 3) and list(made.rows(part)) == [0]
    assert np.abs(made.points[0] - stored_crop(image, points)[1]).mean() < 1  # the JPEG moves them a little
    (tmp_path / "portraits" / "colour" / "1.jpg").unlink()
    assert prepare(tmp_path, tmp_path / "store").name[0] == "colour/1.jpg"  # opened, not made again


def test_no_faces_prepared(tmp_path):
    with pytest.raises(ReenactError, match="no prepared faces"):
        open_store(tmp_path)
