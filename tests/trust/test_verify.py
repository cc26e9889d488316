from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path

import c2pa
import numpy as np
import pytest
from PIL import Image as Pictures
from skimage.data import astronaut
from trust_samples import MARK_ID, marked_picture, record, write, write_video

from reenact.errors import ReenactError
from reenact.trust import exit_code, local_signer, sidecar_path, sign_file, verify, verify_all


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REENACT_HOME", str(tmp_path_factory.getbasetemp() / "home"))


def signed(path: Path, **changes: object) -> Path:
    write(path)
    sign_file(path, record(**changes), local_signer())
    return path


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "mp4", "webm"])
def test_marked_and_intact(tmp_path: Path, suffix: str) -> None:
    found = verify(signed(tmp_path / f"out.{suffix}"))
    assert (found.verdict, found.exit_code, found.agree) == ("marked", 0, True)
    assert found.watermark is not None and found.watermark.mark_id == MARK_ID
    assert json.loads(json.dumps(found.as_dict()))["manifest"]["state"] == "untrusted"


def test_unmarked(tmp_path: Path) -> None:
    for suffix in ("png", "mp4"):
        found = verify(write(tmp_path / f"plain.{suffix}", marked=False))
        assert (found.verdict, found.exit_code, found.manifest.state) == ("unmarked", 1, "absent")


@pytest.mark.parametrize("suffix", ["png", "jpg", "mp4"])
def test_a_changed_byte(tmp_path: Path, suffix: str) -> None:
    path = signed(tmp_path / f"out.{suffix}")
    data = bytearray(path.read_bytes())
    data[len(data) * 3 // 4] ^= 1
    path.write_bytes(data)
    assert verify(path).exit_code == 3


def test_stripped_metadata_leave_the_watermark(tmp_path: Path) -> None:
    path = signed(tmp_path / "out.png")
    Pictures.open(path).convert("RGB").save(tmp_path / "stripped.jpg", quality=75)
    found = verify(tmp_path / "stripped.jpg")
    assert found.manifest.state == "absent" and found.exit_code == 3
    assert found.watermark is not None and found.watermark.mark_id == MARK_ID


def test_a_lost_sidecar(tmp_path: Path) -> None:
    path = signed(tmp_path / "out.webm")
    sidecar_path(path).unlink()
    found = verify(path)
    assert found.exit_code == 3 and found.watermark is not None and found.watermark.present


def test_a_manifest_put_on_another_picture(tmp_path: Path) -> None:
    path = signed(tmp_path / "out.png", mark_id=7)
    found = verify(path)
    assert (found.agree, found.exit_code) == (False, 3)


def _foreign(path: Path, source_type: str) -> Path:
    """A file signed by other software than ours, with a certificate of its own."""
    plain = path.with_name("plain.png")
    Pictures.fromarray(astronaut()).save(plain)
    kind = f"http://cv.iptc.org/newscodes/digitalsourcetype/{source_type}"
    action = {"action": "c2pa.created", "digitalSourceType": kind}
    manifest = {
        "claim_generator_info": [{"name": "camera\x1b[31m", "version": "1"}],
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [action]}}],
    }
    signer = local_signer()
    info = c2pa.C2paSignerInfo("es256", signer.chain, signer.key, None)
    c2pa.Builder(manifest).sign_file(str(plain), str(path), c2pa.Signer.from_info(info))
    return path


def test_a_foreign_manifest(tmp_path: Path) -> None:
    camera = verify(_foreign(tmp_path / "camera.png", "digitalCapture"))
    assert (camera.verdict, camera.manifest.state, camera.manifest.mark_id) == ("unmarked", "untrusted", None)
    assert camera.manifest.software is not None and "\x1b" not in camera.manifest.software
    assert verify(_foreign(tmp_path / "model.png", "trainedAlgorithmicMedia")).verdict == "marked"


def _png_header(width: int, height: int) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))


def test_unreadable(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole.mp4", marked=False).read_bytes()
    cases = {
        "text.png": b"hello, I am a text\n" * 40,
        "text.mp4": b"not a film",
        "empty.jpg": b"",
        "cut.png": write(tmp_path / "whole.png", marked=False).read_bytes()[:5000],
        "cut.mp4": whole[: len(whole) // 2],
        "bomb.png": _png_header(100_000, 100_000) + b"\0\0\0\x40IDAT" + bytes(64),
        "noise.webp": b"RIFF\x10\0\0\0WEBP" + bytes(range(256)),
        "noise.mp4": b"\0\0\0\x18ftypmp42" + np.random.default_rng(0).bytes(5000),
    }
    for name, data in cases.items():
        path = tmp_path / name
        path.write_bytes(data)
        found = verify(path)
        assert (found.verdict, found.exit_code) == ("unreadable", 2), name
        assert "\n" not in found.reason
        assert name != "bomb.png" or "too large" in found.reason


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(ReenactError, match="is no file"):
        verify(tmp_path / "none.png")


def test_folder(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    signed(tmp_path / "a.png")
    write(tmp_path / "sub" / "b.jpg", marked=False)
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "link.png").symlink_to(tmp_path / "a.png")
    found = list(verify_all(tmp_path))
    assert [(v.path.name, v.exit_code) for v in found] == [("a.png", 0), ("b.jpg", 1)]
    assert exit_code(found) == 1
    (tmp_path / "empty").mkdir()
    with pytest.raises(ReenactError, match="no pictures or videos"):
        list(verify_all(tmp_path / "empty"))


def test_a_clip_marked_in_part(tmp_path: Path) -> None:
    plain = [np.roll(astronaut(), 7 * n, axis=1) for n in range(20)]
    path = write_video(tmp_path / "mixed.mp4", plain[:15] + [marked_picture()] * 5, crf=16)
    found = verify(path)
    assert found.watermark is not None and found.watermark.mark_id == MARK_ID
