"""SQLite: one file, one writer with group commit (`sqlite_writer`), several readers (WAL)."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
import time
from collections.abc import Awaitable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from config.private_files import make_private
from handoff.database.after_commit import do_all, take_deeds
from handoff.database.prepared import execute_at_once
from handoff.database.sqlite_connection import Job, WritingConnection
from handoff.database.sqlite_writer import Writer
from handoff.database.store import BUSY_MS, T, Work, submit, unavailable
from handoff.errors import StoreUnavailable
from handoff.events import ERASURES, REPLACED, Event, Hub

log = structlog.get_logger()

_READERS = 4
_HOLD_MS = 100
"""How long emptying the log may keep writers waiting for a reader, each time that it is tried."""

LARGEST = 256 << 20
"""Bytes of a file that is still written anew: about 4 seconds, and as much memory."""

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
    """One file, one writer, several readers (WAL)."""

    def __init__(self, url: str) -> None:
        self.hub = Hub()
        self._path = Path(str(sa.engine.make_url(url).database))
        self._writer = sqlite_engine(url)
        self._reader = sqlite_engine(url, readonly=True)
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="store-read")
        self._inode: int | None = None
        self._writing = Writer(WritingConnection(self._writer, self._same_file), self.hub)

    def write(self, work: Work[T]) -> Future[T]:
        """See `Store.write`."""
        job = Job(work)
        self._writing.put(job)
        future: Future[T] = job.future
        return future

    def write_short(self, work: Work[T]) -> Awaitable[T]:
        """See `Store.write_short`."""
        job = Job(work, asyncio.get_running_loop())
        self._writing.put(job)
        future: asyncio.Future[T] = job.future
        return future

    def read(self, work: Work[T]) -> Future[T]:
        """See `Store.read`."""
        return submit(self._readers, self._read, work)

    def tidy(self) -> Future[bool]:
        """Empty the write-ahead log, where deleted rows live on. False when somebody went on reading in it: try again later.

        While it waits for readers nobody can write, so it waits shortly and comes back: a child is not kept for a reader's sake.
        """
        return self._readers.submit(self._checkpoint)

    def rebuild(self) -> Future[bool]:
        """See `Store.rebuild`. A file that is too large to be written anew while children wait is left, and that is said."""
        if self._path.exists() and self._path.stat().st_size > LARGEST:
            log.warning("database_too_large_to_rebuild", megabytes=self._path.stat().st_size >> 20)
            refused: Future[bool] = Future()
            refused.set_result(False)
            return refused
        return self._writing.rebuild()

    def _checkpoint(self) -> bool:
        try:
            self._same_file()
            with contextlib.closing(sqlite3.connect(self._path, timeout=_HOLD_MS / 1000)) as raw:
                raw.execute("PRAGMA secure_delete=ON")
                for pause_s in (0.05, 0.1, 0.2, 0.4, 0.8, 0.0):
                    if raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0:
                        return True
                    time.sleep(pause_s)
                return False
        except sqlite3.Error as error:
            raise StoreUnavailable(f"the database cannot be used: {error.sqlite_errorname}") from None

    def close(self) -> None:
        """See `Store.close`."""
        self._writing.close()
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

    def _same_file(self, demanded: int | None = None) -> int | None:
        """SQLite goes on writing to a file that was deleted or replaced under it: an acknowledgement would then be a lie.

        With `demanded`, the file must still be that one; without, a new file is taken from now on. Returns its inode.
        """
        try:
            inode = self._path.stat().st_ino
        except OSError:
            if self._inode is None:
                return None  # not made yet
            self._writer.dispose()
            raise StoreUnavailable("the database file is gone") from None
        if self._inode not in (None, inode):
            self._writer.dispose()
            self._reader.dispose()
            self.hub.publish([Event(ERASURES, REPLACED)])
        self._inode = inode
        if demanded not in (None, inode):
            raise StoreUnavailable("the database file was replaced")
        return inode
