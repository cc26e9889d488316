"""What a server holds in memory, and the drawing of a motion that has no pictures."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pydantic")

from reenact.pipeline.motion_file import read_motion
from reenact.web.limits import Limits
from reenact.web.studio import Driving, Shelf


def test_the_one_unused_for_longest_makes_room() -> None:
    shelf = Shelf[str](Limits(portraits=2))
    first, second = shelf.put("first"), shelf.put("second")
    assert shelf.find(first) == "first"
    third = shelf.put("third")
    assert [shelf.find(name) for name in (first, second, third)] == ["first", None, "third"]
    assert shelf.remove(first) and not shelf.remove(first) and shelf.find("none") is None


def test_what_nobody_uses_is_forgotten() -> None:
    shelf = Shelf[str](Limits(keep=0.02))
    name = shelf.put("short")
    time.sleep(0.05)
    assert shelf.find(name) is None


def test_a_motion_is_drawn_as_it_moves(motion: Path) -> None:
    driving = Driving(read_motion(motion), motion)
    shut, opened = driving.shown(0.0), driving.shown(0.5)
    assert shut.shape == (448, 448, 3) and shut.dtype == np.uint8
    rows = [np.flatnonzero((image < 150).any(axis=(1, 2))) for image in (shut, opened)]
    # The chin goes down, the brows stay.
    assert rows[1].max() > rows[0].max() + 8 and abs(int(rows[1].min()) - int(rows[0].min())) < 4
    dotted = driving.shown(0.0, landmarks=True)
    assert (dotted == (80, 255, 120)).all(axis=2).sum() > 300
