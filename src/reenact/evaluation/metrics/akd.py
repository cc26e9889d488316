"""Average keypoint distance."""

from __future__ import annotations

import numpy as np

from reenact.evaluation.metrics.nme import check_points
from reenact.types import Points


def akd(result: Points, truth: Points) -> float:
    """Mean distance in pixels between the points (N, 2 or 3) found in a result and in the truth, in the picture
    plane. Source: Monkey-Net (Siarohin et al. 2019), section 4, on 68 points at 256 px; the detector and the
    scheme belong beside the figure. Raises ValueError where the shapes differ."""
    check_points(result, truth)
    return float(np.linalg.norm(result[:, :2] - truth[:, :2], axis=1).mean())
