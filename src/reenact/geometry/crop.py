"""A square crop out of a picture, as every network sees a face."""

from __future__ import annotations

import numpy as np

from reenact.geometry.align import Matrix, scale_of
from reenact.geometry.opencv import opencv
from reenact.types import Image


def cut(image: Image, matrix: Matrix, size: int, *, repeat_edge: bool) -> Image:
    """The picture (H, W, 3) under `matrix` (2, 3; picture to crop) as (size, size, 3), without aliasing; beyond
    its border the edge repeats, or all is zero."""
    cv2 = opencv()
    step = max(1, round(1 / max(scale_of(matrix), 1e-6)))
    if step > 1:
        height, width = (max(side // step, 1) for side in image.shape[:2])
        image = cv2.resize(
            image[: height * step, : width * step], (width, height), interpolation=cv2.INTER_AREA
        )
    linear = matrix[:, :2] * step
    # OpenCV counts from the centre of the first pixel, reenact from its corner.
    shift = linear.sum(1) / 2 + matrix[:, 2] - 0.5
    border = cv2.BORDER_REPLICATE if repeat_edge else cv2.BORDER_CONSTANT
    crop: Image = cv2.warpAffine(
        image, np.column_stack([linear, shift]), (size, size), flags=cv2.INTER_LINEAR, borderMode=border
    )
    return crop
