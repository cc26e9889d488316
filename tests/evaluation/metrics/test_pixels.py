"""L1, PSNR and SSIM against scikit-image, and the masks against shapes whose area is known."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data
import skimage.metrics

from reenact.evaluation.metrics import face_mask, feature_mask, l1, psnr, ssim
from reenact.geometry.face_model import default_face_model
from reenact.types import FaceState, Image, Points


@pytest.fixture(scope="module")
def pair() -> tuple[Image, Image]:
    """A photograph of 96 x 120 px, and it shifted and under noise."""
    clean = skimage.data.astronaut()[20:116, 150:270].copy()
    noise = np.random.default_rng(0).normal(0, 12, clean.shape)
    return clean, np.clip(np.roll(clean, 2, 1) + noise, 0, 255).astype(np.uint8)


def test_ssim_is_that_of_scikit_image(pair: tuple[Image, Image]) -> None:
    settings = dict(gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255)
    reference = skimage.metrics.structural_similarity(*pair, channel_axis=2, **settings)
    assert ssim(*pair) == pytest.approx(reference, abs=1e-6)
    assert ssim(pair[0], pair[0]) == pytest.approx(1)


def test_psnr_is_that_of_scikit_image(pair: tuple[Image, Image]) -> None:
    assert psnr(*pair) == pytest.approx(skimage.metrics.peak_signal_noise_ratio(*pair), abs=1e-6)
    assert psnr(pair[0], pair[0]) == float("inf")


def test_l1_counts_levels_as_shares_of_white() -> None:
    black, grey = np.zeros((4, 6, 3), np.uint8), np.full((4, 6, 3), 51, np.uint8)
    mask = np.zeros((4, 6), bool)
    grey[0] = 255
    mask[1:] = True
    assert l1(grey, black, mask) == pytest.approx(0.2)
    assert l1(grey, black, ~mask) == pytest.approx(1.0)
    assert l1(grey, black) == pytest.approx((3 * 0.2 + 1) / 4)
    assert np.isnan(l1(grey, black, np.zeros((4, 6), bool)))


def test_unequal_pictures_are_refused() -> None:
    for metric in (l1, psnr, ssim):
        with pytest.raises(ValueError, match="one size"):
            metric(np.zeros((20, 20, 3), np.uint8), np.zeros((20, 21, 3), np.uint8))
    with pytest.raises(ValueError, match="11 px"):
        ssim(np.zeros((8, 20, 3), np.uint8), np.zeros((8, 20, 3), np.uint8))


@pytest.fixture(scope="module")
def face() -> Points:
    """The mean face, frontal, 80 px between the eyes' outer corners, in the middle of 256 px."""
    model = default_face_model()
    zero = np.zeros(3, np.float32)
    none = np.zeros(len(model.identity), np.float32), np.zeros(len(model.expression), np.float32)
    return model.project(FaceState(zero, 80.0, np.float32([128, 110]), *none))


def test_face_mask_is_the_hull_of_the_skin(face: Points) -> None:
    from scipy.spatial import ConvexHull

    hull = ConvexHull(face[:468, :2])
    mask = face_mask(face, 256, 256)
    assert mask.sum() == pytest.approx(hull.volume, rel=0.02)
    rows, columns = np.nonzero(mask)
    assert np.allclose([columns.mean() + 0.5, rows.mean() + 0.5], _centroid(hull), atol=0.6)


def _centroid(hull: object) -> np.ndarray:
    """Centre of a convex polygon's area, by the shoelace sums."""
    x, y = hull.points[hull.vertices].T  # type: ignore[attr-defined]
    u, v = np.roll(x, -1), np.roll(y, -1)
    cross = x * v - u * y
    return np.array([((x + u) * cross).sum(), ((y + v) * cross).sum()]) / (3 * cross.sum())


def test_feature_mask_covers_eyes_and_mouth_and_little_else(face: Points) -> None:
    mask = feature_mask(face, 256, 256)
    at = face[[159, 386, 13, 61, 291], :2].astype(int)
    assert mask[at[:, 1], at[:, 0]].all()
    nose, chin = face[[4, 152], :2].astype(int)
    assert not mask[nose[1], nose[0]] and not mask[chin[1], chin[0]]
    assert mask.sum() < 0.25 * face_mask(face, 256, 256).sum()
