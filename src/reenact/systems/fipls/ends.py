"""The far end of a sequence for another person's driving face: both ends must be one person, so it is the
source's own face in the driving pose and expression, by the morphable transfer."""

from __future__ import annotations

from reenact.geometry.face_model import default_face_model
from reenact.geometry.transfer import Blend, Drive, Transfer
from reenact.systems.spec import SourceFace, TargetShape


class FarEnd:
    """The morphable transfer at the place and size of the driving face. As a converter it is LI: of the line
    from the source to the far end, an animation shows the far end."""

    def __init__(self, source: SourceFace) -> None:
        self._transfer = Transfer(default_face_model(), source.points, Blend(relative=False, in_frame=True))

    def convert(self, driving: TargetShape) -> TargetShape:
        """The source's mesh (478, 3) in the driving pose and expression."""
        state = driving.state
        drive = Drive(state.rotation, state.scale, state.translation, state.expression)
        return TargetShape(*self._transfer.target(drive, drive))
