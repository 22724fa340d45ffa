"""Run by Alembic: connects and migrates in one transaction. SQLite alters a table by copying it (batch mode)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context

from handoff.migrations import engine_for
from handoff.models import metadata

url: str = context.config.attributes["url"]
engine = engine_for(url)
try:
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_lock(20131003)))  # two servers that start together: one migrates
            connection.commit()
        context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()
finally:
    engine.dispose()
