"""PostgreSQL: a pool of connections on threads; rows are locked where two could want the same."""

from __future__ import annotations

import select
from collections.abc import Awaitable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, DisconnectionError

from handoff.database.after_commit import do_all, take_deeds
from handoff.database.faults import is_of_store
from handoff.database.notifications import ANSWER_S, LOOK_S, Notifications, Record
from handoff.database.store import BUSY_MS, T, Work, in_loop, submit, unavailable
from handoff.events import Hub, take_announcements

_CONNECT = {
    "connect_timeout": 2, "options": "-c lock_timeout=2000 -c statement_timeout=10000",
    # a server whose machine vanished sends no word: without these a thread would wait for it a quarter of an hour
    "tcp_user_timeout": 5000, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3,
}  # fmt: skip


class PostgresStore:
    """A pool of connections; events travel to other processes by `Notifications`. `look_s`, `answer_s`: as there."""

    def __init__(self, url: str, *, pool: int = 8, look_s: float = LOOK_S, answer_s: float = ANSWER_S) -> None:
        self.hub = Hub()
        self._engine = sa.create_engine(
            url, hide_parameters=True, pool_size=pool, max_overflow=0, pool_timeout=BUSY_MS / 1000, connect_args=_CONNECT,
        )  # fmt: skip
        sa.event.listen(self._engine, "checkout", partial(_see_alive, self._engine.dialect))
        self._threads = ThreadPoolExecutor(pool, thread_name_prefix="store")
        self._notifications = Notifications(url, self.hub, look_s=look_s, answer_s=answer_s)

    def write(self, work: Work[T]) -> Future[T]:
        """See `Store.write`."""
        return submit(self._threads, self._attempt, work)

    def write_short(self, work: Work[T]) -> Awaitable[T]:
        """See `Store.write_short`."""
        return in_loop(self.write(work))

    def read(self, work: Work[T]) -> Future[T]:
        """See `Store.read`."""
        return submit(self._threads, self._attempt, work)

    def tidy(self) -> Future[bool]:
        """Nothing to do here: PostgreSQL keeps what was deleted; only the destroyed expiry key makes it unreadable."""
        done: Future[bool] = Future()
        done.set_result(True)
        return done

    def rebuild(self) -> Future[bool]:
        """Nothing to do here, as in `tidy`."""
        done: Future[bool] = Future()
        done.set_result(False)
        return done

    def close(self) -> None:
        """See `Store.close`."""
        self._threads.shutdown()
        self._notifications.close()
        self._engine.dispose()

    def _attempt(self, work: Work[T]) -> T:
        """Work has no effect outside its transaction, so a deadlock or a lost race on a unique key is simply done again."""
        for attempt in (1, 2, 3):
            try:
                return self._once(work)
            except Exception as error:
                state = getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None
                if attempt < 3 and state in ("40001", "40P01", "23505"):
                    continue
                if is_of_store(error):
                    raise unavailable(error) from None
                raise
        raise AssertionError("unreachable")

    def _once(self, work: Work[T]) -> T:
        """One transaction; what was announced in it is logged with it and passed on after the commit."""
        records: list[Record] = []
        try:
            with self._engine.begin() as tx:
                try:
                    result = work(tx)
                except Exception as error:
                    if _is_lost(tx):  # whatever the work made of it
                        raise unavailable(error) from None
                    raise
                finally:
                    events, deeds = ([], []) if _is_lost(tx) else (take_announcements(tx), take_deeds(tx))
                records = self._notifications.record(tx, events)
        except BaseException:
            self._notifications.undone(records)
            raise
        self._notifications.committed(events, records)
        do_all(deeds)
        return result


def _see_alive(dialect: Any, raw: Any, _record: Any, _proxy: Any) -> None:
    """Have the pool open another connection when the server has ended this one.

    Nothing comes by itself on a connection that is idle, but its end: only then is the server asked, which is a whole round trip.
    """
    try:
        waits = select.poll()
        waits.register(raw.pgconn.socket, select.POLLIN)
        if waits.poll(0):
            dialect.do_ping(raw)
    except dialect.loaded_dbapi.Error:
        raise DisconnectionError from None


def _is_lost(tx: Connection) -> bool:
    """Whether the connection is gone, so that nothing can be asked of it. What it announced went with it."""
    return tx.invalidated
