"""Names of the video codecs; apart from the encoders, so that the command line knows them without FFmpeg."""

from __future__ import annotations

from typing import Literal

Codec = Literal["auto", "h264", "h265", "vp9", "av1"]
"""What can be asked for; 'auto' is what suits the container."""
