"""Landmark schemes: the mesh of 478 points and the layouts that are computed from it.

`mesh` has the topology and the named chains of the mesh, `layouts` the conversion to 68, 98 and 146 points
and the mirrors, `parts` the divisions of the face that the five papers use, `visibility` what can be
seen, `outline` the jaw as two-dimensional data sets mark it.
"""

from reenact.geometry.schemes.layouts import COUNT, FLIP, WEIGHTS, convert, convert_points, flip_points
from reenact.geometry.schemes.mesh import (
    FACE_OVAL,
    HOLE_TRIANGLES,
    JAW,
    LEFT_BROW,
    LEFT_EYE,
    LEFT_IRIS,
    LEFT_IRIS_CENTRE,
    LIPS_INNER,
    LIPS_OUTER,
    LOWER_LIP,
    MESH_FLIP,
    MESH_GROUPS,
    MESH_TRIANGLES,
    NOSE_BASE,
    NOSE_BRIDGE,
    NOSE_OUTLINE,
    RIGHT_BROW,
    RIGHT_EYE,
    RIGHT_IRIS,
    RIGHT_IRIS_CENTRE,
    UPPER_LIP,
    signed_area,
)
from reenact.geometry.schemes.outline import convert_outline
from reenact.geometry.schemes.parts import (
    DG_REGIONS,
    GLG_CROP_PARTS,
    HR_NET_PARTS,
    OSFR_CLASSES,
    OSFR_CONTOUR,
    OSFR_FILLS,
    PARTS,
    Part,
)
from reenact.geometry.schemes.visibility import facing, visible

__all__ = [
    "COUNT",
    "DG_REGIONS",
    "FACE_OVAL",
    "FLIP",
    "GLG_CROP_PARTS",
    "HOLE_TRIANGLES",
    "HR_NET_PARTS",
    "JAW",
    "LEFT_BROW",
    "LEFT_EYE",
    "LEFT_IRIS",
    "LEFT_IRIS_CENTRE",
    "LIPS_INNER",
    "LIPS_OUTER",
    "LOWER_LIP",
    "MESH_FLIP",
    "MESH_GROUPS",
    "MESH_TRIANGLES",
    "NOSE_BASE",
    "NOSE_BRIDGE",
    "NOSE_OUTLINE",
    "OSFR_CLASSES",
    "OSFR_CONTOUR",
    "OSFR_FILLS",
    "PARTS",
    "RIGHT_BROW",
    "RIGHT_EYE",
    "RIGHT_IRIS",
    "RIGHT_IRIS_CENTRE",
    "UPPER_LIP",
    "WEIGHTS",
    "Part",
    "convert",
    "convert_outline",
    "convert_points",
    "facing",
    "flip_points",
    "signed_area",
    "visible",
]
