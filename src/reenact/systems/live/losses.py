"""The losses of `live` that compare pictures."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from reenact.nn.identity_net import chips, load_identity_net
from reenact.nn.landmark_net import face_regions, load_landmark_net, regions_of

_LEVELS = 4
_C1, _C2 = 0.02**2, 0.06**2  # Wang et al. 2004, for a range of 2


def pixel_weights(maps: Tensor, face: float, features: float) -> Tensor:
    """(B, 1, 256, 256): 1, and more on the face and around eyes and mouth, from shape maps (B, 6, 128, 128)."""
    near = functional.max_pool2d(maps[:, [1, 3]].amax(1, keepdim=True), 9, 1, 4)
    weight = 1 + face * maps[:, 5:6] + features * functional.avg_pool2d(near, 5, 1, 2)
    return functional.interpolate(weight, scale_factor=2.0, mode="bilinear", align_corners=False)


def weighted_l1(made: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean of |made - truth| over (B, 3, H, W); weight is (B, 1, H, W)."""
    return ((made - truth).abs().mean(1, keepdim=True) * weight).sum() / weight.sum()


def pyramid_l1(made: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """L1 of the levels of a Laplacian pyramid (Bojanowski et al. 2018, section 3.2, with box filters), all
    levels of one weight, each pixel of `weight` (B, 1, H, W)."""
    total = made.new_zeros(())
    difference = made - truth
    for _ in range(_LEVELS):
        coarse = functional.avg_pool2d(difference, 2)
        band = difference - functional.interpolate(
            coarse, scale_factor=2.0, mode="bilinear", align_corners=False
        )
        total = total + (band.abs().mean(1, keepdim=True) * weight).sum() / weight.sum()
        difference, weight = coarse, functional.avg_pool2d(weight, 2)
    return total + (difference.abs().mean(1, keepdim=True) * weight).sum() / weight.sum()


def dissimilarity(made: Tensor, truth: Tensor) -> Tensor:
    """1 - SSIM (Wang et al. 2004, equation 13) of pictures (B, 3, H, W) in [-1, 1], in boxes of 7 x 7."""
    means, squares = (functional.avg_pool2d(x, 7, 1) for x in (made, made * made))
    means_t, squares_t = (functional.avg_pool2d(x, 7, 1) for x in (truth, truth * truth))
    products = functional.avg_pool2d(made * truth, 7, 1)
    spread, spread_t = squares - means**2, squares_t - means_t**2
    shared = products - means * means_t
    top = (2 * means * means_t + _C1) * (2 * shared + _C2)
    return 1 - (top / ((means**2 + means_t**2 + _C1) * (spread + spread_t + _C2))).mean()


def inconstancy(made: Tensor, truth: Tensor, followed: Tensor) -> Tensor:
    """(B // 2,): how much the error changes from one moment to the next, which is what flickers: the mean
    absolute difference of the two moments' changes (the dtSSD of Erofeev et al. 2015, section 4, with an L1).

    made, truth: (B, 3, H, W), the second half the moments after the first half's. followed: (B // 2,), 1 where
    that is so; elsewhere the result is 0.
    """
    error = made - truth
    half = len(followed)
    return (error[half : 2 * half] - error[:half]).abs().mean((1, 2, 3)) * followed


class Likeness(nn.Module):
    """Whether a made picture's landmarks lie where the true one's do, and whether it shows the same person, by
    our own two nets (`reenact.nn`), which are held.

    Both pictures are read by the same nets in the same place, so that what these get wrong falls out.
    """

    def __init__(self) -> None:
        super().__init__()
        self.landmarks, self.identity = load_landmark_net(), load_identity_net()

    def forward(self, made: Tensor, truth: Tensor, *wanted: str) -> Mapping[str, Tensor]:
        """The `wanted` of 'landmarks', (B,) the mean distance of the 478 points in the plane, as percent of
        that between the true outer corners of the eyes (Dual-Generator, equation (14), made independent of the
        face's size), and 'identity', (B,) 1 - the cosine of the embeddings (FIPLS, equation (6)).

        made, truth: face crops (B, 3, H, H) in [-1, 1].
        """
        found = {}
        with torch.autocast(made.device.type, enabled=False):
            made, truth = made.float(), truth.float()
            with torch.no_grad():
                first = face_regions(truth)
                where = regions_of(self.landmarks.read(truth, first).points, first)
                points = self.landmarks.read(truth, where).points[..., :2]
            if "landmarks" in wanted:
                size = (points[:, 33] - points[:, 263]).norm(dim=1)
                apart = (self.landmarks.read(made, where).points[..., :2] - points).norm(dim=2)
                found["landmarks"] = 100 * apart.mean(1) / size
            if "identity" in wanted:
                at = points.cpu().numpy()
                with torch.no_grad():
                    own = self.identity(chips(truth, at))
                found["identity"] = 1 - functional.cosine_similarity(self.identity(chips(made, at)), own)
        return found
