"""Did the face move as the driving face did?"""

from __future__ import annotations

import numpy as np

from reenact.geometry.face_model import FaceModel
from reenact.geometry.schemes import LEFT_BROW, LEFT_EYE, LIPS_INNER, LIPS_OUTER, RIGHT_BROW, RIGHT_EYE
from reenact.types import Floats

_FEATURES = np.concatenate([RIGHT_EYE, LEFT_EYE, RIGHT_BROW, LEFT_BROW, LIPS_OUTER, LIPS_INNER])


def expression_error(result: Floats, wanted: Floats, model: FaceModel) -> float:
    """Mean distance of lids, brows and lips under two expressions (E,), or two changes of expression, on the
    same head, in per cent of the distance between the outer eye corners.

    Ours: it compares faces of two people without comparing their shapes.
    """
    moved = np.tensordot(np.asarray(result) - wanted, model.expression[:, _FEATURES], 1)
    return float(100 * np.linalg.norm(moved, axis=1).mean())
