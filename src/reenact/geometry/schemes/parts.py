"""Named chains of points in each layout, as the five papers divide the face.

A part is an ordered chain, open or closed. 'left' and 'right' are the subject's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from reenact.types import Scheme


@dataclass(frozen=True)
class Part:
    """An ordered chain of points; closed chains join the last point to the first."""

    name: str
    indices: tuple[int, ...]
    closed: bool = False

    @property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """Neighbouring pairs along the chain."""
        chain = self.indices + self.indices[:1] if self.closed else self.indices
        return tuple(pairwise(chain))


def _span(start: int, stop: int) -> tuple[int, ...]:
    return tuple(range(start, stop + 1))


IBUG_PARTS: tuple[Part, ...] = (
    Part("jaw", _span(0, 16)),
    Part("right_brow", _span(17, 21)),
    Part("left_brow", _span(22, 26)),
    Part("nose_bridge", _span(27, 30)),
    Part("nose_base", _span(31, 35)),
    Part("right_eye", _span(36, 41), closed=True),
    Part("left_eye", _span(42, 47), closed=True),
    Part("lips_outer", _span(48, 59), closed=True),
    Part("lips_inner", _span(60, 67), closed=True),
)

WFLW_PARTS: tuple[Part, ...] = (
    Part("jaw", _span(0, 32)),
    Part("right_brow", _span(33, 41), closed=True),
    Part("left_brow", _span(42, 50), closed=True),
    Part("nose_bridge", _span(51, 54)),
    Part("nose_base", _span(55, 59)),
    Part("right_eye", _span(60, 67), closed=True),
    Part("left_eye", _span(68, 75), closed=True),
    Part("lips_outer", _span(76, 87), closed=True),
    Part("lips_inner", _span(88, 95), closed=True),
    Part("right_pupil", (96,)),
    Part("left_pupil", (97,)),
)

OSFR_PARTS: tuple[Part, ...] = (
    Part("jaw", _span(0, 32)),
    Part("right_brow", (*_span(33, 37), 67, 66, 65, 64), closed=True),
    Part("left_brow", (*_span(38, 42), 71, 70, 69, 68), closed=True),
    Part("nose_bridge", _span(43, 46)),
    Part("nose_base", (80, 82, *_span(47, 51), 83, 81)),
    Part("right_eye", (52, 53, 72, 54, 55, 56, 73, 57), closed=True),
    Part("left_eye", (58, 59, 75, 60, 61, 62, 76, 63), closed=True),
    Part("lips_outer", _span(84, 95), closed=True),
    Part("lips_inner", _span(96, 103), closed=True),
    Part("right_gaze", _span(106, 125), closed=True),
    Part("left_gaze", _span(126, 145), closed=True),
)

PARTS: dict[Scheme, tuple[Part, ...]] = {
    "ibug68": IBUG_PARTS,
    "wflw98": WFLW_PARTS,
    "osfr146": OSFR_PARTS,
}
"""The parts of each layout in drawing order; the mesh's own chains are `MESH_GROUPS`."""

HR_NET_PARTS: tuple[Part, ...] = (
    Part("jaw", _span(0, 16)),
    Part("right_brow", _span(17, 21)),
    Part("left_brow", _span(22, 26)),
    Part("nose_bridge", _span(27, 30)),
    Part("nose_base", _span(31, 35)),
    Part("right_upper_lid", _span(36, 39)),
    Part("right_lower_lid", (39, 40, 41, 36)),
    Part("left_upper_lid", _span(42, 45)),
    Part("left_lower_lid", (45, 46, 47, 42)),
    Part("upper_lip_top", _span(48, 54)),
    Part("upper_lip_bottom", _span(60, 64)),
    Part("lower_lip_top", (64, 65, 66, 67, 60)),
    Part("lower_lip_bottom", (*_span(54, 59), 48)),
)
"""HR-Net III-B: 68 points in 13 parts '(face contour, eyebrows, nose, mouth, etc.)'. The paper does not list
them; these are the 13 boundaries of the work it cites for boundaries (Wu et al.), on 68 points."""

DG_REGIONS: dict[str, tuple[int, ...]] = {
    "left_eye": (*_span(22, 26), *_span(42, 47)),
    "right_eye": (*_span(17, 21), *_span(36, 41)),
    "nose": _span(27, 35),
    "mouth": _span(48, 67),
    "face_contour": _span(0, 16),
}
"""DG section 3.1, visible local shape loss: five regions of the 68 points, in the paper's order k = 1..5. The
paper leaves the brows unnamed; each goes with its eye, so that the regions cover all 68."""

GLG_CROP_PARTS: dict[str, tuple[int, ...]] = {
    "left_eye": _span(42, 47),
    "right_eye": _span(36, 41),
    "nose": _span(27, 35),
    "mouth": _span(48, 67),
}
"""GLG III-B: the facial parts that are reenacted one by one, on 68 points."""

OSFR_CLASSES: tuple[str, ...] = (
    "face_contour",
    "brows",
    "eyes",
    "gaze",
    "nose",
    "upper_lip",
    "lower_lip",
    "teeth",
    "nose_bridge",
)
"""OSFR 3.2.1: the channels of the face parsing map, in the paper's order."""

_UPPER_BROWS = (*range(42, 37, -1), *range(37, 32, -1))

OSFR_FILLS: dict[str, tuple[tuple[int, ...], ...]] = {
    "face_contour": ((*_span(0, 32), *_UPPER_BROWS),),
    "brows": (OSFR_PARTS[1].indices, OSFR_PARTS[2].indices),
    "eyes": (OSFR_PARTS[5].indices, OSFR_PARTS[6].indices),
    "gaze": (OSFR_PARTS[9].indices, OSFR_PARTS[10].indices),
    "nose": ((43, *OSFR_PARTS[4].indices),),
    "upper_lip": ((*_span(84, 90), 100, 99, 98, 97, 96),),
    "lower_lip": ((*_span(90, 95), 84, 96, 103, 102, 101, 100),),
    "teeth": (OSFR_PARTS[8].indices,),
}
"""Closed outlines on the 146 points that fill each class; the nose bridge is a line, not an area. The face
ends at the upper edge of the brows, as in the authors' published code."""

OSFR_CONTOUR: tuple[int, ...] = _span(0, 32)
"""The points that boundary resampling (OSFR 3.2.4) takes from another person."""
