"""Whose fault an error is: the database's, which is told as `StoreUnavailable` and tried again, or that of the work itself."""

from __future__ import annotations

from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, InternalError, OperationalError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from handoff.errors import StoreUnavailable

_UNPREPARED = ("42P01", "42703", "42501", "3F000")
"""PostgreSQL: no such table or column, no right to it, no such schema: the database is not (yet) the one of this program."""

_BROKEN = ("25006", "XX")
"""PostgreSQL: a standby that only reads, and damaged data; how these codes begin."""


def is_of_store(error: BaseException) -> bool:
    """Whether the database failed. Nobody's words are at fault then, and the same work can succeed later."""
    if isinstance(
        error, StoreUnavailable | PoolTimeout | PendingRollbackError
    ):  # the last: it went on after its connection was lost
        return True
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated or isinstance(error, OperationalError | InterfaceError):
        return True
    state = getattr(error.orig, "sqlstate", None) or ""
    if isinstance(error, InternalError):
        return state.startswith(_BROKEN)
    return state in _UNPREPARED or type(error) is DatabaseError  # the last: SQLite's damaged file
