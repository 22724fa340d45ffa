"""Alembic's scripts, and `upgrade`, which every start of the program runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from handoff.database import sqlite_engine

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0011"
"""The newest revision (a test compares it with the scripts): a start with a database in this form needs no Alembic at all."""

LOCK = 20131003
"""PostgreSQL's advisory lock of whoever changes the form of the database: of two servers that start together, one migrates."""


def upgrade(url: str) -> None:
    """Bring the database at `url` to the newest form; does nothing when it is there. Raises SQLAlchemy's errors."""
    if _revision(url) == HEAD:
        return
    from alembic import command  # noqa: PLC0415 - half a second of every start, needed at few of them

    command.upgrade(_config(url=url), "head")


def upgrade_within(tx: sa.Connection, revision: str) -> None:
    """Bring a database to this form inside a transaction, which the caller commits. Raises SQLAlchemy's errors."""
    from alembic import command  # noqa: PLC0415

    command.upgrade(_config(connection=tx), revision)


def is_known(revision: str) -> bool:
    """Return whether this program has the form that a database says it is in."""
    return any((Path(__file__).parent / "versions").glob(f"{revision}_*.py")) and revision.isalnum()


def _config(**attributes: object) -> Config:
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes.update(attributes)
    return config


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
