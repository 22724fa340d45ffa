"""The database's clock, by which all processes of one installation judge signs of life and leases.

On SQLite the process's own clock is the database's. On PostgreSQL each process asks now and then by how much its own is off.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy import Connection

from handoff.database.store import Store, awaited

log = structlog.get_logger()

ASK_EVERY_S = 10.0
"""Seconds between two questions: so long a process may be wrong after its own clock was set."""

SLOW = timedelta(seconds=1)
"""An answer that took longer says too little of the moment at which it was given."""

WORTH_TELLING = timedelta(seconds=1)
"""A change of the difference that is logged."""


class DatabaseClock:
    """This machine's clock, put right by the database's."""

    def __init__(self, own: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._own, self._behind = own, timedelta(0)

    def __call__(self) -> datetime:
        """Return what time it is at the database."""
        return self._own() + self._behind

    async def ask(self, store: Store) -> None:
        """Ask the database for its time. Raises `StoreUnavailable`; until it answers the last difference counts."""
        begun = self._own()
        there = await awaited(store.read(_time))
        took = self._own() - begun
        if not timedelta(0) <= took <= SLOW:
            return
        behind = there - begun - took / 2
        if abs(behind - self._behind) >= WORTH_TELLING:
            log.warning("clock_differs_from_database", seconds=round(behind.total_seconds(), 1))
        self._behind = behind


def _time(tx: Connection) -> datetime:
    found: datetime = tx.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
    return found.astimezone(UTC)
