"""Live use: driving moments from camera frames, one after another."""

from __future__ import annotations

import numpy as np

from reenact.geometry.face_model import default_face_model
from reenact.geometry.head_offset import scaled
from reenact.geometry.slits import opened
from reenact.geometry.smooth import OneEuro
from reenact.geometry.transfer import Drive
from reenact.perception.detector import FaceFollower
from reenact.perception.looks import LooksTracker
from reenact.types import FaceState, Floats, Image

_SETTLE = 0.05
"""Share of a new frame in the driving person's identity, which so settles over the first second."""


class LiveDrive:
    """Driving moments from camera frames, steadied causally with One-Euro filters.

    smooth: 0 is off. longest: the source's longer side in pixels, over which the camera frame is laid.
    anchor: the moment that stands for the source's own state; None is taken from the next frame with a face.
    seen: whether the newest frame showed a face. widest: how far the mouth has opened since
    the anchor.
    """

    def __init__(self, smooth: float, longest: int) -> None:
        self.anchor: Drive | None = None
        self.seen = False
        self.widest = 0.0
        self._last: Drive | None = None
        self._longest = longest
        self._model = default_face_model()
        self._follower, self._looks = FaceFollower(), LooksTracker(self._model, skin=False)
        self._identity: Floats | None = None
        self._filters = _filters(smooth) if smooth > 0 else {}

    def update(self, image: Image, at: float) -> Drive | None:
        """The driving moment of a frame (H, W, 3) at `at` seconds; the last one while no face is seen, None
        before the first."""
        face = self._follower.track(image)
        self.seen = face is not None
        if face is None:
            return self._last
        side = max(image.shape[:2])
        if self.anchor is None:
            self._looks.restart()
            self.widest = 0.0
        seen = self._looks.follow(image, face.points)
        state, head = self._known(seen.state), scaled(seen.head, 1 / side)
        parts = {
            "rotation": state.rotation,
            "scale": np.log(np.array([state.scale / side], np.float32)),
            "translation": state.translation / np.float32(side),
            "expression": state.expression,
            "head": head,
        }
        parts.update({name: steady(parts[name], at) for name, steady in self._filters.items()})
        scale = float(np.exp(parts["scale"][0])) * self._longest
        translation = parts["translation"] * np.float32(self._longest)
        head = scaled(parts["head"], self._longest)
        self._last = Drive(parts["rotation"], scale, translation, parts["expression"], head)
        self.anchor = self.anchor or self._last
        self.widest = max(self.widest, opened(self._model, parts["expression"])["mouth"])
        return self._last

    def _known(self, state: FaceState) -> FaceState:
        """The state, given what is known of the driving person's identity so far."""
        if self._identity is None:
            self._identity = state.identity
        self._identity = self._identity + np.float32(_SETTLE) * (state.identity - self._identity)
        return self._model.with_identity(state, self._identity)

    def close(self) -> None:
        """Stop the detector."""
        self._follower.close()


def _filters(smooth: float) -> dict[str, OneEuro]:
    """Cut-offs in hertz, lower for a larger `smooth`; the head's size moves least, since it does not grow."""
    return {
        "rotation": OneEuro(1.5 / smooth, 8.0),
        "scale": OneEuro(0.8 / smooth, 2.0),
        "translation": OneEuro(1.5 / smooth, 10.0),
        "expression": OneEuro(2.5 / smooth, 0.25),
        "head": OneEuro(1.5 / smooth, 8.0),
    }
