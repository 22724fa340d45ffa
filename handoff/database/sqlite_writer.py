"""SQLite's one writing connection, and who uses it: a thread, or the event loop for work that is short (decision 0021).

What waits is committed together: one fsync for many children. Whatever can block stays with the thread: another process's lock,
opening the file, the commit, and work of unknown length. Short work of coroutines runs in their loop when the database is free at
once: two threads that pass Python's lock to and fro at every statement cost more than the work itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future

from sqlalchemy import Connection

from handoff.database.after_commit import do_all
from handoff.database.sqlite_connection import Job, SpoiledError, WritingConnection
from handoff.database.store import unavailable
from handoff.errors import StoreUnavailable
from handoff.events import Hub

_BATCH = 64
HOLD_S = 0.01
"""Seconds after which the loop begins no further work of a batch: pages, streams and heartbeats come in between."""


class _Begun:
    """A transaction that the loop has worked in: the thread commits it, or undoes it when it `failed`."""

    __slots__ = ("failed", "jobs")

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.failed: BaseException | None = None


class Rebuild:
    """Write the whole file anew, between two batches: what comes meanwhile waits, and does not fail."""

    __slots__ = ("future",)

    def __init__(self) -> None:
        self.future: Future[bool] = Future()

    def run(self, connection: WritingConnection) -> None:
        """Do it; false when the database could not be had. Never raises: the thread goes on."""
        try:
            connection.rebuild()
        except BaseException:  # noqa: BLE001 - as in `Writer`: without the thread nobody is heard any more
            connection.undo()
            self.future.set_result(False)
        else:
            self.future.set_result(True)


def _nothing(_tx: Connection) -> None:
    """Wake the thread: with it, it does all that waits."""


class Writer:
    """Owns the connection that writes."""

    def __init__(self, connection: WritingConnection, hub: Hub) -> None:
        self._connection, self._hub = connection, hub
        self._inbox: queue.SimpleQueue[Job | Rebuild | _Begun | None] = queue.SimpleQueue()
        self._gate = threading.Lock()
        self._closed = False
        self._taken = False
        """Whether somebody is between BEGIN and the end of COMMIT; only who has it uses the connection."""
        self._short: deque[Job] = deque()
        self._thread = threading.Thread(target=self._run, name="store-write", daemon=True)
        self._thread.start()

    def put(self, job: Job) -> None:
        """Have the thread do this or, for a job with a loop, that loop, as soon as the database is free."""
        with self._gate:
            if self._closed:
                job.error = StoreUnavailable("the store is closed")
            elif job.loop is None:
                self._inbox.put(job)
            else:
                self._short.append(job)
                if not self._taken:
                    job.loop.call_soon(self._go, job.loop)
        if job.error is not None:
            job.settle()

    def rebuild(self) -> Future[bool]:
        """Have the thread write the file anew when it has the database. False when it could not, or the store is closed."""
        asked = Rebuild()
        with self._gate:
            if self._closed:
                asked.future.set_result(False)
            else:
                self._inbox.put(asked)
        return asked.future

    def close(self) -> None:
        """Finish what was accepted, then let go of the database."""
        with self._gate:
            first, self._closed = not self._closed, True
        if first:
            self._inbox.put(None)
            self._thread.join()
            self._connection.let_go()

    # in the loop

    def _go(self, loop: asyncio.AbstractEventLoop) -> None:
        """Do what waits, unless the database is taken: whoever has it comes back to it."""
        with self._gate:
            if self._taken or not self._short:
                return
            self._taken = True
        begun = _Begun()
        try:
            if self._short[0].loop is loop and self._connection.begin_at_once():
                self._do_short(begun, loop)
        except BaseException as error:  # noqa: BLE001 - also a panic in a library; the thread undoes it for all
            begun.failed = error
        if begun.jobs:
            self._inbox.put(begun)
        else:
            self._taken = False
            self._inbox.put(Job(_nothing))

    def _do_short(self, begun: _Begun, loop: asyncio.AbstractEventLoop) -> None:
        until = time.monotonic() + HOLD_S
        while self._short and self._short[0].loop is loop:
            job = self._short.popleft()
            begun.jobs.append(job)
            self._connection.do(job, savepoint=False)
            if time.monotonic() >= until:
                return

    def _heard(self, jobs: list[Job], loop: asyncio.AbstractEventLoop) -> None:
        """Tell who waits, then listeners. What came meanwhile is done after the answers."""
        for job in jobs:
            job.settle()
        self._publish(jobs)
        if self._short:
            loop.call_soon(self._go, loop)

    # in the thread

    def _run(self) -> None:
        waiting: list[Job] = []
        rebuilds: list[Rebuild] = []
        closing = False
        while True:
            done: list[Job] = []
            for item in self._items():
                if isinstance(item, Job):
                    waiting.append(item)
                elif isinstance(item, Rebuild):
                    rebuilds.append(item)
                elif item is None:
                    closing = True
                else:
                    self._finish(item)
                    done = item.jobs
            has_it = bool(done)
            if (waiting or rebuilds or closing) and (has_it or self._take()):
                has_it, waiting = True, [*waiting, *self._all_short()]
                self._together(waiting)
                for rebuild in rebuilds:
                    rebuild.run(self._connection)
                done, waiting, rebuilds = [*done, *waiting], [], []
            if has_it:
                self._release(done)
                if closing:
                    return

    def _items(self) -> list[Job | Rebuild | _Begun | None]:
        """Wait for something; with it, what else is there."""
        found = [self._inbox.get()]
        with contextlib.suppress(queue.Empty):
            while len(found) < _BATCH:
                found.append(self._inbox.get_nowait())
        return found

    def _take(self) -> bool:
        with self._gate:
            mine = not self._taken
            self._taken = True
            return mine

    def _all_short(self) -> list[Job]:
        with self._gate:
            found = list(self._short)
            self._short.clear()
            return found

    def _release(self, done: list[Job]) -> None:
        """Let go of the database, tell how it ended, and see that somebody goes on with what came meanwhile."""
        with self._gate:
            self._taken = False
        told = self._tell(done)
        with self._gate:
            next_one = self._short[0].loop if self._short else None
        if next_one is not None and next_one not in told:
            try:
                next_one.call_soon_threadsafe(self._go, next_one)
            except RuntimeError:  # that loop has ended
                self._inbox.put(Job(_nothing))

    def _tell(self, jobs: list[Job]) -> set[asyncio.AbstractEventLoop]:
        """Tell who waits how it ended; returns the loops that were told, each of which goes on with what came meanwhile."""
        do_all([deed for job in jobs if job.error is None for deed in job.deeds])
        by_loop: dict[asyncio.AbstractEventLoop, list[Job]] = {}
        mine: list[Job] = []
        for job in jobs:
            (mine if job.loop is None else by_loop.setdefault(job.loop, [])).append(job)
        told = set()
        for loop, theirs in by_loop.items():
            try:
                loop.call_soon_threadsafe(self._heard, theirs, loop)
                told.add(loop)
            except RuntimeError:  # nobody waits there any more
                mine += theirs
        for job in mine:
            if job.loop is None:
                job.settle()
        self._publish(mine)
        return told

    def _finish(self, begun: _Begun) -> None:
        """Commit what the loop began. After a failure all of it is done once more, in here."""

        def commit() -> None:
            if begun.failed is not None:
                raise begun.failed
            self._connection.commit()

        self._see_through(begun.jobs, commit, lambda: self._together(begun.jobs))

    def _together(self, jobs: list[Job]) -> None:
        """One commit for all of them; one job's bad statement is not the others' fault: then each once more, alone."""

        def alone() -> None:
            for job in jobs:
                self._together([job])

        if jobs:
            self._see_through(jobs, lambda: self._attempt(jobs), alone)

    def _see_through(self, jobs: list[Job], step: Callable[[], None], otherwise: Callable[[], None]) -> None:
        """Do this for these jobs. The thread survives whatever happens in here: without it nobody is heard any more."""
        try:
            step()
        except BaseException as error:  # noqa: BLE001 - also a panic in a library; it failed for all, none of it was kept
            self._connection.undo()
            if len(jobs) > 1 and not isinstance(error, StoreUnavailable):
                otherwise()
            elif not isinstance(error, SpoiledError):
                for job in jobs:
                    job.error = unavailable(error)

    def _attempt(self, jobs: list[Job]) -> None:
        self._connection.begin()
        for job in jobs:
            self._connection.do(job, savepoint=len(jobs) > 1)
        self._connection.commit()

    def _publish(self, jobs: list[Job]) -> None:
        self._hub.publish([event for job in jobs if job.error is None for event in job.events])
