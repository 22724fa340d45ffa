"""The connection with which SQLite is written: its transaction, and the work that is done in it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from sqlalchemy import Connection, Engine, RootTransaction
from sqlalchemy.exc import DBAPIError

from handoff.database.after_commit import Deed, take_deeds
from handoff.database.faults import is_of_store
from handoff.database.prepared import execute
from handoff.database.store import BUSY_MS, Work, unavailable
from handoff.errors import StoreUnavailable
from handoff.events import Event, take_announcements


class Job:
    """A piece of work and who waits for it: a thread, or a coroutine in `loop`."""

    __slots__ = ("deeds", "error", "events", "future", "loop", "result", "work")

    def __init__(self, work: Work[Any], loop: asyncio.AbstractEventLoop | None = None) -> None:
        self.work = work
        self.loop = loop
        self.future: Any = Future() if loop is None else loop.create_future()
        self.result: Any = None
        self.error: BaseException | None = None
        self.events: list[Event] = []
        self.deeds: list[Deed] = []

    def settle(self) -> None:
        """Tell who waits how it ended, unless it gave up. For a coroutine: only in its loop's thread."""
        gave_up = not self.future.set_running_or_notify_cancel() if self.loop is None else self.future.done()
        if gave_up:
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)
            self.future.exception()  # looked at: asyncio logs no traceback of it


class SpoiledError(Exception):
    """A job failed that may have changed something, and there is no savepoint to undo that alone."""


class WritingConnection:
    """One connection, for whoever has the database at this moment.

    `same_file` returns the inode of the database file (None: not made yet), and raises `StoreUnavailable` when it is gone, or not
    the one that is demanded.
    """

    def __init__(self, engine: Engine, same_file: Callable[[int | None], int | None]) -> None:
        self._engine, self._same_file = engine, same_file
        self._connection: Connection | None = None
        self._transaction: RootTransaction | None = None
        self._inode: int | None = None
        self._patient: bool | None = None

    def begin_at_once(self) -> bool:
        """Begin, if nothing has to be waited for: no other process's lock, and no file that must be opened. Returns whether."""
        try:
            if self._connection is None or self._same_file(None) != self._inode:
                return False
            self._begin(self._connection, patient=False)
        except (StoreUnavailable, DBAPIError):
            return False
        return True

    def begin(self) -> None:
        """Begin, as patiently as `BUSY_MS` says. Raises `StoreUnavailable`."""
        inode = self._see_file(None)
        if self._inode not in (None, inode):
            self.let_go()
        self._inode = inode
        try:
            if self._connection is None:
                self._connection, self._patient = self._engine.connect(), None
            self._begin(self._connection, patient=True)
        except DBAPIError as error:  # nothing of any job was tried yet
            raise unavailable(error) from None

    def _begin(self, connection: Connection, *, patient: bool) -> None:
        if patient is not self._patient:
            raw: Any = connection.connection
            raw.execute(f"PRAGMA busy_timeout={BUSY_MS if patient else 0}").close()
            self._patient = patient
        self._transaction = connection.begin()

    def commit(self) -> None:
        """Commit. Raises `StoreUnavailable` when the file is not the one any more that was begun in."""
        if self._transaction is not None:
            self._transaction.commit()
            self._transaction = None
        self._see_file(self._inode)

    def rebuild(self) -> None:
        """Write the whole file anew. Raises what SQLite raises, and `StoreUnavailable`."""
        self.begin()  # opens, and sees that the file is there
        self.undo()
        connection: Any = self._connection
        connection.connection.dbapi_connection.execute("VACUUM").close()

    def do(self, job: Job, *, savepoint: bool) -> None:
        """Do one job's work: its own failure undoes its own work only; a failure of the database undoes the whole batch.

        Raises `SpoiledError` when it cannot be undone alone, `StoreUnavailable` for the failure of the database.
        """
        tx: Any = self._connection
        raw: Any = tx.connection.dbapi_connection
        _forget(tx)  # what a panic left behind on this connection
        job.error, before = None, raw.total_changes
        if savepoint:
            execute(tx, "SAVEPOINT job").close()
        try:
            job.result = job.work(tx)
            job.events, job.deeds = take_announcements(tx), take_deeds(tx)
        except Exception as error:
            _forget(tx)
            if isinstance(error, DBAPIError) and is_of_store(error):
                if _is_lost(error):
                    raise StoreUnavailable(str(unavailable(error))) from None
                raise
            job.error = error  # it belongs to the caller, who gets it from the future
            job.events, job.deeds = [], []
            if savepoint:
                execute(tx, "ROLLBACK TO job").close()
            elif job.loop is None or raw.total_changes != before:
                raise SpoiledError from None
        if savepoint:
            execute(tx, "RELEASE job").close()

    def _see_file(self, demanded: int | None) -> int | None:
        """Do as `same_file`; a connection to a file that is not there any more is closed."""
        try:
            return self._same_file(demanded)
        except StoreUnavailable:
            self.let_go()
            raise

    def undo(self) -> None:
        """Undo what is under way."""
        transaction, self._transaction = self._transaction, None
        if transaction is not None:
            try:
                transaction.rollback()
            except DBAPIError:
                self.let_go()

    def let_go(self) -> None:
        """Close the connection; the next batch opens another."""
        connection, self._connection, self._transaction = self._connection, None, None
        if connection is not None:
            with contextlib.suppress(DBAPIError):
                connection.detach()
                connection.close()


def _forget(tx: Connection) -> None:
    take_announcements(tx)
    take_deeds(tx)


def _is_lost(error: DBAPIError) -> bool:
    """Locked, full, broken: trying each job of the batch alone would only take longer."""
    return getattr(error.orig, "sqlite_errorname", "") not in ("SQLITE_ERROR", "")
