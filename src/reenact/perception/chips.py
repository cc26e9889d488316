"""Face chips: the face turned upright, scaled and cut the way a network was trained to see it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image as Pil

from reenact.geometry.align import Matrix, invert, scale_of, similarity
from reenact.types import Image, Points


@dataclass(frozen=True)
class Chip:
    """Where points of the mesh go in a square chip.

    size: pixels a side. groups: for each place, the mesh points whose mean goes there. places: (K, 2) in
    pixels of the chip, the centre of its top-left pixel at (0.5, 0.5).
    """

    size: int
    groups: tuple[tuple[int, ...], ...]
    places: tuple[tuple[float, float], ...]


def _dlib_places(size: int, padding: float) -> tuple[tuple[float, float], ...]:
    """dlib's five points in the unit square (`get_face_chip_details`), padded.

    No half pixel is added: compared with `dlib.get_face_chip` this is where its chips lie.
    """
    unit = (
        (0.1205750620789, 0.2137274526848),
        (0.3340850613712, 0.2290642403242),
        (0.6460604764104, 0.2289674387677),
        (0.8595674595992, 0.2134981538014),
        (0.4901123135679, 0.6277975316475),
    )
    scale = size / (2 * padding + 1)
    return tuple(((x + padding) * scale, (y + padding) * scale) for x, y in unit)


_EYES_AND_NOSE = (
    (33,),
    (133,),
    (362,),
    (263,),
    (2,),
)  # corners of both eyes from the left; the foot of the nose

DLIB_CHIP = Chip(150, _EYES_AND_NOSE, _dlib_places(150, 0.25))
"""What dlib's recognition network sees."""

ARCFACE_CHIP = Chip(
    112,
    ((468,), (473,), (1,), (61,), (291,)),  # irises, tip of the nose, corners of the mouth
    ((38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)),
)
"""What ArcFace networks see (InsightFace, `arcface_dst`)."""


def cut_chip(rgb: Image, points: Points, chip: Chip) -> Image:
    """(size, size, 3) uint8 from (H, W, 3) uint8 and the mesh (478, 2 or 3); beyond the border: black."""
    return warped(rgb, chip_matrix(points, chip), chip.size)


def chip_matrix(points: Points, chip: Chip) -> Matrix:
    """(2, 3) that takes pixels of the picture to pixels of the chip: the nearest similarity."""
    here = np.stack([points[list(group), :2].mean(0) for group in chip.groups])
    return similarity(here, np.array(chip.places, np.float32))


def warped(rgb: Image, matrix: Matrix, size: int) -> Image:
    """The picture under `matrix` (2, 3; picture to chip) in a square of `size`, without aliasing."""
    step = max(1, int(1 / max(scale_of(matrix), 1e-6) / 1.5))
    source = Pil.fromarray(rgb)
    if step > 1:
        source = source.reduce(step)
    back = invert(matrix) / step
    chip = source.transform((size, size), Pil.Transform.AFFINE, back.ravel().tolist(), Pil.Resampling.BILINEAR)
    return np.asarray(chip)
