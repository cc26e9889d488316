"""Who may talk to the server."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx")

TOKEN = "correct-horse-battery"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:7860", "localhost:1", "[::1]:80", "192.168.1.7", "LOCALHOST"]
)
def test_addresses_and_localhost_are_answered(api: Any, host: str) -> None:
    assert api.get("/api/about", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:7860", "127.0.0.1.evil.example", "", "[::1", "a b"]
)
def test_other_names_are_not(api: Any, host: str) -> None:
    assert api.get("/api/about", headers={"Host": host}).status_code == 421


def test_a_name_that_was_allowed(serve: Any) -> None:
    api = serve(names=["faces.example"])
    assert api.get("/api/about", headers={"Host": "faces.example:80"}).status_code == 200


def test_other_sites_may_not_post_nor_open_a_socket(api: Any) -> None:
    for origin in ("https://evil.example", "null", "http://127.0.0.1:99", "http://["):
        assert api.post("/api/jobs", headers={"Origin": origin}).status_code == 403
    assert api.get("/api/about", headers={"Origin": "http://127.0.0.1"}).status_code == 200
    from starlette.websockets import WebSocketDisconnect

    with (
        pytest.raises(WebSocketDisconnect),
        api.websocket_connect("/api/portraits/x/live", headers={"Origin": "https://evil.example"}),
    ):
        pass


def test_a_token_is_asked_for_everywhere(serve: Any) -> None:
    api = serve(token=TOKEN)
    for path in ("/api/about", "/api/openapi.json", "/parts/page.css", "/nowhere"):
        assert api.get(path).status_code == 401
        assert api.get(path, headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert api.get("/api/about", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_the_token_once_in_the_address(serve: Any) -> None:
    api = serve(token=TOKEN)
    assert api.get("/api/about?token=wrong").status_code == 401
    answer = api.get(f"/api/about?token={TOKEN}&a=1", follow_redirects=False)
    assert answer.status_code == 303 and answer.headers["location"] == "/api/about?a=1"
    assert "httponly" in answer.headers["set-cookie"].lower()
    assert api.get("/api/about").status_code == 200  # by the cookie
    api.cookies.clear()
    answer = api.get(f"/%2Fevil.example?token={TOKEN}", follow_redirects=False)
    assert answer.headers["location"].startswith("/evil")


def test_nothing_is_loaded_from_elsewhere(api: Any) -> None:
    policy = api.get("/api/about").headers["content-security-policy"]
    assert "http" not in policy and "frame-ancestors 'none'" in policy
