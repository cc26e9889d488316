"""A thousand damaged files: no reader dies, hangs, takes over 2 GB or raises anything but ReenactError."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
INPUTS = {
    "stills": 300, "videos": 180, "motion": 120, "face_model": 80, "weights": 80, "options": 60,
    "certificate": 100, "verify": 40, "checkpoint": 20,
    "http": 20,
}  # fmt: skip


def campaign(state: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command that `make fuzz` runs."""
    command = [sys.executable, "-m", "fuzz.campaign", "--state", str(state), *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_it_is_a_thousand() -> None:
    assert sum(INPUTS.values()) == 1000


@pytest.mark.parametrize("name", INPUTS)
def test_damaged_files_do_no_harm(tmp_path: Path, name: str) -> None:
    if name == "checkpoint" and find_spec("torch") is None:
        pytest.skip("needs PyTorch")
    if name == "http":
        pytest.importorskip("uvicorn")
    done = campaign(tmp_path, "--readers", name, "--goal", str(INPUTS[name]))
    reached = json.loads((tmp_path / f"{name}.json").read_text())
    assert (done.returncode, reached["harm"]) == (0, 0), done.stdout + done.stderr
    assert reached["done"] == INPUTS[name] == reached["read"] + reached["refused"]
    # Damage that nothing gets through, or that everything does, tests nothing; `verify` has a verdict on all.
    assert (reached["read"] > 0 or name == "certificate") and (reached["refused"] > 0 or name == "verify")


def test_it_goes_on_where_it_stopped(tmp_path: Path) -> None:
    campaign(tmp_path, "--readers", "motion", "--goal", "30")
    first = json.loads((tmp_path / "motion.json").read_text())
    campaign(tmp_path, "--readers", "motion", "--goal", "50")
    second = json.loads((tmp_path / "motion.json").read_text())
    assert (first["done"], second["done"]) == (30, 50)
    assert second["refused"] >= first["refused"] > 0
    again = campaign(tmp_path, "--readers", "motion", "--goal", "50")
    assert "| motion | 50 |" in again.stdout


def worker_of(process: subprocess.Popen[str]) -> int:
    """The number of the process that reads for a campaign, once it is there."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while not (numbers := children.read_text().split()):
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    return int(numbers[0])


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the worker in /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopped_it_leaves_no_process_and_keeps_its_count(tmp_path: Path, number: signal.Signals) -> None:
    """The signal goes to the campaign alone, as from `kill`; the worker has to be ended by it."""
    campaign(tmp_path, "--readers", "motion", "--goal", "5")
    command = [sys.executable, "-m", "fuzz.campaign", "--state", str(tmp_path), "--readers", "motion"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    worker = worker_of(process)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0 and not err and "| motion | " in out
    assert json.loads((tmp_path / "motion.json").read_text())["done"] >= 5
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)


def test_harm_is_noticed_and_kept(tmp_path: Path) -> None:
    """A reader that dies, hangs, takes too much memory or raises something else: each is found."""
    (tmp_path / "harmful.py").write_text(
        "import os, sys, time\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "from pathlib import Path\n"
        "from fuzz import campaign, readers, worker\n"
        "worker.CPU_SECONDS = 2; worker.MOST_BYTES = 1 << 28\n"
        "def seeds(folder):\n"
        "    path = folder / 'a.bin'; path.write_bytes(bytes(64)); return [path]\n"
        "def read(path):\n"
        "    number = int(os.environ['HARM'])\n"
        "    if number == 0: os.abort()\n"
        "    if number == 1: raise KeyError('x')\n"
        "    if number == 2:\n"
        "        end = time.process_time() + 2.5\n"
        "        while time.process_time() < end: pass\n"
        "    if number == 3: b'x' * (1 << 29)\n"
        "readers.READERS['bad'] = readers.Reader(seeds, read)\n"
        "if len(sys.argv) > 2: worker.main()\n"
        "else:\n"
        "    bad = campaign.Campaign('bad', Path(sys.argv[1]))\n"
        "    popen = campaign.subprocess.Popen\n"
        "    def start(words, **options): return popen([sys.executable, __file__, *words[3:]], **options)\n"
        "    campaign.subprocess.Popen = start\n"
        "    bad.run(1, campaign.End())\n"
    )
    for number, reason in enumerate(["ended with -6", "KeyError", "slow", "large"]):
        state = tmp_path / f"state{number}"
        command = [sys.executable, str(tmp_path / "harmful.py"), str(state)]
        environment = {"HARM": str(number), "PATH": ""}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        assert done.returncode == 0, done.stderr
        assert json.loads((state / "bad.json").read_text())["harm"] == 1
        assert (state / "findings" / "bad-0.bin").is_file()
        assert reason in (state / "findings" / "bad-0.bin.txt").read_text()
