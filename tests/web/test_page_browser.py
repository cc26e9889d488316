"""The page as a person uses it, in headless Chromium."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

pytest.importorskip("gradio")
sync = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")

from web_server import running  # noqa: E402

from reenact.trust.verify import verify  # noqa: E402
from reenact.web.app import make_app  # noqa: E402

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")]
WAIT = 180_000
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running(make_app(threads=1)) as address:
        yield address


@pytest.fixture(scope="module")
def camera(folder: Path, portrait: Path) -> Path:
    """What Chromium's fake camera shows: the portrait turning, as Motion JPEG."""
    path = folder / "camera.mjpeg"
    picture = PIL.Image.open(portrait).convert("RGB").resize((480, 480)).crop((0, 0, 480, 360))
    with path.open("wb") as file:
        for number in range(40):
            picture.rotate(8 * np.sin(number / 40 * 2 * np.pi), center=(240, 320)).save(file, "JPEG")
    return path


@pytest.fixture(scope="module")
def browser(camera: Path) -> Iterator[Any]:
    with sync.sync_playwright() as playwright:
        flags = [*FLAGS, f"--use-file-for-fake-video-capture={camera}"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any, server: str) -> Iterator[Any]:
    with opened(browser, server) as found:
        yield found


class opened:  # noqa: N801  (reads as a verb)
    """A new person's window on the page; fails where anything is asked of another host, or a script fails."""

    def __init__(self, browser: Any, server: str, width: int = 1300) -> None:
        self._context = browser.new_context(viewport={"width": width, "height": 900}, accept_downloads=True)
        self._server, self._strange = server, list[str]()

    def __enter__(self) -> Any:
        page = self._context.new_page()
        page.set_default_timeout(WAIT)
        page.on("request", self._note)
        page.on("pageerror", lambda error: self._strange.append(str(error)))
        page.goto(self._server)
        page.wait_for_selector("#run")
        return page

    def _note(self, request: Any) -> None:
        if not request.url.startswith((self._server, "data:", "blob:")):
            self._strange.append(request.url)

    def __exit__(self, kind: Any, *_: object) -> None:
        self._context.close()
        assert kind is not None or not self._strange


def upload(page: Any, place: str, path: Path) -> None:
    page.set_input_files(f"#{place} input[type=file]", str(path))


def slide(page: Any, name: str, value: float) -> None:
    """Move a slider as a hand does: the value changes, and the page is told."""
    page.locator(f"#{name} input[type=number]").fill(str(value))
    page.locator(f"#{name} input[type=number]").press("Enter")


def picture(page: Any, place: str = "preview") -> str:
    return str(page.get_attribute(f"#{place} img", "src"))


def changed(page: Any, before: str, place: str = "preview") -> str:
    page.wait_for_function(
        "([place, before]) => ![undefined, before].includes(document.querySelector(`#${place} img`)?.src)",
        arg=[place, before],
    )
    return picture(page, place)


def test_a_person_animates_a_portrait(page: Any, portrait: Path, clip: Path, tmp_path: Path) -> None:
    upload(page, "source", portrait)
    page.wait_for_selector("#own img")
    upload(page, "driving", clip)
    page.wait_for_selector("#preview img")
    page.wait_for_selector("#face img")
    first = picture(page)
    slide(page, "position", 0.9)
    second = changed(page, first)
    slide(page, "head", 0)
    changed(page, second)
    plain = picture(page, "beside")
    page.check("#landmarks input")
    changed(page, plain, "beside")
    page.click("#run")
    page.wait_for_selector("#result [data-verdict=marked]")
    assert page.locator("#result video").count() == 1
    kinds = {"Save the result": "mp4", "Motion file": "motion", "Landmarks (table)": "csv"}
    for title, suffix in kinds.items():
        with page.expect_download() as download:
            page.get_by_role("link", name=title).click()
        assert download.value.suggested_filename.endswith(suffix)
        download.value.save_as(tmp_path / f"got.{suffix}")
    assert verify(tmp_path / "got.mp4").verdict == "marked"
    page.get_by_role("tab", name="Verify").click()
    upload(page, "verify-file", tmp_path / "got.mp4")
    page.wait_for_selector("#verify-result [data-verdict=marked]")


def test_wrong_files_are_told_in_a_line(page: Any, portrait: Path, tmp_path: Path) -> None:
    grey = tmp_path / "grey.png"
    PIL.Image.new("RGB", (200, 200), "grey").save(grey)
    upload(page, "source", grey)
    line = page.wait_for_selector("#own [role=alert]").inner_text()
    assert "no face" in line and "/" not in line
    page.click("#run")
    assert "missing" in page.wait_for_selector("#progress [role=alert]").inner_text()
    page.reload()
    upload(page, "source", portrait)
    page.wait_for_selector("#own img")
    text = tmp_path / "clip.mp4"
    text.write_text("no video")
    upload(page, "driving", text)
    assert "/" not in page.wait_for_selector("#driving-note [role=alert]").inner_text()


def test_a_motion_is_shown_as_a_drawing_and_its_moment_becomes_the_anchor(
    page: Any, portrait: Path, motion: Path
) -> None:
    assert "take the example" in page.inner_text("#beside")
    upload(page, "source", portrait)
    page.wait_for_selector("#own img")
    assert "what drives it" in page.inner_text("#preview")
    upload(page, "driving", motion)
    page.wait_for_selector("#face img")
    page.wait_for_selector("#preview img")
    slide(page, "position", 1.0)
    page.get_by_role("button", name="Time").click()
    before = picture(page)
    page.click("#anchor-here")
    page.wait_for_function("document.querySelector('#anchor input').value === '5'")
    changed(page, before)
    page.locator("#anchor input").fill("900")
    page.locator("#anchor input").press("Enter")
    assert "900 is not a frame" in page.wait_for_selector("#preview [role=alert]").inner_text()
    page.click("#anchor-auto")
    page.wait_for_selector("#preview img")


@pytest.mark.parametrize("width", [390, 1400])
def test_nothing_is_cut_off_and_the_result_stays_in_view(
    browser: Any, server: str, portrait: Path, motion: Path, width: int
) -> None:
    with opened(browser, server, width) as page:
        upload(page, "source", portrait)
        page.wait_for_selector("#own img")
        upload(page, "driving", motion)
        page.wait_for_selector("#preview img")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        page.locator("#head").scroll_into_view_if_needed()
        place = page.locator("#preview img").bounding_box()
        assert -1 <= place["y"] < place["y"] + place["height"] / 2 < 900


def test_the_systems_that_are_not_ready_are_grey_and_not_to_be_chosen(page: Any) -> None:
    page.click("#systems summary")
    rows = page.locator("#systems li").all_inner_texts()
    grey = page.locator("#systems li.re-off").all_inner_texts()
    page.click("#system input")
    offered = page.get_by_role("option").all_inner_texts()
    assert len(rows) == len(grey) + len(offered) and "warp" in [name.strip("\u2713 ") for name in offered]


def test_a_pose_by_hand(page: Any, portrait: Path) -> None:
    upload(page, "source", portrait)
    page.wait_for_selector("#own img")
    page.get_by_role("tab", name="Pose").click()
    page.wait_for_selector("#pose-preview img")
    before = picture(page, "pose-preview")
    page.get_by_role("button", name="Surprise").click()
    before = changed(page, before, "pose-preview")
    page.get_by_role("button", name="Action units").click()
    slide(page, "au12", 4)
    changed(page, before, "pose-preview")
    page.click("#pose-run")
    page.wait_for_selector("#pose-result [data-verdict=marked]")


def test_cancel(page: Any, portrait: Path, long_motion: Path) -> None:
    upload(page, "source", portrait)
    page.wait_for_selector("#own img")
    upload(page, "driving", long_motion)
    page.wait_for_selector("#preview img")
    page.click("#run")
    page.wait_for_function("document.querySelector('#progress')?.innerText.includes('left')")
    page.click("#cancel")
    page.wait_for_selector("#progress [data-state=cancelled]")
    assert page.locator("#result video").count() == 0


def test_a_reload_in_the_middle_finds_the_job_again(page: Any, portrait: Path, long_motion: Path) -> None:
    upload(page, "source", portrait)
    page.wait_for_selector("#own img")
    upload(page, "driving", long_motion)
    page.wait_for_selector("#preview img")
    page.click("#run")
    page.wait_for_selector("#progress [data-state=running]")
    page.reload()
    page.wait_for_selector("#progress [data-state=running]")
    page.click("#cancel")
    page.wait_for_selector("#progress [data-state=cancelled]")


def test_two_people_at_once(browser: Any, server: str, portrait: Path, motion: Path) -> None:
    with opened(browser, server) as one, opened(browser, server, width=390) as other:
        for person in (one, other):
            upload(person, "source", portrait)
            person.wait_for_selector("#own img")
            upload(person, "driving", motion)
            person.wait_for_selector("#preview img")
        slide(one, "position", 0.5)
        slide(other, "position", 1.0)
        for person in (one, other):
            person.click("#run")
        links = set()
        for person in (one, other):
            person.wait_for_selector("#result [data-verdict=marked]")
            links.add(person.get_attribute("#result video", "src"))
        assert len(links) == 2


def _wait_for_a_still(page: Any, look: str) -> None:
    """Until the picture stays as it is for a second; frames that were on their way may still come."""
    before, now = "", page.evaluate(look)
    until = time.monotonic() + WAIT / 1000
    while now != before:
        assert time.monotonic() < until
        time.sleep(1)
        before, now = now, page.evaluate(look)


def test_the_webcam_tab(page: Any, portrait: Path) -> None:
    upload(page, "source", portrait)
    page.wait_for_selector("#own img")
    page.get_by_role("tab", name="Webcam").click()
    page.click("#re-live-start")
    page.wait_for_function("window.reenactLive.statistics().frames >= 20")
    seen = re.search(r"([\d.]+) frames/s", page.inner_text("#re-live-status"))
    assert seen and float(seen[1]) > 0
    look = "document.querySelector('#re-live-out').toDataURL('image/jpeg', 0.5)"
    first = page.evaluate(look)
    page.wait_for_function(f"({look}) !== {first!r}")
    page.click("#re-live-neutral")
    page.click("#re-live-pause")
    _wait_for_a_still(page, look)
    page.click("#re-live-start")
    assert "off" in page.inner_text("#re-live-status")
