"""Inception-V3 of FID: published names and size, shapes, what its poolings do, and what is refused."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import save_file  # noqa: E402

from reenact.errors import ReenactError  # noqa: E402
from reenact.nn.inception import BlockA, BlockE, Inception, load_inception  # noqa: E402

# Names and shapes of the published file, one a kind of layer.
PUBLISHED = {
    "Conv2d_1a_3x3.conv.weight": (32, 3, 3, 3),
    "Conv2d_4a_3x3.bn.running_var": (192,),
    "Mixed_5b.branch5x5_2.conv.weight": (64, 48, 5, 5),
    "Mixed_5d.branch_pool.conv.weight": (64, 288, 1, 1),
    "Mixed_6a.branch3x3.conv.weight": (384, 288, 3, 3),
    "Mixed_6b.branch7x7_2.conv.weight": (128, 128, 1, 7),
    "Mixed_6d.branch7x7dbl_4.conv.weight": (160, 160, 7, 1),
    "Mixed_6e.branch7x7dbl_5.conv.weight": (192, 192, 1, 7),
    "Mixed_7a.branch7x7x3_3.conv.weight": (192, 192, 7, 1),
    "Mixed_7b.branch3x3dbl_3a.conv.weight": (384, 384, 1, 3),
    "Mixed_7c.branch_pool.conv.weight": (192, 2048, 1, 1),
    "Mixed_7c.branch3x3_2b.bn.bias": (384,),
}


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return Inception().eval()


def test_names_shapes_and_size_are_the_published_ones(net):
    state = net.state_dict()
    assert {name: tuple(state[name].shape) for name in PUBLISHED} == PUBLISHED
    # Keras counts 23,817,352 with 1,000 classes and without the gains of the norms' 17,216 channels.
    assert sum(p.numel() for p in net.parameters()) == 23_817_352 + 17_216 - 1000 * 2049
    assert len([name for name in state if name.endswith("conv.weight")]) == 94


def test_features_of_any_size(net):
    with torch.no_grad():
        assert net(torch.rand(2, 3, 64, 48) * 2 - 1).shape == (2, 2048)


def pooled(block, x):
    """What the pooled branch of a block is given."""
    seen = []
    block.branch_pool.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    block.eval()(x)
    return seen[0]


def test_mean_pooling_counts_no_padding():
    """A constant stays one up to the border; with padding the corner would be 4/9 of it."""
    ones = torch.ones(1, 4, 6, 6)
    assert torch.allclose(pooled(BlockA(4, 32), ones), ones)


@pytest.mark.parametrize(("largest", "wanted"), [(True, 9.0), (False, 1.0)])
def test_the_last_block_takes_the_maximum(largest, wanted):
    x = torch.zeros(1, 8, 5, 5)
    x[0, :, 2, 2] = 9
    found = pooled(BlockE(8, largest=largest), x)
    assert torch.allclose(found[0, 0, 1:4, 1:4], torch.full((3, 3), wanted))


def test_weights_with_the_published_names_are_read(net, tmp_path):
    """The published file has a classifier, and no counts of batches."""
    state = {k: v for k, v in net.state_dict().items() if not k.endswith("num_batches_tracked")}
    path = tmp_path / "inception.safetensors"
    save_file({**state, "fc.weight": torch.zeros(1008, 2048), "fc.bias": torch.zeros(1008)}, path)
    image = torch.rand(1, 3, 80, 80)
    with torch.no_grad():
        assert torch.equal(load_inception(path)(image), net(image))
    del state["Mixed_6c.branch1x1.conv.weight"]
    save_file(state, path)
    with pytest.raises(ReenactError, match=r"1 names do not fit, the first: Mixed_6c\.branch1x1\.conv\.weight"):
        load_inception(path)


def test_without_weights_it_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("REENACT_HOME", str(tmp_path))
    with pytest.raises(ReenactError, match="reenact weights fetch inception_fid"):
        load_inception()
