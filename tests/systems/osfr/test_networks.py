"""E, F, D and the discriminators: shapes at several sizes, the paper's sizes, what goes where (section 3.2)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch.nn import functional  # noqa: E402

from reenact.errors import ReenactError  # noqa: E402
from reenact.geometry.draw import parsing_map  # noqa: E402
from reenact.geometry.face_model import default_face_model  # noqa: E402
from reenact.geometry.schemes import OSFR_CLASSES, convert_points  # noqa: E402
from reenact.systems.osfr import presets  # noqa: E402
from reenact.systems.osfr.decoder import (  # noqa: E402
    Discriminator,
    Generator,
    SpadeBlock,
    SpadeUnit,
)
from reenact.systems.osfr.shape import apart, coloured, parse  # noqa: E402

TINY, PAPER = presets.MAIN["tiny"], presets.MAIN["paper"]


def random_parsing(count: int, size: int) -> torch.Tensor:
    return torch.rand(count, len(OSFR_CLASSES), size, size)


@pytest.mark.parametrize("blocks", [5, 6])
def test_shapes(blocks: int) -> None:
    torch.manual_seed(0)
    widths = (8,) * blocks
    settings = replace(TINY, size=2**blocks, down=widths, up=widths, decoder=widths)
    picture, parsing = torch.randn(2, 3, settings.size, settings.size), random_parsing(2, settings.size)
    made, rebuilt = Generator(settings)(picture, parsing)
    assert made.shape == rebuilt.shape == picture.shape and float(made.detach().abs().max()) <= 1
    sides = [logits.shape[-1] for logits in Discriminator(settings)(picture)]
    assert sides == [settings.size // 2**n // 2 - 2 for n in range(3)]


def test_the_papers_sizes() -> None:
    with torch.device("meta"):
        generator, critic = Generator(PAPER), Discriminator(PAPER)
        appearance = generator.appearance(torch.zeros(1, 3, 256, 256))
        logits = critic(torch.zeros(1, 3, 256, 256))
    widths = [block[0].out_channels for block in generator.appearance.encoder]
    assert widths == [64, 128, 256, 512, 1024, 1024, 1024, 1024]
    entering = [block[0].in_channels for block in generator.appearance.decoder]
    assert entering == [1024, 1024, 1024, 1024, 1024, 512, 256, 128]
    assert appearance.code.shape == (1, 1024, 1, 1) and appearance.picture.shape == (1, 3, 256, 256)
    assert [tuple(f.shape[1:]) for f in appearance.features] == [
        (1024, 16, 16), (512, 32, 32), (256, 64, 64), (128, 128, 128),
    ]  # fmt: skip
    assert len(generator.decoder.plain) == len(generator.decoder.spade) == 4
    assert [one.shape[-1] for one in logits] == [30, 14, 6]


def test_small_fits_into_ten_megabytes() -> None:
    with torch.device("meta"):
        count = sum(p.numel() for p in Generator(presets.MAIN["small"]).parameters())
    assert 2 * count < 10_000_000


def test_what_depends_on_the_source_is_computed_apart() -> None:
    torch.manual_seed(0)
    generator = Generator(TINY)
    picture, parsing = torch.randn(1, 3, 32, 32), random_parsing(1, 32)
    torch.testing.assert_close(
        generator(picture, parsing)[0], generator.decoder(generator.appearance(picture), parsing)
    )


def test_without_concatenation_d_sees_the_code_alone() -> None:
    """Table 4.2, 'No concat'."""
    torch.manual_seed(0)
    picture, parsing = torch.randn(1, 3, 32, 32), random_parsing(1, 32)
    for concat in (True, False):
        generator = Generator(replace(TINY, concat=concat))
        appearance = generator.appearance(picture)
        other = appearance._replace(features=tuple(torch.zeros_like(f) for f in appearance.features))
        same = torch.equal(generator.decoder(appearance, parsing), generator.decoder(other, parsing))
        assert same is not concat


def test_a_spade_unit_by_its_equations() -> None:
    """(3.3) to (3.7), written out."""
    torch.manual_seed(0)
    unit, m, s = SpadeUnit(2).double(), torch.randn(1, 2, 4, 4).double(), random_parsing(1, 4).double()
    mean = m.mean((2, 3), keepdim=True)
    deviation = ((m**2).mean((2, 3), keepdim=True) - mean**2 + 1e-5).sqrt()
    gain, shift = (
        functional.conv2d(functional.pad(s, (1, 1, 1, 1)), layer.weight, layer.bias)
        for layer in (unit.gain, unit.shift)
    )
    torch.testing.assert_close(unit((m - mean) / deviation, s), gain * (m - mean) / deviation + shift)


def test_a_spade_block_is_two_steps_and_a_bypass() -> None:
    torch.manual_seed(0)
    block, m, s = SpadeBlock(4), torch.randn(1, 4, 8, 8), random_parsing(1, 8)
    n = functional.instance_norm(m)
    inner = functional.instance_norm(block.first(n, s))
    wanted = block.second(inner, s) + block.bypass(n, s)
    torch.testing.assert_close(block(m, s), wanted)


def test_a_norm_over_the_batch_keeps_the_colour_of_a_picture() -> None:
    """`norm=batch`: pictures of one colour each have codes far apart, which every norm within a sample removes
    (what is left there comes of the borders)."""
    colours = torch.tensor([[-0.9, -0.9, -0.9], [0.9, -0.9, -0.9]])
    pictures = colours[:, :, None, None].expand(2, 3, 32, 32)
    apart = {}
    for norm in ("instance", "batch"):
        torch.manual_seed(0)
        grey, red = Generator(replace(TINY, norm=norm)).appearance(pictures).code.detach()
        apart[norm] = float((grey - red).abs().mean() / (grey.abs() + red.abs()).mean())
    assert apart["batch"] > 2 * apart["instance"]


def test_e_draws_the_parsing_map_of_the_mesh() -> None:
    points = (default_face_model().mean * 64 + 128).astype(np.float32)
    made = parse(torch.from_numpy(points)[None], PAPER)[0].numpy()
    np.testing.assert_allclose(made, parsing_map(convert_points(points, "osfr146"), 256, 3.0), atol=1e-4)
    direct = parse(torch.from_numpy(convert_points(points, "osfr146"))[None], PAPER)[0].numpy()
    np.testing.assert_allclose(direct, made, atol=1e-4)


def test_classes_apart_share_a_pixel() -> None:
    points = torch.from_numpy((default_face_model().mean * 64 + 128).astype(np.float32))[None]
    whole = parse(points, PAPER)
    parted = apart(whole)
    assert float(parted.sum(1).max()) <= 1 + 1e-5
    torch.testing.assert_close(parted.sum(1), 1 - (1 - whole).prod(1))
    eyes, gaze = (OSFR_CLASSES.index(name) for name in ("eyes", "gaze"))
    both = whole[:, gaze] > 0.99
    assert both.any() and float(parted[:, eyes][both].max()) < 0.02
    picture = coloured(whole)
    assert picture.shape == (1, 3, 256, 256) and float(picture.abs().max()) <= 1 + 1e-5


@pytest.mark.parametrize(
    "changes", [{"size": 64}, {"up": (8, 24, 16, 12, 8)}, {"scales": 5}, {"decoder": (16, 16)}]
)
def test_sizes_that_do_not_fit_are_one_line(changes: dict[str, object]) -> None:
    with pytest.raises(ReenactError, match="--set"):
        Generator(replace(TINY, **changes))
