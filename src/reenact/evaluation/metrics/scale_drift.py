"""Does the head grow when only its face moves?"""

from __future__ import annotations

import numpy as np

from reenact.types import Floats


def scale_drift(scale: Floats) -> float:
    """Range of a head's size (F,) over its mean, in per cent, for a driver whose head keeps its size: 0 is
    right. Ours: the fault of fits that read an opening mouth as a head that comes nearer."""
    scale = np.asarray(scale, np.float64)
    if scale.ndim != 1 or not len(scale) or not (scale > 0).all():
        raise ValueError("sizes (F,) must be positive, at least one")
    return float(100 * np.ptp(scale) / scale.mean())
