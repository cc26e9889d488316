"""Pictures as JPEG, for what is looked at and not kept."""

from __future__ import annotations

from reenact.errors import ReenactError
from reenact.geometry.opencv import opencv
from reenact.types import Image


def encoded(image: Image, quality: int = 85) -> bytes:
    """A picture (H, W, 3) as JPEG. quality: 0 to 100. Raises ReenactError where it cannot be encoded."""
    cv2 = opencv()
    done, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ReenactError("a picture could not be encoded")
    return bytes(data)
