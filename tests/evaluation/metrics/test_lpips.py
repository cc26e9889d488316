"""LPIPS and FID's features as metrics of pictures; with torchmetrics where it and torchvision are there."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from reenact.errors import ReenactError  # noqa: E402
from reenact.evaluation.metrics import inception_features, lpips  # noqa: E402
from reenact.nn.inception import Inception  # noqa: E402
from reenact.nn.lpips import Lpips, load_lpips  # noqa: E402
from reenact.types import Image  # noqa: E402


def picture(seed: int, side: int = 32) -> Image:
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8)


@pytest.fixture(scope="module")
def net() -> Lpips:
    torch.manual_seed(0)
    made = Lpips()
    for head in made.heads:
        torch.nn.init.uniform_(head.weight, 0, 1)  # the published ones are not negative either
    return made.eval()


def test_equal_pictures_are_at_no_distance(net: Lpips) -> None:
    assert lpips(picture(0), picture(0), net) == 0
    assert lpips(picture(0), picture(1), net) == pytest.approx(lpips(picture(1), picture(0), net), rel=1e-5)


def test_more_noise_is_further(net: Lpips) -> None:
    clean = np.full((32, 32, 3), 128, np.uint8)
    noise = np.random.default_rng(5).normal(0, 1, clean.shape)
    near, far = (np.clip(clean + s * noise, 0, 255).astype(np.uint8) for s in (4, 60))
    assert 0 < lpips(near, clean, net) < lpips(far, clean, net)


def test_pictures_of_two_sizes_are_refused(net: Lpips) -> None:
    with pytest.raises(ValueError, match="one size"):
        lpips(picture(0), picture(0, 48), net)


def test_features_of_each_picture_at_its_size() -> None:
    torch.manual_seed(0)
    net = Inception().eval()
    pictures = [picture(0, 80), picture(1, 64)]
    found = inception_features(pictures, net)
    assert found.shape == (2, 2048) and inception_features([], net).size == 0
    with torch.no_grad():
        alone = net(torch.from_numpy(pictures[1]).permute(2, 0, 1)[None] / 127.5 - 1)[0].numpy()
    assert np.allclose(found[1], alone, atol=1e-5)


def test_same_as_torchmetrics() -> None:
    """With the weights of both, where torchvision can be loaded; it is no dependency of ours."""
    pytest.importorskip("torchvision")
    module = pytest.importorskip("torchmetrics.image.lpip")
    try:
        ours = load_lpips()
    except ReenactError as error:
        pytest.skip(str(error))
    theirs = module.LearnedPerceptualImagePatchSimilarity(net_type="vgg")
    one, other = picture(0, 64), picture(1, 64)
    pair = [torch.from_numpy(p).permute(2, 0, 1)[None] / 127.5 - 1 for p in (one, other)]
    assert lpips(one, other, ours) == pytest.approx(float(theirs(*pair)), abs=1e-4)
