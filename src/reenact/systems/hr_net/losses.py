"""HR-Net's losses in the order of their equations. (2) and (6) are in `losses.adversarial`; the sums (5)
and (11) stand in the steps of `train.py`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from reenact.errors import ReenactError
from reenact.nn.features import open_features

# --------------------------------------------------------------------------------------------------------------
# The converter: landmarks (B, 136) in the unit of `lic.to_unit`


def landmark_l1(result: Tensor, truth: Tensor, *, mean: bool) -> Tensor:
    """(1) and (3): the L1 norm of the difference of (B, 136), averaged over B, and with `mean` over the 136."""
    distance = (result - truth).abs()
    return distance.mean() if mean else distance.sum(1).mean()


def triplet(result: Tensor, target: Tensor, driving: Tensor, margin: float) -> Tensor:
    """(4): max(dis(result, target) - dis(result, driving) + margin, 0), Euclidean in (B, 136), mean over B."""
    near = torch.linalg.vector_norm(result - target, dim=1)
    far = torch.linalg.vector_norm(result - driving, dim=1)
    return functional.relu(near - far + margin).mean()


# --------------------------------------------------------------------------------------------------------------
# The generator: pictures (B, 3, H, W) in [-1, 1], and features of them


def picture_l1(result: Tensor, truth: Tensor) -> Tensor:
    """(7), averaged over all values."""
    return (result - truth).abs().mean()


def local_perceptual(result: Tensor, truth: Tensor) -> Tensor:
    """(10): the squared L2 distance of feature maps (B, C, h, w) at each of the k points, averaged over the k
    and B.

    differs from paper: the sum is printed from 0 and the exponent as k; meant are k terms and the square.
    Whether k counts channels is not said; here it counts points, so that the loss does not depend on the map's
    size.
    """
    return (result - truth).square().sum(1).mean()


class Features(nn.Module):
    """(8) to (10): a block of VGG-16, and the distance of two pictures through it.

    differs from paper where VGG-16's weights were not fetched: the distance of `reenact.nn.features` over our
    own two nets. name: which of the two it is. Raises ReenactError where neither is there.
    """

    def __init__(self, block: str) -> None:
        super().__init__()
        self.block = block
        try:
            self.net = open_features()
        except ReenactError as error:
            raise ReenactError(f"{error}; without any, train with --set block=none") from None
        self.name = f"{self.net.name} {block}" if self.net.name == "VGG-16" else self.net.name

    def forward(self, result: Tensor, target: Tensor) -> Tensor:
        """A scalar; no gradient reaches the target."""
        if self.net.name != "VGG-16":
            return self.net.distance(result, target.detach())
        with torch.no_grad():
            wanted = self.net(target)[self.block]
        return local_perceptual(self.net(result)[self.block], wanted)
