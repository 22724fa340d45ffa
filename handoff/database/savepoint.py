"""A part of a transaction that can fail by itself. As text on the driver's cursor: SQLAlchemy's own costs more than the part."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from handoff.database.prepared import execute


@contextmanager
def savepoint(tx: Connection) -> Iterator[None]:
    """Undo what is done inside when it raises, and raise on. Raises `OperationalError` when the database cannot even undo."""
    execute(tx, "SAVEPOINT part").close()
    try:
        yield
    except BaseException:
        execute(tx, "ROLLBACK TO SAVEPOINT part").close()
        execute(tx, "RELEASE SAVEPOINT part").close()
        raise
    execute(tx, "RELEASE SAVEPOINT part").close()
