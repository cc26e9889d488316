"""Who may talk to the server: checks on every request before any route sees it, as ASGI middleware.

- The `Host` header must be an address in numbers, localhost, or a name that was allowed: a foreign page whose
  name was rebound to this machine (DNS rebinding) sends its own name.
- The `Origin` header, where there is one, must be this server: no other page may post here or open a socket.
- With a token, every request needs it: as `Authorization: Bearer`, as cookie, or once as `?token=`, which sets
  the cookie and leads to the address without it.
- Bodies end at a limit, told or not.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "reenact_token"
_LOCAL = frozenset({"localhost"})
_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; media-src 'self' data: blob:; "
    "style-src 'self' 'unsafe-inline'; "
    "script-src 'self' 'unsafe-inline' 'unsafe-eval' 'wasm-unsafe-eval' blob:; worker-src 'self' blob:; "
    "font-src 'self' data:; connect-src 'self' blob: data:; frame-ancestors 'none'; form-action 'self'; "
    "base-uri 'self'"
)
"""Nothing is loaded from elsewhere, and no other page may frame this one. Gradio needs inline scripts."""
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
}


class Guard:
    """The middleware. names: host names allowed beside localhost and numbers. token: None for none."""

    def __init__(self, app: ASGIApp, *, names: Iterable[str] = (), token: str | None, most_bytes: int) -> None:
        self._app = app
        self._names = _LOCAL | {name.lower().rstrip(".") for name in names}
        self._token, self._most = token, most_bytes
        self._limit = f"at most {most_bytes / 2**20:g} MiB are taken in one request"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with the reason why not."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        answer = self._refusal(scope, Headers(scope=scope))
        if answer is not None:
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008, "reason": "refused"})
            else:
                await answer(scope, receive, send)
            return
        if scope["type"] == "http":
            receive, send = self._counted(receive), _decorated(send)
        await self._app(scope, receive, send)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        host = headers.get("host", "")
        if not self._known(_name_of(host)):
            return _error(421, f"this server is not called {_name_of(host)[:100]!r}")
        origin = headers.get("origin")
        if origin is not None and not _same(origin, host):
            return _error(403, "requests from other sites are refused")
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > self._most:
            return _error(413, self._limit)
        if self._token is not None:
            return self._ask_token(scope, headers)
        return None

    def _known(self, name: str) -> bool:
        if name in self._names:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    def _ask_token(self, scope: Scope, headers: Headers) -> Response | None:
        kind, _, given = headers.get("authorization", "").partition(" ")
        if (kind.lower() == "bearer" and self._matches(given)) or self._matches(_cookie(headers)):
            return None
        query = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
        if scope["type"] == "http" and self._matches(dict(query).get("token", "")):
            rest = urlencode([pair for pair in query if pair[0] != "token"])
            # Two slashes at the beginning would name another host.
            path = "/" + str(scope["path"]).lstrip("/\\")
            answer = RedirectResponse(path + (f"?{rest}" if rest else ""), 303)
            answer.set_cookie(COOKIE, self._token or "", httponly=True, samesite="strict")
            return answer
        return _error(401, "a token is needed; open the address that `reenact serve` printed", bearer=True)

    def _matches(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), (self._token or "").encode())

    def _counted(self, receive: Receive) -> Receive:
        left = self._most

        async def count() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise HTTPException(413, self._limit)
            return message

        return count


def _error(status: int, message: str, bearer: bool = False) -> Response:
    headers = {"www-authenticate": "Bearer"} if bearer else None
    return JSONResponse({"detail": message}, status, headers)


def _name_of(host: str) -> str:
    """The name in a Host header, without port and brackets."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _same(origin: str, host: str) -> bool:
    """Whether an Origin names the server that the request went to. 'null' is nobody."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower()


def _cookie(headers: Headers) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""


def _decorated(send: Send) -> Send:
    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return with_headers


def allowed_names(host: str, extra: Iterable[str] = ()) -> list[str]:
    """Host names that a server at `host` answers to: the given one, and those added."""
    names: list[Any] = [host] if host not in ("", "0.0.0.0", "::") else []
    return [*names, *extra]
