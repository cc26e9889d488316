"""From weight files and their records to networks."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import save_file  # noqa: E402

from reenact.errors import ReenactError  # noqa: E402
from reenact.runtime.weights import sha256_of  # noqa: E402
from reenact.systems import find_system, trained  # noqa: E402
from reenact.systems.hr_net import presets  # noqa: E402
from reenact.systems.hr_net.lic import Converter  # noqa: E402
from reenact.systems.trained import open_trained, to_picture, to_tensor  # noqa: E402

SETTINGS = replace(presets.LIC["tiny"], widths=(16, 16, 8, 8, 8))


def build(settings: presets.LicSettings) -> Converter:
    return Converter(settings.widths, settings.slope, settings.residual)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of one's own weights with one LIC in it, as it begins."""
    monkeypatch.setenv("REENACT_HOME", str(tmp_path))
    monkeypatch.setattr(trained, "_OPENED", {})
    folder = tmp_path / "weights"
    folder.mkdir()
    torch.manual_seed(3)
    state = build(SETTINGS).state_dict()
    save_file({f"converter.{name}": value.half() for name, value in state.items()}, folder / "a.safetensors")
    record = {
        "file": "a.safetensors",
        "sha256": sha256_of(folder / "a.safetensors"),
        "purpose": "test",
        "licence": "Apache-2.0",
        "preset": "tiny",
        "settings": json.loads(json.dumps(asdict(SETTINGS))),
    }
    (folder / "hr_net_lic.json").write_text(json.dumps(record))
    return folder


def test_the_network_is_rebuilt_from_its_record(own: Path) -> None:
    network, settings = open_trained("hr_net_lic", presets.LIC, build, "converter")
    assert settings == SETTINGS and not network.training
    torch.manual_seed(3)
    for name, value in build(SETTINGS).state_dict().items():
        torch.testing.assert_close(network.state_dict()[name], value, atol=1e-3, rtol=1e-3)
    assert open_trained("hr_net_lic", presets.LIC, build, "converter")[0] is network


def test_ones_own_weights_count(own: Path) -> None:
    (own / "hr_net_bfr.json").write_bytes((own / "hr_net_lic.json").read_bytes())
    assert find_system("hr_net").name == "hr_net"


def test_a_changed_file_is_refused(own: Path) -> None:
    with (own / "a.safetensors").open("ab") as file:
        file.write(b"x")
    with pytest.raises(ReenactError, match="SHA-256"):
        open_trained("hr_net_lic", presets.LIC, build, "converter")


@pytest.mark.parametrize(
    ("change", "words"),
    [({"settings": None}, "lacks preset or settings"), ({"preset": "huge"}, "lacks preset or settings")],
)
def test_a_record_that_does_not_do(own: Path, change: dict[str, object], words: str) -> None:
    path = own / "hr_net_lic.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ReenactError, match=words):
        open_trained("hr_net_lic", presets.LIC, build, "converter")


def test_other_networks_do_not_fit(own: Path) -> None:
    with pytest.raises(ReenactError, match="Error\\(s\\) in loading"):
        open_trained("hr_net_lic", presets.LIC, lambda s: Converter((8, 8, 8, 8, 8)), "converter")


def test_without_pytorch_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trained, "find_spec", lambda name: None)
    with pytest.raises(ReenactError, match=r"pip install 'reenact\[train\]'"):
        trained.need_torch("hr_net")


def test_pictures_there_and_back() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    values = to_tensor(picture)
    assert values.shape == (1, 3, 5, 7) and float(values.min()) >= -1 and float(values.max()) <= 1
    np.testing.assert_array_equal(to_picture(values), picture)
