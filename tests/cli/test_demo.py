"""`reenact demo` as `make demo` runs it."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import PIL.Image
import pytest
from cli_command import Command

pytestmark = pytest.mark.slow


def test_demo(reenact: Command, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    result = reenact("demo", "-o", folder)
    assert (result.code, result.err) == (0, "")
    assert {path.name for path in folder.iterdir()} == {
        "demo.mp4",
        "side-by-side.mp4",
        "sheet.png",
        "source.png",
    }
    assert "reenact video YOUR_PORTRAIT.jpg YOUR_VIDEO.mp4 -o out.mp4" in result.out
    with av.open(str(folder / "demo.mp4")) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    source = np.asarray(PIL.Image.open(folder / "source.png").convert("RGB"), int)
    moved = np.abs(frames[len(frames) // 2] - source)
    assert len(frames) > 100 and moved[:200].mean() > 2 * moved[300:].mean()
    for name in ("demo.mp4", "side-by-side.mp4", "sheet.png"):
        assert reenact("verify", folder / name, "--quiet").code == 0
    again = reenact("demo", "-o", folder)
    assert again.code == 2 and "--overwrite" in again.line()
