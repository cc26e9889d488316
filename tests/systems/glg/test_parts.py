"""Individual landmarks: crops and their places against the NumPy form, and the four networks (III-B)."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from stage_bench import triples  # noqa: E402

from reenact.geometry import draw  # noqa: E402
from reenact.systems.glg import presets  # noqa: E402
from reenact.systems.glg.parts import PARTS, Parts, centres, cut, paste  # noqa: E402

TINY = presets.IMAGE["tiny"]


@pytest.mark.parametrize("shift", [0, -20, 30, 500])
def test_crops_and_places_are_those_of_the_drawing(shift: float) -> None:
    """Also where they leave the picture."""
    points = triples(2)["target"] / 4 + shift
    rng = np.random.default_rng(0)
    image = rng.random((2, 3, 64, 64), np.float32)
    sizes, at = draw.crop_sizes(64), centres(points)
    for number, name in enumerate(PARTS):
        mine = cut(torch.from_numpy(image), at[:, number], sizes[name])
        laid = paste(torch.from_numpy(image), torch.ones_like(mine), at[:, number])
        for i in range(2):
            corner = draw.crop_corners(points[i].numpy(), 64)[name]
            crop = draw.cut(image[i], corner, sizes[name])
            np.testing.assert_array_equal(mine[i].numpy(), crop)
            np.testing.assert_array_equal(laid[i].numpy(), draw.paste(image[i], np.ones_like(crop), corner))


def test_four_networks_of_one_form_each_for_its_part() -> None:
    torch.manual_seed(0)
    parts = Parts(TINY)
    counts = {sum(p.numel() for p in net.parameters()) for net in parts.nets.values()}
    assert tuple(parts.nets) == ("left_eye", "right_eye", "nose", "mouth") and len(counts) == 1
    picture, heatmap, at = (
        torch.randn(2, 3, 64, 64),
        torch.rand(2, 1, 64, 64),
        centres(triples(2)["target"] / 4),
    )
    made = parts(picture, heatmap, at, at)
    for name, (width, height) in parts.sizes.items():
        assert made[name].shape == (2, 3, height, width)
    placed = parts.placed(made, at, 64)
    where = parts.regions(at, 64)
    assert placed.shape == (2, 3, 64, 64) and set(where.unique().tolist()) == {0.0, 1.0}
    assert bool((placed[(where == 0).expand_as(placed)] == -1).all())
    shown = cut(placed, at[:, 3], parts.sizes["mouth"])
    torch.testing.assert_close(shown, made["mouth"])
