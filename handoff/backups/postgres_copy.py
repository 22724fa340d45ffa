"""PostgreSQL: every table as text out of one snapshot, and all of it put back in one transaction. Needs nothing but psycopg."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, LiteralString

import psycopg
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from config.private_files import make_private
from handoff.backups.folder import BadCopy, Manifest, Taken
from handoff.errors import HandoffError
from handoff.migrations import LOCK, Seal, upgrade_within

TABLES = "tables"
_LEAVING_S = 3.0
_LEFT_OUT = frozenset({"event", "session", "alembic_version"})
"""What means nothing in another server, or after a while. The form of the database stands in the manifest."""


def take(url: str, folder: Path, tell: Callable[[str], None]) -> Taken:
    """Copy every table into this folder. Raises `BadCopy`."""
    (folder / TABLES).mkdir(mode=0o700)
    with _transaction(url, isolation="REPEATABLE READ") as tx:
        tx.exec_driver_sql("SET TRANSACTION READ ONLY").close()
        tables = [table for table in _tables(tx).sorted_tables if table.name not in _LEFT_OUT]
        has_id = any(table.name == "installation" for table in tables)
        installation = tx.exec_driver_sql("SELECT id FROM installation").scalar_one_or_none() if has_id else None
        revision = str(tx.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one())
        columns = {table.name: [column.name for column in table.columns] for table in tables}
        rows = {}
        for name, its in columns.items():
            rows[name] = _write(tx, name, its, _file(folder, name))
            tell(f"{name}: {rows[name]}")
        return Taken(revision, installation, rows, columns)


def put_back(
    url: str, folder: Path, manifest: Manifest, *, replace: bool, before: Callable[[Connection], object],
    seal: Seal, prepare: Callable[[Connection], object],
) -> None:  # fmt: skip
    """Fill the database from a copy, in one transaction: all of it or nothing. `before` sees the database that goes,
    `seal` seals what an older form held in clear.

    Raises `BadCopy`; then nothing has changed.
    """
    with _transaction(url) as tx:
        _refuse_in_use(tx)
        tx.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK))).close()
        there = _tables(tx)
        if _is_filled(tx, there):
            if not replace:
                raise BadCopy("er staat al een database met mensen of gesprekken; met --replace komt de kopie ervoor in de plaats")
            before(tx)
        there.drop_all(tx)
        upgrade_within(tx, manifest.revision)
        for name in [table.name for table in _tables(tx).sorted_tables]:
            if name in manifest.columns and _read(tx, name, manifest.columns[name], _file(folder, name)) != manifest.rows[name]:
                raise BadCopy(f"van {name} zijn er minder rijen dan er waren; er is niets teruggezet")
        _set_sequences(tx)
        upgrade_within(tx, "head", seal)
        prepare(tx)


@contextmanager
def _transaction(url: str, isolation: Literal["READ COMMITTED", "REPEATABLE READ"] = "READ COMMITTED") -> Iterator[Connection]:
    engine = sa.create_engine(
        url, poolclass=sa.NullPool, hide_parameters=True, isolation_level=isolation, connect_args={"connect_timeout": 10}
    )
    try:
        with engine.begin() as tx:
            tx.exec_driver_sql("SET LOCAL statement_timeout = 0").close()
            yield tx
    except HandoffError:
        raise
    except (SQLAlchemyError, psycopg.Error) as error:
        kind = getattr(getattr(error, "orig", error), "sqlstate", None) or type(error).__name__
        raise BadCopy(f"de database is niet te gebruiken: {kind}") from None


def _tables(tx: Connection) -> sa.MetaData:
    found = sa.MetaData()
    found.reflect(tx)
    return found


def _file(folder: Path, name: str) -> Path:
    return folder / TABLES / f"{name}.copy"


def _raw(tx: Connection) -> psycopg.Connection[Any]:
    raw: Any = tx.connection.driver_connection
    found: psycopg.Connection[Any] = raw
    return found


def _copy(name: str, columns: Sequence[str], way: LiteralString) -> sql.Composed:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    return sql.SQL("COPY {} ({}) {}").format(sql.Identifier(name), names, sql.SQL(way))


def _write(tx: Connection, name: str, columns: Sequence[str], file: Path) -> int:
    make_private(file)
    with file.open("wb") as stream, _raw(tx).cursor() as cursor:
        with cursor.copy(_copy(name, columns, "TO STDOUT")) as copy:
            for part in copy:
                stream.write(part)
        return cursor.rowcount


def _read(tx: Connection, name: str, columns: Sequence[str], file: Path) -> int:
    with file.open("rb") as stream, _raw(tx).cursor() as cursor:
        with cursor.copy(_copy(name, columns, "FROM STDIN")) as copy:
            while part := stream.read(1 << 16):
                copy.write(part)
        return cursor.rowcount


def _refuse_in_use(tx: Connection) -> None:
    """A program that was stopped a moment ago may still be seen: it is waited for."""
    mine = "datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    until = time.monotonic() + _LEAVING_S
    while tx.exec_driver_sql(f"SELECT count(*) FROM pg_stat_activity WHERE {mine}").scalar_one():  # noqa: S608
        if time.monotonic() > until:
            raise BadCopy("de database is in gebruik; stop eerst alle onderdelen van het programma")
        time.sleep(0.05)
        tx.exec_driver_sql("SELECT pg_stat_clear_snapshot()").close()  # else the same answer stays until the end of the transaction


def _is_filled(tx: Connection, there: sa.MetaData) -> bool:
    found = (there.tables.get(name) for name in ("person", "conversation"))
    return any(tx.execute(sa.select(sa.literal(1)).select_from(one).limit(1)).first() for one in found if one is not None)


def _set_sequences(tx: Connection) -> None:
    """Let what is numbered go on after the highest number that is there."""
    query = "SELECT table_name, column_name FROM information_schema.columns WHERE column_default LIKE 'nextval(%%' "
    for table, column in tx.exec_driver_sql(query + "AND table_schema = current_schema()").all():
        of = sa.table(table, sa.column(column)).c[column]
        highest = sa.select(sa.func.coalesce(sa.func.max(of), 0) + 1).scalar_subquery()
        tx.execute(sa.select(sa.func.setval(sa.func.pg_get_serial_sequence(table, column), highest, sa.false()))).close()
