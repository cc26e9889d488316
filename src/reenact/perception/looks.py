"""A driving face and its head, followed by their looks from the first frame on."""

from __future__ import annotations

from typing import NamedTuple

from reenact.geometry.face_model import FaceModel
from reenact.perception.close_up import CloseUp
from reenact.perception.head_tracker import HeadTracker
from reenact.perception.skin_tracker import SkinTracker
from reenact.types import FaceState, Floats, Image, Points


class Seen(NamedTuple):
    """points: (478, 3) pixels, where they are seen; None where the skin is not followed. state: the fit of the
    detector's. head: (6,) as of `geometry.head_offset`, in pixels."""

    points: Points | None
    state: FaceState
    head: Floats


class LooksTracker:
    """What a detector says of one face, frame by frame, made exact by what is seen. skin: follow the face's
    points too."""

    def __init__(self, model: FaceModel, *, skin: bool) -> None:
        self._model = model
        self._skin, self._head = SkinTracker() if skin else None, HeadTracker()

    def restart(self) -> None:
        """Take the next frame as the one that everything is followed from."""
        self._head.restart()
        if self._skin is not None:
            self._skin.restart()

    def follow(self, picture: Image, points: Points) -> Seen:
        """The face in the next frame (H, W, 3), of the detector's points (478, 3)."""
        state = self._model.fit(points)
        close_up = CloseUp.of(picture, state)
        head = self._head.offset(close_up, points, state)
        seen = None if self._skin is None else self._skin.refined(close_up, points)
        return Seen(seen, state, head)
