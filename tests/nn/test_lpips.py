"""LPIPS: the published names, a hand-written reference, and the way from a fetched file to the network."""

from __future__ import annotations

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import save_file  # noqa: E402

from reenact.errors import ReenactError  # noqa: E402
from reenact.nn.lpips import WIDTHS, Lpips, load_lpips  # noqa: E402
from reenact.nn.vgg import Vgg16  # noqa: E402
from reenact.runtime import weights  # noqa: E402


def published_heads():
    """Made-up numbers under the names and shapes of the published file."""
    torch.manual_seed(0)
    return {f"lin{n}.model.1.weight": torch.rand(1, width, 1, 1) for n, width in enumerate(WIDTHS)}


def published_vgg():
    """Likewise for VGG-16: configuration D, numbered as in torchvision, with a part of its classifier."""
    numbers = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
    widths = (3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)
    tensors = {"classifier.6.bias": torch.zeros(1000)}
    for number, before, after in zip(numbers, widths, widths[1:], strict=False):
        tensors[f"features.{number}.weight"] = torch.randn(after, before, 3, 3) * (2 / 9 / before) ** 0.5
        tensors[f"features.{number}.bias"] = torch.zeros(after)
    return tensors


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lpips")
    torch.manual_seed(1)
    save_file(published_heads(), folder / "heads.safetensors")
    save_file(published_vgg(), folder / "vgg.safetensors")
    return folder / "heads.safetensors", folder / "vgg.safetensors"


def test_size_is_the_published_one():
    net = Lpips()
    assert sum(p.numel() for p in net.features.parameters()) == 14_714_688  # VGG-16 without its classifier
    assert sum(p.numel() for p in net.heads.parameters()) == 64 + 128 + 256 + 512 + 512


def test_same_as_the_formula(files):
    """Equation 1 of the paper, in loops over pixels."""
    net = load_lpips(*files)
    one, other = torch.rand(2, 3, 16, 16) * 2 - 1, torch.rand(2, 3, 16, 16) * 2 - 1
    maps = [net.features(x) for x in (one, other)]
    heads, wanted = published_heads(), torch.zeros(2)
    for number, name in enumerate(net.features.layers):
        gain = heads[f"lin{number}.model.1.weight"].flatten()
        for n in range(2):
            x, y = (m[name][n].flatten(1).T for m in maps)
            pixels = [
                (gain * (p / (p.norm() + 1e-10) - q / (q.norm() + 1e-10)) ** 2).sum()
                for p, q in zip(x, y, strict=True)
            ]
            wanted[n] += sum(pixels) / len(pixels)
    assert torch.allclose(net(one, other), wanted, rtol=1e-4)
    assert not any(p.requires_grad for p in net.parameters())


def test_a_user_s_files_go_through_the_cache(tmp_path, monkeypatch):
    """`reenact weights fetch NAME --file` for both; the hashes are those of made-up files."""
    monkeypatch.setenv("REENACT_HOME", str(tmp_path / "home"))
    for name, tensors in (("lpips_vgg", published_heads()), ("vgg16", published_vgg())):
        with pytest.raises(ReenactError, match=f"reenact weights fetch {name}"):
            load_lpips()
        path = tmp_path / weights.PUBLISHED[name].file_name
        torch.save(tensors, path)
        with pytest.raises(ReenactError, match="SHA-256"):
            weights.fetch(name, file=path)
        entry = replace(weights.PUBLISHED[name], sha256=weights.sha256_of(path)[:8])
        monkeypatch.setitem(weights.PUBLISHED, name, entry)
        weights.fetch(name, file=path)
    assert load_lpips()(torch.zeros(1, 3, 16, 16), torch.zeros(1, 3, 16, 16)) == 0


def test_wrong_weights_are_refused(files, tmp_path):
    save_file({"other": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(ReenactError, match="not the weights of LPIPS"):
        load_lpips(tmp_path / "other.safetensors", files[1])


def test_deep_adds_one_map():
    maps = Vgg16(deep=True)(torch.rand(1, 3, 32, 32))
    assert list(maps)[-1] == "relu5_3" and maps["relu5_3"].shape == (1, 512, 2, 2)
