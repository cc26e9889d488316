"""What can be seen of the mesh, in batches, against the NumPy form."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from reenact.geometry import schemes  # noqa: E402
from reenact.geometry.face_model import default_face_model  # noqa: E402
from reenact.nn.visibility import visible  # noqa: E402
from reenact.types import Landmarks  # noqa: E402


def turned_faces(count: int = 24) -> np.ndarray:
    """Faces of 90 pixels with yaw to 80 and pitch to 40 degrees, shaken by half a pixel."""
    rng = np.random.default_rng(3)
    faces = []
    for yaw, pitch in zip(np.linspace(-80, 80, count), rng.uniform(-40, 40, count), strict=True):
        a, b = np.deg2rad([yaw, pitch])
        turn = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
        nod = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
        faces.append(default_face_model().mean * 75 @ (turn @ nod).T + [128, 105, 0])
    return (np.stack(faces) + rng.normal(0, 0.5, (count, 478, 3))).astype(np.float32)


@pytest.mark.parametrize("scheme", ["mesh478", "ibug68", "wflw98"])
def test_equal_to_numpy(scheme):
    faces = turned_faces()
    found = visible(torch.from_numpy(faces), scheme).numpy()
    expected = np.stack(
        [schemes.convert(Landmarks(f, "mesh478", schemes.visible(f)), scheme).visible for f in faces]
    )
    assert found.shape == expected.shape and 0.5 < expected.mean() < 0.95
    assert (found != expected).mean() < 2e-4  # a point at the very limit may round to either side


def test_far_half_of_a_turned_face_is_hidden():
    left, right = visible(torch.from_numpy(turned_faces()[[0, -1]]), "ibug68")
    near, far = (left, right) if left[:5].sum() < right[:5].sum() else (right, left)
    assert near[12:17].all() and not near[:5].any() and far[:5].all()
