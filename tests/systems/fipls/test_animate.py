"""FIPLS at work, with networks as they begin."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from reenact.errors import ReenactError  # noqa: E402
from reenact.geometry.face_model import default_face_model  # noqa: E402
from reenact.systems.fipls import presets  # noqa: E402
from reenact.systems.fipls.animate import LsgConverter, LsgSequence, PictureGenerator  # noqa: E402
from reenact.systems.fipls.ends import FarEnd  # noqa: E402
from reenact.systems.fipls.lsg import SequenceGenerator  # noqa: E402
from reenact.systems.fipls.pix2pixhd import Generator  # noqa: E402
from reenact.systems.sequences import SEQUENCES, LinearSequence  # noqa: E402
from reenact.systems.spec import SourceFace, TargetShape  # noqa: E402

LSG = presets.LSG["tiny"]


def face(side: int = 300) -> SourceFace:
    model = default_face_model()
    state = model.fit(model.mean * side / 4 + np.array([side / 2, side / 2, 0], np.float32))
    picture = np.random.default_rng(0).integers(0, 255, (side, side, 3), np.uint8)
    return SourceFace(picture, model.project(state), state, None, (False,) * 4)


def turned(source: SourceFace) -> TargetShape:
    """The same person elsewhere, larger and turned, with another mouth."""
    expression = source.state.expression.copy()
    expression[:3] += 1
    state = replace(
        source.state,
        rotation=np.array([0, 0.3, 0.1], np.float32),
        translation=source.state.translation + 40,
        scale=source.state.scale * 1.3,
        expression=expression,
    )
    return TargetShape(default_face_model().project(state), state)


@pytest.mark.parametrize("frames", [2, 4, 9])
def test_a_generator_without_shifts_gives_linear_interpolation(frames: int) -> None:
    """Of any count of frames; where place and size change, too, since these go evenly as the points do."""
    source = face()
    first, last = TargetShape(source.points, source.state), turned(source)
    made = LsgSequence(SequenceGenerator(LSG).eval(), 256).between(first, last, frames)
    line = LinearSequence().between(first, last, frames)
    assert len(made) == len(line) == frames and {shape.scheme for shape in made} == {"mesh478"}
    for ends in (0, -1):
        np.testing.assert_allclose(made[ends].points, line[ends].points, atol=0.01)
    middle = made[frames // 2].points - line[frames // 2].points
    assert np.abs(middle[:, :2]).max() < 6  # the product of two changes, in a face of 140 px


def test_shifts_reach_every_frame() -> None:
    torch.manual_seed(0)
    network = SequenceGenerator(LSG).eval()
    torch.nn.init.constant_(network.shift.bias, 0.1)
    source = face()
    first, last = TargetShape(source.points, source.state), turned(source)
    plain = LinearSequence().between(first, last, 7)
    for shape, line in zip(LsgSequence(network, 256).between(first, last, 7), plain, strict=True):
        assert np.abs(shape.points - line.points)[:, :2].mean() > 3
    sequence = LsgSequence(network, 256)
    whole = sequence.between(first, last, LSG.frames)[-1]
    np.testing.assert_allclose(sequence.far_end(first, last).points, whole.points, atol=1e-3)


def test_linear_interpolation_by_hand() -> None:
    source = face()
    first, last = TargetShape(source.points, source.state), turned(source)
    made = LinearSequence().between(first, last, 3)
    np.testing.assert_array_equal(made[0].points, first.points)
    np.testing.assert_allclose(made[2].points, last.points, atol=1e-3)
    np.testing.assert_allclose(made[1].points, (first.points + last.points) / 2, atol=1e-3)
    assert made[1].state.scale == pytest.approx((first.state.scale + last.state.scale) / 2)
    with pytest.raises(ReenactError, match="at least 2"):
        LinearSequence().between(first, last, 1)
    assert set(SEQUENCES) == {"li", "lsg"}


def test_the_far_end_is_the_source_in_the_driving_pose_whoever_drives() -> None:
    source = face()
    driving = turned(source)
    rng = np.random.default_rng(1)
    stranger = replace(driving.state, identity=rng.standard_normal(driving.state.identity.shape).astype("f4"))
    far = FarEnd(source)
    mine = far.convert(driving)
    other = far.convert(TargetShape(default_face_model().project(stranger), stranger))
    np.testing.assert_allclose(mine.points, other.points, atol=1e-3)
    assert np.abs(mine.points - driving.points)[:, :2].mean() < 1.5
    converted = LsgConverter(source, LsgSequence(SequenceGenerator(LSG).eval(), 256)).convert(driving)
    np.testing.assert_allclose(converted.points, mine.points, atol=0.01)


def test_a_generator_draws_the_face_and_leaves_the_rest() -> None:
    source = face()
    settings = presets.REENACTMENT["tiny"]
    torch.manual_seed(0)
    network = Generator(settings).eval()
    torch.nn.init.normal_(network.last[1].weight, 0, 0.5)
    generator = PictureGenerator(source, network, settings)
    target = TargetShape(source.points, source.state)
    out = generator.render(target)
    assert out.shape == source.picture.shape and out.dtype == np.uint8
    np.testing.assert_array_equal(out, generator.render(target))
    np.testing.assert_array_equal(out[:3, :3], source.picture[:3, :3])
    assert np.abs(out.astype(int) - source.picture)[140:160, 140:160].mean() > 20
    moved = TargetShape(source.points + np.float32(8), source.state)
    assert np.abs(generator.render(moved).astype(int) - out).max() > 2
