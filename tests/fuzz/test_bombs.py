"""What is small on the disk and huge in memory, archives, links and `..`: refused with one clear line.

Headers that declare 100,000 px and 10^9 frames: tests/media/test_stills.py and test_reader.py, which also have
links in folders and playlists that name other files; `..` in weight records: tests/runtime/test_weights.py.
"""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from reenact.errors import ReenactError
from reenact.geometry.face_model import load_face_model
from reenact.media import limits
from reenact.media.reader import open_frames
from reenact.media.stills import read_still
from reenact.pipeline.motion_file import read_motion
from reenact.runtime import weights
from reenact.trust import verify, verify_all

READERS: dict[str, Callable[[Path], object]] = {
    "a.png": read_still,
    "a.mp4": open_frames,
    "a.motion": read_motion,
    "a.safetensors": load_face_model,
}


def refused(read: Callable[[], object], *parts: object) -> None:
    with pytest.raises(ReenactError) as caught:
        read()
    assert all(str(part) in str(caught.value) for part in parts) and "\n" not in str(caught.value)


def zipped(data: bytes, name: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return buffer.getvalue()


def tarred(data: bytes, name: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


@pytest.mark.parametrize("name", READERS)
def test_archives_are_not_opened(tmp_path: Path, name: str) -> None:
    inner = zipped(bytes(10**6), "../../" + name)
    for data in (inner, zipped(inner, "inner.zip"), tarred(inner, "/etc/" + name)):
        path = tmp_path / name
        path.write_bytes(data)
        refused(lambda path=path: READERS[name](path), path)
    assert verify(path).verdict == "unreadable"
    assert [p.name for p in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("count", [2**63 - 1, 2**40, 10**9])
def test_a_header_that_declares_more_than_there_is(tmp_path: Path, count: int) -> None:
    """Safetensors: the length of the header, and the size of an array."""
    path = tmp_path / "a.motion"
    shape = f'{{"times":{{"dtype":"I64","shape":[{count},2],"data_offsets":[0,{count * 16}]}}}}'.encode()
    for data in (struct.pack("<Q", count) + b"{}", struct.pack("<Q", len(shape)) + shape + bytes(32)):
        path.write_bytes(data)
        refused(lambda: read_motion(path), path)
        refused(lambda: load_face_model(path), path)


def peak_of(path: Path, reader: str) -> tuple[str, int]:
    """What became of a file, and the most bytes that reading it took, in a process of its own."""
    code = (
        "import sys; from pathlib import Path\n"
        "from fuzz.worker import read_one; from fuzz.readers import READERS\n"
        "found = read_one(READERS[sys.argv[1]], Path(sys.argv[2])); print(found['what'], found['peak'])"
    )
    root = Path(__file__).parent.parent.parent
    command = [sys.executable, "-c", code, reader, str(path)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    what, peak = done.stdout.split()
    return what, int(peak)


@pytest.mark.slow
@pytest.mark.parametrize("reader", ["stills", "verify"])
@pytest.mark.parametrize("kind", ["webp", "animated", "progressive"])
def test_the_largest_that_is_read_takes_under_two_gigabytes(tmp_path: Path, kind: str, reader: str) -> None:
    """Found with files of 34 and 569 bytes that took 6 and 4 GB."""
    path = tmp_path / ("a.jpg" if kind == "progressive" else "a.webp")
    if kind == "progressive":
        PIL.Image.new("RGB", (64, 64), "red").save(path, progressive=True, subsampling=0)
        data = bytearray(path.read_bytes())
        at = data.find(b"\xff\xc2")
        data[at + 5 : at + 9] = struct.pack(">HH", 14_140, 14_140)
        path.write_bytes(data)
    else:
        pictures = [PIL.Image.new("RGB", (9990, 9990), (value, 0, 0)) for value in (1, 2)]
        options = {"save_all": True, "append_images": pictures[1:]} if kind == "animated" else {}
        pictures[0].save(path, lossless=True, method=0, quality=0, **options)
    _, peak = peak_of(path, reader)
    assert peak < 2 << 30


def test_a_still_is_bounded_by_what_its_decoder_takes(tmp_path: Path) -> None:
    here = Path("a")
    limits.check_still_size(16_320, 12_240, "JPEG", 3, here)  # the largest that telephones take
    limits.check_still_size(9_999, 9_999, "WEBP", 0, here)
    for width, height, form, coefficients in (
        (100_000, 1, "PNG", 0),
        (16_320, 12_300, "PNG", 0),
        (16_320, 12_240, "JPEG", 4),
        (10_001, 10_001, "WEBP", 0),
        (11_000, 11_000, "AVIF", 0),
    ):
        refused(
            lambda w=width, h=height, f=form, c=coefficients: limits.check_still_size(w, h, f, c, here), width
        )


def test_a_video_is_bounded_by_what_its_decoder_holds(tmp_path: Path) -> None:
    here = Path("a")
    assert limits.check_frame_bytes(7680 * 4320, 24, here) == 7680 * 4320 * 3  # 8K in ten bits
    refused(lambda: limits.check_frame_bytes(8192 * 8192, 48, here), "too large")


def test_verify_stays_in_its_folder(tmp_path: Path) -> None:
    """Links to a file, to a folder and in a circle are passed over."""
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    for path in (inside / "a.png", outside / "secret.png"):
        PIL.Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(path)
    (inside / "link.png").symlink_to(outside / "secret.png")
    (inside / "folder").symlink_to(outside)
    (inside / "circle").symlink_to(inside)
    assert [found.path for found in verify_all(inside)] == [inside / "a.png"]


def test_a_name_that_looks_like_a_protocol_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("secret.ts").write_bytes(b"G" + bytes(187))
    Path("concat:secret.ts").write_bytes(b"\0\0\0\x18ftypmp42" + bytes(100))
    assert verify(Path("concat:secret.ts")).verdict == "unreadable"
    refused(lambda: open_frames(Path("concat:secret.ts")), "concat:secret.ts")


def test_a_record_cannot_name_a_file_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "secret.onnx").write_bytes(b"x")
    folder = tmp_path / "weights"
    folder.mkdir()
    for name in ("../secret.onnx", str(tmp_path / "secret.onnx"), "./../secret.onnx", ""):
        record = {"file": name, "sha256": "0", "purpose": "", "licence": ""}
        (folder / "net.json").write_text(json.dumps(record))
        refused(lambda: weights.records(folder), "net.json")


@pytest.mark.parametrize("text", ["[" * 100_000, "[]", "3", '{"a": {"__tensor__": []}}', "", "9" * 5000])
def test_a_hostile_checkpoint_is_refused(tmp_path: Path, text: str) -> None:
    torch = pytest.importorskip("torch")
    from reenact.training import checkpoint

    path = checkpoint.save(tmp_path, 1, {"weight": torch.ones(2)})
    (path / "state.json").write_text(text)
    refused(lambda: checkpoint.load(path), path)
