"""Load on the HTTP API: many clients queue many jobs on one server; are any lost, and does memory stay flat?

    python benchmarks/web_load.py --jobs 200 --clients 20

The server runs in a process of its own, as `reenact serve --no-page`. The input is small (a 256 px portrait, a
motion of 10 frames): the queue is tested, not the pictures.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Any

import PIL.Image
from skimage.data import astronaut

from reenact.data.demo_motion import demo_motion
from reenact.pipeline.motion_file import write_motion
from reenact.pipeline.track import cut
from reenact.trust.verify import verify
from reenact.web.client import Client

_MIB = 1 << 20


def main() -> int:
    """Run the load and print one JSON document; exit code 1 where a job was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--running", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = _load(Path(folder), given)
    print(json.dumps(found, indent=2))
    return 0 if found["done"] == given.jobs and not found["left_behind"] else 1


def _load(folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    source, motion = folder / "portrait.png", folder / "smile.motion"
    PIL.Image.fromarray(astronaut()[:256, 96:352]).save(source)
    write_motion(motion, cut(demo_motion(), Fraction(1), Fraction(4, 3)))
    (folder / "server").mkdir()
    process, address = _serve(folder / "server", given)
    memory = list[float]()
    stop = threading.Event()
    watch = threading.Thread(target=_watch, args=(process.pid, memory, stop))
    watch.start()
    began = time.monotonic()

    def one_client(number: int) -> int:
        share = given.jobs // given.clients + (number < given.jobs % given.clients)
        with Client(address, timeout=600) as client:
            # All of them are queued before the first is waited for.
            names = [client.create(source, motion, kind="video")["id"] for _ in range(share)]
            for place, name in enumerate(names):
                client.wait(name)
                out = client.fetch(name, folder / f"{number}-{place}.mp4")
                client.delete(name)
                if verify(out).verdict != "marked":
                    raise RuntimeError(f"{out} is not marked")
        return len(names)

    try:
        with ThreadPoolExecutor(given.clients) as clients:
            done = sum(clients.map(one_client, range(given.clients)))
        took = time.monotonic() - began
        left = [path.name for path in (folder / "server").rglob("*") if path.suffix in (".mp4", ".png", ".csv")]
    finally:
        stop.set()
        watch.join()
        process.send_signal(signal.SIGINT)
        process.wait(60)
    third = max(len(memory) // 3, 1)
    return {
        "jobs": given.jobs,
        "clients": given.clients,
        "done": done,
        "seconds": round(took, 1),
        "jobs_per_second": round(done / took, 2),
        "memory_mib": {
            "first_third_median": round(sorted(memory[:third])[third // 2]),
            "last_third_median": round(sorted(memory[-third:])[third // 2]),
            "peak": round(max(memory)),
        },
        "left_behind": left,
        "load_average": os.getloadavg()[0],
    }


def _serve(folder: Path, given: argparse.Namespace) -> tuple[subprocess.Popen[str], str]:
    command = [sys.executable, "-m", "reenact", "serve", "--no-page", "--json", "--port", "0"]
    command += ["--queue", str(given.jobs), "--jobs", str(given.running), "--threads", "1"]
    environment = {**os.environ, "TMPDIR": str(folder), "REENACT_HOME": str(folder)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    lines = ""
    while not lines.rstrip().endswith("}"):
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            raise RuntimeError("the server did not start")
        lines += line
    address = str(json.loads(lines)["address"])
    for _ in range(100):
        try:
            with Client(address) as client:
                client.status("nothing")
        except Exception as error:
            if "404" in str(error):
                break
            time.sleep(0.2)
    return process, address


def _watch(process: int, memory: list[float], stop: threading.Event) -> None:
    """Resident memory in MiB, twice a second."""
    while not stop.wait(0.5):
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
        memory.append(pages * os.sysconf("SC_PAGE_SIZE") / _MIB)


if __name__ == "__main__":
    sys.exit(main())
