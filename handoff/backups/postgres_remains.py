"""What is left of erased chats in PostgreSQL's own files, as far as its server lets them be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from handoff.backups.remains import KEPT_IN, Remain, places
from handoff.errors import StoreUnavailable

_PART = 8 << 20
_SEGMENT = 1 << 30
_TABLES = (
    "SELECT coalesce(t.relname, c.relname), pg_relation_filepath(c.oid), pg_relation_size(c.oid) FROM pg_class c "
    "LEFT JOIN pg_index i ON i.indexrelid = c.oid LEFT JOIN pg_class t ON t.oid = i.indrelid "
    "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname IN (current_schema(), 'pg_toast') "
    "AND c.relkind IN ('r', 'i', 't') AND pg_relation_size(c.oid) > 0"
)
_LOG = "SELECT name, 'pg_wal/' || name, size FROM pg_ls_waldir()"


class CannotSee(StoreUnavailable):
    """This role may not read the server's files."""


def in_postgres(url: str, ids: Sequence[str]) -> list[Remain]:
    """What stands in the files of tables and indexes, and in the server's log. Raises `CannotSee`, `StoreUnavailable`."""
    engine = sa.create_engine(url, hide_parameters=True, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as tx:
            _demand_sight(tx)
            tx.exec_driver_sql("SET statement_timeout = 0").close()
            tx.exec_driver_sql("CHECKPOINT").close()  # what is in memory only is not in a file yet
            return [*_in(tx, "tabel", _TABLES, ids), *_in(tx, "logboek", _LOG, ids)]
    except SQLAlchemyError as error:
        raise StoreUnavailable(f"the server's files cannot be read: {type(error).__name__}") from None


def _demand_sight(tx: Connection) -> None:
    asked = "SELECT has_function_privilege('pg_read_binary_file(text, bigint, bigint, boolean)', 'execute') AND rolsuper "
    if not tx.exec_driver_sql(asked + "FROM pg_roles WHERE rolname = current_user").scalar_one_or_none():
        raise CannotSee("this role may not read the server's files")


def _in(tx: Connection, kind: str, query: str, ids: Sequence[str]) -> list[Remain]:
    found: Counter[str] = Counter()
    for name, path, size in tx.exec_driver_sql(query).all():
        if name not in KEPT_IN:
            found["pg_wal" if kind == "logboek" else name] += sum(_count(part, ids) for part in _parts(tx, path, size))
    return [Remain(name, kind, count) for name, count in sorted(found.items()) if count]


def _count(content: bytes, ids: Sequence[str]) -> int:
    return sum(1 for _ in places(content, ids))


def _parts(tx: Connection, path: str, size: int) -> Iterator[bytes]:
    """A relation's file is cut in segments of one gigabyte; a part overlaps the one before by an id."""
    read = sa.text("SELECT pg_read_binary_file(:path, :start, :length, true)")
    for segment in range(size // _SEGMENT + 1):
        file = path if not segment else f"{path}.{segment}"
        before = b""
        for start in range(0, min(size - segment * _SEGMENT, _SEGMENT), _PART):
            part = tx.execute(read, {"path": file, "start": start, "length": _PART}).scalar_one() or b""
            yield before + bytes(part)
            before = bytes(part)[-21:]
