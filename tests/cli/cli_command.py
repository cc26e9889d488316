"""Running the real command: in this process for speed, or in one of its own where that matters."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import PIL.Image


@dataclass(frozen=True)
class Result:
    """What a command left: exit code, standard output and standard error."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def line(self) -> str:
        """The one line of an error; fails the test where there is anything else."""
        lines = self.err.strip().splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("error: ") and "Traceback" not in self.err
        return lines[0]


Command = Callable[..., Result]


def spawn(words: Sequence[object], *, cwd: Path | None = None, **environment: str) -> Result:
    """The command, run in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "reenact", *map(str, words)],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)


def write_clip(path: Path, portrait: Path, frames: int, **options: str) -> Path:
    """Write a video of the portrait turning about its chin."""
    picture = PIL.Image.open(portrait)
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream("libx264", rate=Fraction(30000, 1001), options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = *picture.size, "yuv420p"
        for number in range(frames):
            turned = picture.rotate(
                5 * np.sin(number / 4), center=(128, 170), resample=PIL.Image.Resampling.BILINEAR
            )
            container.mux(stream.encode(av.VideoFrame.from_image(turned)))
        container.mux(stream.encode())
    return path
