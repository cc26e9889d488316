"""DG at work, with networks as they begin."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from dg_bench import TINY_IDSG, TINY_RFG  # noqa: E402

from reenact.geometry.face_model import default_face_model  # noqa: E402
from reenact.systems.dg import idsg, rfg  # noqa: E402
from reenact.systems.dg.animate import IdsgConverter, RfgGenerator  # noqa: E402
from reenact.systems.spec import SourceFace, TargetShape  # noqa: E402


def face(side: int = 300) -> SourceFace:
    model = default_face_model()
    state = model.fit(model.mean * side / 4 + np.array([side / 2, side / 2, 0], np.float32))
    picture = np.random.default_rng(0).integers(0, 255, (side, side, 3), np.uint8)
    return SourceFace(picture, model.project(state), state, None, (False,) * 4)


@pytest.mark.parametrize("code", ["shape", "identity"])
def test_a_converter_that_changes_nothing_gives_the_driving_points_back(code: str) -> None:
    """In the region's own pixels, wherever the driving face is and however large."""
    source = face()
    state = replace(source.state, translation=source.state.translation + 40, scale=source.state.scale * 1.5)
    driving = TargetShape(default_face_model().project(state), state)
    settings = replace(TINY_IDSG, residual=True, code=code)
    made = IdsgConverter(source, idsg.Generator(settings), settings).convert(driving)
    assert made.scheme == "ibug68" and made.points.shape == (68, 3) and made.state is state
    wanted = driving.in_scheme("ibug68")
    np.testing.assert_allclose(made.points[:, :2], wanted[:, :2], atol=0.01)
    np.testing.assert_allclose(made.points[:, 2], wanted[:, 2] - wanted[:, 2].mean(), atol=0.05)


def test_a_generator_draws_the_face_and_leaves_the_rest() -> None:
    source = face()
    torch.manual_seed(0)
    generator = RfgGenerator(source, rfg.Generator(TINY_RFG).eval(), TINY_RFG)
    out = generator.render(TargetShape(source.points, source.state))
    assert out.shape == source.picture.shape and out.dtype == np.uint8
    np.testing.assert_array_equal(out, generator.render(TargetShape(source.points, source.state)))
    assert np.abs(out.astype(int) - source.picture)[140:160, 140:160].mean() > 20
    moved = generator.render(TargetShape(source.points + np.float32(8), source.state))
    assert np.abs(moved.astype(int) - out).max() > 2
