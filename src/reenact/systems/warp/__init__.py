"""`warp`: the traditional warping of One-shot Face Reenactment (section 3.2.6), 3D-aware; no weights."""

from __future__ import annotations

from reenact.geometry.warp import FaceWarp, WarpOptions
from reenact.systems.spec import Generator, SourceFace, SystemSpec, TargetShape
from reenact.types import Image


class WarpGenerator:
    """A thin user of `geometry/warp.py`: the source's region, warped at its own resolution."""

    def __init__(self, source: SourceFace) -> None:
        options = WarpOptions(fixed=source.fixed)
        self._warp = FaceWarp(source.picture, source.points, source.state, source.matte, options)

    def render(self, target: TargetShape) -> Image:
        """The region (H, W, 3 or 4) with the face in the target shape."""
        return self._warp.render(target.points, target.state, target.head)


def load(source: SourceFace, threads: int | None) -> Generator:
    """The generator of one source; OpenCV shares its threads with the whole process, so none are asked for."""
    return WarpGenerator(source)


WARP = SystemSpec(
    name="warp",
    title="Landmark warp without weights",
    paper="the 'traditional warping' baseline of One-shot Face Reenactment (2019), made 3D-aware",
    margin=2.6,
    learned=False,
    load=load,
)
