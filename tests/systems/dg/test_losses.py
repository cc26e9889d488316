"""Each loss against a value worked out by hand."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")

from reenact.geometry.schemes import DG_REGIONS  # noqa: E402
from reenact.systems.dg import losses  # noqa: E402

MARGINS = (0.05, 0.05, 0.1, 0.05, 0.2)
FEW = torch.tensor([[1.0, 2.0], [0.0, 0.0]]), torch.tensor([[0.0, 4.0], [1.0, 0.0]])


def moved(region: str, by: float) -> torch.Tensor:
    """(1, 204): zeros, with x of each point of a region moved."""
    points = torch.zeros(1, 68, 3)
    points[:, list(DG_REGIONS[region]), 0] = by
    return points.flatten(1)


def shape(target: torch.Tensor, reference: torch.Tensor, form: str = "hinge", **given: torch.Tensor) -> float:
    seen, on = given.get("visible", torch.ones(1, 68)), given.get("on", torch.ones(1))
    value = losses.visible_local_shape(target, reference, torch.zeros(1, 204), seen, MARGINS, form=form, on=on)
    return float(value)


def test_visible_local_shape_where_nothing_moves_is_the_sum_of_the_margins() -> None:
    none = torch.zeros(1, 204)
    assert shape(none, none) == shape(none, none, "printed") == pytest.approx(0.45)
    assert shape(none, none, on=torch.zeros(1)) == 0


def test_visible_local_shape_by_region() -> None:
    none = torch.zeros(1, 204)
    # Nine points of the nose, 0.01 each: 0.09 of its margin of 0.1; then 0.18.
    assert shape(moved("nose", 0.01), none) == pytest.approx(0.45 - 0.09)
    assert shape(moved("nose", 0.02), none) == pytest.approx(0.35)
    assert shape(moved("nose", 0.02), none, "printed") == pytest.approx(0.45 - 0.18)
    assert shape(none, moved("mouth", 0.01)) == pytest.approx(0.45 + 20 * 0.01)


def test_visible_local_shape_does_not_ask_for_hidden_points() -> None:
    hidden = torch.ones(1, 68)
    hidden[:, list(DG_REGIONS["mouth"])[:15]] = 0
    assert shape(torch.zeros(1, 204), moved("mouth", 0.01), visible=hidden) == pytest.approx(0.45 + 5 * 0.01)


def test_action_and_localisation() -> None:
    result, truth = FEW
    assert float(losses.action_distance(result, truth)) == pytest.approx((3 + 1) / 2)
    known, none = torch.tensor([1.0, 0.0]), torch.zeros(2)
    assert float(losses.localisation(result, truth, known, truth, result)) == pytest.approx(3 + 2)
    assert float(losses.localisation(result, truth, none, result, result)) == 0


def test_subject_class() -> None:
    logits = torch.tensor([[0.0, math.log(3)], [0.0, 0.0]])
    expected = (-math.log(3 / 4) - math.log(1 / 2)) / 2
    assert float(losses.subject_class(logits, torch.tensor([1, 0]))) == pytest.approx(expected)


def test_losses_of_pictures() -> None:
    pictures = torch.zeros(2, 3, 2, 2), torch.ones(2, 3, 2, 2) * torch.tensor([0.5, 2.0]).view(2, 1, 1, 1)
    assert float(losses.attribute(*pictures, torch.ones(2))) == pytest.approx(1.25)
    assert float(losses.attribute(*pictures, torch.tensor([1.0, 0.0]))) == pytest.approx(0.5)
    assert float(losses.attribute(*pictures, torch.zeros(2))) == 0
    assert float(losses.style_consistency(*FEW)) == pytest.approx(1.0)
    codes = torch.tensor([[3.0, 4.0], [1.0, 0.0]]), torch.tensor([[6.0, 8.0], [0.0, 2.0]])
    assert float(losses.identity(*codes)) == pytest.approx(0.5)
    found = torch.zeros(1, 68, 3)
    found[0, 0] = torch.tensor([8.0, 4.0, 100.0])
    assert float(losses.landmark(found, torch.zeros(1, 68, 2), 64)) == pytest.approx(12 / 64)
