"""The landmark sequence generator: units, interpolation, shapes, where it begins."""

from __future__ import annotations

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from reenact.systems.fipls import lsg, presets  # noqa: E402
from reenact.systems.fipls.lsg import to_pixels, to_unit, upsample  # noqa: E402

TINY = presets.LSG["tiny"]


def test_units_go_there_and_back() -> None:
    points = torch.rand(3, 5, 98, 2) * 256
    unit = to_unit(points, 256)
    assert unit.shape == (3, 5, 196) and float(unit.abs().max()) <= 1
    torch.testing.assert_close(to_pixels(unit, 256), points)


def test_upsampling_is_the_straight_line_between_the_ends() -> None:
    line = upsample(torch.tensor([[[0.0, 4.0], [2.0, 0.0]]]), 5)
    torch.testing.assert_close(line[0], torch.tensor([[0, 4.0], [0.5, 3], [1, 2], [1.5, 1], [2, 0]]))


@pytest.mark.parametrize(("count", "frames"), [(1, 3), (2, 8), (3, 20)])
def test_shapes(count: int, frames: int) -> None:
    settings = replace(TINY, frames=frames)
    made, hidden = lsg.SequenceGenerator(settings)(torch.randn(count, 2, 196))
    assert made.shape == (count, frames, 196) and hidden.shape == (count, frames, 2 * settings.hidden)
    face = made[:, 0]
    assert lsg.FrameDiscriminator(settings)(face).shape == (count,)
    assert lsg.PairDiscriminator(settings)(face, face).shape == (count,)
    assert lsg.OutputClassifier(settings)(face).shape == (count, settings.people)
    assert lsg.HiddenClassifier(settings)(hidden).shape == (count, settings.people)


def test_it_begins_at_linear_interpolation_and_sees_both_ends_from_every_frame() -> None:
    torch.manual_seed(0)
    generator = lsg.SequenceGenerator(TINY)
    ends = torch.randn(2, 2, 196)
    torch.testing.assert_close(generator(ends)[0], upsample(ends, TINY.frames))
    torch.nn.init.normal_(generator.shift.weight)
    other = torch.cat([ends[:, :1], torch.randn(2, 1, 196)], 1)
    shifts = [generator(e)[0][:, 0] - e[:, 0] for e in (ends, other)]
    assert float((shifts[0] - shifts[1]).detach().abs().max()) > 1e-3


def test_whitened_it_sees_components_of_unit_variance() -> None:
    torch.manual_seed(0)
    faces = 0.3 + torch.randn(4000, 12) @ torch.randn(12, 196) * 0.1
    generator = lsg.SequenceGenerator(TINY)
    generator.view.whiten_by(faces, lsg.FLOOR / 128)
    spread = generator.view(faces).std(0).sort(descending=True).values
    torch.testing.assert_close(spread[:12], torch.ones(12), atol=0.02, rtol=0)
    assert float(spread[12:].max()) < 0.01
    ends = faces[:4].unflatten(0, (2, 2))
    torch.testing.assert_close(generator(ends)[0], upsample(ends, TINY.frames))


def test_figure_4_has_six_states_between_the_ends() -> None:
    assert presets.LSG["paper"].frames == 8
