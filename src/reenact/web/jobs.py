"""Jobs: a queue with bounds, workers, progress, cancelling, and files that go when it was promised.

What a job does is handed over as a function; nothing here knows of faces.
"""

from __future__ import annotations

import secrets
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from reenact.errors import ReenactError
from reenact.web.limits import Limits
from reenact.web.settings import JobOptions

State = Literal["uploading", "queued", "running", "done", "failed", "cancelled"]
ENDED: frozenset[State] = frozenset({"done", "failed", "cancelled"})
_TRACK_SHARE = 0.25
"""Of a job's work, what tracking the driving file takes."""
_ROUND = 5.0
"""Seconds between two looks for what has expired, at most."""


class QueueFull(ReenactError):  # noqa: N818  (it is the queue that is full)
    """No more jobs are taken at the moment."""


class _Cancelled(BaseException):
    """Raised inside a job's work; not an Exception, so that no stage takes it for a damaged file."""


@dataclass
class Job:
    """One job. folder: its files. kept: names of files that can be fetched -> paths. given: what the work is
    handed beside its files. stage, done, total: where it is; total is None while it is not known. tracked:
    whether the driving file had to be followed first. Times are of the monotonic clock."""

    id: str
    folder: Path
    options: JobOptions = field(default_factory=JobOptions)
    given: Any = None
    state: State = "uploading"
    stage: str = ""
    done: int = 0
    total: int | None = None
    error: str | None = None
    created: float = field(default_factory=time.monotonic)
    began: float | None = None
    stage_began: float = 0.0
    tracked: bool = False
    ended: float | None = None
    kept: dict[str, Path] = field(default_factory=dict)
    summary: dict[str, Any] | None = None
    marks: dict[str, Any] | None = None
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def inputs(self) -> Path:
        """The folder of the uploads, which goes as soon as the job has ended."""
        return self.folder / "inputs"

    @property
    def fraction(self) -> float:
        """Share of the work that is done, 0 to 1."""
        if self.state == "done":
            return 1.0
        part = self.done / self.total if self.total else 0.0
        if self.stage == "track":
            return _TRACK_SHARE * min(part, 1.0)
        before = _TRACK_SHARE if self.tracked else 0.0
        return before + (1 - before) * min(part, 1.0) if self.stage == "render" else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Estimate from the pace so far; None where there is none yet."""
        if self.state != "running" or not self.total:
            return None
        # What is left of rendering is told by its own pace, without the time that loading and tracking took.
        share = self.fraction if self.stage == "track" else self.done / self.total
        if share < 0.02:
            return None
        return (time.monotonic() - self.stage_began) * (1 - min(share, 1.0)) / share

    def progress(self, stage: str, done: int, total: int | None) -> None:
        """Told by the pipeline; ends the work where the job was cancelled."""
        if self.stop.is_set():
            raise _Cancelled
        if stage != self.stage:
            self.stage_began = time.monotonic()
            self.tracked |= stage == "track"
        self.stage, self.done, self.total = stage, done, total


Work = Callable[[Job], None]
"""Does what the job asks and fills `kept`, `summary` and `marks`; calls `job.progress` now and then."""


class Jobs:
    """The jobs of one server. root: a folder of its own. Close it to remove everything."""

    def __init__(self, root: Path, limits: Limits, work: Work) -> None:
        self._root, self._limits, self._work = root, limits, work
        self._jobs: dict[str, Job] = {}
        self._waiting: deque[Job] = deque()
        self._change = threading.Condition()
        self._open = True
        self._threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(limits.running)]
        self._threads.append(threading.Thread(target=self._sweep, daemon=True))
        for thread in self._threads:
            thread.start()

    def prepare(self) -> Job:
        """A place in the queue and a folder for uploads; `submit` or `delete` it. Raises QueueFull."""
        with self._change:
            if not self._open:
                raise QueueFull("the server is stopping")
            open_jobs = sum(job.state in ("uploading", "queued") for job in self._jobs.values())
            if open_jobs >= self._limits.queued:
                raise QueueFull(f"{open_jobs} jobs are waiting already; try again in a while")
            name = secrets.token_urlsafe(16)
            job = Job(name, self._root / name)
            self._jobs[name] = job
        job.inputs.mkdir(parents=True)
        return job

    def submit(self, job: Job) -> None:
        """Queue a prepared job."""
        with self._change:
            if job.id not in self._jobs or job.state != "uploading":
                return
            job.state = "queued"
            self._waiting.append(job)
            self._change.notify_all()

    def find(self, name: str) -> Job | None:
        """The job of that id, or None."""
        with self._change:
            return self._jobs.get(name)

    def ahead_of(self, job: Job) -> int:
        """How many jobs wait before this one."""
        with self._change:
            return self._waiting.index(job) if job in self._waiting else 0

    def cancel(self, job: Job) -> None:
        """Stop a job, now or at its next frame; nothing happens to one that has ended."""
        with self._change:
            job.stop.set()
            if job.state in ("uploading", "queued"):
                if job in self._waiting:
                    self._waiting.remove(job)
                self._end(job, "cancelled")

    def delete(self, job: Job) -> None:
        """Stop a job and forget it with all its files; those of a running one go when it stops."""
        self.cancel(job)
        with self._change:
            self._jobs.pop(job.id, None)
            if job.state in ENDED:
                shutil.rmtree(job.folder, ignore_errors=True)

    def close(self, wait: float = 10.0) -> None:
        """Stop all jobs and remove all files; waits for running ones for at most `wait` seconds."""
        with self._change:
            self._open = False
            jobs = list(self._jobs.values())
            self._change.notify_all()
        for job in jobs:
            self.delete(job)
        until = time.monotonic() + wait
        for thread in self._threads:
            thread.join(max(until - time.monotonic(), 0))
        shutil.rmtree(self._root, ignore_errors=True)

    def _serve(self) -> None:
        while True:
            with self._change:
                while self._open and not self._waiting:
                    self._change.wait()
                if not self._open:
                    return
                job = self._waiting.popleft()
                job.state, job.began = "running", time.monotonic()
            self._run(job)

    def _run(self, job: Job) -> None:
        state: State = "failed"
        try:
            self._work(job)
            state = "done"
        except _Cancelled:
            state = "cancelled"
        except ReenactError as error:
            job.error = _without_paths(str(error), job)
        except MemoryError:
            job.error = "not enough memory for this; try a smaller size"
        except Exception as error:
            # The text of an unexpected exception may hold anything, paths too; the log has it whole.
            import logging

            logging.getLogger("reenact.web").exception("a job failed unexpectedly")
            job.error = f"a fault of the server ({type(error).__name__}); its log says more"
        with self._change:
            self._end(job, state)
            if job.id not in self._jobs:
                shutil.rmtree(job.folder, ignore_errors=True)

    def _end(self, job: Job, state: State) -> None:
        """Settle the state last: whoever sees it finds the rest settled. The uploads go here."""
        shutil.rmtree(job.inputs if state == "done" else job.folder, ignore_errors=True)
        job.given = None
        if state != "done":
            job.kept.clear()
        job.ended = time.monotonic()
        job.state = state
        self._change.notify_all()

    def _sweep(self) -> None:
        keep = self._limits.keep
        while True:
            with self._change:
                if not self._open:
                    return
                self._change.wait(min(keep / 2, _ROUND))
                now = time.monotonic()
                old = [j for j in self._jobs.values() if j.ended is not None and now - j.ended > keep]
                # An upload that never ends, and is no job yet.
                old += [j for j in self._jobs.values() if j.state == "uploading" and now - j.created > keep]
            for job in old:
                self.delete(job)


def _without_paths(message: str, job: Job) -> str:
    """The message with the names of files alone: where they lie is nobody's business outside."""
    return message.replace(f"{job.inputs}/", "").replace(f"{job.folder}/", "")
