"""The HTTP API as a reader: each input is what a client sends through one connection, headers and all.

The server is the real one (uvicorn with our limits) on a free port of the loopback, without the page. An input
is 'read' where the API did what was asked, 'refused' where it answered 4xx or closed the connection. A fault is
an answer of 5xx, an exception behind it, a job that fails as 'a fault of the server', or an upload left behind.
"""

from __future__ import annotations

import asyncio
import base64
import io
import json
import re
import socket
import struct
import threading
import time
from collections.abc import MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from reenact.errors import ReenactError

_PORTRAIT = "a-portrait-that-is-held"
_BOUNDARY = "----reenact"
_PATIENCE = 120.0
"""Seconds by the clock that the server may work on one input; its CPU time is limited by the worker."""
_PAUSE = 0.02
_LENGTH = re.compile(rb"(?i)content-length: *[^\r\n]*")


class Watched:
    """An ASGI application, with a record of what it works on and what went wrong in it."""

    def __init__(self, app: Any) -> None:
        self.app, self.lock = app, threading.Lock()
        self.active = self.waiting = self.threads = 0
        self.faults: list[BaseException] = []
        self.loop: asyncio.AbstractEventLoop | None = None

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Pass on, and count; whoever waits for the client is not at work."""
        if scope["type"] == "lifespan":
            self.loop = asyncio.get_running_loop()
            self.loop.set_default_executor(_Counted(self))
            await self.app(scope, receive, send)
            return

        async def listened() -> Any:
            self.add(waiting=1)
            try:
                return await receive()
            finally:
                self.add(waiting=-1)

        self.add(active=1)
        try:
            await self.app(scope, listened, send)
        except BaseException as error:
            self.faults.append(error)
            raise
        finally:
            self.add(active=-1)

    def add(self, active: int = 0, waiting: int = 0, threads: int = 0) -> None:
        """Count."""
        with self.lock:
            self.active += active
            self.waiting += waiting
            self.threads += threads

    @property
    def works(self) -> bool:
        """Whether a request is being worked on, and not only waited for. What was sent has reached the
        application then: the event loop has looked at its sockets a few times."""
        assert self.loop is not None
        for _ in range(4):
            asyncio.run_coroutine_threadsafe(asyncio.sleep(0), self.loop).result(_PATIENCE)
        with self.lock:
            return self.active > self.waiting or self.threads > 0


class _Counted(ThreadPoolExecutor):
    """The event loop's threads, in which live streams render."""

    def __init__(self, watched: Watched) -> None:
        super().__init__(4)
        self._watched = watched

    def submit(self, work: Any, /, *given: Any, **named: Any) -> Any:
        self._watched.add(threads=1)
        future = super().submit(work, *given, **named)
        future.add_done_callback(lambda _: self._watched.add(threads=-1))
        return future


@cache
def _running() -> tuple[Watched, Any, int]:
    """The application, watched; its state; and the port it listens on. It runs until the process ends."""
    from reenact.web.app import make_app, server_for
    from reenact.web.limits import Limits

    app = make_app(Limits(upload_bytes=8 << 20, seconds=10, pixels=1_000_000, keep=600), page=False, threads=1)
    watched = Watched(app)
    server = server_for(watched, "127.0.0.1", 0, log_level="critical")
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(_PAUSE)
    folder = app.state.root / "scratch"
    portrait = folder / "portrait.png"
    portrait.write_bytes(_portrait())
    studios = app.state.server.studios
    name = studios.add(portrait)
    studios._held[_PORTRAIT] = studios._held.pop(name)
    portrait.unlink()
    return watched, app.state, server.servers[0].sockets[0].getsockname()[1]


def ask(path: Path) -> None:
    """Send a file's bytes to the server, and wait until all that came of them has ended."""
    watched, state, port = _running()
    watched.faults.clear()
    answer = _exchange(path.read_bytes(), watched, port)
    errors = _settled(state)
    assert not watched.faults, repr(watched.faults[0])
    assert not errors, errors
    left = [p.name for p in state.root.rglob("*") if p.is_file()]
    assert not left, f"left behind: {left[:5]}"
    codes = [int(code) for code in re.findall(rb"(?m)^HTTP/1\.1 ([0-9]{3}) ", answer)]
    assert not [code for code in codes if code >= 500], answer[:300]
    if not codes or codes[-1] >= 400:
        raise ReenactError(f"answered {codes or 'nothing'}")


def _exchange(data: bytes, watched: Watched, port: int) -> bytes:
    """What came back, until the server closed the connection or waits for more."""
    head, line, rest = data.partition(b"\r\n\r\n")
    # What follows the opening of a WebSocket may be sent once the server has agreed to it.
    parts = [head + line, rest] if b"upgrade" in head.lower() else [data]
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE) as connection:
        for part in parts:
            sender = threading.Thread(target=_send, args=(connection, part), daemon=True)
            sender.start()
            answer += _heard(connection, sender, watched)
            sender.join()
    until = time.monotonic() + _PATIENCE
    while watched.active:
        assert time.monotonic() < until, "still at work after the client left"
        time.sleep(_PAUSE / 4)
    return answer


def _heard(connection: socket.socket, sender: threading.Thread, watched: Watched) -> bytes:
    """What comes until the server has nothing more to say to what was sent."""
    answer, until, quiet = b"", time.monotonic() + _PATIENCE, 0
    connection.settimeout(_PAUSE)
    while quiet < 2:
        assert time.monotonic() < until, "no end"
        try:
            part = connection.recv(1 << 16)
        except TimeoutError:
            quiet = 0 if sender.is_alive() or watched.works else quiet + 1
            continue
        except OSError:
            break
        if not part:
            break
        answer, quiet = answer + part, 0
    return answer


def _send(connection: socket.socket, data: bytes) -> None:
    with suppress(OSError):  # the server may have read enough and closed
        connection.sendall(data)


def _settled(state: Any) -> list[str]:
    """Wait for the jobs, delete them, and return what they call faults of the server; forget new portraits."""
    from reenact.web.jobs import ENDED

    jobs, until = state.server.jobs, time.monotonic() + _PATIENCE
    errors = []
    for job in list(jobs._jobs.values()):
        while job.state not in ENDED and job.state != "uploading":
            assert time.monotonic() < until, f"a job of kind {job.options.kind} did not end"
            time.sleep(_PAUSE)
        jobs.delete(job)
        errors += [job.error] if job.error and job.error.startswith("a fault") else []
    for name in [name for name in state.server.studios._held if name != _PORTRAIT]:
        state.server.studios.remove(name)
    return errors


def mended(data: bytes, random: Random) -> bytes:
    """The request with the length that its body has, so that damage gets past the head."""
    head, line, body = data.partition(b"\r\n\r\n")
    return _LENGTH.sub(b"Content-Length: %d" % len(body), head) + line + body


def requests(folder: Path) -> list[Path]:
    """Every route, whole: what a browser, a program or a live stream sends."""
    from fuzz.seeds import motions

    portrait, motion = _portrait(), motions(folder)[0].read_bytes()
    pose = {
        "kind": "pose",
        "system": "warp",
        "pose": {"yaw": 9, "expressions": {"smile": 1}, "units": {"26": 3}},
    }
    track = {"kind": "track", "start": 0, "smooth": 0.5, "label": "de", "consent": "yes"}
    made = {
        "about": _request("GET", "/api/about"),
        "systems": _request("GET", "/api/systems?token=abc"),
        "openapi": _request("GET", "/api/openapi.json"),
        "part": _request("GET", "/parts/page.css"),
        "status": _request("GET", "/api/jobs/0123456789abcdef"),
        "events": _request("GET", "/api/jobs/0123456789abcdef/events"),
        "file": _request("GET", "/api/jobs/0123456789abcdef/files/result"),
        "cancel": _request("POST", "/api/jobs/0123456789abcdef/cancel"),
        "delete": _request("DELETE", "/api/portraits/0123456789abcdef"),
        "verify": _upload("/api/verify", {"file": ("a.png", portrait)}),
        "hold": _upload("/api/portraits", {"file": ("a.png", portrait)}),
        "track": _upload("/api/jobs", {"driving": ("a.motion", motion)}, track),
        "pose": _upload("/api/jobs", {"source": ("a.png", portrait)}, pose),
        "video": _upload(
            "/api/jobs",
            {"source": ("a.png", portrait), "driving": ("a.motion", motion)},
            {"kind": "image", "system": "warp", "size": 64, "lips": 1.5, "format": "jpg"},
        ),
        "live": _live(),
    }
    for name, data in made.items():
        (folder / f"{name}.http").write_bytes(data)
    return sorted(folder.glob("*.http"))


def _request(method: str, path: str, *headers: str, body: bytes = b"") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *(headers or ("Connection: close",))]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def _upload(path: str, files: dict[str, tuple[str, bytes]], options: dict[str, Any] | None = None) -> bytes:
    body = b""
    for name, (file, data) in files.items():
        head = f'Content-Disposition: form-data; name="{name}"; filename="{file}"'
        body += (
            f"--{_BOUNDARY}\r\n{head}\r\nContent-Type: application/octet-stream\r\n\r\n".encode()
            + data
            + b"\r\n"
        )
    if options is not None:
        head = 'Content-Disposition: form-data; name="options"'
        body += f"--{_BOUNDARY}\r\n{head}\r\n\r\n{json.dumps(options)}\r\n".encode()
    body += f"--{_BOUNDARY}--\r\n".encode()
    kind = f"Content-Type: multipart/form-data; boundary={_BOUNDARY}"
    return _request("POST", path, kind, "Connection: close", body=body)


def _live() -> bytes:
    """A WebSocket's opening, settings and a camera frame. Masked with zeros, so that a change of a byte is that
    change behind the mask too."""
    import PIL.Image

    jpeg = io.BytesIO()
    PIL.Image.open(io.BytesIO(_portrait())).convert("RGB").save(jpeg, "JPEG", quality=60)
    head = _request(
        "GET",
        f"/api/portraits/{_PORTRAIT}/live",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {base64.b64encode(bytes(16)).decode()}",
    )
    settings = json.dumps({"system": "warp", "lips": 1.5, "recalibrate": True}).encode()
    return (
        head + _frame(1, settings) + _frame(2, bytes(8) + jpeg.getvalue()) + _frame(8, struct.pack(">H", 1000))
    )


def _frame(kind: int, data: bytes) -> bytes:
    size = len(data)
    length = bytes([128 | size]) if size < 126 else bytes([128 | 126]) + struct.pack(">H", size)
    return bytes([128 | kind]) + length + bytes(4) + data


@cache
def _portrait() -> bytes:
    """A face of 96 px as PNG: NASA's portrait that scikit-image carries."""
    import PIL.Image
    from skimage.data import astronaut

    file = io.BytesIO()
    PIL.Image.fromarray(astronaut()[0:230, 108:338]).resize((96, 96)).quantize(64).save(file, "PNG")
    return file.getvalue()
