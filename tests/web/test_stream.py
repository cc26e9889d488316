"""Live use, over a real WebSocket on a real port."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")
httpx = pytest.importorskip("httpx")
sync = pytest.importorskip("websockets.sync.client")

from web_server import WAIT, running  # noqa: E402

from reenact.web.app import make_app  # noqa: E402
from reenact.web.limits import Limits  # noqa: E402


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running(make_app(Limits(streams=1, portraits=2), page=False, threads=1)) as address:
        yield address


def hold(server: str, portrait: Path) -> str:
    answer = httpx.post(f"{server}/api/portraits", files={"file": portrait.read_bytes()}, timeout=WAIT)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def live(server: str, name: str) -> Any:
    return sync.connect(f"{server.replace('http', 'ws')}/api/portraits/{name}/live", max_size=None)


def jpeg(portrait: Path, turn: float) -> bytes:
    out = io.BytesIO()
    PIL.Image.open(portrait).convert("RGB").rotate(turn, center=(128, 170)).save(out, "JPEG", quality=90)
    return out.getvalue()


def answer(socket: Any, number: int, frame: bytes) -> np.ndarray:
    socket.send(struct.pack(">q", number) + frame)
    data = socket.recv(WAIT)
    assert struct.unpack(">q", data[:8]) == (number,)
    return np.array(PIL.Image.open(io.BytesIO(data[8:])))


def test_the_portrait_follows_the_camera(server: str, portrait: Path) -> None:
    name = hold(server, portrait)
    with live(server, name) as socket:
        socket.send(json.dumps({"smooth": 0}))
        assert json.loads(socket.recv(WAIT)) == {"ready": True}
        still = answer(socket, 1, jpeg(portrait, 0)).astype(float)
        turned = answer(socket, 2, jpeg(portrait, 10)).astype(float)
        assert still.shape == turned.shape == (256, 256, 3)
        assert np.abs(still - turned).mean() > 2
        socket.send(json.dumps({"smooth": 0, "recalibrate": True}))
        again = answer(socket, 3, jpeg(portrait, 10)).astype(float)
        assert np.abs(still - again).mean() < np.abs(still - turned).mean() / 2


def test_a_face_that_is_lost_is_told(server: str, portrait: Path) -> None:
    out = io.BytesIO()
    PIL.Image.new("RGB", (256, 256), "grey").save(out, "JPEG")
    with live(server, hold(server, portrait)) as socket:
        socket.send(json.dumps({"system": "warp"}))
        socket.recv(WAIT)
        socket.send(b"12345678" + out.getvalue())
        assert json.loads(socket.recv(WAIT)) == {"face": False}
        assert socket.recv(WAIT)[:8] == b"12345678"
        socket.send(b"23456789" + jpeg(portrait, 0))
        assert json.loads(socket.recv(WAIT)) == {"face": True}
        assert socket.recv(WAIT)[:8] == b"23456789"


def test_frames_that_come_too_fast_are_left_out(server: str, portrait: Path) -> None:
    frame, count = jpeg(portrait, 0), 25
    with live(server, hold(server, portrait)) as socket:
        socket.send("{}")
        socket.recv(WAIT)
        for number in range(count):
            socket.send(struct.pack(">q", number) + frame)
        seen = [struct.unpack(">q", socket.recv(WAIT)[:8])[0]]
        while seen[-1] != count - 1:
            seen.append(struct.unpack(">q", socket.recv(WAIT)[:8])[0])
    assert seen == sorted(seen) and len(seen) < count


WRONG = [
    ("no json", None),
    ('{"strength": 9}', None),
    ('{"system": "none"}', None),
    ("{}", b"\0" * 100),
    ("{}", b"\0" * 8),
]


@pytest.mark.parametrize(("settings", "frame"), WRONG)
def test_what_is_no_setting_or_frame_ends_in_words(
    server: str, portrait: Path, settings: str, frame: bytes | None
) -> None:
    with live(server, hold(server, portrait)) as socket:
        socket.send(settings)
        if frame is not None:
            assert json.loads(socket.recv(WAIT)) == {"ready": True}
            socket.send(frame)
        assert json.loads(socket.recv(WAIT))["error"]


def test_a_frame_with_too_many_pixels_is_not_decoded(server: str, portrait: Path) -> None:
    out = io.BytesIO()
    PIL.Image.new("L", (4000, 4000)).save(out, "JPEG")
    with live(server, hold(server, portrait)) as socket:
        socket.send("{}")
        socket.recv(WAIT)
        socket.send(b"12345678" + out.getvalue())
        assert "4000 x 4000" in json.loads(socket.recv(WAIT))["error"]


def test_streams_and_portraits_are_limited(server: str, portrait: Path) -> None:
    names = [hold(server, portrait) for _ in range(3)]
    with live(server, names[0]) as socket:
        assert "no such portrait" in json.loads(socket.recv(WAIT))["error"]
    with live(server, names[1]) as first:
        first.send("{}")
        first.recv(WAIT)
        with live(server, names[2]) as second:
            assert "too many" in json.loads(second.recv(WAIT))["error"]
    assert httpx.delete(f"{server}/api/portraits/{names[2]}").status_code == 204
    assert httpx.delete(f"{server}/api/portraits/{names[2]}").status_code == 404


def test_a_picture_without_a_face_is_no_portrait(server: str, tmp_path: Path) -> None:
    grey = tmp_path / "grey.png"
    PIL.Image.new("RGB", (200, 200), "grey").save(grey)
    refused = httpx.post(f"{server}/api/portraits", files={"file": grey.read_bytes()}, timeout=WAIT)
    assert refused.status_code == 400 and "no face" in refused.json()["detail"]
    assert "/" not in refused.json()["detail"]
