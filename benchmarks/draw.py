"""Time to draw 64 maps of 256 px, and the visibility of one face.

    python benchmarks/draw.py [THREADS]

Prints, for each drawing, the least and the median wall time of the torch form without gradients, the least
processor time, the least wall time forward and backward, and the NumPy form's time for one map.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
import torch

from reenact.geometry import draw as numpy_draw
from reenact.geometry.face_model import default_face_model
from reenact.geometry.schemes import convert_points, visible
from reenact.nn import draw as torch_draw
from reenact.types import Scheme

DRAWINGS: dict[str, tuple[Scheme, dict[str, int | bool]]] = {
    "boundary_image": ("ibug68", {}),
    "sketch_map": ("wflw98", {}),
    "landmark_map": ("ibug68", {"binary": False}),
    "spline_heatmap": ("ibug68", {"size": 256}),
    "parsing_map": ("osfr146", {}),
}


def milliseconds(function: Callable[[], object], repeats: int, clock: Callable[[], float]) -> list[float]:
    """Sorted times of `repeats` calls after one that is not counted."""
    function()
    times = []
    for _ in range(repeats):
        start = clock()
        function()
        times.append((clock() - start) * 1e3)
    return sorted(times)


def report(name: str, mesh: np.ndarray) -> None:
    """Time one drawing and print a line."""
    scheme, options = DRAWINGS[name]
    points = convert_points(mesh, scheme)[..., :2]
    batch = torch.from_numpy(np.ascontiguousarray(points))
    drawn = getattr(torch_draw, name)

    def backward() -> None:
        leaf = batch.clone().requires_grad_(True)
        drawn(leaf, **options).sum().backward()

    with torch.no_grad():
        wall = milliseconds(lambda: drawn(batch, **options), 20, time.perf_counter)
        work = milliseconds(lambda: drawn(batch, **options), 20, time.process_time)
    both = milliseconds(backward, 5, time.perf_counter)
    single = milliseconds(lambda: getattr(numpy_draw, name)(points[0], **options), 20, time.perf_counter)
    print(f"{name:15} {wall[0]:7.1f} {wall[10]:7.1f} {work[0]:7.1f} {both[0]:7.1f} {single[0]:7.2f}")


def main() -> None:
    """Make 64 shaken mean faces and time everything on them."""
    torch.set_num_threads(int(sys.argv[1]) if len(sys.argv) > 1 else 2)
    rng = np.random.default_rng(0)
    mesh = default_face_model().mean * 75 + rng.normal(0, 0.5, (64, 478, 3)) + [128, 105, 0]
    print(f"{'64 maps, ms':15} {'least':>7} {'median':>7} {'cpu':>7} {'fwd+bwd':>7} {'numpy 1':>7}")
    for name in DRAWINGS:
        report(name, mesh.astype(np.float32))
    seen = milliseconds(lambda: visible(mesh[0]), 50, time.perf_counter)
    print(f"visible, one face: {seen[0]:.2f} least, {seen[25]:.2f} median")


if __name__ == "__main__":
    main()
