"""The queue by itself, with work that takes no time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("pydantic")

from reenact.errors import ReenactError
from reenact.web import jobs
from reenact.web.jobs import ENDED, Job, Jobs, QueueFull
from reenact.web.limits import Limits

WAIT = 60.0


def settle(*jobs: Job) -> None:
    until = time.monotonic() + WAIT
    while any(job.state not in ENDED for job in jobs):
        assert time.monotonic() < until
        time.sleep(0.01)


def submitted(queue: Jobs) -> Job:
    job = queue.prepare()
    queue.submit(job)
    return job


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Work waits for it."""
    event = threading.Event()
    yield event
    event.set()


def test_jobs_run_in_order_and_at_most_so_many_at_once(tmp_path: Path) -> None:
    lock, order, busy, most = threading.Lock(), list[str](), 0, 0

    def work(job: Job) -> None:
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
            order.append(job.id)
        time.sleep(0.005)
        with lock:
            busy -= 1

    queue = Jobs(tmp_path / "jobs", Limits(running=2, queued=50), work)
    jobs = [submitted(queue) for _ in range(20)]
    settle(*jobs)
    assert most <= 2 and sorted(order) == sorted(job.id for job in jobs)
    assert all(job.state == "done" for job in jobs)
    queue.close()
    assert not (tmp_path / "jobs").exists()


def test_a_full_queue_takes_no_more_until_one_ends(tmp_path: Path, gate: threading.Event) -> None:
    queue = Jobs(tmp_path, Limits(queued=2), lambda job: bool(gate.wait(WAIT)) and None)
    jobs = [submitted(queue)]
    while jobs[0].state != "running":
        time.sleep(0.005)
    jobs += [submitted(queue), submitted(queue)]
    assert queue.ahead_of(jobs[2]) == 1
    with pytest.raises(QueueFull):
        queue.prepare()
    queue.cancel(jobs[1])
    assert jobs[1].state == "cancelled" and not jobs[1].folder.exists()
    jobs.append(submitted(queue))
    gate.set()
    settle(*jobs)
    assert [job.state for job in jobs] == ["done", "cancelled", "done", "done"]
    queue.close()


def test_a_running_job_stops_at_its_next_step(tmp_path: Path) -> None:
    def work(job: Job) -> None:
        (job.folder / "half").write_text("x")
        for number in range(10**9):
            job.progress("render", number, 10**9)
            time.sleep(0.001)

    queue = Jobs(tmp_path, Limits(), work)
    job = submitted(queue)
    while job.done < 3:
        time.sleep(0.005)
    queue.cancel(job)
    settle(job)
    assert job.state == "cancelled" and not job.folder.exists()
    queue.close()


def test_what_goes_wrong_is_told_without_paths(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def work(job: Job) -> None:
        if job.options.quality == 1:
            raise ReenactError(f"cannot read {job.inputs}/source.png; take another")
        raise ValueError(f"something about {job.folder}")

    queue = Jobs(tmp_path, Limits(), work)
    expected, fault = queue.prepare(), queue.prepare()
    expected.options = expected.options.model_copy(update={"quality": 1})
    for job in (expected, fault):
        queue.submit(job)
    settle(expected, fault)
    assert expected.error == "cannot read source.png; take another"
    assert fault.error is not None and "ValueError" in fault.error and str(tmp_path) not in fault.error
    assert "ValueError" in caplog.text
    queue.close()


def test_time_left_follows_the_pace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(jobs, "time", SimpleNamespace(monotonic=lambda: now))
    job = Job("x", tmp_path)
    job.state = "running"
    job.progress("track", 50, 100)
    assert job.fraction == pytest.approx(0.125)
    now += 10
    assert job.seconds_left == pytest.approx(70)
    job.progress("render", 0, 100)
    assert job.seconds_left is None
    now += 10
    job.progress("render", 50, 100)
    assert job.fraction == pytest.approx(0.625)
    assert job.seconds_left == pytest.approx(10)


def test_a_job_whose_motion_is_known_counts_from_its_first_frame(tmp_path: Path) -> None:
    job = Job("x", tmp_path)
    job.state = "running"
    job.progress("render", 25, 100)
    assert job.fraction == pytest.approx(0.25)


def test_an_upload_that_never_ends_is_forgotten(tmp_path: Path) -> None:
    queue = Jobs(tmp_path, Limits(keep=0.2), lambda job: None)
    job = queue.prepare()
    until = time.monotonic() + WAIT
    while queue.find(job.id) is not None or job.folder.exists():
        assert time.monotonic() < until
        time.sleep(0.02)
    queue.submit(job)
    assert job.state == "cancelled"
    queue.close()
