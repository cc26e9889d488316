"""Converters without training, and the shape in which converters and generators meet."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reenact.errors import ReenactError
from reenact.geometry.face_model import default_face_model
from reenact.geometry.schemes import convert_points
from reenact.systems.converters import CopyDriving, LandmarkStyle, align_statistics
from reenact.systems.spec import SourceFace, TargetShape, fits


def shape(seed: int, scale: float = 60.0) -> TargetShape:
    model, rng = default_face_model(), np.random.default_rng(seed)
    state = replace(
        model.fit(model.mean * scale + 128),
        identity=rng.standard_normal(len(model.identity)).astype(np.float32),
    )
    return TargetShape(model.project(state), state)


def test_style_takes_the_sources_statistics_at_the_driving_place():
    rng = np.random.default_rng(0)
    driving, source = rng.normal(5, 2, (68, 2)), rng.normal(90, (3, 7), (68, 2))
    made = align_statistics(driving, source)
    np.testing.assert_allclose(made.mean(0), driving.mean(0))
    np.testing.assert_allclose(made.std(0), source.std(0))
    np.testing.assert_allclose(
        (made - made.mean(0)) / made.std(0), (driving - driving.mean(0)) / driving.std(0)
    )


def test_style_keeps_the_driving_size():
    driving, face = shape(1, 60.0), shape(2, 120.0)
    source = SourceFace(np.zeros((256, 256, 3), np.uint8), face.points, face.state, None, (False,) * 4)
    made = LandmarkStyle(source).convert(driving)
    ratio = np.float32(driving.state.scale / face.state.scale)
    np.testing.assert_allclose(made.points.std(0), face.points.std(0) * ratio, rtol=1e-4)
    assert CopyDriving().convert(driving) is driving


def test_the_mesh_becomes_any_scheme_and_nothing_else_does():
    mesh = shape(3)
    np.testing.assert_allclose(mesh.in_scheme("wflw98"), convert_points(mesh.points, "wflw98"))
    assert mesh.in_scheme("mesh478") is mesh.points
    small = TargetShape(mesh.in_scheme("ibug68"), mesh.state, "ibug68")
    assert small.in_scheme("ibug68") is small.points
    assert fits("mesh478", "osfr146") and fits("wflw98", "wflw98") and not fits("ibug68", "wflw98")
    with pytest.raises(ReenactError, match="ibug68 cannot be turned into mesh478"):
        small.in_scheme("mesh478")
