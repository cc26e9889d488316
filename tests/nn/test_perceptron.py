"""Fully connected stacks, and landmarks as principal components."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from reenact.nn.perceptron import Whitened, perceptron, whitening  # noqa: E402


def test_an_open_end_has_no_leaky_relu() -> None:
    shut, opened = (perceptron((6, 5, 4), 0.2, open_end=end) for end in (False, True))
    assert [type(layer).__name__ for layer in shut] == ["Linear", "LeakyReLU"] * 2
    assert [type(layer).__name__ for layer in opened] == ["Linear", "LeakyReLU", "Linear"]
    assert opened(torch.randn(3, 6)).shape == (3, 4)


def test_the_signal_keeps_its_size() -> None:
    torch.manual_seed(0)
    out = perceptron((200, 200, 200, 200, 200), 0.2, open_end=True)(torch.randn(100, 200))
    assert 0.5 < float(out.detach().std()) < 2


def test_whitening() -> None:
    torch.manual_seed(0)
    rows = torch.randn(3000, 4) * torch.tensor([3.0, 1.0, 0.5, 1e-4]) + 7
    centre, matrix = whitening(rows, 0.1)
    deviations = ((rows - centre) @ matrix).std(0).sort().values
    torch.testing.assert_close(deviations[1:], torch.ones(3), atol=0.01, rtol=0)
    assert float(deviations[0]) == pytest.approx(1e-3, rel=0.05)


def test_landmarks_are_whitened_when_told() -> None:
    """Faces are spread by 0.2 along one axis and by 0.01 along others: afterwards all count alike."""
    torch.manual_seed(0)
    points = 0.5 + torch.randn(4000, 204) * torch.linspace(0.01, 0.2, 204)
    seen = Whitened(204)
    assert torch.equal(seen(points), points)
    seen.whiten_by(points, 1e-3)
    torch.testing.assert_close(seen(points).mean(0), torch.zeros(204), atol=1e-3, rtol=0)
    torch.testing.assert_close(seen(points).var(0), torch.ones(204), atol=1e-2, rtol=0)
    with torch.autocast("cpu", torch.bfloat16):
        assert seen(points).dtype == torch.float32
