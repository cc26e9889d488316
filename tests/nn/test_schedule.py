"""Schedules at the epochs where they turn."""

from __future__ import annotations

import pytest

from reenact.nn.schedule import constant_then_linear, cosine, stepped


def test_hr_nets_two_schedules() -> None:
    """LIC: forty per cent less every 600 epochs. BFR: constant for 150, then to zero at 300."""
    assert [stepped(e, 600, 0.6) for e in (0, 599.9, 600, 1999)] == pytest.approx([1, 1, 0.6, 0.216])
    assert [constant_then_linear(e, 150, 300) for e in (0, 150, 225, 300, 400)] == [1, 1, 0.5, 0, 0]


def test_cosine_rises_and_falls() -> None:
    values = [cosine(e, 100, warm=10, floor=0.1) for e in (0, 10, 55, 100, 150)]
    assert values == pytest.approx([0, 1, 0.55, 0.1, 0.1], abs=1e-3)
