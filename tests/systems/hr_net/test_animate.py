"""HR-Net at work, with networks as they begin."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from reenact.geometry.face_model import default_face_model  # noqa: E402
from reenact.systems.hr_net import bfr, presets  # noqa: E402
from reenact.systems.hr_net.animate import BfrGenerator, LicConverter  # noqa: E402
from reenact.systems.hr_net.lic import Converter  # noqa: E402
from reenact.systems.spec import SourceFace, TargetShape  # noqa: E402


def face(side: int = 300) -> SourceFace:
    model = default_face_model()
    state = model.fit(model.mean * side / 4 + np.array([side / 2, side / 2, 0], np.float32))
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 255, (side, side, 3), np.uint8)
    return SourceFace(picture, model.project(state), state, None, (False,) * 4)


def test_a_converter_that_changes_nothing_gives_the_driving_points_back() -> None:
    """In the region's own pixels, wherever the driving face is and however large."""
    source = face()
    state = replace(source.state, translation=source.state.translation + 40, scale=source.state.scale * 1.5)
    driving = TargetShape(default_face_model().project(state), state)
    made = LicConverter(source, Converter((8, 8, 8, 8, 8), residual=True), 256).convert(driving)
    assert made.scheme == "ibug68" and made.points.shape == (68, 2) and made.state is state
    np.testing.assert_allclose(made.points, driving.in_scheme("ibug68")[:, :2], atol=0.01)


def test_a_generator_draws_the_face_and_leaves_the_rest() -> None:
    source = face()
    torch.manual_seed(0)
    settings = presets.BFR["tiny"]
    generator = BfrGenerator(source, bfr.Generator(settings).eval(), settings)
    target = TargetShape(source.points, source.state)
    out = generator.render(target)
    assert out.shape == source.picture.shape and out.dtype == np.uint8
    np.testing.assert_array_equal(out, generator.render(target))
    assert np.abs(out.astype(int) - source.picture)[140:160, 140:160].mean() > 20
    moved = TargetShape(source.points + np.float32(8), source.state)
    assert np.abs(generator.render(moved).astype(int) - out).max() > 2
