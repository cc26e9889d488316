"""Overlapping stages: bounded queues between threads, so that memory does not grow with the video."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")
_DEPTH = 6


def ahead(items: Iterable[T], depth: int = _DEPTH) -> Generator[T, None, None]:
    """The same items, produced up to `depth` ahead in a thread of their own. An exception of the producer
    comes up after the items before it; leaving the loop early stops the producer."""
    box: queue.Queue[tuple[T | None, BaseException | None, bool]] = queue.Queue(depth)
    stop = threading.Event()

    def give(entry: tuple[T | None, BaseException | None, bool]) -> bool:
        while not stop.is_set():
            try:
                box.put(entry, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def produce() -> None:
        try:
            for item in items:
                if not give((item, None, False)):
                    return
            give((None, None, True))
        except BaseException as error:
            give((None, error, True))

    thread = threading.Thread(target=produce, daemon=True)
    thread.start()
    try:
        while True:
            item, error, last = box.get()
            if error is not None:
                raise error
            if last:
                return
            yield item  # type: ignore[misc]
    finally:
        stop.set()
        thread.join()


def abreast(work: Callable[[T], R], items: Iterable[T], workers: int) -> Generator[R, None, None]:
    """`work` of each item, in order, several at a time; at most two a worker are begun or done and not taken.
    An exception of `work` comes up in its place; leaving the loop early waits for what was begun."""
    waiting: deque[Future[R]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) >= 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


class Behind(Generic[T]):
    """Calls `work` on what is put in, in order, in a thread of its own; a context manager. At most `depth`
    items wait. What `work` raises comes up at the next `put` or at the end."""

    def __init__(self, work: Callable[[T], None], depth: int = _DEPTH) -> None:
        self._work = work
        self._box: queue.Queue[tuple[T] | None] = queue.Queue(depth)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while (entry := self._box.get()) is not None:
            if self._error is None:
                try:
                    self._work(entry[0])
                except BaseException as error:
                    self._error = error

    def put(self, item: T) -> None:
        """Queue an item; waits while the queue is full."""
        if self._error is not None:
            raise self._error
        self._box.put((item,))

    def __enter__(self) -> Behind[T]:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._box.put(None)
            self._thread.join()
        except BaseException:
            self._drop()
            raise
        if self._error is not None and error is None:
            raise self._error

    def _drop(self) -> None:
        """Let the item at work be finished and leave out those that wait, after an interruption of the wait
        itself: nobody may close the file under the thread."""
        self._work = lambda item: None
        while self._thread.is_alive():
            with suppress(queue.Full):
                self._box.put(None, timeout=0.1)
            self._thread.join(0.1)
