"""The API from Python.

>>> from reenact.web.client import Client                              # doctest: +SKIP
>>> client = Client("http://127.0.0.1:7860")                           # doctest: +SKIP
>>> client.animate("portrait.jpg", "clip.mp4", "out.mp4")              # doctest: +SKIP
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from reenact.errors import ReenactError
from reenact.media.files import atomic_output

Status = dict[str, Any]
PathLike = str | os.PathLike[str]
_PAUSE = 0.2


class Client:
    """A server's API; a context manager. token: where the server asks for one. timeout: seconds a request may
    take, without the job's own time."""

    def __init__(
        self, address: str = "http://127.0.0.1:7860", token: str | None = None, timeout: float = 60
    ) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(base_url=address, headers=headers, timeout=timeout)

    def animate(
        self,
        source: PathLike,
        driving: PathLike | None,
        output: PathLike,
        progress: Callable[[Status], None] | None = None,
        **options: Any,
    ) -> Status:
        """Animate a portrait into `output` and delete the job from the server; its last status.

        driving: None for a pose by hand. options: as the API's JobOptions; `kind` and `format` follow from the
        files by default. progress: told of the job's status now and then. Raises ReenactError for whatever the
        server refuses.
        """
        target = Path(output)
        suffix = target.suffix.lower().lstrip(".")
        stills = ("png", "jpg", "jpeg", "webp")
        kind = "pose" if driving is None else "image" if suffix in stills else "video"
        options = {"kind": kind, "format": "jpg" if suffix == "jpeg" else suffix, **options}
        status = self.create(source, driving, **options)
        try:
            status = self.wait(status["id"], progress)
            self.fetch(status["id"], target)
        finally:
            self.delete(status["id"])
        return status

    def create(self, source: PathLike | None, driving: PathLike | None, **options: Any) -> Status:
        """Create a job and return its status at once; waits while the server's queue is full."""
        while True:
            with ExitStack() as stack:
                files = {
                    name: stack.enter_context(Path(path).open("rb"))
                    for name, path in (("source", source), ("driving", driving))
                    if path is not None
                }
                # A form without a file would not be sent as multipart.
                answer = self._http.post(
                    "/api/jobs", data={"options": json.dumps(options)}, files=files or None
                )
            if answer.status_code != 429:
                return dict(_checked(answer).json())
            time.sleep(float(answer.headers.get("retry-after", "5")))

    def status(self, name: str) -> Status:
        """Where a job is."""
        return dict(_checked(self._http.get(f"/api/jobs/{name}")).json())

    def wait(self, name: str, progress: Callable[[Status], None] | None = None) -> Status:
        """Wait until a job has ended. Raises ReenactError where it failed or was cancelled."""
        while True:
            status = self.status(name)
            if progress is not None:
                progress(status)
            if status["state"] == "done":
                return status
            if status["state"] in ("failed", "cancelled"):
                raise ReenactError(status["error"] or "the job was cancelled")
            time.sleep(_PAUSE)

    def fetch(self, name: str, output: PathLike, artefact: str = "result") -> Path:
        """Write a finished job's file: 'result', 'motion' or 'landmarks'."""
        target = Path(output)
        with (
            self._http.stream("GET", f"/api/jobs/{name}/files/{artefact}") as answer,
            atomic_output(target, overwrite=True) as partial,
            partial.open("wb") as file,
        ):
            if answer.is_error:
                answer.read()
            for block in _checked(answer).iter_bytes():
                file.write(block)
        return target

    def cancel(self, name: str) -> Status:
        """Stop a job."""
        return dict(_checked(self._http.post(f"/api/jobs/{name}/cancel")).json())

    def delete(self, name: str) -> None:
        """Delete a job and its files; one that is gone already is no error."""
        answer = self._http.delete(f"/api/jobs/{name}")
        if answer.status_code != 404:
            _checked(answer)

    def verify(self, path: PathLike) -> Status:
        """The marks of a file, as the server's `verify` sees them."""
        with Path(path).open("rb") as file:
            return dict(_checked(self._http.post("/api/verify", files={"file": file})).json())

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()


def _checked(answer: httpx.Response) -> httpx.Response:
    if answer.is_error:
        try:
            detail = answer.json()["detail"]
        except (ValueError, KeyError, TypeError):
            detail = answer.reason_phrase
        raise ReenactError(f"the server answered {answer.status_code}: {detail}")
    return answer
