"""SQLite: one file, one writing thread with group commit, several readers (WAL)."""

from __future__ import annotations

import contextlib
import queue
import sqlite3
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError

from config.private_files import make_private
from handoff.database.after_commit import Deed, do_all, take_deeds
from handoff.database.prepared import execute, execute_at_once
from handoff.database.store import BUSY_MS, T, Work, submit, unavailable
from handoff.errors import StoreUnavailable
from handoff.events import ERASURES, REPLACED, Event, Hub, take_announcements

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
_making = threading.Lock()
"""Held while a database file is made and closed again: closing it drops the locks that this process has on it."""


class _Job:
    """A piece of work and who waits for it."""

    __slots__ = ("deeds", "error", "events", "future", "result", "work")

    def __init__(self, work: Work[Any]) -> None:
        self.work = work
        self.future: Future[Any] = Future()
        self.result: Any = None
        self.error: BaseException | None = None
        self.events: list[Event] = []
        self.deeds: list[Deed] = []

    def settle(self) -> list[Event]:
        """Tell the caller how it ended, after the commit, unless it gave up; returns what listeners are to hear in any case."""
        do_all([] if self.error else self.deeds)
        if self.future.set_running_or_notify_cancel():
            if self.error is not None:
                self.future.set_exception(self.error)
            else:
                self.future.set_result(self.result)
        return [] if self.error else self.events


def sqlite_engine(url: str, *, readonly: bool = False) -> Engine:
    """An engine with our pragmas and explicit transactions (the driver's own are switched off)."""
    engine = sa.create_engine(url, hide_parameters=True, pool_size=_READERS, connect_args={"timeout": BUSY_MS / 1000})
    path = Path(str(engine.url.database))

    @sa.event.listens_for(engine, "do_connect")
    def _keep_private(*_: Any) -> None:
        _only_for_owner(path)

    @sa.event.listens_for(engine, "connect")
    def _connect(dbapi: sqlite3.Connection, _record: Any) -> None:
        dbapi.isolation_level = None
        for pragma in _PRAGMAS:
            dbapi.execute(f"PRAGMA {pragma}")
        if readonly:
            dbapi.execute("PRAGMA query_only=ON")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        execute_at_once(connection, "BEGIN" if readonly else "BEGIN IMMEDIATE").close()

    return engine


def _only_for_owner(path: Path) -> None:
    """Close the database to others before it is opened: SQLite gives its log the rights that the database itself has."""
    with _making, contextlib.suppress(OSError):  # what cannot be made or changed, SQLite itself will tell
        make_private(path)
        for beside in (path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
            if beside.exists():
                make_private(beside)


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
        return submit(self._readers, self._read, work)

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
                take_deeds(tx)
                result = work(tx)
                deeds = take_deeds(tx)
        except DBAPIError as error:
            raise unavailable(error) from None
        do_all(deeds)
        return result

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
                job.error = unavailable(error)
        self.hub.publish([event for job in batch for event in job.settle()])

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
            self.hub.publish([Event(ERASURES, REPLACED)])
        self._inode = inode
        if demanded not in (None, inode):
            raise StoreUnavailable("the database file was replaced")


def _in_savepoint(connection: Connection, job: _Job) -> None:
    """One job's work: its own failure undoes its own work only; a failure of the database undoes the whole batch."""
    _forget(connection)  # what a panic left behind on this connection
    execute(connection, "SAVEPOINT job").close()
    try:
        job.result = job.work(connection)
        job.events, job.deeds = take_announcements(connection), take_deeds(connection)
        execute(connection, "RELEASE job").close()
    except OperationalError as error:
        _forget(connection)
        if _is_lost(error):
            raise StoreUnavailable(str(unavailable(error))) from None
        raise
    except Exception as error:  # noqa: BLE001 - it belongs to the caller, who gets it from the future
        _forget(connection)
        execute(connection, "ROLLBACK TO job").close()
        execute(connection, "RELEASE job").close()
        job.error = error


def _forget(connection: Connection) -> None:
    take_announcements(connection)
    take_deeds(connection)


def _is_lost(error: OperationalError) -> bool:
    """Locked, full, broken: trying each job of the batch alone would only take longer."""
    return getattr(error.orig, "sqlite_errorname", "") not in ("SQLITE_ERROR", "")
