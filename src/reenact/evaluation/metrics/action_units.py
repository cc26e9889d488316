"""Does the result show the action units of the driving face? Over a reader of units, whose name belongs
beside the figures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reenact.types import Floats


def aucon(result: NDArray[np.bool_], driving: NDArray[np.bool_]) -> float:
    """Share in [0, 1] of action units (..., U) that are rightly present or rightly absent in the result.

    Source: GLG section IV-C, over the 18 units of its figure 4 (`action_units.GLG_UNITS`), read by OpenFace.
    Raises ValueError where the shapes differ or there is no unit.
    """
    if result.shape != driving.shape or not result.size:
        raise ValueError(f"as many units as in the driving face are needed: {result.shape}, {driving.shape}")
    return float((np.asarray(result, bool) == np.asarray(driving, bool)).mean())


def au_correlation(result: Floats, driving: Floats) -> float:
    """Pearson's correlation in per cent of the intensities (U,) of one result and its driving face; nan where
    either shows all units alike. The figure of a system is the mean over its pairs.

    Source: OSFR section 4.1.4, facial AU consistency, over 12 units (`action_units.OSFR_UNITS`). Raises
    ValueError where the shapes differ or there are fewer than 2 units.
    """
    if result.shape != driving.shape or result.ndim != 1 or len(result) < 2:
        raise ValueError(f"intensities must both be (U,), at least 2, not {result.shape} and {driving.shape}")
    x, y = (np.asarray(v, np.float64) - float(np.mean(v)) for v in (result, driving))
    size = float(np.sqrt((x**2).sum() * (y**2).sum()))
    return float(100 * (x * y).sum() / size) if size > 1e-12 else float("nan")
