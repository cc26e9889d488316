"""What several web tests need: clips, jobs that end, and a server on a real socket."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import PIL.Image

WAIT = 120.0


def write_clip(path: Path, portrait: Path, frames: int) -> Path:
    """Write a video of the portrait turning about its chin."""
    picture = PIL.Image.open(portrait).convert("RGB")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(25), options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = *picture.size, "yuv420p"
        for number in range(frames):
            turned = picture.rotate(5 * np.sin(number / 4), center=(128, 170))
            container.mux(stream.encode(av.VideoFrame.from_image(turned)))
        container.mux(stream.encode())
    return path


def post(api: Any, source: Path | None = None, driving: Path | None = None, **options: Any) -> Any:
    """Create a job; the answer."""
    files = {
        name: (path.name, path.read_bytes())
        for name, path in (("source", source), ("driving", driving))
        if path is not None
    }
    return api.post("/api/jobs", files=files or None, data={"options": json.dumps(options)})


def ended(api: Any, name: str) -> dict[str, Any]:
    """The status of a job once it has ended."""
    until = time.monotonic() + WAIT
    while time.monotonic() < until:
        status = api.get(f"/api/jobs/{name}").json()
        if status["state"] in ("done", "failed", "cancelled"):
            return dict(status)
        time.sleep(0.05)
    raise AssertionError(f"the job did not end: {status}")


@contextmanager
def running(app: Any) -> Iterator[str]:
    """Serve an application on a free port of the loopback; its address."""
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(WAIT)
