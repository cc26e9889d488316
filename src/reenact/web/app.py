"""The server: the API, the live streams and the page in one application, and how it is run."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI, WebSocket
from fastapi.staticfiles import StaticFiles
from starlette.types import ASGIApp

from reenact.pipeline.finish import package_version
from reenact.web.api import Server, routes
from reenact.web.guard import Guard
from reenact.web.jobs import Jobs
from reenact.web.limits import Limits
from reenact.web.stream import serve_stream
from reenact.web.studio import Shelf, Studios
from reenact.web.work import Worker

if TYPE_CHECKING:
    import uvicorn

STATIC = Path(__file__).parent / "static"
_DESCRIPTION = (
    "Animate a portrait with the pose and expression of another face. Create a job from uploads, poll or "
    "stream its progress, fetch its files, delete it. Previews: hold a portrait and a motion, then ask for one "
    "moment under any settings. Live use: hold a portrait, then open the WebSocket "
    "`/api/portraits/ID/live`: send settings as JSON, then JPEG frames, each after 8 bytes of your choice that "
    "come back with the answer."
)


def make_app(
    limits: Limits | None = None,
    *,
    token: str | None = None,
    names: Iterable[str] = (),
    page: bool = True,
    threads: int | None = None,
) -> FastAPI:
    """The application. token: every request then needs it. names: host names that it answers to beside
    localhost and addresses in numbers. page: with the Gradio page, else the API alone. threads: of each job.

    All files lie in a random folder of its own that is removed when the application ends.
    """
    limits = limits or Limits()
    root = Path(tempfile.mkdtemp(prefix="reenact-web-"))
    for name in ("jobs", "scratch", "page"):
        (root / name).mkdir()
    jobs = Jobs(root / "jobs", limits, Worker(limits, threads))
    server = Server(limits, jobs, Studios(limits), Shelf(limits), root / "scratch", asyncio.Semaphore(2))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await asyncio.to_thread(jobs.close)
            shutil.rmtree(root, ignore_errors=True)

    app = FastAPI(
        title="reenact",
        version=package_version(),
        description=_DESCRIPTION,
        lifespan=lifespan,
        openapi_url="/api/openapi.json",
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
    )
    app.state.server, app.state.root = server, root
    app.include_router(routes)
    app.mount("/parts", StaticFiles(directory=STATIC), name="parts")
    _add_live(app, server)
    if page:
        _add_page(app, server, root / "page")
    app.add_middleware(Guard, names=names, token=token, most_bytes=limits.upload_bytes)
    return app


def _add_live(app: FastAPI, server: Server) -> None:
    streams = 0

    @app.websocket("/api/portraits/{name}/live")
    async def live(socket: WebSocket, name: str) -> None:
        nonlocal streams
        studio = server.studios.find(name)
        await socket.accept()
        if studio is None or streams >= server.limits.streams:
            reason = "there is no such portrait" if studio is None else "too many live streams at once"
            await socket.send_json({"error": reason})
            await socket.close(1008)
            return
        streams += 1
        try:
            await serve_stream(socket, studio)
        finally:
            streams -= 1


def _add_page(app: FastAPI, server: Server, cache: Path) -> None:
    # Both are read when Gradio is imported: its cache lies in our folder, and it tells nobody that it runs.
    os.environ["GRADIO_TEMP_DIR"] = str(cache)
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    from reenact.web.page import mount

    mount(app, server, cache)


def run(app: FastAPI, host: str, port: int) -> None:
    """Serve until interrupted. Raises OSError where the address is taken."""
    server_for(app, host, port).run()


def server_for(app: ASGIApp, host: str, port: int, log_level: str = "warning") -> uvicorn.Server:
    """What serves an application, with our limits; it does not listen yet."""
    import uvicorn

    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level=log_level,
        server_header=False,
        ws_max_size=8 << 20,
        timeout_graceful_shutdown=2,
    )
    return uvicorn.Server(config)
