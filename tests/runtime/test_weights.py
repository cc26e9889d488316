"""Records, hashes, and what reaches the cache."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from reenact.errors import ReenactError
from reenact.runtime import weights

CONTENT = b"weights of a network" * 1000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A publisher's file behind a file: address, under the name `net`; returns the file."""
    monkeypatch.setenv("REENACT_HOME", str(tmp_path / "home"))
    file = tmp_path / "net-1234.pth"
    file.write_bytes(CONTENT)
    entry = weights.Published("net", file.as_uri(), DIGEST[:8], "a test", "CC0-1.0")
    monkeypatch.setitem(weights.PUBLISHED, "net", entry)
    return file


def cached() -> list[str]:
    folder = weights.cache_folder()
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def shipped(folder: Path, **changes: str) -> Path:
    (folder / "net.onnx").write_bytes(CONTENT)
    record = {"file": "net.onnx", "sha256": DIGEST, "purpose": "a test", "licence": "CC0-1.0", "steps": 7}
    (folder / "net.json").write_text(json.dumps({**record, **changes}))
    return folder


def test_download_is_checked_kept_and_not_repeated(published: Path) -> None:
    seen: list[int] = []
    path = weights.fetch("net", progress=lambda stage, done, total: seen.append(done))
    assert path.read_bytes() == CONTENT and seen[-1] == len(CONTENT)
    published.unlink()
    assert weights.fetch("net") == path
    assert cached() == ["net-1234.pth"]


def test_file_is_taken_without_network(published: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "stick.bin"
    published.rename(elsewhere)
    assert weights.fetch("net", file=elsewhere).read_bytes() == CONTENT


def test_changed_byte_is_refused_and_not_kept(published: Path) -> None:
    published.write_bytes(CONTENT[:-1] + b"?")
    with pytest.raises(ReenactError, match="another file or not complete"):
        weights.fetch("net")
    assert cached() == []


def test_file_that_was_changed_in_the_cache_is_refused(published: Path) -> None:
    weights.fetch("net").write_bytes(b"changed")
    with pytest.raises(ReenactError, match="SHA-256"):
        weights.fetch("net")


def test_failed_download_names_the_way_round(published: Path) -> None:
    published.unlink()
    with pytest.raises(ReenactError, match=r"fetch net --file net-1234\.pth"):
        weights.fetch("net")
    assert cached() == []


def test_missing_file_and_unknown_name(published: Path, tmp_path: Path) -> None:
    with pytest.raises(ReenactError, match="cannot be read"):
        weights.fetch("net", file=tmp_path / "none")
    with pytest.raises(ReenactError, match=r"'nett'; there are: .*net"):
        weights.fetch("nett")


def test_shipped_file_is_hashed_before_it_is_handed_out(tmp_path: Path) -> None:
    record = weights.shipped("net", shipped(tmp_path))
    assert record.path.read_bytes() == CONTENT and record.details == {"steps": 7}
    record.path.write_bytes(CONTENT + b"!")
    with pytest.raises(ReenactError, match=r"net\.onnx: its SHA-256"):
        weights.shipped("net", tmp_path)


@pytest.mark.parametrize("file", ["../net.onnx", "net.pkl", "none.onnx", "/etc/passwd", "n" * 5000])
def test_record_names_only_a_weight_file_beside_it(tmp_path: Path, file: str) -> None:
    with pytest.raises(ReenactError, match="no weight file beside it"):
        weights.records(shipped(tmp_path, file=file))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"file": "net.onnx"}', "\0", "[" * 100_000])
def test_damaged_record_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "net.json").write_text(text)
    with pytest.raises(ReenactError, match=r"net\.json: not a weight record"):
        weights.records(tmp_path)


def test_what_this_version_ships_is_intact() -> None:
    for record in weights.records():
        weights.check(record.path, record.sha256)
