"""`reenact weights` from the command line; what it does is tested with `reenact.runtime.weights`."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from cli_command import Command

from reenact.runtime import weights


def test_list(reenact: Command) -> None:
    result = reenact("weights", "list", "--json")
    assert result.code == 0
    assert [row["name"] for row in result.json["published"]] == list(weights.PUBLISHED)
    assert all(row["state"] == "intact" for row in result.json["shipped"])
    assert all(name in reenact("weights", "list").out for name in weights.PUBLISHED)


def test_fetch_from_a_file_with_a_wrong_hash(reenact: Command, tmp_path: Path) -> None:
    wrong = tmp_path / "vgg16-397923af.pth"
    wrong.write_bytes(b"something else")
    result = reenact("weights", "fetch", "vgg16", "--file", wrong)
    assert result.code == 2 and "was not kept" in result.line()


def test_fetch_then_convert(reenact: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    pickled, safe = tmp_path / "net.pth", tmp_path / "net.safetensors"
    torch.save({"state_dict": {"a": torch.ones(2)}}, pickled)
    digest = hashlib.sha256(pickled.read_bytes()).hexdigest()
    entry = weights.Published("net", pickled.as_uri(), digest[:8], "a test", "CC0-1.0")
    monkeypatch.setitem(weights.PUBLISHED, "net", entry)
    fetched = reenact("weights", "fetch", "net", "--json")
    assert fetched.code == 0 and fetched.json["sha256"] == digest
    result = reenact("weights", "convert", fetched.json["path"], "-o", safe, "--json")
    assert result.code == 0 and result.json["tensors"] == 1
    assert result.json["sha256"] == hashlib.sha256(safe.read_bytes()).hexdigest()


def test_convert_asks_for_a_hash_it_does_not_know(reenact: Command, tmp_path: Path) -> None:
    other = tmp_path / "other.pth"
    other.write_bytes(b"x")
    result = reenact("weights", "convert", other, "-o", tmp_path / "o.safetensors")
    assert result.code == 2 and "--sha256" in result.line()
