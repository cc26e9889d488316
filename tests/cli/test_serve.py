"""`reenact serve` as a process: what it refuses, and a server that is there and leaves nothing behind."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cli_command import Command

from reenact.cli import serve
from reenact.errors import ReenactError

WRONG = [
    (["--host", "192.0.2.1"], "cannot be listened on"),
    (["--token-file", "nowhere.txt"], "cannot be read"),
    (["--port", "70000"], "65535"),
]


@pytest.mark.parametrize(("words", "said"), WRONG)
def test_what_cannot_be_served_is_one_line(reenact: Command, words: list[str], said: str) -> None:
    pytest.importorskip("gradio")
    done = reenact("serve", *words)
    assert done.code == 2 and said in done.line()


def test_without_its_packages_it_says_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve.util, "find_spec", lambda name: None)
    with pytest.raises(ReenactError, match=r"pip install 'reenact\[web\]'"):
        serve.serve()


def test_a_token_is_long(tmp_path: Path) -> None:
    file = tmp_path / "token"
    for text, said in (("short", "at least 16"), ("", "empty"), ("with spaces in between it", "at least")):
        file.write_text(text)
        with pytest.raises(ReenactError, match=said):
            serve._token(str(file))
    file.write_text("correct-horse-battery\n")
    assert serve._token(str(file)) == "correct-horse-battery"


def start(tmp_path: Path, *words: str) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    code = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    code += "from reenact.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "serve", "--port", "0", "--no-page", "--json", *words]
    environment = {"TMPDIR": str(tmp_path), "PATH": "", "REENACT_HOME": str(tmp_path)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    lines = ""
    while not lines.rstrip().endswith("}"):
        line = process.stdout.readline()
        assert line, "it ended at once"
        lines += line
    return process, json.loads(lines)


def test_it_serves_and_leaves_nothing_behind(tmp_path: Path) -> None:
    httpx = pytest.importorskip("httpx")
    pytest.importorskip("fastapi")
    process, told = start(tmp_path)
    try:
        transport = httpx.HTTPTransport(retries=8)
        with httpx.Client(transport=transport, timeout=300) as client:
            assert client.get(f"{told['address']}/api/about").status_code == 200
        assert told["token"] is None and list(tmp_path.glob("reenact-web-*"))
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(300) in (0, 130)
    assert not list(tmp_path.glob("reenact-web-*"))


def test_beyond_this_computer_there_is_a_token(tmp_path: Path) -> None:
    httpx = pytest.importorskip("httpx")
    pytest.importorskip("fastapi")
    process, told = start(tmp_path, "--host", "0.0.0.0")
    try:
        address = told["address"].replace("0.0.0.0", "127.0.0.1")
        with httpx.Client(transport=httpx.HTTPTransport(retries=8), timeout=300) as client:
            assert client.get(f"{address}/api/about").status_code == 401
            answer = client.get(f"{address}/api/about", headers={"Authorization": f"Bearer {told['token']}"})
            assert answer.status_code == 200
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(300)
