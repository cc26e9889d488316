"""OpenCV, for resampling and filling at the speed of a video; imported when first needed."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from reenact.errors import ReenactError


@lru_cache(maxsize=1)
def opencv() -> Any:
    """The cv2 module. Raises ReenactError where it cannot be loaded, as on a machine without libGL when the
    build with windows is installed."""
    try:
        import cv2
    except ImportError as error:
        raise ReenactError(
            f"OpenCV cannot be loaded ({error}); install libgl1 and libglib2.0-0, or: "
            "pip install --no-deps --force-reinstall opencv-contrib-python-headless==4.11.0.86"
        ) from error
    # Frames are rendered several at a time: OpenCV's own threads would fight over the same cores.
    cv2.setNumThreads(1)
    return cv2
