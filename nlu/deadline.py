"""Calls that must answer in time: a fixed number of helper threads, so that stuck calls can neither block nor pile up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")


class TooLateError(Exception):
    """No answer within the deadline, or all helpers are stuck."""


class _Call(Generic[T]):
    """One call under way. Whoever asked may have left: then the answer is dropped."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work: Callable[[], T] | None = work
        self._done = threading.Event()
        self._result: T | None = None
        self._fault: BaseException | None = None

    def run(self) -> None:
        work, self._work = self._work, None
        if work is None:
            return
        try:
            self._result = work()
        except BaseException as fault:  # noqa: BLE001 - handed to the caller, in the caller's thread
            self._fault = fault
        finally:
            self._done.set()

    def wait(self, seconds: float) -> T:
        if not self._done.wait(seconds):
            self._work = None  # if it has not begun it need not
            raise TooLateError("no answer within the deadline")
        if self._fault is not None:
            raise self._fault
        return self._result  # type: ignore[return-value]


class Helpers:
    """At most `count` daemon threads that run calls. Safe to use from many threads; they end with the process."""

    def __init__(self, count: int, *, name: str) -> None:
        self._free = threading.Semaphore(count)
        self._queue: SimpleQueue[_Call[object]] = SimpleQueue()
        self._count = count
        self._name = name
        self._started = 0
        self._lock = threading.Lock()

    def call(self, work: Callable[[], T], *, deadline_s: float) -> T:
        """Run `work` in a helper and return what it returns (or raise what it raises) within `deadline_s` seconds.

        Raises `TooLateError` otherwise; waiting for a free helper counts. A late call keeps its helper until it ends.
        """
        begun = time.monotonic()
        if not self._free.acquire(timeout=deadline_s):
            raise TooLateError("all helpers are busy")
        self._start_one()
        call = _Call(work)
        self._queue.put(call)  # type: ignore[arg-type]
        return call.wait(max(0.0, deadline_s - (time.monotonic() - begun)))

    def _start_one(self) -> None:
        with self._lock:
            if self._started == self._count:
                return
            self._started += 1
            number = self._started
        threading.Thread(target=self._serve, name=f"{self._name}-{number}", daemon=True).start()

    def _serve(self) -> None:
        while True:
            call = self._queue.get()
            call.run()
            del call  # keep no words while waiting for the next
            self._free.release()
