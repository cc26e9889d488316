"""Shards made by processes here or by a Ray cluster: the same function, the same bytes.

Work is always done in processes of their own, even by one: sums of linear algebra depend in their last digit on
the number of threads, which can only be set before NumPy is loaded, and one thread each is fastest too.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from reenact.errors import ReenactError
from reenact.pipeline.progress import Progress

if TYPE_CHECKING:
    from reenact.data.extract import Extractor, Recipe
    from reenact.data.prepare import Job

Make = Callable[["Job", "Extractor"], int]
"""Makes a shard and returns the number of frames read."""


def run_shards(
    make: Make, jobs: Sequence[Job], *, workers: int, ray: str | None, progress: Progress
) -> Iterator[int]:
    """Make all shards; yields the frames of each as it is done, in whatever order. Raises ReenactError where a
    worker dies (finished shards stay)."""
    if not jobs:
        return
    total, done = sum(len(job.units) for job in jobs), 0
    progress("prepare", 0, total)
    for job, frames in _results(make, jobs, workers, ray):
        done += len(job.units)
        progress("prepare", done, total)
        yield frames


def _results(make: Make, jobs: Sequence[Job], workers: int, ray: str | None) -> Iterator[tuple[Job, int]]:
    if ray is not None:
        return _by_ray(make, jobs, ray, workers)
    return _by_processes(make, jobs, min(workers, len(jobs)))


_ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
_EXTRACTOR: Extractor | None = None


@contextmanager
def _one_thread() -> Iterator[None]:
    """Processes started inside have one thread for linear algebra each."""
    before = {name: os.environ.get(name) for name in _ONE_THREAD}
    os.environ.update(_ONE_THREAD)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _start(recipe: Recipe, parent: int) -> None:
    """Prepare a worker process: Ctrl-C is the parent's to handle, and a worker whose parent was killed ends."""
    global _EXTRACTOR
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    from reenact.data.extract import Extractor
    from reenact.geometry.opencv import opencv

    opencv().setNumThreads(1)
    _EXTRACTOR = Extractor(recipe)


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _in_worker(make: Make, job: Job) -> int:
    assert _EXTRACTOR is not None
    return make(job, _EXTRACTOR)


def _by_processes(make: Make, jobs: Sequence[Job], workers: int) -> Iterator[tuple[Job, int]]:
    with _one_thread():
        yield from _pooled(make, jobs, workers)


def _pooled(make: Make, jobs: Sequence[Job], workers: int) -> Iterator[tuple[Job, int]]:
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, _start, (jobs[0].recipe, os.getpid()))
    try:
        waiting = {pool.submit(_in_worker, make, job): job for job in jobs}
        for future in as_completed(waiting):
            yield waiting[future], future.result()
    except BrokenProcessPool:
        raise ReenactError(
            "a worker process died, perhaps for want of memory; run the command again with fewer --workers: "
            "finished shards are kept"
        ) from None
    except BaseException:
        for child in multiprocessing.active_children():
            child.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _by_ray(make: Make, jobs: Sequence[Job], address: str, workers: int) -> Iterator[tuple[Job, int]]:
    """By Ray Data: jobs are rows, a worker holds a detector for as long as it lives. On a cluster Ray takes as
    many workers as there are free cores; with address 'local' it takes `workers`."""
    ray = _connected(address, workers)

    class Maker:
        def __init__(self) -> None:
            from reenact.data.extract import Extractor

            self.extractor = Extractor(jobs[0].recipe)

        def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
            number = int(row["item"])
            return {"job": number, "frames": make(jobs[number], self.extractor)}

    most = workers if address == "local" else max(int(ray.cluster_resources().get("CPU", 1)), 1)
    rows = ray.data.from_items(list(range(len(jobs))), override_num_blocks=len(jobs))
    pool = ray.data.ActorPoolStrategy(min_size=1, max_size=min(most, len(jobs)))
    made = rows.map(Maker, compute=pool, num_cpus=1)
    try:
        for row in made.iter_rows():
            yield jobs[row["job"]], int(row["frames"])
    except ray.exceptions.RayError as error:
        reason = str(error).strip().splitlines()[-1]
        raise ReenactError(f"Ray: {reason}; finished shards are kept, run the command again") from error
    finally:
        ray.shutdown()


def _connected(address: str, workers: int) -> Any:
    try:
        import ray
        import ray.data
        import ray.exceptions
    except ImportError:
        raise ReenactError(
            "--ray needs the 'cluster' extra; install it with: pip install 'reenact[cluster]'"
        ) from None
    here: dict[str, Any] = {"num_cpus": workers, "include_dashboard": False} if address == "local" else {}
    try:
        ray.init(
            address=address,
            log_to_driver=False,
            logging_level=logging.ERROR,
            runtime_env={"env_vars": _ONE_THREAD},
            **here,
        )
    except Exception as error:  # where its processes start too slowly, Ray raises a plain Exception
        advice = "try again when the machine is less busy" if address == "local" else "check the address"
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ReenactError(f"Ray: cannot reach {address} ({reason}); {advice}") from None
    ray.data.DataContext.get_current().enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    return ray
