"""The torch drawings: equal to the NumPy ones, differentiable, batched."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from reenact.geometry import draw as numpy_draw  # noqa: E402
from reenact.geometry.face_model import default_face_model  # noqa: E402
from reenact.geometry.schemes import convert_points  # noqa: E402
from reenact.nn import draw  # noqa: E402

DRAWINGS = {
    "boundary_image": ("ibug68", {}),
    "sketch_map": ("wflw98", {}),
    "landmark_map": ("ibug68", {"binary": False}),
    "spline_heatmap": ("ibug68", {}),
    "parsing_map": ("osfr146", {}),
}


def faces(scheme, count: int, side: float) -> np.ndarray:
    """Shaken mean faces, one of them half out of the picture."""
    rng = np.random.default_rng(7)
    mesh = default_face_model().mean * (0.4 * side) + rng.normal(0, 0.004 * side, (count, 478, 3))
    mesh[..., :2] += side * np.array([0.5, 0.4]) + rng.normal(0, 0.02 * side, (count, 1, 2))
    mesh[-1, :, 0] += 0.6 * side
    return convert_points(mesh.astype(np.float32), scheme)[..., :2]


@pytest.mark.parametrize("name", DRAWINGS)
@pytest.mark.parametrize("size", [64, (48, 80)])
def test_equal_to_numpy(name, size):
    scheme, options = DRAWINGS[name]
    points = faces(scheme, 3, 64.0)
    expected = np.stack([getattr(numpy_draw, name)(face, size, **options) for face in points])
    found = getattr(draw, name)(torch.from_numpy(points), size, **options)
    assert found.dtype == torch.float32
    np.testing.assert_allclose(found.numpy(), expected, atol=2e-4)


def test_binary_map_and_visibility_equal_numpys():
    points = faces("ibug68", 2, 64.0)
    seen = np.random.default_rng(0).random((2, 68)) > 0.3
    expected = np.stack([numpy_draw.landmark_map(p, 64, visible=s) for p, s in zip(points, seen, strict=True)])
    found = draw.landmark_map(torch.from_numpy(points), 64, visible=torch.from_numpy(seen)).numpy()
    assert set(np.unique(found)) == {0.0, 1.0}
    assert (found != expected).mean() < 1e-4


@pytest.mark.parametrize("name", DRAWINGS)
def test_gradients_equal_numerical_ones(name):
    scheme, options = DRAWINGS[name]
    points = torch.from_numpy(faces(scheme, 2, 40.0)).double()[:1].requires_grad_(True)
    weight = torch.from_numpy(np.random.default_rng(2).normal(size=(9, 40, 40)))

    def total(p):
        image = getattr(draw, name)(p, 40, **options)
        return (image * weight[: image.shape[1]]).sum()

    (gradient,) = torch.autograd.grad(total(points), points)
    assert torch.isfinite(gradient).all()
    step, wrong = 1e-6, 0
    for index in range(0, points.shape[1], 3):
        for axis in range(2):
            moved = torch.zeros_like(points)
            moved[0, index, axis] = step
            with torch.no_grad():
                numerical = float(total(points + moved) - total(points - moved)) / (2 * step)
            wrong += abs(numerical - float(gradient[0, index, axis])) > 1e-4 * (1 + abs(numerical))
    assert wrong == 0


def test_gradcheck_on_a_small_picture():
    points = torch.from_numpy(faces("ibug68", 2, 16.0)).double()[:1].requires_grad_(True)
    assert torch.autograd.gradcheck(lambda p: draw.boundary_image(p, 16)[:, 0], points, eps=1e-7, atol=1e-4)


def test_points_can_be_learned_from_a_drawing():
    target = torch.from_numpy(faces("wflw98", 2, 48.0))[:1]
    wanted = draw.sketch_map(target, 48, width=6.0)
    shift = torch.tensor([2.0, -1.5], requires_grad=True)
    optimiser = torch.optim.Adam([shift], lr=0.1)
    for _ in range(80):
        optimiser.zero_grad()
        ((draw.sketch_map(target + shift, 48, width=6.0) - wanted) ** 2).mean().backward()
        optimiser.step()
    assert shift.abs().max() < 0.1


def test_samples_do_not_touch_each_other():
    points = torch.from_numpy(faces("osfr146", 3, 48.0))
    together = draw.parsing_map(points, 48)
    alone = torch.cat([draw.parsing_map(face[None], 48) for face in points])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", DRAWINGS)
def test_points_far_outside_draw_nothing(name):
    scheme, options = DRAWINGS[name]
    points = torch.from_numpy(faces(scheme, 2, 32.0))
    for far in (1e7, -1e7, 1e25):
        assert getattr(draw, name)(points + far, 32, **options).sum() == 0


def test_wrong_points_are_refused():
    with pytest.raises(ValueError, match=r"\(B, 68, 2\)"):
        draw.boundary_image(torch.zeros(1, 98, 2))
    with pytest.raises(ValueError, match="finite"):
        draw.sketch_map(torch.full((1, 98, 2), float("nan")))


@pytest.mark.parametrize("name", DRAWINGS)
def test_on_the_accelerator(name):
    if not torch.cuda.is_available():
        pytest.skip("no accelerator here")
    scheme, options = DRAWINGS[name]
    points = torch.from_numpy(faces(scheme, 3, 64.0))
    found = getattr(draw, name)(points.cuda(), 64, **options).cpu()
    torch.testing.assert_close(found, getattr(draw, name)(points, 64, **options), rtol=0, atol=1e-4)
