"""Animate a portrait with the pose and expression of another face.

The names of the Python API are loaded at their first use, so that `import reenact` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reenact.pipeline.animate import Animator, animate_image, animate_video

__all__ = ["Animator", "animate_image", "animate_video"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from reenact.pipeline import animate

        return getattr(animate, name)
    raise AttributeError(f"module 'reenact' has no attribute {name!r}")
