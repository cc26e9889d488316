"""The page's two clocks, in headless Chromium: a slider's preview, and the webcam tab.

    python benchmarks/web.py --chromium /usr/bin/chromium

The preview is timed in the browser, from the slider's event to the new picture, for a 512 px portrait. The
webcam tab counts its own frames; Chromium's fake camera shows it a file. Server and browser share the machine,
and others may too: `server_cpu_ms` is the server's processor time for one preview or frame.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
from playwright.sync_api import sync_playwright
from skimage.data import astronaut

from reenact.geometry.expressions import expression
from reenact.geometry.face_model import default_face_model
from reenact.geometry.transfer import Blend
from reenact.pipeline.portrait import Puppet, drive_of, read_portrait
from reenact.web.app import make_app

_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]  # fmt: skip
_SLIDE = """async ([id, values]) => {
  const slider = document.querySelector(`#${id} input[type=range]`);
  const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set;
  const place = document.querySelector('#preview');
  const source = () => document.querySelector('#preview img')?.src;
  const times = [];
  for (const value of values) {
    const before = source(), began = performance.now();
    const changed = new Promise((done) => {
      const watch = new MutationObserver(() => {
        if (source() && source() !== before) { watch.disconnect(); done(); }
      });
      watch.observe(place, {subtree: true, childList: true, attributes: true});
      setTimeout(() => { watch.disconnect(); done(); }, 5000);
    });
    set.call(slider, value);
    slider.dispatchEvent(new Event('input', {bubbles: true}));
    await changed;
    await document.querySelector('#preview img').decode();
    await new Promise(requestAnimationFrame);
    times.push(performance.now() - began);
    await new Promise((done) => setTimeout(done, 200));
  }
  return times;
}"""


def main() -> int:
    """Measure, and print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--systems", nargs="+", default=["live", "warp"])
    parser.add_argument("--count", type=int, default=30, help="moves of each slider")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, _server() as address, sync_playwright() as playwright:
        camera = _camera(Path(folder) / "camera.mjpeg")
        flags = [*_FLAGS, f"--use-file-for-fake-video-capture={camera}"]
        browser = playwright.chromium.launch(executable_path=given.chromium, args=flags)
        page = browser.new_page(viewport={"width": 1300, "height": 900})
        page.set_default_timeout(120_000)
        found = {
            "cores": os.cpu_count(),
            "load_before": os.getloadavg()[0],
            **_measure(page, address, given),
        }
        browser.close()
    print(json.dumps({**found, "load_after": os.getloadavg()[0]}, indent=2))
    return 0


def _measure(page: Any, address: str, given: argparse.Namespace) -> dict[str, Any]:
    page.goto(address)
    page.wait_for_selector("#example-portrait")
    page.click("#example-portrait")
    page.wait_for_selector("#own img")
    page.get_by_role("button", name="The demo").click()
    page.wait_for_selector("#preview img")
    found = {}
    for system in given.systems:
        page.get_by_role("tab", name="Animate").click()
        _choose(page, system)
        found[system] = {**_previews(page, given.count), "webcam": _webcam(page, given.seconds)}
    return found


def _choose(page: Any, system: str) -> None:
    """Choose a system as a person does, and wait until it has drawn its first preview."""
    before = page.get_attribute("#preview img", "src")
    if page.input_value("#system input") != system:
        page.click("#system input")
        page.get_by_role("option", name=system, exact=True).click()
        page.wait_for_function("(old) => document.querySelector('#preview img').src !== old", arg=before)
    time.sleep(2)


def _previews(page: Any, count: int) -> dict[str, Any]:
    found = {}
    for name, low, high in (("strength", 0.2, 1.8), ("head", 0.2, 1.8), ("position", 0.05, 0.6)):
        values = [round(low + (high - low) * ((7 * n) % count) / count, 2) for n in range(count)]
        began = time.process_time()
        times = page.evaluate(_SLIDE, [name, values])
        cost = 1000 * (time.process_time() - began) / len(values)
        figures = {f"p{q}": round(float(np.percentile(times, q))) for q in (50, 95)}
        found[f"preview_{name}_ms"] = {**figures, "server_cpu_ms": round(cost)}
    return found


def _webcam(page: Any, seconds: float) -> dict[str, float]:
    page.get_by_role("tab", name="Webcam").click()
    page.click("#re-live-start")
    page.wait_for_function("window.reenactLive.statistics().frames > 0")
    time.sleep(1)
    count = "window.reenactLive.statistics().total"
    before, began, cpu = page.evaluate(count), time.monotonic(), time.process_time()
    time.sleep(seconds)
    frames, took = page.evaluate(count) - before, time.monotonic() - began
    cost = time.process_time() - cpu
    live = page.evaluate("window.reenactLive.statistics()")
    page.click("#re-live-start")
    return {
        "rate": round(frames / took, 1),
        "p50": round(live["p50"]),
        "p95": round(live["p95"]),
        "server_cpu_ms": round(1000 * cost / max(frames, 1)),
    }


@contextmanager
def _server() -> Iterator[str]:
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(make_app(), host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)


def _camera(path: Path) -> Path:
    """Three seconds of a talking, turning head as Motion JPEG at 640 x 480."""
    picture = np.ascontiguousarray(astronaut()[:384])
    puppet = Puppet(read_portrait(picture), "warp", Blend())
    model = default_face_model()
    rest = drive_of(puppet.transfer.state)
    mouth = expression(model, {"jaw_open": 0.7})
    with path.open("wb") as file:
        for n in range(90):
            phase = 2 * np.pi * n / 90
            turn = rest.rotation + np.array([0, 0.2 * np.sin(phase), 0], np.float32)
            face = (rest.expression + mouth * abs(np.sin(4 * phase))).astype(np.float32)
            image = puppet.render(type(rest)(turn, rest.scale, rest.translation, face), rest)
            PIL.Image.fromarray(image).resize((640, 480)).save(file, "JPEG", quality=90)
    return path


if __name__ == "__main__":
    sys.exit(main())
