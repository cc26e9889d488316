"""Every system keeps the contract."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reenact.errors import ReenactError
from reenact.geometry.face_model import default_face_model
from reenact.media.compose import scale_to
from reenact.perception.detector import MeshDetector
from reenact.pipeline.options import DEFAULT_SYSTEM
from reenact.systems import CONVERTERS, SYSTEMS, caveats, find_system, status_of
from reenact.systems.spec import SourceFace, SystemSpec, TargetShape, fits

READY = [name for name, spec in SYSTEMS.items() if status_of(spec) == "ready"]


@pytest.fixture(scope="module")
def source() -> SourceFace:
    data = pytest.importorskip("skimage.data")
    picture = scale_to(np.ascontiguousarray(data.astronaut()[:256, 96:352]), 192, 192)
    with MeshDetector() as detector:
        points = detector.detect(picture)[0].points
    return SourceFace(picture, points, default_face_model().fit(points), None, (False,) * 4)


def test_the_table():
    assert all(spec.name == name and spec.title and spec.paper for name, spec in SYSTEMS.items())
    assert all(spec.name == name and spec.title for name, spec in CONVERTERS.items())
    assert find_system(DEFAULT_SYSTEM).name == DEFAULT_SYSTEM
    with pytest.raises(ReenactError, match="choose one of"):
        find_system("none")
    with pytest.raises(ReenactError, match="no converter 'none'; choose one of: morphable, copy"):
        find_system("none+warp")


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_systems_own_converter_fits_it(name):
    assert fits(CONVERTERS[SYSTEMS[name].converter].gives, SYSTEMS[name].takes)


def test_another_converter_can_be_named():
    spec = find_system("copy+warp")
    assert (spec.name, spec.converter, spec.load) == ("copy+warp", "copy", SYSTEMS["warp"].load)


def test_a_converter_that_does_not_fit_is_refused():
    with pytest.raises(ReenactError, match="lic gives landmarks of ibug68"):
        find_system("lic+warp")


def test_a_system_without_weights_says_so(monkeypatch):
    monkeypatch.setattr("reenact.systems.installed", lambda name: False)
    assert status_of(SYSTEMS["hr_net"]) == "no weights yet" and status_of(SYSTEMS["warp"]) == "ready"
    with pytest.raises(
        ReenactError, match=r"hr_net has no weights yet \(hr_net_lic, hr_net_bfr\).*one of: warp"
    ):
        find_system("hr_net")
    with pytest.raises(ReenactError, match=r"copy\+hr_net has no weights yet \(hr_net_bfr\)"):
        find_system("copy+hr_net")


def test_a_system_of_pytorch_says_so_in_a_line_where_that_is_absent(monkeypatch):
    monkeypatch.setattr("reenact.systems.trained.find_spec", lambda name: None)
    spec = replace(SYSTEMS["warp"], name="lic+warp", converter="lic", takes="ibug68")
    assert (status_of(spec), status_of(SYSTEMS["live"])) == ("needs PyTorch", "ready")
    monkeypatch.setitem(SYSTEMS, "lined", replace(spec, name="lined"))
    with pytest.raises(ReenactError, match=r"^lined runs on PyTorch.*pip install 'reenact\[train\]'$"):
        find_system("lined")


@pytest.mark.parametrize("name", READY)
def test_a_generator_renders_the_region(source, name):
    generator = SYSTEMS[name].load(source, 1)
    before = source.picture.copy()
    out = generator.render(TargetShape(source.points, source.state))
    assert out.shape == source.picture.shape and out.dtype == np.uint8
    np.testing.assert_array_equal(source.picture, before)
    again = generator.render(TargetShape(source.points, source.state))
    np.testing.assert_array_equal(out, again)


@pytest.mark.parametrize("name", READY)
def test_a_moved_target_changes_the_picture(source, name):
    generator = SYSTEMS[name].load(source, 1)
    still = generator.render(TargetShape(source.points, source.state))
    points = source.points.copy()
    points[:, 0] += np.where(points[:, 1] > points[4, 1], 6, 0)
    moved = generator.render(TargetShape(points, source.state))
    assert np.abs(moved.astype(int) - still).max() > 8


def test_first_tries_say_so(tmp_path, monkeypatch):
    """Weights that saw few samples come with a line; those that saw enough, or are not there, with none."""
    import hashlib
    import json

    from reenact.runtime import weights

    monkeypatch.setenv("REENACT_HOME", str(tmp_path))
    monkeypatch.setattr(weights, "SHIPPED", tmp_path / "none")
    folder = tmp_path / "weights"
    folder.mkdir()
    spec = SystemSpec("young", "", "", 2.0, True, lambda *_: None, weights=("young_net",))
    assert caveats(spec) == ()
    for samples, lines in ((1_200, 1), (500_000, 0)):
        (folder / "young_net.safetensors").write_bytes(b"weights")
        record = {
            "file": "young_net.safetensors",
            "sha256": hashlib.sha256(b"weights").hexdigest(),
            "purpose": "a test",
            "licence": "Apache-2.0",
            "samples": samples,
        }
        (folder / "young_net.json").write_text(json.dumps(record))
        assert len(caveats(spec)) == lines
        assert all(f"{samples:,} samples" in line for line in caveats(spec))
