"""Run by Alembic: migrates in one transaction, its own or the caller's. SQLite alters a table by copying it (batch mode)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context

from handoff.migrations import LOCK, engine_for
from handoff.models import metadata


def _migrate(connection: sa.Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


def _connect_and_migrate(url: str) -> None:
    engine = engine_for(url)
    try:
        with engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_lock(LOCK)))
                connection.commit()
            _migrate(connection)
            connection.commit()
    finally:
        engine.dispose()


given: sa.Connection | None = context.config.attributes.get("connection")
if given is None:
    _connect_and_migrate(context.config.attributes["url"])
else:
    _migrate(given)
