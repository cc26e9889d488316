"""Every system keeps the contract."""

from __future__ import annotations

import numpy as np
import pytest

from reenact.errors import ReenactError
from reenact.geometry.face_model import default_face_model
from reenact.media.compose import scale_to
from reenact.perception.detector import MeshDetector
from reenact.systems import DEFAULT_SYSTEM, SYSTEMS, find_system
from reenact.systems.spec import SourceFace, TargetShape


@pytest.fixture(scope="module")
def source() -> SourceFace:
    data = pytest.importorskip("skimage.data")
    picture = scale_to(np.ascontiguousarray(data.astronaut()[:256, 96:352]), 192, 192)
    with MeshDetector() as detector:
        points = detector.detect(picture)[0].points
    return SourceFace(picture, points, default_face_model().fit(points), None, (False,) * 4)


def test_the_table():
    assert all(spec.name == name and spec.title and spec.paper for name, spec in SYSTEMS.items())
    assert find_system(DEFAULT_SYSTEM).name == DEFAULT_SYSTEM
    with pytest.raises(ReenactError, match="choose one of"):
        find_system("none")


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_generator_renders_the_region(source, name):
    generator = SYSTEMS[name].load(source, 1)
    before = source.picture.copy()
    out = generator.render(TargetShape(source.points, source.state))
    assert out.shape == source.picture.shape and out.dtype == np.uint8
    np.testing.assert_array_equal(source.picture, before)
    again = generator.render(TargetShape(source.points, source.state))
    np.testing.assert_array_equal(out, again)


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_moved_target_changes_the_picture(source, name):
    generator = SYSTEMS[name].load(source, 1)
    still = generator.render(TargetShape(source.points, source.state))
    points = source.points.copy()
    points[:, 0] += np.where(points[:, 1] > points[4, 1], 6, 0)
    moved = generator.render(TargetShape(points, source.state))
    assert np.abs(moved.astype(int) - still).max() > 20
