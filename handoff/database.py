"""The store: runs plain synchronous functions, each in one transaction, and answers only after the commit.

SQLite has one writer thread that gathers what waits into one commit (group commit: one fsync for many children). PostgreSQL
has a pool. Domain functions take a `Connection` and never commit. Measured choice: docs/decisions/0002-store.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from handoff.errors import StoreUnavailable
from handoff.events import Event, Hub, take_announcements

T = TypeVar("T")
Work = Callable[[Connection], T]

BUSY_MS = 2000
"""How long SQLite waits for another process's lock before we say that nothing can be stored."""

_BATCH = 64
_READERS = 4
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",  # an acknowledgement survives a power cut
    "secure_delete=ON",
    "trusted_schema=OFF",
    "temp_store=MEMORY",
    "foreign_keys=ON",
    f"busy_timeout={BUSY_MS}",
)


class Store(Protocol):
    """What the rest of the program knows of the database."""

    hub: Hub

    def write(self, work: Work[T]) -> Future[T]:
        """Run `work` in a transaction. The future holds its result after the commit, its own exception after a rollback, or
        `StoreUnavailable` when the database cannot be used."""
        ...

    def read(self, work: Work[T]) -> Future[T]:
        """Run `work`, which only reads, on one consistent view."""
        ...

    def tidy(self) -> Future[bool]:
        """Overwrite what was deleted where the database allows it. False when it must be tried again later."""
        ...

    def close(self) -> None:
        """Finish what was accepted, then let go of the database."""
        ...


async def awaited(future: Future[T]) -> T:
    """Await a store's future from a coroutine; a caller that goes away does not undo what was accepted."""
    wrapped = asyncio.wrap_future(future)
    wrapped.add_done_callback(lambda done: done.cancelled() or done.exception())  # looked at: asyncio logs no traceback of it
    return await asyncio.shield(wrapped)


def open_store(url: str, *, pool: int = 8) -> Store:
    """The store for a database URL (`sqlite:///...` or `postgresql+psycopg://...`)."""
    return SqliteStore(url) if url.startswith("sqlite") else PostgresStore(url, pool=pool)


class _Job:
    """A piece of work and who waits for it."""

    __slots__ = ("error", "events", "future", "result", "work")

    def __init__(self, work: Work[Any]) -> None:
        self.work = work
        self.future: Future[Any] = Future()
        self.result: Any = None
        self.error: BaseException | None = None
        self.events: list[Event] = []

    def settle(self, hub: Hub) -> None:
        """Tell the caller how it ended, after the commit; a caller that gave up meanwhile hears nothing, listeners still do."""
        if self.future.set_running_or_notify_cancel():
            if self.error is not None:
                self.future.set_exception(self.error)
            else:
                self.future.set_result(self.result)
        if self.error is None:
            for event in self.events:
                hub.publish(event)


def sqlite_engine(url: str, *, readonly: bool = False) -> Engine:
    """An engine with our pragmas and explicit transactions (the driver's own are switched off)."""
    engine = sa.create_engine(url, hide_parameters=True, pool_size=_READERS, connect_args={"timeout": BUSY_MS / 1000})

    @sa.event.listens_for(engine, "connect")
    def _connect(dbapi: sqlite3.Connection, _record: Any) -> None:
        dbapi.isolation_level = None
        for pragma in _PRAGMAS:
            dbapi.execute(f"PRAGMA {pragma}")
        if readonly:
            dbapi.execute("PRAGMA query_only=ON")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if readonly else "BEGIN IMMEDIATE")

    return engine


class SqliteStore:
    """One file, one writing thread, several readers (WAL)."""

    def __init__(self, url: str) -> None:
        self.hub = Hub()
        self._path = Path(str(sa.engine.make_url(url).database))
        self._writer = sqlite_engine(url)
        self._reader = sqlite_engine(url, readonly=True)
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="store-read")
        self._inode: int | None = None
        self._closed = False
        self._gate = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="store-write", daemon=True)
        self._thread.start()

    def write(self, work: Work[T]) -> Future[T]:
        """See `Store.write`."""
        job = _Job(work)
        with self._gate:
            if self._closed:
                job.future.set_exception(StoreUnavailable("the store is closed"))
            else:
                self._jobs.put(job)
        return job.future

    def read(self, work: Work[T]) -> Future[T]:
        """See `Store.read`."""
        return _submit(self._readers, self._read, work)

    def tidy(self) -> Future[bool]:
        """Empty the write-ahead log, where deleted rows live on (with an open reader it must be tried again)."""
        return self._readers.submit(self._checkpoint)

    def _checkpoint(self) -> bool:
        try:
            self._same_file()
            with contextlib.closing(sqlite3.connect(self._path, timeout=BUSY_MS / 1000)) as raw:
                raw.execute("PRAGMA secure_delete=ON")
                return bool(raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0)
        except sqlite3.Error as error:
            raise StoreUnavailable(f"the database cannot be used: {error.sqlite_errorname}") from None

    def close(self) -> None:
        """See `Store.close`."""
        with self._gate:
            first, self._closed = not self._closed, True
            self._jobs.put(None)
        if first:
            self._thread.join()
            self._readers.shutdown()
            self._writer.dispose()
            self._reader.dispose()

    def _read(self, work: Work[T]) -> T:
        try:
            self._same_file()
            with self._reader.begin() as tx:
                return work(tx)
        except DBAPIError as error:
            raise _unavailable(error) from None

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            batch = [job]
            while len(batch) < _BATCH and not self._jobs.empty():
                more = self._jobs.get()
                if more is None:
                    self._jobs.put(None)
                    break
                batch.append(more)
            self._commit_together(batch)

    def _commit_together(self, batch: list[_Job]) -> None:
        """One commit for all of the batch. The thread survives whatever happens in here: without it nobody is heard any more."""
        try:
            self._attempt(batch)
        except BaseException as error:  # noqa: BLE001 - also a panic in a library; it failed for all, none of it was kept
            if len(batch) > 1 and not isinstance(error, StoreUnavailable):
                for job in batch:  # one job's bad statement is not the others' fault: each once more, alone
                    self._commit_together([job])
                return
            for job in batch:
                job.error = _unavailable(error)
        for job in batch:
            job.settle(self.hub)

    def _attempt(self, batch: list[_Job]) -> None:
        self._same_file()
        known = self._inode
        with self._writer.connect() as connection, connection.begin():
            for job in batch:
                job.error = None
                _in_savepoint(connection, job)
        self._same_file(known)

    def _same_file(self, demanded: int | None = None) -> None:
        """SQLite goes on writing to a file that was deleted or replaced under it: an acknowledgement would then be a lie.

        With `demanded`, the file must still be that one; without, a new file is taken from now on.
        """
        try:
            inode = self._path.stat().st_ino
        except OSError:
            if self._inode is None:
                return  # not made yet
            self._writer.dispose()
            raise StoreUnavailable("the database file is gone") from None
        if self._inode not in (None, inode):
            self._writer.dispose()
            self._reader.dispose()
        self._inode = inode
        if demanded not in (None, inode):
            raise StoreUnavailable("the database file was replaced")


def _submit(threads: ThreadPoolExecutor, run: Callable[[Work[T]], T], work: Work[T]) -> Future[T]:
    try:
        return threads.submit(run, work)
    except RuntimeError:
        closed: Future[T] = Future()
        closed.set_exception(StoreUnavailable("the store is closed"))
        return closed


def _in_savepoint(connection: Connection, job: _Job) -> None:
    """One job's work: its own failure undoes its own work only; a failure of the database undoes the whole batch."""
    take_announcements(connection)  # what a panic left behind on this connection
    connection.exec_driver_sql("SAVEPOINT job")
    try:
        job.result = job.work(connection)
        job.events = take_announcements(connection)
        connection.exec_driver_sql("RELEASE job")
    except OperationalError as error:
        take_announcements(connection)
        if _is_lost(error):
            raise StoreUnavailable(str(_unavailable(error))) from None
        raise
    except Exception as error:  # noqa: BLE001 - it belongs to the caller, who gets it from the future
        take_announcements(connection)
        connection.exec_driver_sql("ROLLBACK TO job")
        connection.exec_driver_sql("RELEASE job")
        job.error = error


def _is_lost(error: OperationalError) -> bool:
    """Locked, full, broken: trying each job of the batch alone would only take longer."""
    return getattr(error.orig, "sqlite_errorname", "") not in ("SQLITE_ERROR", "")


def _unavailable(error: BaseException) -> StoreUnavailable:
    """The driver's own text could hold a value of a row: only its kind is passed on."""
    if isinstance(error, StoreUnavailable):
        return error
    origin = getattr(error, "orig", None) or error
    code = getattr(origin, "sqlite_errorname", None) or getattr(origin, "sqlstate", None) or type(origin).__name__
    return StoreUnavailable(f"the database cannot be used: {code}")


class PostgresStore:
    """A pool of connections; rows are locked where two could want the same; events travel by NOTIFY."""

    CHANNEL = "praat"

    def __init__(self, url: str, *, pool: int = 8) -> None:
        self.hub = Hub()
        self._engine = sa.create_engine(
            url, hide_parameters=True, pool_size=pool + 1, max_overflow=0, pool_pre_ping=True, pool_timeout=BUSY_MS / 1000,
            connect_args={"connect_timeout": 2, "options": "-c lock_timeout=2000 -c statement_timeout=10000"},
        )  # fmt: skip
        self._threads = ThreadPoolExecutor(pool, thread_name_prefix="store")
        self._stop = threading.Event()
        self._ear = threading.Thread(target=self._listen, name="store-listen", daemon=True)
        self._ear.start()

    def write(self, work: Work[T]) -> Future[T]:
        """See `Store.write`."""
        return _submit(self._threads, self._attempt, work)

    def read(self, work: Work[T]) -> Future[T]:
        """See `Store.read`."""
        return _submit(self._threads, self._attempt, work)

    def tidy(self) -> Future[bool]:
        """Nothing to do here: PostgreSQL keeps what was deleted; only the destroyed expiry key makes it unreadable."""
        done: Future[bool] = Future()
        done.set_result(True)
        return done

    def close(self) -> None:
        """See `Store.close`."""
        self._stop.set()
        self._threads.shutdown()
        self._ear.join()
        self._engine.dispose()

    def _attempt(self, work: Work[T]) -> T:
        """Work has no effect outside its transaction, so a deadlock or a lost race on a unique key is simply done again."""
        for attempt in (1, 2, 3):
            try:
                with self._engine.begin() as tx:
                    try:
                        result = work(tx)
                    finally:
                        events = take_announcements(tx)
                    for event in events:
                        tx.execute(sa.select(sa.func.pg_notify(self.CHANNEL, event.dump())))
                    return result
            except sa.exc.TimeoutError as error:
                raise _unavailable(error) from None
            except DBAPIError as error:
                state = getattr(error.orig, "sqlstate", None)
                if attempt < 3 and state in ("40001", "40P01", "23505"):
                    continue
                if isinstance(error, OperationalError) or error.connection_invalidated:
                    raise _unavailable(error) from None
                raise
        raise AssertionError("unreachable")

    def _listen(self) -> None:
        while not self._stop.is_set():
            try:
                with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                    connection.exec_driver_sql(f"LISTEN {self.CHANNEL}")
                    raw: Any = connection.connection.driver_connection
                    while not self._stop.is_set():
                        for note in raw.notifies(timeout=0.5):
                            with contextlib.suppress(ValueError):  # somebody else's NOTIFY on our channel
                                self.hub.publish(Event.load(note.payload))
            except (SQLAlchemyError, OSError):
                self._stop.wait(1)  # the pages' own polling carries on meanwhile
