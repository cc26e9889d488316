"""`reenact serve`: the web page and the HTTP API."""

from __future__ import annotations

import ipaddress
import os
import secrets
import socket
import sys
from importlib import util
from typing import Annotated

import typer

from reenact.cli import console
from reenact.cli.failures import say
from reenact.errors import ReenactError

EXAMPLES = (
    "Examples:\n\nreenact serve\n\nreenact serve --port 8000 --no-page\n\n"
    "reenact serve --host 0.0.0.0 --token-file token.txt"
)
_NEEDED = ("fastapi", "uvicorn", "gradio", "multipart", "websockets")
_TOKEN = "REENACT_TOKEN"
_SHORTEST_TOKEN = 16


def serve(
    host: Annotated[
        str,
        typer.Option(metavar="ADDRESS", help="Where to listen. Beyond this computer a token is asked for."),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free one.")] = 7860,
    token_file: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            show_default=False,
            help=f"File with the token that every request must have, or put it into {_TOKEN}. "
            "Beyond this computer one is made up where none is given.",
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", show_default=False, help="A name that this server has. May be repeated."),
    ] = None,
    page: Annotated[bool, typer.Option("--page/--no-page", help="The page too, or the HTTP API alone.")] = True,
    max_upload: Annotated[float, typer.Option(min=0.1, metavar="MIB", help="Largest upload.")] = 200,
    max_seconds: Annotated[float, typer.Option(min=0.1, metavar="S", help="Longest driving file.")] = 300,
    max_megapixels: Annotated[float, typer.Option(min=0.1, metavar="MP", help="Largest portrait.")] = 50,
    jobs: Annotated[int, typer.Option(min=1, max=64, help="Jobs at once.")] = 1,
    queue: Annotated[int, typer.Option(min=1, max=10_000, help="Jobs that may wait.")] = 20,
    keep: Annotated[float, typer.Option(min=1, metavar="S", help="How long results stay.")] = 3600,
    threads: Annotated[
        int | None, typer.Option(min=1, metavar="N", show_default=False, help="Threads of each job.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the address and token as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
) -> int:
    """Open the web page and the HTTP API on this computer, until Ctrl-C."""
    _check_installed(page)
    local = _is_local(host)
    token = _token(token_file) or (None if local else secrets.token_urlsafe(24))
    port = _free_port(host, port)
    from reenact.web.app import make_app, run
    from reenact.web.guard import allowed_names
    from reenact.web.limits import Limits

    limits = Limits(
        upload_bytes=int(max_upload * 2**20),
        seconds=max_seconds,
        pixels=int(max_megapixels * 1e6),
        running=jobs,
        queued=queue,
        keep=keep,
    )
    app = make_app(limits, token=token, names=allowed_names(host, allow_host or ()), page=page, threads=threads)
    _announce(host, port, token, page, json, quiet, local)
    run(app, host, port)
    return 0


def _check_installed(page: bool) -> None:
    wanted = [name for name in _NEEDED if page or name != "gradio"]
    missing = [name for name in wanted if util.find_spec(name) is None]
    if missing:
        raise ReenactError(
            f"the web page needs packages that are not installed ({', '.join(missing)}); "
            "install them with: pip install 'reenact[web]'"
        )


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _token(file: str | None) -> str | None:
    if file is None:
        token = os.environ.get(_TOKEN, "").strip()
        where = _TOKEN
    else:
        where = file
        try:
            with open(file, encoding="utf-8") as lines:  # noqa: PTH123
                token = lines.read(4096).strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ReenactError(f"--token-file: {file} cannot be read ({error})") from None
        if not token:
            raise ReenactError(f"--token-file: {file} is empty; put a long random text into it")
    if token and (
        len(token) < _SHORTEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token
    ):
        raise ReenactError(f"{where}: a token has at least {_SHORTEST_TOKEN} ASCII characters without spaces")
    return token or None


def _free_port(host: str, port: int) -> int:
    """The port, or a free one for 0. Raises ReenactError where the address cannot be had."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            return int(probe.getsockname()[1])
    except OSError as error:
        raise ReenactError(
            f"{host}:{port} cannot be listened on ({error.strerror or error}); choose another --port or --host"
        ) from None


def _announce(
    host: str, port: int, token: str | None, page: bool, json: bool, quiet: bool, local: bool
) -> None:
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{port}"
    if json:
        console.show_json({"address": address, "token": token, "page": page})
        sys.stdout.flush()
    elif not quiet:
        path = "/" if page else "/api/openapi.json"
        print(f"open {address}{path}" + (f"?token={token}" if token else ""), flush=True)
        if not local:
            say(
                "without https, whoever is on the way can read what is sent; put a proxy with https before it",
                "note",
            )
        print("stop with Ctrl-C; uploads and results are deleted then", flush=True)
