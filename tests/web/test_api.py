"""The HTTP API: what goes in, what comes out, what is refused, and what is gone afterwards."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from fastapi.testclient import TestClient
from web_server import WAIT, ended, post

from reenact.pipeline.motion_file import read_motion
from reenact.systems import SYSTEMS
from reenact.web.limits import Limits


def files_below(api: TestClient) -> list[str]:
    root: Path = api.app.state.root  # type: ignore[attr-defined]
    return sorted(path.name for path in root.rglob("*") if path.is_file())


def test_a_video_from_uploads(api: TestClient, portrait: Path, clip: Path, tmp_path: Path) -> None:
    answer = post(api, portrait, clip, lips=1.5)
    assert answer.status_code == 201, answer.text
    status = ended(api, answer.json()["id"])
    assert status["state"] == "done", status
    assert status["files"] == ["landmarks", "motion", "result"]
    assert status["summary"]["frames"] == 6 and status["summary"]["width"] == 256
    assert status["marks"]["verdict"] == "marked" and status["marks"]["agree"] is True
    assert str(api.app.state.root) not in json.dumps(status)  # type: ignore[attr-defined]
    base = f"/api/jobs/{status['id']}/files"
    video = api.get(f"{base}/result")
    assert video.headers["content-type"] == "video/mp4" and video.content[4:8] == b"ftyp"
    (tmp_path / "m.motion").write_bytes(api.get(f"{base}/motion").content)
    assert len(read_motion(tmp_path / "m.motion")) == 6
    table = api.get(f"{base}/landmarks").text.splitlines()
    assert len(table) == 7 and len(table[1].split(",")) == 2 + 2 * 68
    assert not [name for name in files_below(api) if name.startswith(("source", "driving.mp4"))]


def test_a_picture_a_pose_and_a_motion_alone(api: TestClient, portrait: Path, motion: Path, clip: Path) -> None:
    asked = [
        post(api, portrait, portrait, kind="image", format="jpg"),
        post(api, portrait, kind="pose", pose={"yaw": 12, "expressions": {"smile": 1}, "units": {"26": 3}}),
        post(api, None, clip, kind="track"),
        post(api, portrait, motion, format="webm", compare=True),
    ]
    results = [ended(api, answer.json()["id"]) for answer in asked]
    assert [result["state"] for result in results] == ["done"] * 4, results
    types = [api.get(f"/api/jobs/{r['id']}/files/result").headers["content-type"] for r in results]
    assert types == ["image/jpeg", "image/png", "application/octet-stream", "video/webm"]
    assert results[2]["summary"]["frames"] == 6 and results[2]["marks"] is None


def test_progress_as_events(api: TestClient, portrait: Path, motion: Path) -> None:
    name = post(api, portrait, motion).json()["id"]
    with api.stream("GET", f"/api/jobs/{name}/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        told = [json.loads(line[6:]) for line in answer.iter_lines() if line.startswith("data: ")]
    assert told[-1]["state"] == "done" and told[-1]["fraction"] == 1.0


def test_a_wrong_file_says_so_without_a_path(api: TestClient, portrait: Path, tmp_path: Path) -> None:
    text = tmp_path / "clip.mp4"
    text.write_text("this is no video")
    grey = tmp_path / "grey.png"
    PIL.Image.new("RGB", (200, 200), "grey").save(grey)
    for source, driving in ((portrait, text), (text, portrait), (grey, portrait)):
        status = ended(api, post(api, source, driving).json()["id"])
        assert status["state"] == "failed" and status["files"] == []
        assert status["error"] and str(api.app.state.root) not in status["error"]  # type: ignore[attr-defined]
        assert "/" not in status["error"].replace("and/or", "")
    assert not files_below(api)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"kind": "film"}, "kind"),
    ({"strength": 40}, "strength"),
    ({"strange": 1}, "strange"),
    ({"system": "none"}, "no system"),
    ({"format": "png"}, "writes mp4"),
    ({"start": 3, "end": 2}, "not after"),
    ({"format": "gif", "codec": "h265"}, "leave out codec h265"),
    ({"kind": "pose", "pose": {"yaw": 90}}, "yaw"),
    ({"kind": "image"}, "needs the file"),
]


@pytest.mark.parametrize(("options", "said"), REFUSED)
def test_wrong_options_are_refused(api: TestClient, portrait: Path, options: dict[str, Any], said: str) -> None:
    answer = post(api, portrait, **options)
    assert answer.status_code == 400 and said in answer.json()["detail"]
    assert not files_below(api)


def test_options_that_are_no_json(api: TestClient, portrait: Path) -> None:
    answer = api.post("/api/jobs", files={"source": portrait.read_bytes()}, data={"options": "{'a"})
    assert answer.status_code == 400


def test_an_unknown_expression_or_unit_fails_in_words(api: TestClient, portrait: Path) -> None:
    for pose in ({"expressions": {"grin": 1}}, {"units": {"99": 1}}):
        status = ended(api, post(api, portrait, kind="pose", pose=pose).json()["id"])
        assert status["state"] == "failed" and "there is no" in status["error"]


def test_cancel_and_delete(api: TestClient, portrait: Path, long_motion: Path) -> None:
    first = post(api, portrait, long_motion).json()["id"]
    second = post(api, portrait, long_motion).json()
    assert second["state"] == "queued"
    assert api.post(f"/api/jobs/{second['id']}/cancel").json()["state"] == "cancelled"
    until = time.monotonic() + WAIT
    while api.get(f"/api/jobs/{first}").json()["stage"] != "render":
        assert time.monotonic() < until
        time.sleep(0.02)
    api.post(f"/api/jobs/{first}/cancel")
    assert ended(api, first)["state"] == "cancelled"
    assert api.get(f"/api/jobs/{first}/files/result").status_code == 404
    for name in (first, second["id"]):
        assert api.delete(f"/api/jobs/{name}").status_code == 204
        assert api.get(f"/api/jobs/{name}").status_code == 404
    assert not files_below(api)


def test_names_that_are_no_ids(api: TestClient) -> None:
    for name in ("nothing", "..%2f..%2fetc", "%2e%2e", "a" * 70):
        assert api.get(f"/api/jobs/{name}").status_code in (404, 422)
        assert api.get(f"/api/jobs/{name}/files/result").status_code in (404, 422)
    assert api.get("/parts/../app.py").status_code == 404
    assert api.get("/parts/%2e%2e/app.py").status_code == 404


def test_an_upload_name_never_becomes_a_path(api: TestClient, portrait: Path) -> None:
    files = {"source": ("../../../evil.png", portrait.read_bytes())}
    answer = api.post("/api/jobs", files=files, data={"options": json.dumps({"kind": "pose"})})
    assert ended(api, answer.json()["id"])["state"] == "done"
    root: Path = api.app.state.root  # type: ignore[attr-defined]
    assert not list(root.parent.glob("evil*"))


def test_limits(serve: Any, portrait: Path, clip: Path, motion: Path) -> None:
    api = serve(Limits(upload_bytes=50_000, seconds=0.2, pixels=60_000))
    assert post(api, portrait, motion).status_code == 413
    small = serve(Limits(seconds=0.1))
    for driving in (clip, motion):
        assert "lasts" in ended(small, post(small, portrait, driving).json()["id"])["error"]
    few = serve(Limits(pixels=60_000))
    assert "megapixels" in ended(few, post(few, portrait, motion).json()["id"])["error"]


def test_a_body_of_untold_length_ends_at_the_limit(serve: Any) -> None:
    api = serve(Limits(upload_bytes=100_000))

    def endless() -> Any:
        yield b'--x\r\nContent-Disposition: form-data; name="source"; filename="a.png"\r\n\r\n'
        for _ in range(100):
            yield b"\0" * 10_000

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    assert api.post("/api/jobs", content=endless(), headers=headers).status_code == 413


def test_the_queue_has_an_end(serve: Any, portrait: Path, long_motion: Path) -> None:
    api = serve(Limits(queued=1))
    answers = [post(api, portrait, long_motion) for _ in range(4)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused and refused[0].headers["retry-after"]


def test_files_go_when_their_time_is_over(serve: Any, portrait: Path) -> None:
    api = serve(Limits(keep=0.5))
    name = post(api, portrait, kind="pose").json()["id"]
    until = time.monotonic() + WAIT
    while api.get(f"/api/jobs/{name}").status_code != 404 or files_below(api):
        assert time.monotonic() < until
        time.sleep(0.05)


def test_verify(api: TestClient, portrait: Path) -> None:
    assert api.post("/api/verify", files={"file": portrait.read_bytes()}).json()["verdict"] == "unmarked"
    status = ended(api, post(api, portrait, kind="pose").json()["id"])
    result = api.get(f"/api/jobs/{status['id']}/files/result").content
    found = api.post("/api/verify", files={"file": ("x.png", result)}).json()
    assert found["verdict"] == "marked" and "path" not in found
    assert api.post("/api/verify", files={"file": b"nothing"}).json()["verdict"] == "unreadable"


def test_about_and_systems(api: TestClient) -> None:
    assert api.get("/api/about").json()["limits"]["running"] == 1
    systems = {system["name"]: system for system in api.get("/api/systems").json()}
    assert set(systems) == set(SYSTEMS) and systems["warp"]["ready"] and systems["live"]["status"] == "ready"


def test_a_system_that_is_not_ready_says_what_it_lacks(
    api: TestClient, portrait: Path, motion: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reenact.systems.installed", lambda name: False)
    listed = api.get("/api/systems").json()
    assert [one["name"] for one in listed if one["ready"]] == ["warp"] == [listed[0]["name"]]
    assert listed[-1]["status"] == "no weights yet"
    refused = post(api, portrait, motion, system="osfr")
    assert refused.status_code == 400 and "no weights yet" in refused.json()["detail"]


def held(api: TestClient, what: str, path: Path) -> str:
    answer = api.post(f"/api/{what}", files={"file": (path.name, path.read_bytes())})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def looked(api: TestClient, portrait: str, body: dict[str, Any]) -> np.ndarray:
    answer = api.post(f"/api/portraits/{portrait}/preview", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/jpeg" and answer.headers["cache-control"] == "no-store"
    return np.array(PIL.Image.open(io.BytesIO(answer.content)))


def test_previews_follow_the_settings_and_are_marked(
    api: TestClient, portrait: Path, motion: Path, tmp_path: Path
) -> None:
    face, mouth = held(api, "portraits", portrait), held(api, "motions", motion)
    body: dict[str, Any] = {"motion": mouth, "position": 0.5, "options": {"system": "warp"}}
    opened = looked(api, face, body)
    assert opened.shape == (256, 256, 3)
    body["options"]["strength"] = 0
    shut = looked(api, face, body)
    assert np.abs(opened.astype(float) - shut).max() > 30
    smile = {"options": {"kind": "pose", "system": "warp", "pose": {"expressions": {"smile": 1}}}}
    posed = looked(api, face, smile)
    PIL.Image.fromarray(posed).save(tmp_path / "posed.png")
    found = api.post("/api/verify", files={"file": (tmp_path / "posed.png").read_bytes()}).json()
    assert found["watermark"]["present"]
    still = held(api, "motions", portrait)
    assert looked(api, face, {"motion": still, "options": {"system": "warp"}}).shape == (256, 256, 3)
    assert not files_below(api)


def test_previews_that_cannot_be(api: TestClient, portrait: Path, motion: Path, clip: Path) -> None:
    face, mouth = held(api, "portraits", portrait), held(api, "motions", motion)
    address = f"/api/portraits/{face}/preview"
    wrong: list[tuple[str, dict[str, Any], int, str]] = [
        ("/api/portraits/none/preview", {}, 404, "portrait"),
        (address, {"motion": "none"}, 404, "driving file"),
        (address, {"motion": mouth, "position": 2}, 422, "position"),
        (address, {"motion": mouth, "options": {"anchor": 900}}, 400, "900 is not a frame"),
        (address, {"motion": mouth, "options": {"system": "none"}}, 400, "no system"),
        (address, {"options": {"kind": "pose", "pose": {"expressions": {"grin": 1}}}}, 400, "there is no"),
    ]
    for place, body, code, said in wrong:
        answer = api.post(place, json=body)
        assert answer.status_code == code and said in answer.text, answer.text
    video = api.post("/api/motions", files={"file": ("clip.mp4", clip.read_bytes())})
    assert video.status_code == 400 and "kind 'track'" in video.json()["detail"]
    assert "/" not in video.json()["detail"] and not files_below(api)
    assert api.delete(f"/api/motions/{mouth}").status_code == 204
    assert api.delete(f"/api/motions/{mouth}").status_code == 404


def test_everything_is_removed_at_the_end(serve: Any, portrait: Path) -> None:
    api = serve()
    root: Path = api.app.state.root
    ended(api, post(api, portrait, kind="pose").json()["id"])
    assert root.exists()
    api.__exit__(None, None, None)
    assert not root.exists()
    api.__enter__()


def test_the_description_lists_every_route(api: TestClient) -> None:
    paths = api.get("/api/openapi.json").json()["paths"]
    assert set(paths) == {
        "/api/about", "/api/systems", "/api/jobs", "/api/jobs/{name}", "/api/jobs/{name}/events",
        "/api/jobs/{name}/files/{artefact}", "/api/jobs/{name}/cancel", "/api/verify", "/api/portraits",
        "/api/portraits/{name}", "/api/portraits/{name}/preview", "/api/motions", "/api/motions/{name}",
    }  # fmt: skip
