"""The landmark identity conversion: units, layers, what goes where (section III-A)."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from reenact.systems.hr_net import presets  # noqa: E402
from reenact.systems.hr_net.lic import Converter, Discriminator, to_pixels, to_unit  # noqa: E402


def test_units_go_there_and_back() -> None:
    points = torch.tensor([[[0.0, 0.0], [128.0, 128.0], [256.0, 64.0]]])
    torch.testing.assert_close(to_unit(points, 256), torch.tensor([[-1.0, -1, 0, 0, 1, -0.5]]))
    many = torch.rand(4, 68, 2) * 256
    torch.testing.assert_close(to_pixels(to_unit(many, 256), 256), many)


@pytest.mark.parametrize("count", [1, 3])
def test_five_layers_each_and_their_mirror(count: int) -> None:
    widths = presets.LIC["paper"].widths
    converter, critic = Converter(widths), Discriminator(widths)
    driving, source = torch.randn(2, count, 136)
    assert converter(driving, source).shape == (count, 136) and critic(driving).shape == (count,)
    for part in (converter.action, converter.identity, converter.decoder, critic.layers):
        assert sum(isinstance(layer, torch.nn.Linear) for layer in part) == 5
    sizes = [tuple(layer.weight.shape) for layer in converter.decoder if isinstance(layer, torch.nn.Linear)]
    assert sizes == [(256, 256), (256, 256), (512, 256), (512, 512), (136, 512)]


def test_action_comes_from_the_driving_face_and_identity_from_the_source() -> None:
    torch.manual_seed(0)
    converter = Converter((8, 8, 8, 8, 8))
    driving, source = torch.randn(2, 1, 136)
    code = torch.cat([converter.action(driving), converter.identity(source)], 1)
    torch.testing.assert_close(converter(driving, source), converter.decoder(code))


def test_a_residual_converter_begins_at_the_driving_face() -> None:
    driving, source = torch.randn(2, 5, 136)
    assert torch.equal(Converter((8, 8, 8, 8, 8), residual=True)(driving, source), driving)


def test_whitening_gives_unit_variance_where_there_is_any() -> None:
    torch.manual_seed(0)
    converter = Converter((8, 8, 8, 8, 8))
    faces = torch.randn(4000, 3) @ torch.randn(3, 136) * 0.05 + torch.randn(136)
    converter.whiten_by(faces)
    seen = (faces - converter.centre) @ converter.whitening
    variance = seen.var(0).sort(descending=True).values
    torch.testing.assert_close(variance[:3], torch.ones(3), atol=1e-2, rtol=0)
    assert float(variance[3:].max()) < 1e-3
