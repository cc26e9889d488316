"""The networks and losses of `live`, and that the tiny preset learns eight samples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from skimage import data  # noqa: E402
from skimage.metrics import structural_similarity  # noqa: E402
from stage_bench import Steps, without_gradient  # noqa: E402

from reenact.geometry.align import crop_matrix, face_square  # noqa: E402
from reenact.perception.chips import warped  # noqa: E402
from reenact.perception.detector import MeshDetector  # noqa: E402
from reenact.systems import TRAINING  # noqa: E402
from reenact.systems.live.generator import finished  # noqa: E402
from reenact.systems.live.losses import (  # noqa: E402
    Likeness,
    dissimilarity,
    inconstancy,
    pixel_weights,
    pyramid_l1,
    weighted_l1,
)
from reenact.systems.live.network import LiveNet, OnceAFrame, OnceASource, carried, composed  # noqa: E402
from reenact.systems.live.presets import PRESETS  # noqa: E402
from reenact.systems.live.train import PARTS, LiveStage  # noqa: E402
from reenact.training.loop import resting  # noqa: E402

TINY = PRESETS["tiny"]


def batch(count: int, seed: int = 4) -> dict[str, torch.Tensor]:
    """Smooth pictures; the truth is the warp with a darker mouth, a shift of one pixel, and other light."""
    rng = np.random.default_rng(seed)
    coarse = torch.from_numpy(rng.uniform(-0.8, 0.8, (count, 3, 16, 16)).astype(np.float32))
    warp = torch.nn.functional.interpolate(coarse, 256, mode="bilinear")
    maps = torch.full((count, 6, 128, 128), -1.0)
    maps[:, 5, 20:108, 30:98] = 1
    maps[:, 1:3, 80:92, 50:78] = 1
    target = warp.roll(1, 3) + 0.1
    target[:, :, 160:184, 100:156] = -0.7
    source_maps = torch.cat([maps, torch.ones(count, 1, 128, 128)], 1)
    return {
        "source": warp.roll(3, 2),
        "source_maps": source_maps,
        "warp": warp,
        "maps": maps,
        "flow": torch.full((count, 64, 64, 2), 3.0),
        "target": target.clamp(-1, 1),
        "followed": torch.ones(count // 2),
    }


def test_shapes_and_gradients():
    stage = LiveStage(replace(TINY, weight_adversarial=0.1, weight_matching=0.1))
    residual, layer = stage.live(*stage.examples(2)["live"])
    assert residual.shape == (2, 2, 64, 64) and layer.shape == (2, 4, 256, 256)
    missing = without_gradient(stage, batch(2))
    assert set(missing) == {"live", "eyes", "mouth"} and not any(missing.values()), missing


def test_a_new_network_changes_little():
    """It begins at the warp: nothing is shifted, and what is laid over it is the warp in soft focus."""
    torch.manual_seed(0)
    sample = batch(1)
    residual, layer = LiveNet(TINY)(
        sample["source"], sample["source_maps"], sample["warp"], sample["maps"], torch.zeros(1, 2, 64, 64)
    )
    made, again = composed(sample["warp"], residual, layer)
    assert residual.abs().max() == 0
    assert (again - sample["warp"]).abs().max() < 1e-4
    assert (made - sample["warp"]).abs().mean() < 0.05


def test_what_is_exported_and_the_generator_make_the_same_frame():
    torch.manual_seed(3)
    network, rng = LiveNet(TINY).eval(), np.random.default_rng(8)
    for name, weight in network.named_parameters():
        if "coarse" in name or "layer" in name:
            torch.nn.init.normal_(weight, std=0.1)
    warp = rng.integers(0, 256, (256, 256, 3), np.uint8)
    warp = np.repeat(np.repeat(warp[::8, ::8], 8, 0), 8, 1)
    sample = batch(1)
    seen = torch.from_numpy(warp.transpose(2, 0, 1).astype(np.float32) / 127.5 - 1)[None]
    flow = sample["flow"].permute(0, 3, 1, 2)
    with torch.no_grad():
        wanted = network(sample["source"], sample["source_maps"], seen, sample["maps"], flow)
        features = OnceASource(network)(sample["source"], sample["source_maps"])
        coarse, drawn = OnceAFrame(network)(seen, sample["maps"], flow, *features)
    made = finished(coarse[0].numpy(), drawn[0].numpy(), warp)
    assert np.ptp(made[1][3]) > 0.1 and np.ptp(made[0]) > 0.1
    for ours, theirs in zip(made, wanted, strict=True):
        np.testing.assert_allclose(ours, theirs[0].numpy(), atol=2e-5)


def test_carried_is_a_shift():
    """A flow of 8 pixels of the crop of 256 moves maps of 64 by two."""
    maps = torch.arange(64.0)[None, None, None].expand(1, 1, 64, 64)
    flow = torch.zeros(1, 2, 64, 64)
    flow[:, 0] = 8
    moved = carried(maps, flow)
    assert moved[0, 0, :, :62] == pytest.approx(maps[0, 0, :, 2:].numpy(), abs=1e-3)


def test_losses_by_hand():
    made, truth = torch.zeros(1, 3, 64, 64), torch.full((1, 3, 64, 64), 0.5)
    weight = torch.ones(1, 1, 64, 64)
    assert float(weighted_l1(made, truth, weight)) == pytest.approx(0.5)
    # A constant difference is all in the coarsest level.
    assert float(pyramid_l1(made, truth, weight)) == pytest.approx(0.5, abs=1e-5)
    half = weight.clone()
    half[..., 32:] = 0
    truth[..., 32:] = 7
    assert float(weighted_l1(made, truth, half)) == pytest.approx(0.5)


def test_dissimilarity_against_scikit_image():
    rng = np.random.default_rng(2)
    one = rng.uniform(-1, 1, (48, 48, 3)).astype(np.float32)
    other = (0.7 * one + rng.normal(0, 0.2, one.shape)).astype(np.float32)
    _, whole = structural_similarity(
        one, other, win_size=7, data_range=2, channel_axis=2, use_sample_covariance=False, full=True
    )
    ours = dissimilarity(*(torch.from_numpy(x.transpose(2, 0, 1))[None] for x in (one, other)))
    assert float(ours) == pytest.approx(1 - whole[3:-3, 3:-3].mean(), abs=1e-4)


def test_an_error_that_stays_is_constant():
    """What two moments get wrong alike costs nothing; what changes does, where the second follows the first."""
    rng = np.random.default_rng(3)
    truth = torch.from_numpy(rng.uniform(-1, 1, (5, 3, 8, 8)).astype(np.float32))
    followed = torch.tensor([1.0, 0.0])
    assert inconstancy(truth + 0.3, truth, followed).tolist() == pytest.approx([0, 0], abs=1e-6)
    made = truth.clone()
    made[2:4] += 0.25
    made[4] += 9  # the odd one out
    assert inconstancy(made, truth, followed).tolist() == pytest.approx([0.25, 0], abs=1e-6)


@pytest.fixture(scope="module")
def face():
    """(1, 3, 256, 256): the astronaut's face crop."""
    image = data.astronaut()
    with MeshDetector() as detector:
        points = detector.detect(image)[0].points
    crop = warped(image, crop_matrix(face_square(points), 256), 256)
    return torch.from_numpy(crop.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1


def test_likeness_reads_landmarks_and_identity(face):
    """A face that lies elsewhere is off by its way in eye distances; one laid over it is another person."""
    likeness = Likeness()
    same = likeness(face, face, "landmarks", "identity")
    assert float(same["landmarks"]) == 0 and float(same["identity"]) == pytest.approx(0, abs=1e-5)
    points = likeness.landmarks(face).points[0]
    eyes = float((points[33, :2] - points[263, :2]).norm())
    moved = likeness(face.roll(6, 3), face, "landmarks", "identity")
    assert float(moved["landmarks"]) == pytest.approx(100 * 6 / eyes, rel=0.15)
    other = likeness(0.5 * face + 0.5 * face.flip(2), face, "identity")
    assert list(other) == ["identity"] and float(other["identity"]) > 2 * float(moved["identity"]) > 0


def test_likeness_pulls_a_picture_to_the_truth(face):
    """Both gradients lead a shifted face back: down the gradient, each loss falls."""
    likeness = Likeness()
    for name in ("landmarks", "identity"):
        picture = face.roll(4, 3).requires_grad_()
        before = likeness(picture, face, name)[name].sum()
        (slope,) = torch.autograd.grad(before, picture)
        with torch.no_grad():
            after = likeness(picture - 0.02 * slope / slope.abs().max(), face, name)[name].sum()
        assert torch.isfinite(slope).all() and float(after) < float(before.detach()), name


@pytest.mark.parametrize("name", ["landmarks", "identity", "temporal", "perceptual"])
def test_each_further_loss_reaches_the_network(name):
    """It is a term of the step where it has a weight, and the parameters learn from it."""
    alone = dict.fromkeys(("l1", "pyramid", "ssim", "warped", "keep"), 0.0)
    without = {f"weight_{one}": value for one, value in alone.items()}
    seen: dict[str, float] = {}

    def update(network, terms, weights):
        seen.update({one: weights[one] for one in terms if weights[one]})
        total = sum(weights[one] * value for one, value in terms.items())
        total.backward()

    stage = LiveStage(replace(TINY, **without, **{f"weight_{name}": 0.5}))
    stage.step(batch(2), update)
    assert seen == {name: 0.5}
    drawn = [p.grad for p in stage.live.parameters() if p.grad is not None]
    assert sum(bool(grad.abs().sum() > 0) for grad in drawn) > 4


def test_weights_of_pixels():
    maps = batch(1)["maps"] * 0.5 + 0.5
    weight = pixel_weights(maps, 1.5, 5.0)
    assert weight.shape == (1, 1, 256, 256)
    assert float(weight[0, 0, 5, 5]) == pytest.approx(1)
    assert float(weight[0, 0, 80, 128]) == pytest.approx(2.5)
    assert float(weight[0, 0, 170, 128]) == pytest.approx(7.5)


def test_windows_follow_the_face():
    """A dot in the middle of the lips is in the middle of the mouth's window, with its map."""
    maps = torch.zeros(2, 6, 128, 128)
    pictures = torch.zeros(2, 3, 256, 256)
    for number, (y, x) in enumerate([(80, 60), (30, 100)]):
        maps[number, 1:3, y - 3 : y + 4, x - 5 : x + 6] = 1
        pictures[number, :, 2 * y + 1, 2 * x + 1] = 1
    window = PARTS["mouth"]
    cut = window.cut(pictures, maps)
    assert cut.shape == (2, 5, window.height, window.width)
    for one in cut:
        y, x = np.unravel_index(int(one[0].argmax()), one[0].shape)
        assert abs(y - window.height // 2) <= 1 and abs(x - window.width // 2) <= 1
        assert one[3, y, x] == 1 and one[3, 0, 0] == -1
    edge = torch.zeros(1, 6, 128, 128)
    edge[0, 1, -1, -1] = 1
    assert window.cut(pictures[:1], edge).shape == (1, 5, window.height, window.width)


def test_the_rate_rises_and_falls_to_zero():
    stage = LiveStage(replace(TINY, epochs=10))
    factors = [stage.factor("live", epoch) for epoch in (0.0, 0.2, 5.0, 10.0)]
    assert factors[0] < 0.1 and factors[1] > 0.95 and factors[2] == pytest.approx(0.5) and factors[3] == 0


def test_a_run_that_outlasts_its_rates_is_told_so():
    """`steps` beyond what `epochs` come to are trained at a rate of 0."""
    stage = LiveStage(replace(TINY, epochs=2))
    assert resting(stage, stage.networks, 2.0) == [] and resting(stage, stage.networks, 5.0) == ["live"]


def test_tiny_learns_eight_samples():
    stage = LiveStage(replace(TINY, rate=4e-3))
    samples = batch(8)
    with torch.no_grad():
        before = stage.validate(samples, stage.networks)
    Steps(stage).run(samples, 40)
    with torch.no_grad():
        after = stage.validate(samples, stage.networks)
    gain = {name: float(after[name].mean() / before[name].mean()) for name in ("l1", "face_l1")}
    assert gain["l1"] < 0.5 and gain["face_l1"] < 0.5, gain
    assert float((after["psnr"] - after["psnr_warp"]).mean()) > 3


def test_the_table_knows_it():
    stage = TRAINING["live"].stage("refine")
    assert {"tiny", "small", "paper"} <= set(stage.presets)
