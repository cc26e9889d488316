"""Overlapping stages: order, bounds, errors and interruptions."""

from __future__ import annotations

import itertools
import threading
import time

import pytest

from reenact.pipeline.stages import Behind, ahead

WAIT = 60.0


def test_ahead_keeps_the_order():
    assert list(ahead(range(50))) == list(range(50))
    assert list(ahead([])) == []


def test_ahead_is_bounded():
    made = []
    items = ahead((made.append(n) or n for n in range(1000)), depth=3)
    assert next(items) == 0
    time.sleep(0.3)
    assert len(made) <= 6
    items.close()


def test_an_error_comes_after_the_items_before_it():
    def broken():
        yield 1
        yield 2
        raise ValueError("torn")

    seen = []
    with pytest.raises(ValueError, match="torn"):
        for item in ahead(broken()):
            seen.append(item)
    assert seen == [1, 2]


def test_leaving_early_stops_the_producer():
    closed = threading.Event()

    def endless():
        try:
            yield from itertools.count()
        finally:
            closed.set()

    source = endless()
    threads = set(threading.enumerate())
    items = ahead(source)
    assert next(items) == 0
    items.close()
    assert set(threading.enumerate()) <= threads
    source.close()
    assert closed.is_set()


def test_behind_works_in_order_and_finishes():
    done = []
    with Behind(done.append) as work:
        for n in range(40):
            work.put(n)
    assert done == list(range(40))


def test_behind_is_bounded():
    gate = threading.Event()
    put = []

    def feed(work):
        for n in range(20):
            work.put(n)
            put.append(n)

    with Behind(lambda n: gate.wait(WAIT), depth=2) as work:
        feeder = threading.Thread(target=feed, args=(work,))
        feeder.start()
        time.sleep(0.2)
        assert len(put) <= 4
        gate.set()
        feeder.join(WAIT)


def test_an_error_of_the_work_comes_up():
    def fail(n):
        raise ValueError(f"item {n}")

    with pytest.raises(ValueError, match="item 0"), Behind(fail) as work:
        for n in range(100):
            work.put(n)
            time.sleep(0.01)
    with pytest.raises(ValueError, match="item 0"), Behind(fail) as work:
        work.put(0)


def test_an_error_of_the_feeder_is_not_hidden_by_one_of_the_work():
    def fail(n):
        raise ValueError("work")

    with pytest.raises(KeyError, match="feeder"), Behind(fail) as work:
        work.put(0)
        time.sleep(0.05)
        raise KeyError("feeder")


def test_what_was_put_before_an_interruption_is_still_done():
    done = []
    with pytest.raises(KeyboardInterrupt), Behind(lambda n: (time.sleep(0.01), done.append(n))) as work:
        for n in range(4):
            work.put(n)
        raise KeyboardInterrupt
    assert done == [0, 1, 2, 3]


def test_interrupted_while_it_waits_nothing_works_on_afterwards(monkeypatch):
    """A second Ctrl-C comes while the queue is worked off: the file may be closed once the block is left."""
    done, join = [], threading.Thread.join
    begun, gate = threading.Event(), threading.Event()
    calls = itertools.count()

    def interrupted(self, timeout=None):
        if next(calls) == 0:
            raise KeyboardInterrupt
        gate.set()
        return join(self, timeout)

    work = Behind(lambda n: (begun.set(), gate.wait(WAIT), done.append(n)), depth=6)
    monkeypatch.setattr(work._thread, "join", interrupted.__get__(work._thread))
    with pytest.raises(KeyboardInterrupt), work:
        for n in range(5):
            work.put(n)
        assert begun.wait(WAIT)
    assert not work._thread.is_alive()
    assert done == [0]
