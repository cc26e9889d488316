"""Counts damaged inputs towards a goal, a reader after the other, and keeps what did harm.

`python -m fuzz.campaign [--readers stills,motion] [--goal 100000] [--seconds N] [--state FOLDER]` goes on where
it stopped, after Ctrl-C and SIGTERM too. Exit code 1 where an input did harm: it then lies in FOLDER/findings
with the reason beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from fuzz.readers import READERS
from fuzz.worker import make_input

GOAL = 100_000
_BATCH = 2000
_WALL_SECONDS = 60.0
"""Inputs a worker process reads before it is replaced, and how long it may sit idle over one."""


@dataclass
class Progress:
    """What was reached for one reader. most_seconds, most_bytes: the costliest single input that was in
    bounds."""

    done: int = 0
    read: int = 0
    refused: int = 0
    harm: int = 0
    most_seconds: float = 0.0
    most_bytes: int = 0
    kinds: dict[str, int] = field(default_factory=dict)


class End:
    """When a campaign is over: after so many seconds, or when it is asked to end by SIGTERM or Ctrl-C.

    A signal is noted and not raised: an exception could come between the start of a worker and the note of
    whom to end, or in the middle of counting. asked: the end of a pipe that can be read once a signal came.
    """

    def __init__(self, seconds: float = float("inf")) -> None:
        self._deadline = time.monotonic() + seconds
        self.asked, self._tell = os.pipe()
        self.signalled = False

    def listen(self) -> None:
        """Take both signals from now on."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._note())

    def _note(self) -> None:
        if not self.signalled:
            os.write(self._tell, b"x")
        self.signalled = True

    def come(self) -> bool:
        """Whether it is over."""
        return self.signalled or time.monotonic() >= self._deadline


class Campaign:
    """One reader's inputs, counted in a state file."""

    def __init__(self, name: str, state: Path) -> None:
        self.name, self.state = name, state
        self.file = state / f"{name}.json"
        self.seeds = state / "seeds" / name
        self.findings = state / "findings"
        self.findings.mkdir(parents=True, exist_ok=True)
        known = json.loads(self.file.read_text()) if self.file.is_file() else {}
        self.progress = Progress(**known)
        if not self.seeds.is_dir():
            self._make_seeds()

    def _make_seeds(self) -> None:
        """Under their name only when all are there: a run may be stopped here too."""
        with tempfile.TemporaryDirectory() as folder:
            wanted = READERS[self.name].seeds(Path(folder))
            self.seeds.parent.mkdir(exist_ok=True)
            partial = Path(tempfile.mkdtemp(dir=self.seeds.parent, prefix=f".{self.name}."))
            for path in wanted:
                shutil.copy(path, partial)
        partial.rename(self.seeds)

    def run(self, goal: int, end: End) -> None:
        """Go on until `goal` inputs were read or the end has come."""
        while self.progress.done < goal and not end.come():
            self._batch(self.progress.done, min(goal, self.progress.done + _BATCH), end)
            self.file.write_text(json.dumps(asdict(self.progress)))

    def _batch(self, first: int, last: int, end: End) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            words = [self.name, str(self.seeds), scratch, str(first), str(last)]
            command = [sys.executable, "-m", "fuzz.worker", *words]
            process = subprocess.Popen(
                command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent
            )
            try:
                self._follow(process, last, end)
            finally:
                process.kill()
                process.wait()
                if process.stdout:
                    process.stdout.close()

    def _follow(self, process: subprocess.Popen[str], last: int, end: End) -> None:
        assert process.stdout is not None
        with selectors.DefaultSelector() as ready:
            ready.register(process.stdout, selectors.EVENT_READ)
            ready.register(end.asked, selectors.EVENT_READ)
            while self.progress.done < last and not end.come():
                silent = not ready.select(_WALL_SECONDS)
                if silent and _waits_for_a_core(process.pid):
                    continue
                line = "" if silent or end.signalled else process.stdout.readline()
                if end.signalled:
                    return  # Ctrl-C reached the worker too: what it says then is not about the input
                if line:
                    self._note(json.loads(line))
                    continue
                code = None if silent else process.wait()
                if code == 0:
                    return
                self._keep(f"silent for {_WALL_SECONDS:.0f} s" if silent else f"the process ended with {code}")
                self.progress.done += 1
                return

    def _note(self, answer: dict[str, object]) -> None:
        assert answer["number"] == self.progress.done, answer
        progress, what = self.progress, str(answer["what"])
        if what in ("read", "refused"):
            setattr(progress, what, getattr(progress, what) + 1)
            progress.most_seconds = max(progress.most_seconds, float(str(answer["seconds"])))
            progress.most_bytes = max(progress.most_bytes, int(str(answer["peak"])))
        else:
            self._keep(f"{what}: {answer.get('why')}")
        progress.done += 1

    def _keep(self, why: str) -> None:
        """Save the input that did harm, and say so; of one kind the first twenty."""
        number = self.progress.done
        self.progress.harm += 1
        kind = why.strip().splitlines()[-1][:80]
        kinds = Counter(self.progress.kinds)
        kinds[kind] += 1
        self.progress.kinds = dict(kinds)
        if kinds[kind] > 20:
            return
        data, suffix = make_input(self.name, sorted(p for p in self.seeds.iterdir() if p.is_file()), number)
        path = self.findings / f"{self.name}-{number}{suffix}"
        path.write_bytes(data)
        path.with_name(path.name + ".txt").write_text(why)
        print(f"{self.name}: input {number} did harm ({kind}); kept as {path}", flush=True)


def _waits_for_a_core(pid: int) -> bool:
    """Whether a thread of a silent process would go on if it were given time (Linux): it is starved by other
    work, and not stuck. Going round in circles has its own limit, that of CPU time."""
    states = set()
    for stat in Path(f"/proc/{pid}/task").glob("*/stat"):
        with suppress(OSError):
            states.add(stat.read_text().rpartition(")")[2].split()[0])
    return bool(states & {"R", "D"})


def table(progress: dict[str, Progress]) -> str:
    """What was reached, as a Markdown table."""
    lines = ["| reader | inputs | read | refused | harm | most CPU | most memory |", "| --- |" + " --- |" * 6]
    for name, p in progress.items():
        lines.append(
            f"| {name} | {p.done:,} | {p.read:,} | {p.refused:,} | {p.harm:,} "
            f"| {p.most_seconds:.1f} s | {p.most_bytes / 2**20:.0f} MiB |"
        )
    return "\n".join(lines)


def main(words: list[str] | None = None) -> int:
    """The command; returns 1 where an input did harm."""
    parser = argparse.ArgumentParser(prog="fuzz.campaign", description=__doc__)
    parser.add_argument("--readers", default=",".join(READERS), help="names, with commas (all)")
    parser.add_argument("--goal", type=int, default=GOAL, help="inputs a reader (100,000)")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so long")
    parser.add_argument("--state", type=Path, default=Path(__file__).parent / "state", help="what was reached")
    given = parser.parse_args(words)
    end = End(given.seconds)
    end.listen()
    reached = {}
    for name in given.readers.split(","):
        if end.signalled:
            break
        campaign = Campaign(name, given.state)
        reached[name] = campaign.progress
        campaign.run(given.goal, end)
    print(table(reached))
    return 1 if any(p.harm for p in reached.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
