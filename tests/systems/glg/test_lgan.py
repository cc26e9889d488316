"""The landmark GAN: conditions, identities, and what goes where (III-B-2)."""

from __future__ import annotations

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from reenact.perception.action_units import GLG_UNITS  # noqa: E402
from reenact.systems.glg import presets  # noqa: E402
from reenact.systems.glg.lgan import (  # noqa: E402
    Condition,
    Discriminator,
    Generator,
    to_pixels,
    to_unit,
)

TINY = presets.LGAN["tiny"]


def told(identity: str, count: int = 2) -> tuple[torch.Tensor, ...]:
    torch.manual_seed(0)
    code = {"known": torch.arange(count), "face": torch.randn(count, 128), "shape": torch.randn(count, 32)}
    return code[identity], 10 * torch.randn(count, 3), 5 * torch.rand(count, 18)


def test_units_go_there_and_back() -> None:
    points = torch.tensor([[[0.0, 256.0], [128.0, 64.0]]])
    torch.testing.assert_close(to_unit(points, 256), torch.tensor([[-1.0, 1.0, 0.0, -0.5]]))
    many = torch.rand(3, 68, 2) * 256
    torch.testing.assert_close(to_pixels(to_unit(many, 256), 256), many)


@pytest.mark.parametrize("table", [presets.LGAN, presets.LGAN_FACE, presets.LGAN_SHAPE])
def test_shapes(table: dict[str, presets.LganSettings]) -> None:
    settings = table["tiny"]
    words = told(settings.identity)
    made = Generator(settings)(*words)
    assert made.shape == (2, 136) and Discriminator(settings)(made, *words).shape == (2,)


def test_embeddings_of_the_units_that_are_present_are_summed() -> None:
    """Presence begins at 1, level A of FACS; by intensity each counts with its share of 5."""
    units = torch.zeros(1, 18)
    units[0, GLG_UNITS.index(12)], units[0, GLG_UNITS.index(25)] = 3.0, 0.5
    rows = {}
    for strengths in ("presence", "intensity"):
        condition = Condition(replace(TINY, strengths=strengths))
        smile, apart = (condition.units[GLG_UNITS.index(u)].detach() for u in (12, 25))
        rows[strengths] = condition(torch.zeros(1, dtype=torch.long), torch.zeros(1, 3), units)[
            0, -TINY.width :
        ]
        wanted = smile if strengths == "presence" else 0.6 * smile + 0.1 * apart
        torch.testing.assert_close(rows[strengths].detach(), wanted)


def test_the_nearest_known_person_is_found() -> None:
    network = Generator(TINY)
    network.known.copy_(torch.eye(6, 32) * 3)
    asked = torch.zeros(2, 32)
    asked[0, 4], asked[1, 1] = 2.0, 1.0
    assert network.nearest(asked).tolist() == [4, 1]
