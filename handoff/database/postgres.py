"""PostgreSQL: a pool of connections on threads; events travel by NOTIFY."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from handoff.database.store import BUSY_MS, T, Work, submit, unavailable
from handoff.events import Event, Hub, take_announcements


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
        return submit(self._threads, self._attempt, work)

    def read(self, work: Work[T]) -> Future[T]:
        """See `Store.read`."""
        return submit(self._threads, self._attempt, work)

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
                raise unavailable(error) from None
            except DBAPIError as error:
                state = getattr(error.orig, "sqlstate", None)
                if attempt < 3 and state in ("40001", "40P01", "23505"):
                    continue
                if isinstance(error, OperationalError) or error.connection_invalidated:
                    raise unavailable(error) from None
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
