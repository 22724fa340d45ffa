"""Alembic's scripts, and `upgrade`, which every start of the program runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from handoff.database import sqlite_engine

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0013"
"""The newest revision (a test compares it with the scripts): a start with a database in this form needs no Alembic at all."""

LOCK = 20131003
"""PostgreSQL's advisory lock of whoever changes the form of the database: of two servers that start together, one migrates."""


Seal = Callable[[sa.Connection], None]


def upgrade(url: str, seal: Seal | None = None) -> None:
    """Bring the database at `url` to the newest form; does nothing when it is there. Raises SQLAlchemy's errors.

    `seal` seals what an older form held in clear, in the same transaction (`handoff.chats.said_in_clear`). Without it a database
    that holds such rows is refused with `RuntimeError`.
    """
    if _revision(url) == HEAD:
        return
    from alembic import command  # noqa: PLC0415 - half a second of every start, needed at few of them

    command.upgrade(_config(url=url, seal=seal), "head")
    _overwrite(url)


def upgrade_within(tx: sa.Connection, revision: str, seal: Seal | None = None) -> None:
    """Do the same, up to this form, inside a transaction, which the caller commits. Raises SQLAlchemy's errors."""
    from alembic import command  # noqa: PLC0415

    command.upgrade(_config(connection=tx, seal=seal), revision)


def is_known(revision: str) -> bool:
    """Return whether this program has the form that a database says it is in."""
    return any((Path(__file__).parent / "versions").glob(f"{revision}_*.py")) and revision.isalnum()


def _config(**attributes: object) -> Config:
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes.update(attributes)
    return config


def _overwrite(url: str) -> None:
    """Let nothing of the older form stay in the database's own files."""
    engine = engine_for(url)
    try:
        if engine.dialect.name != "sqlite":
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("VACUUM FULL message")
            return
        raw = engine.raw_connection()  # in no transaction
        for statement in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
            raw.cursor().execute(statement)
        raw.close()
    finally:
        engine.dispose()


def engine_for(url: str) -> sa.Engine:
    """An engine of its own for migrations; the caller disposes of it."""
    return sqlite_engine(url) if url.startswith("sqlite") else sa.create_engine(url, hide_parameters=True)


def _revision(url: str) -> str | None:
    engine = engine_for(url)
    try:
        with engine.connect() as connection:
            found: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one_or_none()
            return found
    except SQLAlchemyError:
        return None
    finally:
        engine.dispose()
