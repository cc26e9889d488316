"""The Python client against a server on a real port."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")
pytest.importorskip("httpx")

from web_server import running

from reenact.errors import ReenactError
from reenact.trust.verify import verify
from reenact.web.app import make_app
from reenact.web.client import Client

TOKEN = "correct-horse-battery"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running(make_app(page=False, threads=1, token=TOKEN)) as address:
        yield address


def test_three_lines(server: str, portrait: Path, motion: Path, tmp_path: Path) -> None:
    client = Client(server, token=TOKEN)
    status = client.animate(portrait, motion, tmp_path / "out.mp4", lips=1.2)
    assert status["state"] == "done" and verify(tmp_path / "out.mp4").verdict == "marked"
    client.animate(portrait, None, tmp_path / "pose.jpg", pose={"yaw": 10})
    assert client.verify(tmp_path / "pose.jpg")["verdict"] == "marked"
    with pytest.raises(ReenactError, match="404"):
        client.status(status["id"])
    client.close()


def test_what_the_server_refuses_is_said(server: str, portrait: Path, tmp_path: Path) -> None:
    with Client(server, token=TOKEN) as client:
        with pytest.raises(ReenactError, match="no system"):
            client.animate(portrait, portrait, tmp_path / "out.png", system="none")
        with pytest.raises(ReenactError, match=r"cannot|not a|damaged"):
            client.animate(portrait, Path(__file__), tmp_path / "out.mp4")
        job = client.create(portrait, None, kind="pose")
        client.wait(job["id"])
        with pytest.raises(ReenactError, match="404"):
            client.fetch("nothing", tmp_path / "x.png")
        assert client.fetch(job["id"], tmp_path / "x.motion", "motion").stat().st_size > 100
    with Client(server, token="wrong") as client, pytest.raises(ReenactError, match="401"):
        client.status("x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.motion"]
