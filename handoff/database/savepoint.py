"""A part of a transaction that can fail by itself. As text on the driver's cursor: SQLAlchemy's own costs more than the part."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from handoff.database.faults import is_of_store
from handoff.database.prepared import execute
from handoff.database.store import unavailable


@contextmanager
def savepoint(tx: Connection) -> Iterator[None]:
    """Undo what is done inside when it raises, and raise on.

    Raises `StoreUnavailable` when it is the database that failed: then there is nothing to go on with.
    """
    try:
        execute(tx, "SAVEPOINT part").close()
        try:
            yield
        except BaseException:
            if not tx.invalidated:
                execute(tx, "ROLLBACK TO SAVEPOINT part").close()
                execute(tx, "RELEASE SAVEPOINT part").close()
            raise
        execute(tx, "RELEASE SAVEPOINT part").close()
    except Exception as error:
        if tx.invalidated or is_of_store(error):
            raise unavailable(error) from None
        raise
