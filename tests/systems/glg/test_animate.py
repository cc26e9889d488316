"""GLG at work, with networks as they begin."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from reenact.geometry.face_model import default_face_model, rotation_vector  # noqa: E402
from reenact.perception.action_units import GLG_UNITS  # noqa: E402
from reenact.perception.head_pose import HeadPose, pose_matrix  # noqa: E402
from reenact.pipeline.pose import units_expression  # noqa: E402
from reenact.systems.crop import state_square  # noqa: E402
from reenact.systems.glg import generator, lgan, presets  # noqa: E402
from reenact.systems.glg.animate import GlgGenerator, LganConverter, controls_of  # noqa: E402
from reenact.systems.spec import SourceFace, TargetShape  # noqa: E402


def face(side: int = 200) -> SourceFace:
    model = default_face_model()
    state = model.fit(model.mean * side / 4 + np.array([side / 2, side / 2, 0], np.float32))
    picture = np.random.default_rng(0).integers(0, 255, (side, side, 3), np.uint8)
    return SourceFace(picture, model.project(state), state, None, (False,) * 4)


def test_controls_are_the_driving_faces_pose_and_units() -> None:
    model, state = default_face_model(), face().state
    turn = rotation_vector(pose_matrix(HeadPose(20, -10, 5)))
    driving = replace(state, rotation=turn, expression=units_expression(model, {12: 3.0}))
    pose, units = controls_of(driving)
    assert pose.tolist() == pytest.approx([20, -10, 5], abs=0.05)
    assert float(units[GLG_UNITS.index(12)]) == pytest.approx(3, abs=0.4)
    assert not controls_of(replace(state, expression=np.zeros_like(state.expression)))[1].any()


@pytest.mark.parametrize("table", [presets.LGAN, presets.LGAN_SHAPE, presets.LGAN_FACE])
def test_landmarks_lie_where_the_driving_face_is(table: dict[str, presets.LganSettings]) -> None:
    """A network that knows only the mean face puts it at the driving face's place and size."""
    source, settings = face(), table["tiny"]
    network = lgan.Generator(settings).eval()
    torch.nn.init.zeros_(network.layers[-1].weight)
    unit = torch.linspace(-0.5, 0.5, 136)
    network.mean.copy_(unit)
    state = replace(source.state, translation=source.state.translation + 30, scale=source.state.scale * 1.5)
    made = LganConverter(source, network, settings).convert(TargetShape(source.points, state))
    assert made.scheme == "ibug68" and made.points.shape == (68, 2) and made.state is state
    square = state_square(state)
    wanted = np.array([square.x, square.y]) + unit.reshape(68, 2).numpy() * square.side / 2
    np.testing.assert_allclose(made.points, wanted, atol=0.05)


@pytest.mark.parametrize("changes", [{}, {"driving": "heatmap"}, {"flow": "none"}], ids=str)
def test_a_generator_draws_the_face_and_leaves_the_rest(changes: dict[str, str]) -> None:
    source = face()
    torch.manual_seed(0)
    settings = replace(presets.IMAGE["tiny"], **changes)  # type: ignore[arg-type]
    made = GlgGenerator(source, generator.Generator(settings).eval(), settings)
    target = TargetShape(source.points, source.state)
    out = made.render(target)
    assert out.shape == source.picture.shape and out.dtype == np.uint8
    np.testing.assert_array_equal(out, made.render(target))
    assert np.abs(out.astype(int) - source.picture)[90:110, 90:110].mean() > 20
    moved = TargetShape(source.points + np.float32(8), source.state)
    assert np.abs(made.render(moved).astype(int) - out).max() > 2
