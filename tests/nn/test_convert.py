"""Published pickles: read without running code, hashed, and turned into safetensors."""

from __future__ import annotations

import hashlib
import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from reenact.errors import ReenactError

torch = pytest.importorskip("torch")

from reenact.nn.convert import convert  # noqa: E402


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def saved(path: Path, value: Any) -> Path:
    torch.save(value, path)
    return path


def test_tensors_come_through_unchanged(tmp_path: Path) -> None:
    from safetensors.torch import load_file

    shared = torch.arange(6.0).reshape(2, 3)
    path = saved(
        tmp_path / "n.pth", {"state_dict": {"a": shared, "b": shared.T, "n": torch.tensor(3)}, "epoch": 4}
    )
    names = convert(path, tmp_path / "n.safetensors", sha256=digest(path))
    loaded = load_file(tmp_path / "n.safetensors")
    assert names == ["a", "b", "n"]
    assert torch.equal(loaded["a"], shared) and torch.equal(loaded["b"], shared.T) and loaded["n"] == 3


def test_origin_is_kept(tmp_path: Path) -> None:
    from safetensors import safe_open

    path = saved(tmp_path / "n.pth", {"a": torch.ones(1)})
    convert(path, tmp_path / "n.safetensors", sha256=digest(path)[:12])
    with safe_open(tmp_path / "n.safetensors", "pt") as file:
        assert digest(path) in file.metadata()["converted_from"]


class Evil:
    """Would make a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("form", ["torch", "pickle"])
def test_code_in_a_pickle_is_not_run(tmp_path: Path, form: str) -> None:
    path, proof = tmp_path / "evil.pth", tmp_path / "proof"
    if form == "torch":
        saved(path, {"a": Evil(proof)})
    else:
        path.write_bytes(pickle.dumps(Evil(proof)))
    with pytest.raises(ReenactError, match="could run any code"):
        convert(path, tmp_path / "n.safetensors", sha256=digest(path))
    assert not proof.exists() and not (tmp_path / "n.safetensors").exists()


def test_other_hash_is_refused_before_reading(tmp_path: Path) -> None:
    path = saved(tmp_path / "n.pth", {"a": torch.ones(1)})
    with pytest.raises(ReenactError, match="SHA-256"):
        convert(path, tmp_path / "n.safetensors", sha256="0" * 64)
    with pytest.raises(ReenactError, match="first 8"):
        convert(path, tmp_path / "n.safetensors", sha256="")


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 no archive"])
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "n.pth"
    path.write_bytes(content)
    with pytest.raises(ReenactError, match=r"n\.pth"):
        convert(path, tmp_path / "n.safetensors", sha256=digest(path))


def test_entry_can_be_named(tmp_path: Path) -> None:
    path = saved(tmp_path / "n.pth", {"ema": {"a": torch.ones(1)}, "epoch": 1})
    with pytest.raises(ReenactError, match="--key: ema, epoch"):
        convert(path, tmp_path / "n.safetensors", sha256=digest(path))
    with pytest.raises(ReenactError, match="no entry 'emma'"):
        convert(path, tmp_path / "n.safetensors", sha256=digest(path), key="emma")
    assert convert(path, tmp_path / "n.safetensors", sha256=digest(path), key="ema") == ["a"]


def test_output_is_safetensors_and_not_overwritten(tmp_path: Path) -> None:
    path = saved(tmp_path / "n.pth", {"a": torch.ones(1)})
    with pytest.raises(ReenactError, match=r"\.safetensors"):
        convert(path, tmp_path / "n.pt", sha256=digest(path))
    (tmp_path / "n.safetensors").write_bytes(b"mine")
    with pytest.raises(ReenactError, match="exist"):
        convert(path, tmp_path / "n.safetensors", sha256=digest(path))
    assert (tmp_path / "n.safetensors").read_bytes() == b"mine"
