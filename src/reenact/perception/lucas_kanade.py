"""Points of one picture found again in another by their looks (Lucas and Kanade 1981, by OpenCV)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reenact.geometry.opencv import opencv
from reenact.types import Floats, Points


@dataclass(frozen=True)
class Search:
    """How points are looked for. window: pixels of the patch that has to look alike. halvings: how often the
    pictures are halved to look further. back: pixels by which a point that is followed there and back may miss
    its start. far: pixels by which it may be off what was expected."""

    window: int
    halvings: int
    back: float
    far: float


def found_again(
    here: NDArray[np.uint8], there: NDArray[np.uint8], at: Points, expected: Points, search: Search
) -> tuple[Floats, NDArray[np.bool_]]:
    """How far points `at` (N, 2) of a grey picture `here` (H, W) are from where they were `expected` (N, 2) in
    `there`, (N, 2), and which of them were found, (N,)."""
    cv2 = opencv()
    options = {
        "winSize": (search.window, search.window),
        "maxLevel": search.halvings,
        "flags": cv2.OPTFLOW_USE_INITIAL_FLOW,
        "criteria": (cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, 15, 0.02),
    }
    # OpenCV counts from the first pixel's centre, we from its corner.
    start, goal = at[:, None] - np.float32(0.5), expected[:, None] - np.float32(0.5)
    end, ahead, _ = cv2.calcOpticalFlowPyrLK(here, there, start, goal.copy(), **options)
    again, behind, _ = cv2.calcOpticalFlowPyrLK(there, here, end, start.copy(), **options)
    moved = (end - goal)[:, 0]
    back = np.linalg.norm((again - start)[:, 0], axis=1)
    found = (ahead[:, 0] > 0) & (behind[:, 0] > 0) & (back < search.back)
    return moved, found & (np.linalg.norm(moved, axis=1) < search.far)
