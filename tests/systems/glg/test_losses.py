"""Each loss against a value worked out by hand."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from reenact.systems.glg.losses import (  # noqa: E402
    feature_matching,
    flow_l1,
    landmark_l1,
    parts_l1,
    picture_l1,
)


def test_l1() -> None:
    one, other = torch.tensor([[1.0, 2.0], [0.0, 0.0]]), torch.tensor([[0.0, 4.0], [1.0, 0.0]])
    assert float(landmark_l1(one, other)) == pytest.approx(1.0)
    assert float(picture_l1(one[:, None, None], other[:, None, None])) == pytest.approx(1.0)


def test_parts_count_alike_whatever_their_size() -> None:
    made = {"eye": torch.zeros(1, 3, 2, 4), "mouth": torch.zeros(1, 3, 8, 8)}
    truth = {"eye": torch.full((1, 3, 2, 4), 0.5), "mouth": torch.full((1, 3, 8, 8), -1.0)}
    assert float(parts_l1(made, truth)) == pytest.approx(0.75)


def test_feature_matching_moves_the_made_picture_alone() -> None:
    real = [torch.tensor([1.0, 3.0], requires_grad=True), torch.tensor([0.0])]
    fake = [torch.tensor([0.0, 0.0], requires_grad=True), torch.tensor([4.0])]
    value = feature_matching(real, fake)
    assert float(value.detach()) == pytest.approx((1 + 3) / 2 + 4)
    value.backward()
    assert real[0].grad is None and fake[0].grad is not None


def test_flow_at_the_landmarks_leads_to_the_source() -> None:
    """One point of the source lies 4 px right of and 2 px above the target's, in a picture of 16 px."""
    source, target = torch.tensor([[[10.0, 6.0]]]), torch.tensor([[[6.0, 8.0]]])
    flow = torch.zeros(1, 2, 16, 16, requires_grad=True)
    nothing = flow_l1(flow, source, target)
    assert float(nothing.detach()) == pytest.approx((4 / 8 + 2 / 8) / 2)
    nothing.backward()
    assert flow.grad is not None and int((flow.grad[0, 0] != 0).sum()) == 4
    right = torch.tensor([4 / 8, -2 / 8])[:, None, None].expand(1, 2, 16, 16)
    assert float(flow_l1(right, source, target)) == pytest.approx(0, abs=1e-6)
