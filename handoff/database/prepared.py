"""Statements of the hot path: compiled once for each database, then executed as text on the driver's own cursor.

SQLAlchemy spends some 50 microseconds on each execution of a statement, SQLite itself 5. What is kept of SQLAlchemy here: the
statement is written in Core, its types convert the values, and a driver's error comes out as the same `DBAPIError`.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError

Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Plan:
    """A statement in one database's own words."""

    text: str
    names: tuple[str, ...]
    """The parameters, in the order in which they stand in the text; one name may stand there twice."""
    fixed: Mapping[str, Any]
    """Values that stand in the statement itself."""
    bound: tuple[tuple[int, Convert], ...]
    """The places of the parameters that the driver wants in another form than the program's."""
    positional: bool
    """SQLite: by place. Else, PostgreSQL: by name."""
    row: Callable[[Sequence[Any]], Any]
    """Makes a row's columns readable by name."""
    converted: tuple[tuple[int, Convert], ...]
    """The places of the columns that the driver gives in another form than the program's."""

    def values(self, given: Mapping[str, Any]) -> Any:
        """Return the driver's parameters. Raises `KeyError` for one that is not given."""
        known = {**self.fixed, **given} if self.fixed else given
        return self.ordered([known[name] for name in self.names])

    def ordered(self, values: list[Any]) -> Any:
        """Return the driver's parameters from values that stand in the order of `names`."""
        for place, convert in self.bound:
            values[place] = convert(values[place])
        return values if self.positional else dict(zip(self.names, values, strict=True))

    def read(self, raw: Sequence[Any]) -> Any:
        """Return one row, each column as its type in `handoff.models` says."""
        values = list(raw)
        for place, convert in self.converted:
            values[place] = convert(values[place])
        return self.row(values)


class Prepared:
    """A Core statement with `sa.bindparam`s, made once at module level. Every parameter is given by name at each execution."""

    def __init__(self, statement: sa.sql.expression.Executable) -> None:
        self._statement = statement
        self._plans: dict[str, _Plan] = {}

    def first(self, tx: Connection, **given: Any) -> Any | None:
        """The first row, or None."""
        plan = self._plan(tx)
        cursor = execute(tx, plan.text, plan.values(given))
        raw = cursor.fetchone()
        cursor.close()
        return None if raw is None else plan.read(raw)

    def all(self, tx: Connection, **given: Any) -> list[Any]:
        """Every row."""
        plan = self._plan(tx)
        cursor = execute(tx, plan.text, plan.values(given))
        found = [plan.read(raw) for raw in cursor.fetchall()]
        cursor.close()
        return found

    def run(self, tx: Connection, **given: Any) -> int:
        """Execute a statement that gives no rows; returns how many rows it touched."""
        plan = self._plan(tx)
        cursor = execute(tx, plan.text, plan.values(given))
        touched: int = cursor.rowcount
        cursor.close()
        return touched

    def run_ordered(self, tx: Connection, names: tuple[str, ...], values: list[Any]) -> None:
        """Execute with values in the order of `names`. Raises `RuntimeError` when the text has them in another one."""
        plan = self._plan(tx)
        if plan.names != names:
            raise RuntimeError("the parameters stand in another order")
        execute(tx, plan.text, plan.ordered(values)).close()

    def _plan(self, tx: Connection) -> _Plan:
        found = self._plans.get(tx.dialect.name)
        if found is None:
            found = self._plans[tx.dialect.name] = _compile(self._statement, tx.dialect)
        return found


class PreparedInsert:
    """Adds rows of one table, all in one statement. Each row names all of `columns`."""

    def __init__(self, table: sa.Table, *columns: str) -> None:
        self._table = table
        self._columns = [column.name for column in table.c if column.name in columns]
        self._by_count: dict[int, tuple[Prepared, tuple[str, ...]]] = {}

    def run(self, tx: Connection, *rows: Mapping[str, Any]) -> None:
        """Add these rows; none is no statement at all. Raises `KeyError` for a column that a row lacks."""
        if rows:
            statement, names = self._of(len(rows))
            statement.run_ordered(tx, names, [row[name] for row in rows for name in self._columns])

    def _of(self, count: int) -> tuple[Prepared, tuple[str, ...]]:
        """The statement for so many rows, and the names of its parameters in order."""
        found = self._by_count.get(count)
        if found is None:
            kinds = {name: self._table.c[name].type for name in self._columns}
            bound = [{name: sa.bindparam(f"{name}_m{n}", type_=kind) for name, kind in kinds.items()} for n in range(count)]
            names = tuple(f"{name}_m{n}" for n in range(count) for name in self._columns)
            found = self._by_count[count] = Prepared(self._table.insert().values(bound)), names
        return found


def execute(tx: Connection, text: str, values: Any = ()) -> Any:
    """Execute text on the driver's own cursor, which is returned. Inside a transaction only. Raises `DBAPIError`, as SQLAlchemy."""
    if not tx.in_transaction():
        raise RuntimeError("outside a transaction every statement would be committed by itself")
    return execute_at_once(tx, text, values)


def execute_at_once(tx: Connection, text: str, values: Any = ()) -> Any:
    """Do as `execute` does, also for the statement that begins the transaction."""
    connection, cursor = tx.connection, None
    try:
        cursor = connection.cursor()  # a closed connection refuses even this
        cursor.execute(text, values)
    except tx.dialect.loaded_dbapi.Error as error:
        if cursor is not None:
            cursor.close()
        raise _as_sqlalchemy(tx, text, error) from None
    except BaseException:
        if cursor is not None:
            cursor.close()
        raise
    return cursor


def _as_sqlalchemy(tx: Connection, text: str, error: Any) -> Exception:
    """A driver's error as SQLAlchemy would raise it, without values; a connection that it says is lost is given up."""
    dialect, connection = tx.dialect, tx.connection
    lost = dialect.is_disconnect(error, connection.dbapi_connection, None)
    if lost:
        tx.invalidate(error)
    kind = dialect.loaded_dbapi.Error
    found: Exception = DBAPIError.instance(
        text, None, error, kind, hide_parameters=True, connection_invalidated=lost, dialect=dialect
    )
    return found


@contextmanager
def sent_together(tx: Connection) -> Iterator[None]:
    """Send the statements inside to PostgreSQL in one go, at the end or when one's rows are asked for; on SQLite, do nothing.

    Whatever fails inside may be raised by any statement after it, or at the end. How many rows were touched is not known inside.
    """
    if tx.dialect.name == "sqlite":
        yield
        return
    raw: Any = tx.connection.dbapi_connection
    failed: BaseException | None = None
    try:
        with raw.pipeline():
            try:
                yield
            except BaseException as error:  # noqa: BLE001 - raised below: the driver would log what it finds at the end
                failed = error
    except tx.dialect.loaded_dbapi.Error as error:
        if failed is None:
            raise _as_sqlalchemy(tx, "sent together", error) from None
    if failed is not None:
        raise failed


def _compile(statement: sa.sql.expression.Executable, dialect: Dialect) -> _Plan:
    compiled: Any = statement.compile(dialect=dialect)  # type: ignore[attr-defined]
    names = tuple(compiled.positiontup if compiled.positional else compiled.params)
    bound = [_binding(compiled.binds[name].type, dialect) for name in names]
    fixed = {name: compiled.params[name] for name in names if not compiled.binds[name].required}
    columns: list[Any] = list(getattr(statement, "selected_columns", ()))
    made: Any = namedtuple  # a row's columns are known only now
    row = made("Row", [column.name for column in columns])
    converted = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
    return _Plan(str(compiled), names, fixed, _where(bound), compiled.positional, row._make, _where(converted))


def _binding(kind: Any, dialect: Dialect) -> Convert | None:
    """How a value of this type goes to the driver. One moment stands in many places of a turn: it is converted once."""
    convert: Convert | None = kind.dialect_impl(dialect).bind_processor(dialect)
    return (
        lru_cache(maxsize=64)(convert) if convert is not None and isinstance(getattr(kind, "impl", kind), sa.DateTime) else convert
    )


def _where(converts: Sequence[Convert | None]) -> tuple[tuple[int, Convert], ...]:
    return tuple((place, convert) for place, convert in enumerate(converts) if convert is not None)
