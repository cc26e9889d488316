from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

import c2pa
import pytest
from trust_samples import STILLS, VIDEOS, record, write

from reenact.errors import ReenactError
from reenact.trust import (
    ManifestReading,
    ingredient,
    local_signer,
    new_mark_id,
    read_manifest,
    root_certificate,
    sidecar_path,
    sign_file,
    sign_folder,
)
from reenact.trust.formats import sniff


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path_factory.getbasetemp() / "home"
    monkeypatch.setenv("REENACT_HOME", str(path))
    return path


def read(path: Path, anchors: bytes | None = None) -> ManifestReading:
    form = sniff(path)
    assert form is not None
    return read_manifest(path, form, anchors)


@pytest.mark.parametrize("suffix", STILLS + VIDEOS)
def test_round_trip_in_each_format(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"out.{suffix}", marked=False)
    sidecar = sign_file(path, record(consent="given in writing"), local_signer())
    found = read(path)
    assert found.state == "untrusted" and found.problems == ()
    assert (found.title, found.software, found.system) == (path.name, "reenact 0.1.0", "warp")
    assert found.mark_id == record().mark_id and found.consent == "given in writing" and found.watermarked
    assert found.ingredients == (("source", "face.jpg", "ab" * 32), ("driving", "d.mp4", "cd" * 32))
    assert read(path, root_certificate()).state == "valid"
    assert sidecar == (sidecar_path(path) if suffix in ("webm", "mkv") else None)
    expected = [path.name] if sidecar is None else [path.name, sidecar.name]
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(expected)


def test_an_independent_reader_agrees(tmp_path: Path) -> None:
    path = write(tmp_path / "out.mp4", marked=False)
    sign_file(path, record(), local_signer())
    with c2pa.Reader(str(path)) as reader:
        manifest = reader.get_active_manifest()
        assert reader.get_validation_state() == "Valid" and manifest is not None
    actions = next(a for a in manifest["assertions"] if a["label"] == "c2pa.actions.v2")["data"]["actions"]
    assert [a["action"] for a in actions] == ["c2pa.created", "c2pa.edited", "c2pa.watermarked.unbound"]
    assert {i["relationship"] for i in manifest["ingredients"]} == {"inputTo"}


@pytest.mark.parametrize(
    ("learned", "term"), [(True, "compositeWithTrainedAlgorithmicMedia"), (False, "compositeSynthetic")]
)
def test_source_type(tmp_path: Path, learned: bool, term: str) -> None:
    path = write(tmp_path / "out.png", marked=False)
    sign_file(path, record(learned=learned), local_signer())
    assert read(path).source_type == term and read(path).says_ai


@pytest.mark.parametrize("suffix", ["png", "jpg", "mp4", "webm"])
def test_one_changed_byte_of_the_media_shows(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"out.{suffix}", marked=False)
    sign_file(path, record(), local_signer())
    data = bytearray(path.read_bytes())
    data[len(data) * 3 // 4] ^= 1
    path.write_bytes(data)
    assert read(path).state == "tampered" and read(path).problems


def test_a_changed_manifest_shows(tmp_path: Path) -> None:
    path = write(tmp_path / "out.jpg", marked=False)
    sign_file(path, record(), local_signer())
    path.write_bytes(path.read_bytes().replace(b"AI-manipulated", b"NO-manipulated"))
    assert read(path).state == "tampered"


def test_signing_keeps_mode_and_picture(tmp_path: Path) -> None:
    path = write(tmp_path / "out.png", marked=False)
    path.chmod(0o640)
    hidden = path.rename(tmp_path / "out.png.partial")
    sign_file(hidden, record(), local_signer(), final=path)
    assert stat.S_IMODE(hidden.stat().st_mode) == 0o640
    assert read(hidden).title == "out.png"


def test_a_file_that_cannot_be_signed_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "out.png"
    path.write_bytes(b"no picture")
    with pytest.raises(ReenactError, match="no picture or video"):
        sign_file(path, record(), local_signer())
    path.write_bytes(write(tmp_path / "whole.png", marked=False).read_bytes()[:3000])
    before = path.read_bytes()
    with pytest.raises(ReenactError, match="nothing was changed"):
        sign_file(path, record(), local_signer())
    assert path.read_bytes() == before and len(list(tmp_path.iterdir())) == 2


def test_a_sidecar_of_another_file_is_none(tmp_path: Path) -> None:
    webm, mkv = (write(tmp_path / f"out.{s}", marked=False) for s in ("webm", "mkv"))
    sign_file(webm, record(), local_signer())
    sign_file(mkv, record(), local_signer())
    assert read(webm).state == "absent" and read(mkv).state == "untrusted"


def test_a_picture_sequence(tmp_path: Path) -> None:
    for n in range(3):
        write(tmp_path / f"{n:04}.png", marked=False)
    assert sign_folder(tmp_path, record(), local_signer()) == 3
    assert {read(p).state for p in tmp_path.iterdir()} == {"untrusted"}


def test_ingredients_are_hashed(tmp_path: Path) -> None:
    path = write(tmp_path / "in.png", marked=False)
    found = ingredient(path, "source")
    assert (found.sha256, found.format) == (hashlib.sha256(path.read_bytes()).hexdigest(), "image/png")
    folder = ingredient(tmp_path, "driving")
    (tmp_path / "more.png").write_bytes(b"x")
    assert ingredient(tmp_path, "driving").sha256 != folder.sha256
    with pytest.raises(ReenactError, match="check the path"):
        ingredient(tmp_path / "none.png", "source")


def test_ids_and_limits() -> None:
    ids = {new_mark_id() for _ in range(100)}
    assert len(ids) == 100 and all(0 < i < 1 << 32 for i in ids)
    with pytest.raises(ReenactError, match="32 bits"):
        record(mark_id=1 << 32)
    with pytest.raises(ReenactError, match="consent"):
        record(consent="x" * 3000)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_read_only(tmp_path: Path) -> None:
    path = write(tmp_path / "out.png", marked=False)
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(ReenactError, match="nothing was changed"):
            sign_file(path, record(), local_signer())
    finally:
        tmp_path.chmod(0o700)
