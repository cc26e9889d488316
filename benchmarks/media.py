"""How fast frames come in and go out: frames/s of decoding and encoding at 512 px.

Run: python benchmarks/media.py [--frames 200] [--size 512] [--threads 0]
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import skimage.data

from reenact.media.compose import resize, side_by_side
from reenact.media.encoders import is_available
from reenact.media.reader import open_frames
from reenact.media.writer import open_writer
from reenact.types import Image

FPS = Fraction(30)
CASES = [
    ("h264", ".mp4"),
    ("h265", ".mp4"),
    ("vp9", ".webm"),
    ("av1", ".mp4"),
    ("auto", ".gif"),
    ("auto", ""),
]


def machine() -> str:
    """Processor, cores and library versions, so that figures can be compared."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if "model name" in line
        ]
        model = names[0] if names else model
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}, PyAV {av.__version__}"


def moving(size: int, frames: int) -> Iterator[Image]:
    """A face that drifts and nods under a little sensor noise; made before the clock starts."""
    base = resize(skimage.data.astronaut(), size)
    noise = np.random.default_rng(0).integers(-2, 3, (8, *base.shape), dtype=np.int16)
    for index in range(frames):
        shift = round(6 * np.sin(index / 9)), round(4 * np.sin(index / 13))
        yield np.clip(np.roll(base, shift, (0, 1)) + noise[index % 8], 0, 255).astype(np.uint8)


def encode(path: Path, images: list[Image], codec: str, threads: int) -> float:
    """Frames/s of writing `images`, the final flush included."""
    height, width = images[0].shape[:2]
    begin = time.perf_counter()
    with open_writer(path, width=width, height=height, fps=FPS, codec=codec, threads=threads) as sink:  # type: ignore[arg-type]
        for index, image in enumerate(images):
            sink.write(image, index / FPS)
    return len(images) / (time.perf_counter() - begin)


def decode(path: Path, threads: int, longest: int | None = None) -> float:
    """Frames/s of reading `path` as RGB."""
    begin = time.perf_counter()
    with open_frames(path, threads=threads or None, longest=longest) as source:
        count = sum(1 for _ in source)
    return count / (time.perf_counter() - begin)


def psnr(path: Path, images: list[Image]) -> float:
    """Decibels of what was written against what was given, over all frames."""
    with open_frames(path) as source:
        errors = [
            np.mean((frame.image[..., :3].astype(float) - image) ** 2)
            for frame, image in zip(source, images, strict=False)
        ]
    return float(10 * np.log10(255**2 / max(np.mean(errors), 1e-9)))


def main() -> None:
    """Prints one line a format."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--threads", type=int, default=0, help="0: as many as there are cores")
    options = parser.parse_args()
    images = list(moving(options.size, options.frames))
    print(f"machine: {machine()}")
    print(f"{options.frames} frames of {options.size} px, quality 75\n")
    print(f"{'format':<14}{'encode/s':>10}{'decode/s':>10}{'kB/s':>9}{'PSNR dB':>9}")
    with tempfile.TemporaryDirectory() as folder:
        for codec, suffix in CASES:
            if codec == "av1" and not is_available("libsvtav1"):
                continue
            path = Path(folder) / f"{codec}{suffix}"
            written = encode(path, images, codec, options.threads)
            size = sum(file.stat().st_size for file in (path.iterdir() if path.is_dir() else [path]))
            rate = size / 1000 / float(len(images) / FPS)
            name = f"{codec} {suffix or 'PNG folder'}"
            read = decode(path, options.threads)
            print(f"{name:<14}{written:>10.0f}{read:>10.0f}{rate:>9.0f}{psnr(path, images):>9.1f}")
        path = Path(folder) / "h264.mp4"
        print(f"\ndecode and halve: {decode(path, options.threads, options.size // 2):.0f} frames/s")
    begin = time.perf_counter()
    for image in images[:50]:
        side_by_side([image, image, image], options.size)
    print(f"three side by side: {(time.perf_counter() - begin) / len(images[:50]) * 1000:.2f} ms")


if __name__ == "__main__":
    main()
