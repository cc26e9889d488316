"""Flow estimation: both extractors, the paper's sizes, and the warp (III-A)."""

from __future__ import annotations

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from reenact.systems.glg import presets  # noqa: E402
from reenact.systems.glg.flow import (  # noqa: E402
    Attention,
    FlowHead,
    PointFeatures,
    ResNet34,
    ViT,
    flow_at,
    warp,
)
from reenact.systems.glg.losses import flow_l1  # noqa: E402

TINY, PAPER = presets.IMAGE["tiny"], presets.IMAGE["paper"]


@pytest.mark.parametrize("size", [32, 64, 96])
@pytest.mark.parametrize("kind", [ViT, ResNet34])
def test_shapes(kind: type, size: int) -> None:
    settings = replace(TINY, size=size)
    features, points = kind(settings)(torch.randn(2, 3, size, size))
    assert features.shape == (2, 2, TINY.width)
    assert (points is None) == (kind is ResNet34) and (points is None or points.shape == (2, 136))
    assert FlowHead(settings)(features, features).shape == (2, 2, size, size)


def test_the_papers_sizes() -> None:
    """256 patches, 19 million parameters in three layers, 21 million in ResNet-34, f of 6272."""
    with torch.device("meta"):
        vit, resnet, head = ViT(PAPER), ResNet34(PAPER), FlowHead(PAPER)
    assert vit.positions.shape == (256, 768) and vit.tokens.shape == (3, 768)
    assert 19.0e6 < sum(p.numel() for p in vit.blocks.parameters()) < 19.6e6
    trunk = [p for module in (resnet.stem, resnet.blocks) for p in module.parameters()]
    assert sum(p.numel() for p in trunk) == 21_284_672  # torchvision's resnet34 without its classifier
    assert head.mlp[2].out_features == 6272 and head.compress.out_features == 128


def test_attention_is_equations_1_and_2() -> None:
    torch.manual_seed(0)
    layer, v = Attention(8, 1), torch.randn(2, 5, 8)
    q, k, value = (v @ w.T for w in layer.project.weight.chunk(3))
    weights = torch.softmax(q @ k.transpose(1, 2) / 8**0.5, -1)
    torch.testing.assert_close(layer(v), weights @ value)


def test_warping_takes_each_place_from_where_the_flow_points() -> None:
    """A flow of half a side to the right, on 8 pixels: four columns."""
    picture = torch.arange(64.0).reshape(1, 1, 8, 8)
    flow = torch.zeros(1, 2, 32, 32)
    torch.testing.assert_close(warp(picture, flow), picture)
    flow[:, 0] = 1.0
    moved = warp(picture, flow)
    torch.testing.assert_close(moved[..., :4], picture[..., 4:])
    torch.testing.assert_close(moved[..., 4:], picture[..., 7:].expand(1, 1, 8, 4))


def test_a_flow_is_read_at_points() -> None:
    """A flow that grows by 1 a pixel to the right, read between pixels 2 and 3 (whose centres are at 2.5 and
    3.5)."""
    flow = torch.zeros(1, 2, 8, 8)
    flow[:, 0] = torch.arange(8.0)
    found = flow_at(flow, torch.tensor([[[3.0, 4.0], [2.5, 1.0]]]))
    torch.testing.assert_close(found, torch.tensor([[[2.5, 0.0], [2.0, 0.0]]]))


def test_the_flow_learns_from_landmarks() -> None:
    """Faces that are shifted: the flow at the landmarks comes nearer than no flow within 60 steps."""
    settings = replace(TINY, flow="points")
    torch.manual_seed(0)
    features, head = PointFeatures(settings), FlowHead(settings)
    face = torch.rand(1, 68, 2) * 32 + 16
    source, target = (face + torch.randn(16, 1, 2) * 4 for _ in range(2))

    def loss() -> torch.Tensor:
        return flow_l1(head(features(source)[0], features(target)[0]), source, target)

    still = float(flow_l1(torch.zeros(16, 2, 64, 64), source, target))
    optimiser = torch.optim.Adam([*features.parameters(), *head.parameters()], 3e-3)
    for _ in range(60):
        optimiser.zero_grad()
        loss().backward()
        optimiser.step()
    assert float(loss().detach()) < 0.5 * still
