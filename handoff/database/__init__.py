"""The store: runs plain synchronous functions, each in one transaction, and answers only after the commit.

SQLite has one writer thread that gathers what waits into one commit (group commit: one fsync for many children). PostgreSQL
has a pool. Domain functions take a `Connection` and never commit. Measured choice: docs/decisions/0002-store.md.
"""

from handoff.database.postgres import PostgresStore
from handoff.database.sqlite import SqliteStore, sqlite_engine
from handoff.database.store import BUSY_MS, Store, Work, awaited

__all__ = ["BUSY_MS", "PostgresStore", "SqliteStore", "Store", "Work", "awaited", "open_store", "sqlite_engine"]


def open_store(url: str, *, pool: int = 8) -> Store:
    """The store for a database URL (`sqlite:///...` or `postgresql+psycopg://...`)."""
    return SqliteStore(url) if url.startswith("sqlite") else PostgresStore(url, pool=pool)
